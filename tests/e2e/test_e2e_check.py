"""``cwt check`` tells every mistake of a manifest, and verbs share one way of being wrong."""


def test_a_good_manifest_has_no_mistakes(space):
    space.write({"conda.toml": '[tasks]\na = "true"\n', "sub/file": ""})
    assert space.doit("check", program="cwt") == "conda.toml: no mistakes\n"
    assert space.doit("check", "sub", program="cwt") == "conda.toml: no mistakes\n"


def test_every_mistake_is_told_at_once(space):
    space.write({"conda.toml": "[tasks]\na = 1\nb = 2\n"})
    said = space.fails("check", program="cwt")
    assert "tasks.a" in said
    assert "tasks.b" in said


def test_what_is_merely_odd_is_a_warning(space):
    space.write({"conda.toml": '[tasks]\na = { cmd = "true", imputs = [] }\n'})
    done = space.run("check", program="cwt")
    assert (done.returncode, done.stdout) == (0, "conda.toml: no mistakes\n")
    assert done.stderr.startswith("warning: conda.toml: tasks.a.imputs: unknown key")


def test_a_path_that_is_not_there(space):
    assert space.fails("check", "nosuch.toml", program="cwt").startswith("error: nosuch.toml: no such file or folder\n")


def test_a_wrong_option_is_two_lines(space):
    said = space.fails("check", "--nonsense", program="cwt")
    assert said == "error: cwt check: unrecognized arguments: --nonsense\nhint: cwt check --help lists what it takes\n"


def test_help_knows_the_verbs(space):
    space.write({"conda.toml": "[tasks]\n"})
    assert "  cwt check             read the manifest" in space.doit("help", program="cwt")
    assert space.doit("help", "check", program="cwt") == space.doit("check", "--help", program="cwt")
