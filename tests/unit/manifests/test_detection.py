"""Which file is found, from where, and what comes of several in one directory."""

import os
from pathlib import Path

import pytest

from cwtasks import manifests
from cwtasks.exceptions import (
    NoTaskFileError,
    TaskParseError,
    WorkspaceNotFoundError,
    WorkspaceParseError,
)
from cwtasks.manifests import (
    detect_and_parse,
    detect_and_parse_tasks,
    detect_task_file,
    detect_workspace_file,
    find_parser,
    load,
    load_file,
    user_task_file,
)

WORKSPACE = '[workspace]\nname = "w"\nchannels = ["conda-forge"]\nplatforms = ["linux-64"]\n'
TASKS = '[tasks]\nbuild = "make"\n'
PY_WORKSPACE = '[tool.conda.workspace]\nname = "py"\nchannels = []\nplatforms = ["linux-64"]\n'
PY_TASKS = '[tool.pixi.tasks]\nbuild = "py"\n'
UNRELATED = '[project]\nname = "x"\n'
BROKEN = "[tasks\n"


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    place = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return place


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_search_order_and_registry():
    assert manifests._SEARCH_FILES == ["conda.toml", "pixi.toml", "pyproject.toml"]
    assert [parser.format_alias for parser in manifests._PARSERS] == ["conda", "pixi", "pyproject"]


WORKSPACE_CASES = [
    pytest.param({"conda.toml": WORKSPACE, "pixi.toml": WORKSPACE}, "conda.toml", id="conda-before-pixi"),
    pytest.param({"pixi.toml": WORKSPACE, "pyproject.toml": PY_WORKSPACE}, "pixi.toml", id="pixi-before-pyproject"),
    pytest.param(
        {"conda.toml": TASKS, "pyproject.toml": PY_WORKSPACE}, "pyproject.toml", id="tasks-only-is-passed-over"
    ),
    pytest.param({"pixi.toml": '[project]\nname = "x"\nchannels = []'}, "pixi.toml", id="old-spelling-in-pixi"),
    pytest.param(
        {"conda.toml": '[project]\nname = "x"', "pixi.toml": WORKSPACE}, "pixi.toml", id="no-old-spelling-in-conda"
    ),
    pytest.param(
        {"pyproject.toml": '[tool.pixi.project]\nname = "x"'}, "pyproject.toml", id="old-spelling-in-pyproject"
    ),
    pytest.param({"conda.toml": "[workspace]"}, "conda.toml", id="empty-workspace-is-found"),
    pytest.param({"pyproject.toml": BROKEN, "pixi.toml": WORKSPACE}, "pixi.toml", id="later-broken-file-is-not-read"),
]


@pytest.mark.parametrize(("files", "expected"), WORKSPACE_CASES)
def test_workspace_file_is_the_first_with_a_workspace(tmp_path, files, expected):
    write(tmp_path, files)
    assert detect_workspace_file(tmp_path) == (tmp_path / expected).resolve()


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"conda.toml": TASKS}, id="tasks-only"),
        pytest.param({"pyproject.toml": UNRELATED}, id="unrelated-pyproject"),
        pytest.param({"pyproject.toml": "[tool.conda.workspace]"}, id="empty-table-in-pyproject"),
        pytest.param({"pyproject.toml": BROKEN}, id="broken-unrelated-pyproject"),
        pytest.param({"pyproject.toml": "[tool.black]\n# conda\nx ="}, id="broken-pyproject-that-says-conda"),
        pytest.param({"conda.toml/x": ""}, id="a-directory-of-that-name"),
    ],
)
def test_no_workspace_is_found(tmp_path, files):
    write(tmp_path, files)
    with pytest.raises(WorkspaceNotFoundError):
        detect_workspace_file(tmp_path)


def test_search_goes_upwards_and_takes_the_nearest(tmp_path, monkeypatch):
    write(tmp_path, {"pixi.toml": WORKSPACE, "sub/conda.toml": TASKS, "sub/deep/pyproject.toml": UNRELATED})
    deep = tmp_path / "sub" / "deep"
    assert detect_workspace_file(deep) == (tmp_path / "pixi.toml").resolve()
    assert detect_task_file(deep) == (tmp_path / "sub" / "conda.toml").resolve()
    monkeypatch.chdir(deep)
    assert detect_and_parse()[0] == (tmp_path / "pixi.toml").resolve()
    assert detect_and_parse_tasks()[0] == (tmp_path / "sub" / "conda.toml").resolve()


def test_a_symbolic_link_is_followed(tmp_path):
    write(tmp_path, {"real/conda.toml": WORKSPACE, "other/x": ""})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert detect_workspace_file(tmp_path / "link") == (tmp_path / "real" / "conda.toml").resolve()


@pytest.mark.parametrize("find", [detect_workspace_file, detect_and_parse, detect_task_file, load])
def test_a_start_that_does_not_exist_is_an_error(tmp_path, find):
    with pytest.raises(FileNotFoundError):
        find(tmp_path / "missing")


@pytest.mark.parametrize(
    ("files", "fact"),
    [
        pytest.param({"conda.toml": BROKEN, "pixi.toml": WORKSPACE}, "conda.toml: line 1, column 7:", id="conda"),
        pytest.param({"pixi.toml": BROKEN}, "pixi.toml: line 1, column 7:", id="pixi"),
        pytest.param(
            {"pyproject.toml": PY_WORKSPACE + BROKEN}, "pyproject.toml: line 5, column 7:", id="our-pyproject"
        ),
    ],
)
@pytest.mark.parametrize("find", [detect_workspace_file, detect_task_file, load])
def test_a_broken_file_of_ours_is_an_error_with_its_place(tmp_path, monkeypatch, files, fact, find):
    monkeypatch.chdir(write(tmp_path, files))
    with pytest.raises(WorkspaceParseError) as caught:
        find(tmp_path)
    assert str(caught.value).startswith(fact)


def test_a_file_that_is_not_utf8_is_an_error_with_its_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pixi.toml").write_bytes(b'[workspace]\nname = "\xff"\n')
    with pytest.raises(WorkspaceParseError) as caught:
        load()
    assert str(caught.value) == "pixi.toml: line 2: byte 0xff is not UTF-8\nhint: save the file as UTF-8"


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "conda.toml").write_bytes(b"\xef\xbb\xbf" + WORKSPACE.encode())
    assert load(tmp_path).workspace.name == "w"


def test_nesting_without_end_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(write(tmp_path, {"conda.toml": "x = " + "[" * 5000}))
    with pytest.raises(WorkspaceParseError, match=r"^conda\.toml: tables or arrays are nested too deeply$"):
        load()


def test_toml_1_1_is_accepted(tmp_path):
    write(tmp_path, {"pixi.toml": WORKSPACE + '[tasks]\nt = {\n  cmd = "x", # why\n  cwd = "c",\n}\n'})
    assert load(tmp_path).workspace.features["default"].tasks["t"].cwd == "c"


def test_a_file_named_is_the_file_parsed(tmp_path):
    write(tmp_path, {"conda.toml": WORKSPACE, "pyproject.toml": PY_WORKSPACE})
    path, config = detect_and_parse(tmp_path / "pyproject.toml")
    assert (path.name, config.name) == ("pyproject.toml", "py")
    assert load(tmp_path / "pyproject.toml").workspace.name == "py"


def test_a_file_without_a_workspace_is_refused_when_named(tmp_path, monkeypatch):
    monkeypatch.chdir(write(tmp_path, {"conda.toml": TASKS, "pyproject.toml": UNRELATED}))
    with pytest.raises(WorkspaceParseError) as caught:
        detect_and_parse("conda.toml")
    assert str(caught.value) == "conda.toml: no [workspace] table"
    with pytest.raises(WorkspaceParseError) as caught:
        detect_and_parse("pyproject.toml")
    assert str(caught.value) == "pyproject.toml: no [tool.conda.workspace] or [tool.pixi.workspace] table"


def test_a_parser_is_found_by_name_only():
    assert find_parser(Path("/nowhere/pixi.toml")).format_alias == "pixi"
    with pytest.raises(
        WorkspaceParseError, match=r"No parser for this file name; there are conda\.toml, pixi\.toml, pyproject\.toml"
    ):
        find_parser(Path("environment.yml"))


def test_edits_are_seen_at_once(tmp_path):
    path = tmp_path / "conda.toml"
    assert detect_task_file(tmp_path) is None
    path.write_text(TASKS)
    assert detect_task_file(tmp_path) == path.resolve()
    path.write_text('[tasks]\nother = "x"\n')
    assert list(detect_and_parse_tasks(start_dir=tmp_path)[1]) == ["other"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[tasks]\n", id="empty-tasks"),
        pytest.param('[target.linux-64.tasks]\nbuild = "x"\n', id="target-tasks-only"),
        pytest.param('[feature.a.tasks]\nbuild = "x"\n', id="feature-tasks-only"),
    ],
)
def test_only_top_level_tasks_make_a_task_file(tmp_path, text):
    write(tmp_path, {"conda.toml": text})
    assert detect_task_file(tmp_path) is None
    with pytest.raises(NoTaskFileError):
        detect_and_parse_tasks(start_dir=tmp_path)


def test_a_task_file_named_is_read_without_asking_for_tasks(tmp_path):
    write(tmp_path, {"conda.toml": '[feature.a.tasks]\nbuild = "x"\n'})
    path, tasks = detect_and_parse_tasks(file_path=tmp_path / "conda.toml")
    assert path == (tmp_path / "conda.toml").resolve()
    assert tasks["build"].cmd == "x"
    assert tasks.user_only == frozenset()


def test_load_reads_workspace_and_tasks_of_one_file(tmp_path):
    write(tmp_path, {"pixi.toml": WORKSPACE + TASKS})
    manifest = load(tmp_path)
    assert manifest.path == (tmp_path / "pixi.toml").resolve()
    assert manifest.has_workspace
    assert manifest.workspace.root == str(tmp_path.resolve())
    assert manifest.workspace.manifest_path == str(manifest.path)
    assert manifest.workspace.features["default"].tasks["build"].cmd == "make"
    assert manifest.user_tasks == {}
    assert manifest.warnings == ()


def test_load_of_tasks_without_a_workspace(tmp_path):
    write(tmp_path, {"conda.toml": TASKS})
    manifest = load(tmp_path)
    assert not manifest.has_workspace
    assert list(manifest.workspace.environments) == ["default"]
    assert list(manifest.workspace.features["default"].tasks) == ["build"]


def test_load_takes_tasks_of_one_file_and_the_workspace_of_another(tmp_path):
    tasks = TASKS + '[target.win-64.tasks]\nbuild = "nmake"\n[feature.t.tasks]\ntest = "pytest"\n'
    write(
        tmp_path,
        {"conda.toml": tasks, "pyproject.toml": PY_WORKSPACE + '[tool.conda.target.win-64.dependencies]\nm2 = "*"\n'},
    )
    manifest = load(tmp_path)
    assert manifest.path.name == "pyproject.toml"
    assert manifest.workspace.name == "py"
    default = manifest.workspace.features["default"]
    assert default.tasks["build"].cmd == "make"
    assert default.targets["win-64"].overrides["build"].cmd == "nmake"
    assert list(default.targets["win-64"].conda_dependencies) == ["m2"]
    assert list(manifest.workspace.features["t"].tasks) == ["test"]


def test_load_says_which_tasks_are_hidden(tmp_path):
    write(tmp_path, {"conda.toml": TASKS, "pixi.toml": WORKSPACE + '[tasks]\nbuild = "pixi"\nother = "x"\n'})
    manifest = load(tmp_path)
    assert {name: task.cmd for name, task in manifest.workspace.features["default"].tasks.items()} == {"build": "make"}
    assert manifest.workspace.dialect == "pixi"
    assert manifest.warnings == ("pixi.toml: tasks: hidden by those of conda.toml",)


def test_load_takes_later_tasks_only_where_the_workspace_has_none(tmp_path):
    write(tmp_path, {"pixi.toml": WORKSPACE, "pyproject.toml": PY_TASKS})
    assert load(tmp_path).workspace.features["default"].tasks["build"].cmd == "py"
    write(tmp_path, {"pixi.toml": WORKSPACE + '[feature.f.tasks]\nown = "x"\n'})
    assert load(tmp_path).workspace.features["default"].tasks == {}


def test_load_does_not_mix_directories(tmp_path):
    write(tmp_path, {"pixi.toml": WORKSPACE, "sub/conda.toml": TASKS})
    assert not load(tmp_path / "sub").has_workspace


def test_load_reads_each_file_once(tmp_path, monkeypatch):
    write(tmp_path, {"conda.toml": TASKS, "pixi.toml": WORKSPACE, "pyproject.toml": PY_WORKSPACE})
    opened = []
    monkeypatch.setattr(
        manifests.base, "read_bytes", lambda path: opened.append(Path(path).name) or Path(path).read_bytes()
    )
    load(tmp_path)
    assert opened == ["conda.toml", "pixi.toml"]


def test_load_finds_nothing(tmp_path):
    with pytest.raises(NoTaskFileError) as caught:
        load(tmp_path)
    assert caught.value.search_dir == tmp_path.resolve()


def test_task_mistakes_alone_are_a_task_error(tmp_path):
    write(tmp_path, {"conda.toml": WORKSPACE + "[tasks]\nx = 1\n"})
    with pytest.raises(TaskParseError):
        load(tmp_path)
    write(tmp_path, {"conda.toml": WORKSPACE + "[tasks]\nx = 1\n[environments]\ny = 1\n"})
    with pytest.raises(WorkspaceParseError) as caught:
        load(tmp_path)
    assert [mistake.place for mistake in caught.value.mistakes] == ["tasks.x", "environments.y"]


def test_load_file_of_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_file(tmp_path / "pixi.toml")


@pytest.mark.parametrize(
    ("files", "variables", "expected"),
    [
        pytest.param(["x/conda/tasks.toml", ".config/conda/tasks.toml"], {"XDG_CONFIG_HOME": "x"}, 0, id="xdg-first"),
        pytest.param([".config/conda/tasks.toml", ".conda/tasks.toml"], {"XDG_CONFIG_HOME": "x"}, 0, id="then-config"),
        pytest.param([".conda/tasks.toml", "x/conda/tasks.toml"], {}, 0, id="then-conda"),
        pytest.param(["x/conda/tasks.toml"], {}, None, id="xdg-only-if-set"),
    ],
)
def test_user_task_file_is_the_first_that_exists(home, files, variables, expected):
    write(home, dict.fromkeys(files, TASKS))
    environ = {"HOME": str(home)} | {name: str(home / value) for name, value in variables.items()}
    assert user_task_file(environ) == (None if expected is None else home / files[expected])


def test_user_tasks_are_those_no_task_of_the_manifest_hides(home, tmp_path):
    write(
        home,
        {".conda/tasks.toml": '[tasks]\nbuild = "mine"\nnotes = "edit"\n[target.win-64.tasks]\nnotes = "notepad"\n'},
    )
    write(tmp_path, {"pixi.toml": WORKSPACE + TASKS})
    manifest = load(tmp_path)
    assert list(manifest.user_tasks) == ["notes"]
    assert manifest.user_tasks["notes"].resolve_for_platform("win-64").cmd == "notepad"
    assert manifest.user_path == home / ".conda" / "tasks.toml"
    assert load(tmp_path, user_level=False).user_tasks == {}
    path, tasks = detect_and_parse_tasks(start_dir=tmp_path)
    assert path.name == "pixi.toml"
    assert {name: task.cmd for name, task in tasks.items()} == {"build": "make", "notes": "edit"}
    assert tasks.user_only == {"notes"}


def test_user_tasks_work_without_a_manifest(home, tmp_path):
    write(home, {".conda/tasks.toml": TASKS})
    manifest = load(tmp_path)
    assert manifest.path == manifest.user_path == home / ".conda" / "tasks.toml"
    assert not manifest.has_workspace
    assert manifest.workspace.features["default"].tasks == {}
    assert list(manifest.user_tasks) == ["build"]
    path, tasks = detect_and_parse_tasks(start_dir=tmp_path)
    assert (path, tasks.user_only) == (manifest.path, {"build"})
    with pytest.raises(NoTaskFileError):
        load(tmp_path, user_level=False)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything is readable for this user")
def test_a_file_that_cannot_be_read_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(write(tmp_path, {"conda.toml": TASKS}))
    (tmp_path / "conda.toml").chmod(0)
    with pytest.raises(WorkspaceParseError, match=r"^conda\.toml: cannot be read: Permission denied$"):
        load()
