"""Which tasks a command line means, and in which order they run."""

import pytest

MANIFEST = """
[tasks]
build = "echo building"
lint = "echo linting"
_setup = "echo setting up"
[tasks.test]
cmd = "echo testing"
depends-on = ["build"]
[tasks.test-slow]
cmd = "echo testing slowly"
depends-on = ["_setup", "lint", "build"]
[tasks.check]
depends-on = ["test-slow", "test"]
"""


@pytest.fixture
def tasks(space):
    space.write({"conda.toml": MANIFEST, "deep/er/file": ""})
    return space


@pytest.mark.parametrize(
    ("words", "ran"),
    [
        pytest.param(["build"], ["build"], id="one"),
        pytest.param(["run", "build"], ["build"], id="after-run"),
        pytest.param(["test"], ["build", "test"], id="what-it-needs-first"),
        pytest.param(["test-slow"], ["lint", "build", "test-slow"], id="needs-in-written-order"),
        pytest.param(["lint", "build"], ["lint", "build"], id="two-in-the-order-asked"),
        pytest.param(["build", "build", "test"], ["build", "test"], id="each-once"),
        pytest.param(["-s", "test", "lint"], ["test", "lint"], id="single-leaves-needs-out"),
        pytest.param(["-s", "lint", "test", "build"], ["lint", "test", "build"], id="single-keeps-the-order-asked"),
        pytest.param(["test*"], ["build", "test", "lint", "test-slow"], id="wildcard"),
        pytest.param(["check"], ["lint", "build", "test-slow", "test"], id="alias-is-not-announced"),
    ],
)
def test_what_runs_for(tasks, words: list[str], ran: list[str]):
    assert tasks.ran(*words) == ran


def test_the_output_of_commands_stands_below_their_names(tasks):
    assert tasks.doit("test", "lint") == ".  build\nbuilding\n.  test\ntesting\n.  lint\nlinting\n"


def test_a_hidden_task_runs_unannounced_as_doit_has_it(tasks):
    assert tasks.doit("_setup") == "setting up\n"
    assert tasks.doit("test-slow").startswith("setting up\n.  lint\nlinting\n.  build\n")


@pytest.mark.parametrize("folder", [".", "deep", "deep/er"])
def test_tasks_run_from_any_folder_below(tasks, folder: str):
    assert tasks.doit("build", cwd=folder) == ".  build\nbuilding\n"


@pytest.mark.parametrize("words", [["-d", "{root}", "build"], ["run", "--dir={root}/deep", "build"]], ids=" ".join)
@pytest.mark.parametrize("folder", [pytest.param("deep", id="inside"), pytest.param("/", id="outside")])
def test_option_dir_chooses_the_workspace(tasks, folder: str, words: list[str]):
    assert tasks.doit(*(word.format(root=tasks.root) for word in words), cwd=folder) == ".  build\nbuilding\n"


def test_plain_doit_runs_the_task_default(space):
    space.write({"conda.toml": '[tasks]\nhello = "echo hello"\ndefault = "echo default"\n', "sub/file": ""})
    assert space.doit() == space.doit("run", cwd="sub") == ".  default\ndefault\n"


def test_plain_doit_shows_the_list_where_no_task_is_named_default(tasks):
    assert tasks.doit() == tasks.doit("list")


OUTPUTS = """
[tasks.pack]
cmd = "mkdir -p dist && cp in.txt dist/app"
inputs = ["in.txt"]
outputs = ["dist/app"]
[tasks.many]
cmd = "mkdir -p {{ where }} && echo > {{ where }}/x"
args = [{ arg = "where", default = "many" }]
outputs = ["{{ where }}/x"]
"""


@pytest.mark.parametrize(
    ("folder", "word", "ran"),
    [
        pytest.param(".", "dist/app", "pack", id="from-the-root"),
        pytest.param(".", "./dist/app", "pack", id="with-a-dot"),
        pytest.param("sub", "../dist/app", "pack", id="relative-to-a-sub-folder"),
        pytest.param("sub", "dist/app", "pack", id="relative-to-the-workspace-from-a-sub-folder"),
        pytest.param("dist", "app", "pack", id="from-its-own-folder"),
        pytest.param(".", "many/x", "many", id="templated"),
    ],
)
def test_a_task_can_be_named_by_a_file_it_writes(space, folder: str, word: str, ran: str):
    space.write({"conda.toml": OUTPUTS, "in.txt": "1", "sub/file": "", "dist/file": ""})
    assert space.doit(word, cwd=folder) == f".  {ran}\n"
    assert space.doit(word, cwd=folder) == f"-- {ran}\n"


def test_a_task_wins_over_a_file_of_its_name(space):
    space.write({"conda.toml": '[tasks]\napp = "echo task"\nother = { cmd = "echo > app", outputs = ["app"] }\n'})
    assert space.doit("app") == ".  app\ntask\n"


def test_a_task_named_like_a_command_runs_behind_run(space):
    space.write({"conda.toml": '[tasks]\nclean = "echo cleaning"\nlist = "echo a task"\n'})
    assert space.doit("run", "clean", "list") == ".  clean\ncleaning\n.  list\na task\n"
    done = space.run("clean")
    hint = "hint: to run the task 'clean' of this workspace: doit run clean\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", hint)
    assert space.doit("list") == "clean   echo cleaning\nlist    echo a task\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            ["tset"],
            "error: task 'tset' is not defined\n"
            "hint: did you mean 'test'? Available tasks: build, check, lint, test, test-slow\n",
            id="nearly-a-task",
        ),
        pytest.param(
            ["build", "zzz"],
            "error: task 'zzz' is not defined\nhint: Available tasks: build, check, lint, test, test-slow\n",
            id="second-of-two",
        ),
        pytest.param(
            ["zzz*"],
            "error: task 'zzz*' is not defined\nhint: Available tasks: build, check, lint, test, test-slow\n",
            id="wildcard-without-match",
        ),
    ],
)
def test_a_word_that_is_no_task_runs_nothing(tasks, words: list[str], message: str):
    done = tasks.run(*words)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", message)


def test_an_empty_word_is_no_task(tasks):
    # Only behind `cwt`: doit itself fails at an empty word before it asks any plugin.
    message = tasks.fails("test", "", program="cwt")
    assert message == "error: task '' is not defined\nhint: Available tasks: build, check, lint, test, test-slow\n"


def test_an_unknown_option_is_one_line(tasks):
    message = tasks.fails("run", "--nonsense", "build")
    assert message == "error: doit run: option --nonsense not recognized\nhint: doit help run lists the options\n"


def test_a_missing_dependency_stops_only_those_who_need_it(space):
    space.write({"conda.toml": '[tasks]\nok = "echo ok"\ndocs = { cmd = "true", depends-on = ["gone"] }\n'})
    assert space.doit("ok") == ".  ok\nok\n"
    assert space.doit("list") == "docs   true\nok     echo ok\n"
    assert space.fails("ok", "docs") == (
        "error: task 'gone' is not defined (needed by docs)\nhint: Available tasks: docs, ok\n"
    )


CYCLE = (
    '[tasks]\na = { cmd = "echo A", depends-on = ["b"] }\nb = { cmd = "echo B", depends-on = ["a"] }\nc = "echo C"\n'
)


def test_a_cycle_is_an_error_in_the_conda_dialect_for_those_who_ask_for_it(space):
    space.write({"conda.toml": CYCLE})
    assert space.fails("a") == (
        "error: tasks depend on each other: a -> b -> a\nhint: remove one of these depends-on entries\n"
    )
    assert space.doit("c") == ".  c\nC\n"


PIXI = '[workspace]\nname = "w"\nchannels = []\nplatforms = ["linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64"]\n'


def test_a_cycle_warns_and_runs_once_in_the_pixi_dialect(space):
    space.write({"pixi.toml": PIXI + CYCLE})
    done = space.run("a")
    assert (done.returncode, done.stdout) == (0, ".  b\nB\n.  a\nA\n")
    assert done.stderr == "warning: tasks depend on each other: a -> b -> a; each runs once\n"


def test_a_repeated_dependency_runs_again(space):
    space.write(
        {
            "pixi.toml": PIXI
            + '[tasks]\nstatus = "echo S"\nwork = "echo W"\nall = { depends-on = ["status", "work", "status"] }\n'
        }
    )
    assert space.doit("all") == ".  status\nS\n.  work\nW\n.  status#2\nS\n"


ENVIRONMENTS = (
    PIXI
    + """
[tasks]
where = "echo in $PIXI_ENVIRONMENT_NAME"
[feature.a.tasks]
test = "echo testing in $PIXI_ENVIRONMENT_NAME"
[feature.only.tasks]
docs = "echo docs in $PIXI_ENVIRONMENT_NAME"
[environments]
one = ["a"]
two = ["a"]
docs = ["only"]
"""
)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["where"], ".  where\nin default\n", id="default"),
        pytest.param(["-e", "one", "where"], ".  where:one\nin one\n", id="option"),
        pytest.param(["--environment=two", "test"], ".  test:two\ntesting in two\n", id="long-option"),
        pytest.param(["run", "-e", "one", "test"], ".  test:one\ntesting in one\n", id="option-after-run"),
        pytest.param(["test:two", "test:one"], ".  test:two\ntesting in two\n.  test:one\ntesting in one\n", id="name"),
        pytest.param(["docs"], ".  docs\ndocs in docs\n", id="the-only-one-that-has-it"),
    ],
)
def test_the_environment_is_chosen_by(space, words: list[str], said: str):
    space.write({"pixi.toml": ENVIRONMENTS})
    assert space.doit(*words) == said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            ["test"],
            "error: task 'test' is ambiguous: environments one, two define it\nhint: name one: test:one, or -e one\n",
            id="ambiguous",
        ),
        pytest.param(
            ["-e", "tow", "test"],
            "error: environment 'tow' is not defined\n"
            "hint: did you mean 'two'? Defined environments: default, docs, one, two\n",
            id="unknown",
        ),
        pytest.param(
            ["test:tow"],
            "error: environment 'tow' is not defined\n"
            "hint: did you mean 'two'? Defined environments: default, docs, one, two\n",
            id="unknown-in-a-name",
        ),
        pytest.param(
            ["-e", "docs", "test"],
            "error: task 'test' is not available in environment 'docs'\nhint: it is defined for: one, two\n",
            id="not-there",
        ),
    ],
)
def test_an_environment_that_does_not_fit_runs_nothing(space, words: list[str], message: str):
    space.write({"pixi.toml": ENVIRONMENTS})
    done = space.run(*words)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", message)


def test_each_environment_has_a_history_of_its_own(space):
    space.write({"pixi.toml": ENVIRONMENTS + '[tasks.t]\ncmd = "true"\ninputs = ["pixi.toml"]\n'})
    assert [space.ran("t"), space.ran("-e", "one", "t"), space.ran("t", "t:one")] == [["t"], ["t:one"], []]


@pytest.mark.parametrize(
    "words", [["-n", "4", "list"], ["-v", "2", "list"], ["-e", "one", "-n", "2", "list"]], ids=" ".join
)
def test_a_command_behind_options_of_run_is_still_the_command(space, words: list[str]):
    space.write({"pixi.toml": ENVIRONMENTS})
    assert "in $PIXI_ENVIRONMENT_NAME\n" in space.doit(*words)
