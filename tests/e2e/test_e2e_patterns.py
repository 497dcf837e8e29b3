"""Input and output patterns: folders, wildcards, negation, templates, what matches nothing."""

import pytest


def test_generated_inputs_behind_a_wildcard_are_seen_in_the_run_that_makes_them(space):
    space.write(
        {
            "conda.toml": """
[tasks.generate]
cmd = "mkdir -p gen; for n in $(cat names.txt); do echo $n > gen/$n.txt; done"
inputs = ["names.txt"]
outputs = ["gen/"]
[tasks.join]
cmd = "cat gen/*.txt > all.txt"
depends-on = ["generate"]
inputs = ["gen/*.txt"]
outputs = ["all.txt"]
""",
            "names.txt": "a b",
        }
    )
    assert space.ran("join") == ["generate", "join"]
    assert space.doit("join") == "-- generate\n-- join\n"
    space.write({"names.txt": "a b c"})
    assert space.ran("-n", "4", "join") == ["generate", "join"]
    assert space.read("all.txt") == "a\nb\nc\n"
    assert space.doit("join") == "-- generate\n-- join\n"


def test_a_generator_that_writes_the_same_content_does_not_run_its_consumers(space):
    space.write(
        {
            "conda.toml": """
[tasks.generate]
cmd = "grep -v '^#' source.txt > generated.txt"
inputs = ["source.txt"]
outputs = ["generated.txt"]
[tasks.use]
cmd = "cp generated.txt used.txt"
depends-on = ["generate"]
inputs = ["generated.txt"]
outputs = ["used.txt"]
""",
            "source.txt": "one\n",
        }
    )
    assert space.ran("use") == ["generate", "use"]
    space.write({"source.txt": "# comment\none\n"})
    assert space.doit("use") == ".  generate\n-- use\n"
    assert space.doit("use") == "-- generate\n-- use\n"


PICK = """
[tasks.pick]
cmd = "cat {path} > out.txt"
inputs = {inputs}
outputs = ["out.txt"]
"""


@pytest.mark.parametrize(
    ("inputs", "edited", "ran"),
    [
        pytest.param(["src/**", "!src/skip.txt"], "src/skip.txt", [], id="excluded"),
        pytest.param(["src/**", "!src/skip.txt"], "src/use.txt", ["pick"], id="beside-the-excluded"),
        pytest.param(["src/**", "!**/*.txt"], "src/deep/x.txt", [], id="excluded-at-any-depth"),
        pytest.param(["*.txt"], "src/deep/x.txt", ["pick"], id="no-slash-matches-at-any-depth"),
        pytest.param(["src/*.txt"], "src/deep/x.txt", [], id="one-level-only"),
        pytest.param(["src/{use,skip}.txt"], "src/skip.txt", ["pick"], id="alternatives"),
        pytest.param(["src/[a-s]*.txt"], "src/use.txt", [], id="not-in-the-class"),
        pytest.param(["src/"], "src/deep/x.txt", ["pick"], id="folder"),
        pytest.param(["src"], "src/.hidden", [], id="hidden-files-are-left-out"),
        pytest.param(["src/.*"], "src/.hidden", ["pick"], id="unless-named"),
    ],
)
def test_a_pattern_says_which_edits_count(space, inputs: list[str], edited: str, ran: list[str]):
    files = dict.fromkeys(["src/use.txt", "src/skip.txt", "src/deep/x.txt", "src/x.py", "src/.hidden"], "1")
    space.write({"conda.toml": PICK.format(path="src/use.txt", inputs=inputs), **files})
    space.doit("pick")
    space.write({edited: "2"})
    assert space.ran("pick") == ran


def test_patterns_start_at_the_workspace_whatever_cwd_says(space):
    space.write(
        {
            "conda.toml": '[tasks.t]\ncmd = "cp in.txt out.txt"\ncwd = "sub"\ninputs = ["sub/in.txt"]\noutputs = ["sub/out.txt"]\n',
            "sub/in.txt": "1",
            "in.txt": "1",
        }
    )
    assert [space.ran("t", cwd="sub"), space.ran("t")] == [["t"], []]
    space.write({"in.txt": "2"})
    assert space.ran("t") == []
    space.write({"sub/in.txt": "2"})
    assert space.ran("t") == ["t"]


def test_patterns_may_hold_templates(space):
    space.write(
        {
            "conda.toml": """
[tasks.copy]
cmd = "cp {{ name }}.in {{ name }}.out"
args = [{ arg = "name", default = "a" }]
inputs = ["{{ name }}.in"]
outputs = ["{{ name }}.out"]
""",
            "a.in": "1",
            "b.in": "1",
        }
    )
    space.doit("copy")
    space.write({"b.in": "2"})
    assert space.ran("copy") == []
    space.write({"a.in": "2"})
    assert space.ran("copy") == ["copy"]


@pytest.mark.parametrize(
    ("declared", "warning", "runs_again"),
    [
        pytest.param(
            'inputs = ["no/*.x"]',
            "warning: t: input pattern 'no/*.x' matches nothing, so it will run again next time\n",
            True,
            id="input",
        ),
        pytest.param(
            'outputs = ["no.x"]',
            "warning: t: output pattern 'no.x' matches nothing, so it will run again next time\n",
            True,
            id="output",
        ),
        pytest.param(
            'inputs = ["conda.toml", "no/*.x"]',
            "warning: t: input pattern 'no/*.x' matches nothing\n",
            False,
            id="one-of-two",
        ),
    ],
)
def test_a_pattern_that_matches_nothing_is_named(space, declared: str, warning: str, runs_again: bool):
    space.write({"conda.toml": f'[tasks.t]\ncmd = "true"\n{declared}\n'})
    done = space.run("t")
    assert (done.returncode, done.stdout, done.stderr) == (0, ".  t\n", warning)
    assert bool(space.run("t").stdout == ".  t\n") is runs_again


def test_a_file_that_is_input_and_output_settles(space):
    space.write(
        {
            "conda.toml": """
[tasks.format]
cmd = "tr a-z A-Z < text.txt > tmp && cat tmp > text.txt && rm tmp"
inputs = ["text.txt"]
outputs = ["text.txt"]
""",
            "text.txt": "word",
        }
    )
    assert [space.ran("format"), space.ran("format")] == [["format"], []]
    space.write({"text.txt": "more"})
    assert [space.ran("format"), space.ran("format")] == [["format"], []]
    assert space.read("text.txt") == "MORE"


@pytest.mark.parametrize("options", [pytest.param([], id="serial"), pytest.param(["-n", "4"], id="parallel")])
def test_two_tasks_may_write_one_file(space, options: list[str]):
    task = '[tasks.{name}]\ncmd = "cat {name}.in > {name}.out; echo same > shared"\ninputs = ["{name}.in"]\noutputs = ["{name}.out", "shared"]\n'
    space.write({"conda.toml": task.format(name="a") + task.format(name="b"), "a.in": "1", "b.in": "1"})
    assert space.ran(*options, "a", "b") == ["a", "b"]
    assert space.doit(*options, "a", "b") == "-- a\n-- b\n"
    space.write({"b.in": "2"})
    assert space.ran(*options, "a", "b") == ["b"]


def test_an_output_folder_is_everything_below_it(space):
    space.write(
        {
            "conda.toml": '[tasks.t]\ncmd = "mkdir -p out/deep; cp in.txt out/deep/file; echo > out/other"\ninputs = ["in.txt"]\noutputs = ["out"]\n',
            "in.txt": "1",
        }
    )
    assert [space.ran("t"), space.ran("t")] == [["t"], []]
    space.write({"out/deep/file": "edited"})
    assert [space.ran("t"), space.ran("t")] == [["t"], []]
    (space.root / "out/other").unlink()
    assert [space.ran("t"), space.ran("t")] == [["t"], []]
    # A file somebody else put there is not the task's business.
    space.write({"out/foreign": ""})
    assert space.ran("t") == []


def test_only_what_an_edit_touches_runs_again(space):
    task = '[tasks.{name}]\ncmd = "cat {reads} > {name}.out"\ndepends-on = {needs}\ninputs = {inputs}\noutputs = ["{name}.out"]\n'
    tasks = {"left": ["l.in"], "right": ["r.in"], "join": ["left.out", "right.out"], "report": ["join.out"]}
    needs = {"left": [], "right": [], "join": ["left", "right"], "report": ["join"]}
    manifest = "".join(
        task.format(name=name, reads=" ".join(reads), inputs=reads, needs=needs[name]) for name, reads in tasks.items()
    )
    space.write({"conda.toml": manifest, "l.in": "l", "r.in": "r"})
    assert sorted(space.ran("-n", "4", "report")) == ["join", "left", "report", "right"]
    assert space.ran("report") == []
    space.write({"r.in": "R"})
    assert space.ran("report") == ["right", "join", "report"]
    space.write({"join.out": "broken"})
    assert space.ran("-n", "4", "report") == ["join"]
    assert space.read("report.out") == "lR"
