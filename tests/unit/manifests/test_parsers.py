"""The three formats through their common interface."""

from pathlib import Path

import pytest
import tomlkit

from cwtasks.exceptions import ManifestExistsError, WorkspaceNotFoundError, WorkspaceParseError
from cwtasks.manifests import CondaTomlParser, ManifestParser, PixiTomlParser, PyprojectTomlParser
from cwtasks.models import Channel, Task

CONDA, PIXI, PYPROJECT = CondaTomlParser(), PixiTomlParser(), PyprojectTomlParser()
WORKSPACE = '[workspace]\nname = "w"\nchannels = ["conda-forge"]\nplatforms = ["linux-64"]\n'


def written(tmp_path, parser, text):
    path = tmp_path / parser.manifest_filename
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("parser", "alias", "filename", "exporter"),
    [
        pytest.param(CONDA, "conda", "conda.toml", "conda-toml", id="conda"),
        pytest.param(PIXI, "pixi", "pixi.toml", "pixi-toml", id="pixi"),
        pytest.param(PYPROJECT, "pyproject", "pyproject.toml", "pyproject-toml", id="pyproject"),
    ],
)
def test_each_format_is_registered_under_its_names(parser, alias, filename, exporter):
    assert (parser.format_alias, parser.filenames, parser.exporter_format) == (alias, (filename,), exporter)
    assert parser.exporter_aliases == ()
    assert parser.manifest_path(Path("/root")) == Path("/root") / filename
    assert parser.can_handle(Path("elsewhere") / filename)
    assert not parser.can_handle(Path("other.toml"))
    assert isinstance(ManifestParser.for_format_alias(alias), type(parser))
    assert isinstance(ManifestParser.for_exporter_format(exporter), type(parser))


def test_unknown_format_names():
    with pytest.raises(
        ValueError, match=r"^format 'yaml' does not exist\nhint: Known formats: conda, pixi, pyproject$"
    ):
        ManifestParser.for_format_alias("yaml")
    assert ManifestParser.for_exporter_format("") is None
    assert ManifestParser.for_exporter_format("pixi") is None


@pytest.mark.parametrize(
    ("parser", "text", "has_workspace", "has_tasks"),
    [
        pytest.param(CONDA, "workspace = 1", True, False, id="conda-workspace-of-any-type"),
        pytest.param(CONDA, "[project]", False, False, id="conda-project"),
        pytest.param(PIXI, "[project]", True, False, id="pixi-project"),
        pytest.param(PIXI, '[tasks]\na = "b"', False, True, id="pixi-tasks"),
        pytest.param(PYPROJECT, "[tool.conda.workspace]", False, False, id="pyproject-empty"),
        pytest.param(PYPROJECT, "[tool.pixi.workspace]\nname = 'a'", True, False, id="pyproject-pixi"),
        pytest.param(
            PYPROJECT, "[tool.conda.workspace]\nname = 'a'\n[tool.pixi.tasks]\na = 'b'", True, True, id="pyproject-both"
        ),
        pytest.param(PYPROJECT, "[project\n", False, False, id="pyproject-broken-and-not-ours"),
    ],
)
def test_what_a_file_has(tmp_path, parser, text, has_workspace, has_tasks):
    path = written(tmp_path, parser, text)
    assert parser.has_workspace(path) is has_workspace
    assert parser.has_tasks(path) is has_tasks


@pytest.mark.parametrize("parser", [CONDA, PIXI, PYPROJECT])
def test_asking_a_missing_file_is_an_error(tmp_path, parser):
    with pytest.raises(FileNotFoundError):
        parser.has_workspace(tmp_path / parser.manifest_filename)


def test_resolve_source(tmp_path):
    path = written(tmp_path, CONDA, WORKSPACE)
    (tmp_path / "sub").mkdir()
    (tmp_path / "any.txt").write_text("not looked into")
    assert ManifestParser.resolve_source(tmp_path / "sub") == path.resolve()
    assert ManifestParser.resolve_source(tmp_path / "any.txt") == tmp_path / "any.txt"
    with pytest.raises(FileNotFoundError):
        ManifestParser.resolve_source(tmp_path / "missing")
    path.unlink()
    with pytest.raises(WorkspaceNotFoundError):
        ManifestParser.resolve_source(tmp_path / "sub")


def test_copy_manifest_copies_bytes_and_never_overwrites(tmp_path):
    path = written(tmp_path, CONDA, "")
    path.write_bytes(WORKSPACE.replace("\n", "\r\n").encode())
    target_dir = tmp_path / "there"
    target_dir.mkdir()
    assert ManifestParser.copy_manifest(tmp_path, target_dir) == target_dir / "conda.toml"
    assert (target_dir / "conda.toml").read_bytes() == path.read_bytes()
    with pytest.raises(ManifestExistsError) as caught:
        ManifestParser.copy_manifest(path, target_dir)
    assert caught.value.path == target_dir / "conda.toml"


def test_copy_manifest_does_not_write_through_a_dangling_link(tmp_path):
    written(tmp_path, CONDA, WORKSPACE)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "conda.toml").symlink_to(tmp_path / "victim")
    with pytest.raises(ManifestExistsError):
        ManifestParser.copy_manifest(tmp_path, tmp_path / "there")
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize(
    ("parser", "dialect"), [pytest.param(CONDA, "conda", id="conda"), pytest.param(PIXI, "pixi", id="pixi")]
)
def test_parse_gives_the_workspace(tmp_path, parser, dialect):
    path = written(tmp_path, parser, WORKSPACE)
    config = parser.parse(path)
    assert (config.name, config.platforms, config.channels) == ("w", ["linux-64"], [Channel("conda-forge")])
    assert (config.root, config.manifest_path, config.dialect) == (str(tmp_path), str(path), dialect)
    assert type(config.name) is str


def test_parse_refuses_a_file_without_a_workspace(tmp_path):
    with pytest.raises(WorkspaceParseError) as caught:
        CONDA.parse(written(tmp_path, CONDA, '[project]\nname = "x"\n'))
    assert caught.value.reason == "no [workspace] table"


FLAT = """
[{p}tasks]
build = "make"
only = {{ cmd = "a", target = {{ win-64 = "b" }} }}
[{p}target.win-64.tasks]
build = {{ cmd = "nmake", env = {{}}, depends-on = [] }}
fresh = "dir"
[{p}feature.one.tasks]
build = "one"
[{p}feature.two.tasks]
build = {{ cmd = "two" }}
test = ["build"]
[{p}feature.two.target.linux-64.tasks]
test = {{ cmd = "pytest" }}
"""


@pytest.mark.parametrize(
    ("parser", "prefix"),
    [
        pytest.param(CONDA, "", id="conda"),
        pytest.param(PIXI, "", id="pixi"),
        pytest.param(PYPROJECT, "tool.conda.", id="pyproject-conda"),
        pytest.param(PYPROJECT, "tool.pixi.", id="pyproject-pixi"),
    ],
)
def test_parse_tasks_is_flat_and_reads_features_in_every_format(tmp_path, parser, prefix):
    tasks = parser.parse_tasks(written(tmp_path, parser, FLAT.format(p=prefix)))
    assert list(tasks) == ["build", "only", "fresh", "test"]
    assert tasks["build"] == Task("build", "two")
    assert tasks["fresh"].cmd == "dir"
    assert tasks["fresh"].platforms["win-64"].cmd == "dir"
    assert tasks["test"].is_alias
    assert tasks["test"].resolve_for_platform("linux-64").cmd == "pytest"


def test_target_override_keeps_what_it_does_not_say(tmp_path):
    text = '[tasks]\nb = { cmd = "make", env = { A = "1" }, depends-on = ["c"], cwd = "d" }\n[target.win-64.tasks]\nb = { cmd = "nmake", env = {}, depends-on = [] }\n'
    task = CONDA.parse_tasks(written(tmp_path, CONDA, text))["b"].resolve_for_platform("win-64")
    assert (task.cmd, task.env, task.cwd, [d.task for d in task.depends_on]) == ("nmake", {}, "d", ["c"])


def test_environment_tasks_are_in_the_flat_table_where_no_feature_has_them(tmp_path):
    text = WORKSPACE + '[tasks]\na = "root"\n[environments.dev.tasks]\na = "dev"\nb = "dev"\n'
    assert {n: t.cmd for n, t in PIXI.parse_tasks(written(tmp_path, PIXI, text)).items()} == {"a": "root", "b": "dev"}


def test_pyproject_takes_tasks_from_the_table_that_has_them(tmp_path):
    text = "[tool.conda.workspace]\nname = 'a'\n[tool.conda.dependencies]\nx = '*'\n[tool.pixi.tasks]\nb = 'pixi'\n"
    path = written(tmp_path, PYPROJECT, text)
    assert PYPROJECT.parse_tasks(path)["b"].cmd == "pixi"
    config = PYPROJECT.parse(path)
    assert config.dialect == "conda"
    assert list(config.features["default"].conda_dependencies) == ["x"]
    assert list(config.features["default"].tasks) == ["b"]


def test_pyproject_conda_tasks_hide_pixi_tasks(tmp_path):
    text = "[tool.conda.tasks]\nb = 'conda'\n[tool.pixi.workspace]\nname = 'p'\n[tool.pixi.tasks]\nb = 'pixi'\nc = 'pixi'\n"
    manifest = PYPROJECT.read(written(tmp_path, PYPROJECT, text))
    assert manifest.workspace.dialect == "pixi"
    assert {n: t.cmd for n, t in manifest.workspace.features["default"].tasks.items()} == {"b": "conda"}
    assert manifest.warnings == ("pyproject.toml: tool.pixi.tasks: hidden by the tasks in tool.conda",)


def test_pyproject_name_version_description_come_from_project(tmp_path):
    project = '[project]\nname = "p"\nversion = "2"\ndescription = "d"\n'
    config = PYPROJECT.parse(written(tmp_path, PYPROJECT, project + "[tool.conda.workspace]\nchannels = []\n"))
    assert (config.name, config.version, config.description) == ("p", "2", "d")
    config = PYPROJECT.parse(written(tmp_path, PYPROJECT, project + "[tool.conda.workspace]\nname = 'own'\n"))
    assert (config.name, config.version) == ("own", "2")


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        pytest.param("", "conda", id="empty-document"),
        pytest.param("[tool.conda]\n[tool.pixi]\n", "conda", id="both-empty"),
        pytest.param("[tool.pixi.workspace]\nname = 'a'\n", "pixi", id="pixi-only"),
        pytest.param("[tool.conda.tasks]\na = 'b'\n[tool.pixi.tasks]\na = 'b'\n", "conda", id="both-have-tasks"),
        pytest.param(
            "[tool.conda.workspace]\nname = 'a'\n[tool.pixi.workspace]\nname = 'a'\n", "conda", id="both-workspace"
        ),
        pytest.param(
            "[tool.conda.workspace]\nname = 'a'\n[tool.pixi.tasks]\na = 'b'\n", "pixi", id="pixi-has-the-tasks"
        ),
        pytest.param("[tool.black]\nx = 1\n", "conda", id="other-tools"),
    ],
)
def test_tool_section_for_tasks_is_live(text, owner):
    document = tomlkit.parse(text)
    PYPROJECT.tool_section_for_tasks(document)["mark"] = "here"
    assert tomlkit.parse(tomlkit.dumps(document))["tool"][owner]["mark"] == "here"
