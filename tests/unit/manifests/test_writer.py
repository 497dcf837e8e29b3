"""What every format offers for writing, as its callers use it: stubs, tasks, dependencies, merges."""

import pytest
import tomlkit

from cwtasks.exceptions import (
    BadSpecError,
    DependencyNotFoundError,
    EntryExistsError,
    ManifestExistsError,
    PlatformError,
    TaskNotAvailableError,
    TaskNotFoundError,
    TaskParseError,
    UnknownFormatError,
    WorkspaceParseError,
)
from cwtasks.manifests import ManifestParser, find_task_manifest
from cwtasks.manifests.spec_words import conda_spec, pypi_spec
from cwtasks.manifests.toml import tasks_to_toml
from cwtasks.models import MatchSpec, PyPIDependency, Task, TaskArg, TaskDependency, TaskOverride

CONDA, PIXI, PYPROJECT = (ManifestParser.for_format_alias(alias) for alias in ("conda", "pixi", "pyproject"))

parsers = pytest.mark.parametrize(
    "parser", [pytest.param(parser, id=parser.format_alias) for parser in (CONDA, PIXI, PYPROJECT)]
)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def manifest(tmp_path):
    """Return a function that writes a manifest of a format; `@` stands for where its tables are."""

    def make(text, parser=CONDA):
        at = "tool.pixi." if parser is PYPROJECT else ""
        path = tmp_path / parser.manifest_filename
        path.write_text(text.replace("@", at))
        return path

    return make


def test_an_unknown_format_lists_the_known_ones():
    with pytest.raises(UnknownFormatError) as raised:
        ManifestParser.for_format_alias("yaml")
    assert str(raised.value) == "format 'yaml' does not exist\nhint: Known formats: conda, pixi, pyproject"


@pytest.mark.parametrize("parser", [CONDA, PIXI])
def test_a_stub_is_a_workspace_with_nothing_in_it(tmp_path, parser):
    path, what = parser.write_workspace_stub(tmp_path, "n", ["conda-forge", "x"], ["linux-64"])
    assert (path.name, what) == (parser.manifest_filename, "Created")
    assert path.read_text() == (
        '[workspace]\nname = "n"\nchannels = ["conda-forge", "x"]\nplatforms = ["linux-64"]\n\n[dependencies]\n'
    )
    with pytest.raises(ManifestExistsError) as raised:
        parser.write_workspace_stub(tmp_path, "m", [], [])
    assert raised.value.path == path
    assert parser.parse(path).name == "n"


def test_a_stub_goes_behind_what_a_pyproject_has(tmp_path):
    before = "[project]\nname = 'p'  # mine\n\n[tool.ruff]\nline-length = 100"
    (tmp_path / "pyproject.toml").write_text(before)
    path, what = PYPROJECT.write_workspace_stub(tmp_path, "n", ["c"], ["linux-64"])
    assert what == "Updated"
    assert path.read_text() == before + (
        '\n\n[tool.conda.workspace]\nname = "n"\nchannels = ["c"]\nplatforms = ["linux-64"]\n\n[tool.conda.dependencies]'
    )
    assert PYPROJECT.parse(path).name == "n"


def test_a_stub_makes_a_pyproject_where_there_is_none(tmp_path):
    path, what = PYPROJECT.write_workspace_stub(tmp_path, "n", [], [])
    assert what == "Created"
    assert path.read_text().startswith("[tool.conda.workspace]\n")


@pytest.mark.parametrize("tool", ["conda", "pixi"])
def test_a_stub_refuses_a_pyproject_that_has_one_of_the_tables(tmp_path, tool):
    (tmp_path / "pyproject.toml").write_text(f"[tool.{tool}]\n")
    with pytest.raises(ManifestExistsError) as raised:
        PYPROJECT.write_workspace_stub(tmp_path, "n", [], [])
    assert raised.value.path == f"[tool.{tool}] in pyproject.toml"


@parsers
def test_a_task_is_added_with_what_platforms_change_of_it(manifest, parser):
    path = manifest("[@tasks]\na = 'x'\n", parser)
    task = Task("any", "y", env={"A": "1"}, platforms={"win-64": TaskOverride(cmd=["z", "1"])})
    edit = parser.add_task(path, "b", task)
    at = "tool.pixi." if parser is PYPROJECT else ""
    assert edit.changed == (f"{at}tasks.b", f"{at}target.win-64.tasks.b")
    assert path.read_text() == (
        f'[{at}tasks]\na = \'x\'\nb = {{ cmd = "y", env = {{ A = "1" }} }}\n\n'
        f'[{at}target.win-64.tasks]\nb = {{ cmd = ["z", "1"] }}\n'
    )
    assert parser.parse_tasks(path)["b"] == Task("b", "y", env={"A": "1"}, platforms=task.platforms)


@parsers
def test_a_first_task_makes_the_manifest(tmp_path, parser):
    path = tmp_path / parser.manifest_filename
    parser.add_task(path, "b", Task("b", "y"))
    assert parser.parse_tasks(path) == {"b": Task("b", "y")}


def test_a_task_that_says_the_same_in_other_words_changes_nothing(manifest):
    path = manifest("[tasks.b]\ncmd = 'y'\ndepends_on = 'a'\n")
    edit = CONDA.add_task(path, "b", Task("b", "y", depends_on=[TaskDependency("a")]))
    assert (edit.changed, edit.kept, edit.has_changes) == ((), ("tasks.b",), False)


def test_a_task_that_says_something_else_is_not_replaced(manifest):
    path = manifest("[feature.f.tasks]\nb = 'x'\n")
    with pytest.raises(EntryExistsError) as raised:
        CONDA.add_task(path, "b", Task("b", "y"), feature="f")
    assert str(raised.value) == (
        "conda.toml: feature.f.tasks.b: is there already, and says something else\n"
        "hint: choose another name, or remove it first: cwt task remove --feature f b"
    )
    assert path.read_text() == "[feature.f.tasks]\nb = 'x'\n"


def test_a_task_that_reading_would_refuse_is_not_written(manifest):
    path = manifest("[tasks]\n")
    with pytest.raises(TaskParseError, match=r"tasks\.b\.args\[0\]: 'a-b' contains '-'"):
        CONDA.add_task(path, "b", Task("b", "y", args=[TaskArg("a-b")]))
    assert path.read_text() == "[tasks]\n"


@parsers
def test_a_task_goes_with_its_overrides_and_leaves_the_others(manifest, parser):
    text = "[@tasks]\na = 'x' # a\nb = 'y'\n\n[@target.win-64.tasks]\nb = 'z'\n\n[@target.osx-64]\ntasks = { a = 'q', b = 'r' }\n"
    path = manifest(text, parser)
    edit = parser.remove_task(path, "b")
    assert len(edit.changed) == 3
    expected = text.replace("b = 'y'\n", "").replace("b = 'z'\n", "").replace(", b = 'r'", "")
    assert path.read_text() == expected.replace("@", "tool.pixi." if parser is PYPROJECT else "")


def test_a_task_is_taken_out_of_the_tool_table_that_has_it(manifest):
    text = "[tool.conda.tasks]\na = 'x'\n\n[tool.pixi.tasks]\nb = 'y'\nc = 'z'\n"
    path = manifest(text, PYPROJECT)
    PYPROJECT.remove_task(path, "b")
    assert path.read_text() == text.replace("b = 'y'\n", "")


def test_a_task_that_is_not_there_names_those_that_are(manifest):
    path = manifest("[tasks]\nbuild = 'x'\n\n[feature.f.tasks]\ntest = 'y'\n")
    with pytest.raises(TaskNotFoundError) as raised:
        CONDA.remove_task(path, "biuld")
    assert str(raised.value) == (
        "task 'biuld' is not defined\nhint: did you mean 'build'? Available tasks: build, test"
    )
    with pytest.raises(TaskNotAvailableError) as raised:
        CONDA.remove_task(path, "test")
    assert str(raised.value) == (
        "task 'test' is not available in conda.toml: tasks\nhint: it is defined for: feature.f.tasks"
    )


def test_of_several_tasks_all_are_removed_or_none(manifest):
    path = manifest("[tasks]\na = 'x'\nb = 'y'\n")
    with pytest.raises(TaskNotFoundError):
        CONDA.remove_tasks(path, ["a", "c"])
    assert path.read_text() == "[tasks]\na = 'x'\nb = 'y'\n"
    CONDA.remove_tasks(path, ["a", "b"])
    assert path.read_text() == ""


def test_only_a_target_loses_its_task(manifest):
    path = manifest("[tasks]\na = 'x'\n\n[target.win.tasks]\na = 'y'\nb = 'z'\n")
    CONDA.remove_tasks(path, ["a"], platform="win")
    assert path.read_text() == "[tasks]\na = 'x'\n\n[target.win.tasks]\nb = 'z'\n"


def test_target_overrides_leave_a_tomlkit_document(manifest):
    document = tomlkit.parse("[target.a.tasks]\nx = '1'\n\n[target.b]\n\n[target.c.tasks]\ny = '2'\n")
    CONDA.remove_target_overrides(document, "x")
    assert tomlkit.dumps(document) == "[target.a.tasks]\n\n[target.b]\n\n[target.c.tasks]\ny = '2'\n"
    CONDA.remove_target_overrides(tomlkit.document(), "x")


@pytest.mark.parametrize(
    ("task", "text"),
    [
        pytest.param(Task("t", "x"), '"x"', id="a command"),
        pytest.param(Task("t", ["x", "y"]), '{ cmd = ["x", "y"] }', id="words stay a table"),
        pytest.param(Task("t"), "{}", id="nothing"),
        pytest.param(
            Task(
                "t",
                "x",
                args=[TaskArg("a"), TaskArg("b", "1", ["1"])],
                depends_on=[TaskDependency("u"), TaskDependency("v", ["1", {"n": "2"}], "e")],
                cwd="c",
                env={"A B": "1"},
                description="d",
                inputs=["i"],
                outputs=["o"],
                clean_env=True,
                default_environment="e",
            ),
            '{ cmd = "x", depends-on = ["u", { task = "v", args = ["1", { n = "2" }], environment = "e" }], '
            'description = "d", env = { "A B" = "1" }, cwd = "c", clean-env = true, default-environment = "e", '
            'args = ["a", { arg = "b", default = "1", choices = ["1"] }], inputs = ["i"], outputs = ["o"] }',
            id="everything",
        ),
    ],
)
def test_a_task_has_one_form(task, text):
    assert tomlkit.item(CONDA.task_to_toml_inline(task)).as_string() == text
    assert tasks_to_toml({"t": task}) == f"[tasks]\nt = {text}\n"


def test_tasks_are_a_manifest_of_their_own():
    tasks = {
        "a b": Task("a b", 'say "hi"', platforms={"win-64": TaskOverride("x"), "osx-64": TaskOverride(inputs=[])}),
        "c": Task("c", "it's \"\n\x00", platforms={"win-64": TaskOverride(clean_env=False)}),
    }
    assert tasks_to_toml(tasks) == (
        '[tasks]\n"a b" = \'say "hi"\'\nc = "it\'s \\"\\n\\u0000"\n\n'
        '[target.win-64.tasks]\n"a b" = "x"\nc = { clean-env = false }\n\n'
        '[target.osx-64.tasks]\n"a b" = { inputs = [] }\n'
    )
    assert tasks_to_toml({}) == "[tasks]\n"


WORKSPACE = '[@workspace]\nname = "n"\nchannels = []\nplatforms = ["linux-64"]\n'


@parsers
def test_dependencies_are_added_where_they_are_meant(manifest, parser):
    path = manifest(WORKSPACE, parser)
    parser.add_dependencies(
        path, [MatchSpec("Numpy >=2"), MatchSpec("https://h.org/t/x/c::zlib"), MatchSpec("xz 1 h*")]
    )
    parser.add_dependencies(path, [PyPIDependency("requests", ">=2", ("socks",))], feature="web", platform="win")
    assert path.read_text() == (
        WORKSPACE
        + '\n[@dependencies]\nnumpy = ">=2"\nzlib = { channel = "https://h.org/c" }\nxz = { version = "1", build = "h*" }\n'
        + '\n[@feature.web.target.win.pypi-dependencies]\nrequests = { version = ">=2", extras = ["socks"] }\n'
    ).replace("@", "tool.pixi." if parser is PYPROJECT else "")
    feature = parser.parse(path).features["web"]
    assert feature.target_pypi_dependencies == {"win": {"requests": PyPIDependency("requests", ">=2", ("socks",))}}


def test_a_dependency_that_says_the_same_changes_nothing(manifest):
    text = WORKSPACE.replace("@", "") + (
        "dependencies = { pooled = '>=3' }\n\n[dependencies]\nnumpy = { version = '>=2' }\nZlib = '1'\n"
        "pooled = { workspace = true }\n\n[pypi-dependencies]\nA_b = '*'\n"
    )
    path = manifest(text)
    specs = [MatchSpec("numpy >=2"), MatchSpec("zlib"), MatchSpec("pooled >=3"), PyPIDependency("a.B")]
    edit = CONDA.add_dependencies(path, specs)
    assert edit.kept == ("dependencies.numpy", "dependencies.Zlib", "dependencies.pooled", "pypi-dependencies.A_b")
    assert not edit.has_changes
    assert path.read_text() == text


def test_a_dependency_that_says_something_else_is_not_replaced(manifest):
    path = manifest(WORKSPACE + "[feature.f.pypi-dependencies]\nRequests = '<2'\n")
    with pytest.raises(EntryExistsError) as raised:
        CONDA.add_dependencies(path, [PyPIDependency("requests", ">=2")], feature="f")
    assert str(raised.value) == (
        "conda.toml: feature.f.pypi-dependencies.Requests: is there already, and says something else\n"
        "hint: change it there, or remove it first: cwt remove --feature f --pypi Requests"
    )


@pytest.mark.parametrize(
    ("parser", "spec", "reason"),
    [
        pytest.param(
            PIXI, MatchSpec("a[features=x]"), "this manifest cannot say features", id="pixi knows no features"
        ),
        pytest.param(
            CONDA,
            PyPIDependency("a", env_markers="x"),
            "this manifest cannot say env-markers",
            id="conda-workspaces knows no markers",
        ),
        pytest.param(
            CONDA,
            PyPIDependency("a", url="https://u:pw@h.org/a.whl"),
            "this manifest cannot say credentials of url",
            id="credentials",
        ),
        pytest.param(CONDA, MatchSpec("a 1:2"), "'1:2' is not a version", id="no version"),
    ],
)
def test_a_dependency_that_a_manifest_cannot_say_is_refused(manifest, parser, spec, reason):
    path = manifest(WORKSPACE, parser)
    before = path.read_bytes()
    with pytest.raises(BadSpecError) as raised:
        parser.add_dependencies(path, [spec])
    assert raised.value.reason == reason
    assert "pw" not in str(raised.value)
    assert path.read_bytes() == before


def test_dependencies_are_removed_by_any_spelling(manifest):
    path = manifest(WORKSPACE + "\n[dependencies]\nNumpy = '*' # why\nzlib = '*'\n\n[pypi-dependencies]\nA_b = '*'\n")
    assert CONDA.remove_dependencies(path, ["numpy"]).changed == ("dependencies.Numpy",)
    CONDA.remove_dependencies(path, ["a-b"], is_pypi=True)
    expected = WORKSPACE + "\n[dependencies]\nzlib = '*'\n\n[pypi-dependencies]\n"
    assert path.read_text() == expected.replace("@", "")


def test_a_dependency_that_is_elsewhere_says_where(manifest):
    path = manifest(WORKSPACE + "[feature.f.target.win.dependencies]\nnumpy = '*'\n[pypi-dependencies]\nnumpy = '*'\n")
    with pytest.raises(DependencyNotFoundError) as raised:
        CONDA.remove_dependencies(path, ["numpy"])
    assert str(raised.value) == (
        "conda.toml: dependencies: 'numpy' is not there\n"
        "hint: it is in feature.f.target.win.dependencies, pypi-dependencies"
    )
    with pytest.raises(DependencyNotFoundError) as raised:
        CONDA.remove_dependencies(path, ["nunpy"], is_pypi=True)
    assert str(raised.value) == (
        "conda.toml: pypi-dependencies: 'nunpy' is not there\nhint: did you mean 'numpy'? There are: numpy"
    )


def test_dependencies_need_a_workspace(manifest):
    path = manifest("[tasks]\n")
    with pytest.raises(WorkspaceParseError) as raised:
        CONDA.add_dependencies(path, [MatchSpec("a")])
    assert str(raised.value) == "conda.toml: no [workspace] table\nhint: 'cwt init' writes one"


def test_a_target_that_can_match_nothing_is_refused(manifest):
    path = manifest(WORKSPACE.replace('"linux-64"', '{ platform = "linux-64", name = "gpu" }'))
    CONDA.add_dependencies(path, [MatchSpec("a")], platform="gpu")
    CONDA.add_dependencies(path, [MatchSpec("a")], platform="linux-*")
    with pytest.raises(PlatformError, match="platform 'linux64' is not available\nhint: did you mean 'linux-64'"):
        CONDA.add_dependencies(path, [MatchSpec("a")], platform="linux64")


def test_a_dry_run_writes_nothing(manifest):
    path = manifest(WORKSPACE)
    before = path.read_bytes()
    assert CONDA.add_dependencies(path, [MatchSpec("a")], is_dry_run=True).has_changes
    assert CONDA.add_task(path, "t", Task("t", "x"), is_dry_run=True).has_changes
    assert path.read_bytes() == before


def test_a_merge_replaces_only_our_table(manifest):
    before = (
        "[project]\nname = 'p'  # mine\n\n[tool.conda.workspace]\nname = 'old'\n\n[tool.conda.tasks]\nt = 'x'\n\n"
        "[tool.pixi.workspace]\nname = 'pixi'\n\n# style\n[tool.ruff]\n"
    )
    path = manifest(before, PYPROJECT)
    exported = '[tool.conda.workspace]\nname = "new"\n'
    merged = PYPROJECT.merge_export(path, exported)
    assert merged == (
        "[project]\nname = 'p'  # mine\n\n[tool.pixi.workspace]\nname = 'pixi'\n\n# style\n[tool.ruff]\n\n" + exported
    )
    assert path.read_text() == before
    path.write_text(merged)
    assert PYPROJECT.merge_export(path, exported) == merged


def test_a_merge_keeps_line_ends(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_bytes(b"[project]\r\nname = 'p'\r\n")
    merged = PYPROJECT.merge_export(path, '[tool.conda.workspace]\nname = "n"\n')
    assert merged == "[project]\r\nname = 'p'\r\n\r\n[tool.conda.workspace]\r\nname = \"n\"\r\n"


def test_a_merge_without_our_table_is_the_export(tmp_path):
    assert PYPROJECT.merge_export(tmp_path / "nowhere", "x = 1\n") == "x = 1\n"


@pytest.mark.parametrize("parser", [CONDA, PIXI])
def test_a_manifest_of_ours_is_replaced_whole(tmp_path, parser):
    assert parser.merge_export(tmp_path / "nowhere", "x = 1\n") == "x = 1\n"


def test_a_new_task_belongs_where_tasks_are(tmp_path, manifest):
    manifest("[project]\nname = 'p'\n[@tasks]\na = 'x'\n", PYPROJECT)
    manifest(WORKSPACE, PIXI)
    assert find_task_manifest().name == "pyproject.toml"
    (tmp_path / "pyproject.toml").unlink()
    (tmp_path / "below").mkdir()
    assert find_task_manifest(tmp_path / "below").name == "pixi.toml"


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("numpy", MatchSpec("numpy")),
        ("numpy>=2,<3", MatchSpec(name="numpy", version=">=2,<3")),
        ("conda-forge::numpy", MatchSpec(name="numpy", channel="conda-forge")),
        ("python=3.12", MatchSpec(name="python", version="3.12.*")),
    ],
)
def test_a_word_is_a_spec(text, spec):
    assert conda_spec(text) == spec


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (conda_spec, "py*", "dependency 'py*': 'py*' is not a package name"),
        (conda_spec, ">=2", "dependency '>=2': no package name in match spec '>=2'"),
        (conda_spec, "a[b=c]", "dependency 'a[b=c]': unknown field 'b' in match spec 'a[b=c]'"),
        (pypi_spec, "-e .", "dependency '-e .': is not a requirement of a Python package"),
        (pypi_spec, "https://u:pw@h/x", "dependency 'https://h/x': is not a requirement of a Python package"),
    ],
)
def test_a_word_that_is_no_spec_is_told(read, text, said):
    with pytest.raises(BadSpecError) as raised:
        read(text)
    assert raised.value.error_message == said
