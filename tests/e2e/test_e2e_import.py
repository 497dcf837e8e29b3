"""``cwt import``: a manifest made of an ``environment.yml``, and what is said on the way."""

import os

import pytest

FILE = """\
# of the lab
name: lab
channels:
  - conda-forge
  - https://user:secret@host.org/t/token/own
  - nodefaults
dependencies:
  - python=3.10  # not 3.1
  - numpy >=1.20, <2
  - conda-forge::zlib=1.2.13=h1_0
  - "blas[build='*openblas']"
  - flask==2.0
  - pip
  - pip:
      - requests[socks]>=2 ; python_version < '3.12'
      - tool @ git+https://host.org/tool@v1#subdirectory=py
      - mylib @ https://host.org/mylib.whl
variables:
  PORT: 08
  DEBUG: yes
prefix: /home/me/envs/lab
"""
TABLES = """\
[{at}workspace]
name = "lab"
channels = ["conda-forge", "https://host.org/own"]
platforms = ["linux-64"]

[{at}dependencies]
python = "3.10.*"
numpy = ">=1.20,<2"
zlib = {{version = "==1.2.13", channel = "conda-forge", build = "h1_0"}}
blas = {{build = "*openblas"}}
flask = "==2.0"
pip = "*"

[{at}pypi-dependencies]
requests = {{version = ">=2", extras = ["socks"], env-markers = "python_version < '3.12'"}}
tool = {{git = "https://host.org/tool", rev = "v1", subdirectory = "py"}}
mylib = {{url = "https://host.org/mylib.whl"}}

[{at}activation.env]
PORT = "08"
DEBUG = "yes"
"""
WORDS = """\
warning: environment.yml: prefix: left out, a workspace has its environments in its own folder
warning: environment.yml: channels: the credentials of https://host.org/own are left out, keep them outside of files
warning: environment.yml: channels: 'nodefaults' is left out, a workspace asks no channel it does not name
"""
IMPORT = ("import", "environment.yml", "--platform", "linux-64")


@pytest.fixture
def lab(space):
    space.write({"environment.yml": FILE})
    return space


@pytest.mark.parametrize(
    ("words", "name", "at"),
    [
        ([], "conda.toml", ""),
        (["--format", "pixi"], "pixi.toml", ""),
        (["--format", "pyproject"], "pyproject.toml", "tool.conda."),
        (["-o", "pixi.toml"], "pixi.toml", ""),
    ],
    ids=["conda", "pixi", "pyproject", "by the name of the file"],
)
def test_a_manifest_of_each_format(lab, words, name, at):
    done = lab.run(*IMPORT, *words, program="cwt")
    assert (done.returncode, done.stderr) == (0, WORDS)
    assert done.stdout == f"{name}: made of environment.yml, dependencies: 6 from conda, 3 from PyPI\n"
    assert lab.read(name) == TABLES.format(at=at)
    assert lab.doit("check", program="cwt") == f"{name}: no mistakes\n"
    assert sorted(os.listdir(lab.root)) == sorted([name, "environment.yml"])


def test_to_standard_output(lab):
    done = lab.run(*IMPORT, "-o", "-", program="cwt")
    assert done.stdout == TABLES.format(at="")
    assert os.listdir(lab.root) == ["environment.yml"]


@pytest.mark.parametrize("name", ["conda.toml", "pixi.toml"])
def test_a_manifest_is_never_overwritten(lab, name):
    lab.write({name: "mine"})
    said = lab.fails(*IMPORT, "-o", name, program="cwt")
    assert said == f"error: {name}: already exists\nhint: remove it first, or choose another place\n"
    assert lab.read(name) == "mine"


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_tables_are_added_behind_those_of_a_project(lab, end):
    project = f"# mine{end}[project]{end}name = 'x' # kept{end}{end}[tool.ruff]{end}line-length = 9"
    (lab.root / "pyproject.toml").write_bytes(project.encode())
    done = lab.run(*IMPORT, "--format", "pyproject", program="cwt")
    assert done.returncode == 0, done.stderr
    tables = TABLES.format(at="tool.conda.").replace("\n", end)
    assert (lab.root / "pyproject.toml").read_bytes().decode() == f"{project}{end}{end}{tables}"
    again = lab.fails(*IMPORT, "--format", "pyproject", program="cwt")
    assert again == "error: pyproject.toml: already exists\nhint: remove it first, or choose another place\n"


def test_tables_that_cannot_be_added_change_nothing(lab):
    lab.write({"pyproject.toml": "tool = { ruff = 1 }\n"})
    assert lab.fails(*IMPORT, "--format", "pyproject", program="cwt").startswith("warning: ")
    assert lab.read("pyproject.toml") == "tool = { ruff = 1 }\n"


def test_a_second_manifest_is_a_warning(lab):
    lab.write({"pixi.toml": "[workspace]\nchannels = []\nplatforms = []\n"})
    done = lab.run(*IMPORT, program="cwt")
    assert done.returncode == 0
    assert done.stderr == f"{WORDS}warning: pixi.toml is here as well; conda.toml comes first\n"


def test_a_folder_that_is_named_tells_the_name_of_its_package(space):
    space.write(
        {
            "envs/environment.yml": "dependencies:\n- pip:\n  - -e ..[test]\n  - ./lib\n",
            "pyproject.toml": "[project]\nname = 'mine'\n",
            "envs/lib/pyproject.toml": "[project]\nname = 'own'\n",
        }
    )
    space.doit("import", "envs/environment.yml", "--platform", "linux-64", program="cwt")
    assert space.read("conda.toml").endswith(
        '[pypi-dependencies]\nmine = {path = ".", editable = true, extras = ["test"]}\nown = {path = "./envs/lib"}\n'
    )
    space.doit("import", "environment.yml", "--platform", "linux-64", program="cwt", cwd="envs")
    assert 'mine = {path = "..", editable = true' in space.read("envs/conda.toml")
    assert 'own = {path = "./lib"}' in space.read("envs/conda.toml")


LOSSY = """\
dependencies:
  - python
  - pip:
      - -r requirements.txt
      - -e .
      - a
"""


def test_what_a_manifest_cannot_say_stops_an_import(space):
    space.write({"environment.yml": LOSSY})
    assert space.fails(*IMPORT, program="cwt") == (
        "error: a manifest cannot say all of it; lost would be\n"
        "  dependencies[1].pip[0]: -r requirements.txt (an option of pip)\n"
        "  dependencies[1].pip[1]: -e . (the name of the package is not said)\n"
        "hint: --allow-loss goes on\n"
    )
    assert not space.exists("conda.toml")
    done = space.run(*IMPORT, "--allow-loss", program="cwt")
    assert done.stderr.splitlines() == [
        "warning: left out: dependencies[1].pip[0]: -r requirements.txt (an option of pip)",
        "warning: left out: dependencies[1].pip[1]: -e . (the name of the package is not said)",
    ]
    assert space.read("conda.toml") == (
        '[workspace]\nchannels = []\nplatforms = ["linux-64"]\n\n[dependencies]\npython = "*"\n\n'
        '[pypi-dependencies]\na = "*"\n'
    )


def test_every_mistake_is_told_at_once(space):
    space.write(
        {"environment.yml": "name: [a]\nchannels: conda-forge\ndependencies:\n  - a\n  - b: 1\n  - '=1'\n  - a[x=1]\n"}
    )
    assert (
        space.fails(*IMPORT, program="cwt")
        == """\
error: environment.yml: line 2: channels: expected a list, found text
hint: write - conda-forge
error: environment.yml: line 5: dependencies[1].b: 'b' is not known here, expected 'pip'
error: environment.yml: line 6: dependencies[2]: '=1' is no dependency of conda
hint: write it as name, name >=1.2,<2, name=1.2=build or channel::name
error: environment.yml: line 7: dependencies[3]: 'a[x=1]' is no dependency of conda
hint: write it as name, name >=1.2,<2, name=1.2=build or channel::name
error: environment.yml: line 1: name: expected text, found a list
"""
    )
    assert not space.exists("conda.toml")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import", "nosuch.yml"], "error: nosuch.yml: cannot be read: No such file or directory\n"),
        (
            [*IMPORT, "--format", "pixy"],
            "error: format 'pixy' does not exist\nhint: did you mean 'pixi'? Known formats: conda, pixi, pyproject\n",
        ),
        (
            ["import", "environment.yml", "-o", "x.toml"],
            "error: x.toml: No parser for this file name; there are conda.toml, pixi.toml, pyproject.toml\n",
        ),
        (
            ["import"],
            "error: cwt import: the following arguments are required: FILE\nhint: cwt import --help lists what it takes\n",
        ),
    ],
    ids=["no file", "format", "file name", "no argument"],
)
def test_wrong_questions(lab, words, said):
    assert lab.fails(*words, program="cwt") == said


def test_an_unknown_platform(lab):
    said = lab.fails("import", "environment.yml", "--platform", "linux64", program="cwt")
    assert said.startswith("error: platform 'linux64' is not available\nhint: did you mean 'linux-64'?")


def test_there_and_back_again(lab):
    lab.run(*IMPORT, "-o", "conda.toml", program="cwt")
    text = lab.doit("export", "--format", "environment-yaml", program="cwt")
    lab.write({"second/environment.yml": text})
    lab.doit("import", "environment.yml", "--platform", "linux-64", program="cwt", cwd="second")
    # An export sorts by name.
    first, second = (sorted(lab.read(name).splitlines()) for name in ("conda.toml", "second/conda.toml"))
    assert first == second
