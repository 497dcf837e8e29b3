"""``cwt`` is the same as ``doit`` in a workspace."""

import shutil

import pytest

PIXI = """
[workspace]
name = "w"
channels = []
platforms = ["linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64"]
[tasks]
make = { cmd = "cp in out && echo made", inputs = ["in"], outputs = ["out"] }
greet = { cmd = "echo hello {{ who }}", args = ["who"] }
bad = "exit 7"
clean = "echo cleaning"
[feature.f.tasks]
test = "echo testing in $PIXI_ENVIRONMENT_NAME"
[environments]
a = ["f"]
b = ["f"]
"""


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["list"],
        ["list", "--all", "-p"],
        ["list", "--json"],
        ["-e", "a", "list"],
        ["make"],
        ["run", "make"],
        ["-n", "2", "make"],
        ["greet", "who=Bob"],
        ["greet"],
        ["bad"],
        ["-e", "b", "test"],
        ["test:a"],
        ["test"],
        ["nosuch"],
        ["info", "make"],
        ["info", "greet", "who=Bob"],
        ["help", "greet"],
        ["clean", "-n"],
        ["forget", "make"],
        ["reset-dep"],
        ["--nonsense"],
    ],
    ids=lambda words: " ".join(words) or "nothing",
)
@pytest.mark.parametrize("folder", [".", "sub"])
def test_cwt_says_what_doit_says(space, words: list[str], folder: str):
    said = []
    for program in ("doit", "cwt"):
        space.write({"pixi.toml": PIXI, "in": "1", "sub/file": ""})
        done = space.run(*words, cwd=folder, program=program, env={"CWTASKS_KEEP_OUTPUTS": "off"})
        said.append((done.returncode, done.stdout, done.stderr.replace("cwt", "doit")))
        shutil.rmtree(space.root / ".conda", ignore_errors=True)
        (space.root / "out").unlink(missing_ok=True)
    assert said[0] == said[1]


def test_cwt_and_doit_share_their_memory(space):
    space.write({"pixi.toml": PIXI, "in": "1"})
    assert space.doit("make", program="cwt") == ".  make\nmade\n"
    assert space.doit("make") == "-- make\n"


def test_cwt_looks_at_the_workspace_also_beside_a_dodo_file(space):
    space.write({"pixi.toml": PIXI, "dodo.py": "def task_mine():\n    return {'actions': None}\n"})
    assert "greet   " in space.doit("list", program="cwt")


def test_cwt_without_a_workspace_says_so(space):
    message = space.fails("list", program="cwt")
    assert message.lower().startswith("error: ")
    assert "no file with tasks here or in a parent directory" in message
