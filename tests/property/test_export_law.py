"""Law: what is written of tasks and environments says, read again, the same."""

from types import SimpleNamespace

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from cwtasks.manifests import find_parser
from cwtasks.manifests.scopes import flat_tasks
from cwtasks.manifests.toml import tasks_to_toml
from cwtasks.models import (
    KNOWN_SUBDIRS,
    Channel,
    MatchSpec,
    PyPIDependency,
    Task,
    TaskArg,
    TaskDependency,
    TaskOverride,
)

FORMATS = ["conda.toml", "pixi.toml", "pyproject.toml"]
DIALECTS = {"conda.toml": "conda", "pixi.toml": "pixi", "pyproject.toml": "conda"}

words = st.text(min_size=1, max_size=8)
texts = st.text(max_size=12) | st.sampled_from(
    ["it's", 'say "hi"', "a\\b", "'both\"", "a\nb\r\n", "\x00\x7f\u2028", "{{ x }}"]
)
lists = st.lists(texts, max_size=3)
env = st.dictionaries(words, texts, max_size=2)
commands = texts | st.lists(texts, min_size=1, max_size=3)
identifiers = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True)
dependencies = st.builds(
    TaskDependency,
    words,
    st.lists(texts | st.dictionaries(words, texts, min_size=1, max_size=1), max_size=2),
    st.none() | words,
)
subdirs = st.sampled_from(KNOWN_SUBDIRS)


@st.composite
def task_args(draw, min_size=0):
    args = []
    for name in draw(st.lists(identifiers, unique=True, min_size=min_size, max_size=3)):
        choices = draw(st.none() | st.lists(texts, min_size=1, max_size=2))
        has_default = bool(args and args[-1].default is not None) or draw(st.booleans())
        default = draw(st.sampled_from(choices) if choices else texts) if has_default else None
        args.append(TaskArg(name, default, choices))
    return args


overrides = st.builds(
    TaskOverride,
    cmd=st.none() | commands,
    # An empty list of these cannot be told from none.
    args=st.none() | task_args(min_size=1),
    depends_on=st.none() | st.lists(dependencies, min_size=1, max_size=2),
    cwd=st.none() | texts,
    env=st.none() | env,
    inputs=st.none() | lists,
    outputs=st.none() | lists,
    clean_env=st.none() | st.booleans(),
)


def tasks(name):
    return st.builds(
        Task,
        name=st.just(name),
        cmd=st.none() | commands,
        args=task_args(),
        depends_on=st.lists(dependencies, max_size=2),
        cwd=st.none() | texts,
        env=env,
        description=st.none() | texts,
        inputs=lists,
        outputs=lists,
        clean_env=st.booleans(),
        default_environment=st.none() | texts,
        platforms=st.none() | st.dictionaries(subdirs, overrides, min_size=1, max_size=2),
    )


task_tables = st.lists(texts, unique=True, max_size=3).flatmap(
    lambda names: st.fixed_dictionaries({name: tasks(name) for name in names})
)


@given(task_tables)
@settings(deadline=None)
def test_tasks_written_and_read_are_the_same(tmp_path_factory, table):
    path = tmp_path_factory.getbasetemp() / "conda.toml"
    text = tasks_to_toml(table)
    assert flat_tasks(find_parser(path).read_data(tomli.loads(text), path).workspace) == table


@pytest.mark.parametrize("name", FORMATS)
@given(table=task_tables)
@settings(deadline=None, max_examples=50)
def test_tasks_added_one_by_one_are_there_and_removed_ones_are_gone(tmp_path_factory, name, table):
    path = tmp_path_factory.mktemp("law") / name
    parser = find_parser(path)
    for task in table.values():
        parser.add_task(path, task.name, task)
    before = path.read_bytes() if table else b""
    for task in table.values():
        assert not parser.add_task(path, task.name, task).has_changes
    assert not table or (parser.parse_tasks(path), path.read_bytes()) == (table, before)
    for task in table.values():
        parser.remove_task(path, task.name)
    assert not table or parser.parse_tasks(path) == {}


package_names = st.from_regex(r"[a-z][a-z0-9_.-]{0,6}", fullmatch=True)
versions = st.sampled_from([">=1.2,<2", "1.2.*", "1.2", "1!2.3|>=4", "~=1.4", "*"])
plain = st.text("abc/._ '\"\\é", min_size=1, max_size=6).filter(lambda text: text.strip() == text)
channels = st.sampled_from(["conda-forge", "https://h.org/c", "https://conda.anaconda.org/a/label/b", "file:///d/c"])


@st.composite
def conda_specs(draw, dialect):
    fields = {
        "version": versions,
        "build": st.sampled_from(["h1_0", "py*", "*_cpu"]),
        "build_number": st.sampled_from(["3", ">=2"]),
        "channel": channels,
        "subdir": subdirs,
        "md5": st.just("0" * 32),
        "sha256": st.just("a" * 64),
        "url": st.just("https://h.org/c/noarch/a-1-0.conda"),
        "fn": st.just("a-1-0.conda"),
        "license": plain,
        "license_family": plain,
        "track_features": st.sets(identifiers, min_size=1, max_size=2),
        **({"features": st.sets(identifiers, min_size=1, max_size=2)} if dialect == "conda" else {}),
    }
    given = draw(st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=4)) or ["version"]
    return MatchSpec(name=draw(package_names), **{field: draw(fields[field]) for field in given})


@st.composite
def pypi_specs(draw, dialect):
    source = draw(st.sampled_from(["index", "path", "git", "url"]))
    found = PyPIDependency(draw(package_names), extras=tuple(draw(st.lists(identifiers, unique=True, max_size=2))))
    if source == "index":
        found = found._replace(spec=draw(st.sampled_from(["", ">=1.2,<2", "==1.*"])))
    elif source == "path":
        found = found._replace(path=draw(plain), editable=draw(st.booleans()))
    elif source == "url":
        found = found._replace(url="https://h.org/a.whl")
    else:
        found = found._replace(
            git="https://h.org/a.git", **{draw(st.sampled_from(["branch", "tag", "rev"])): draw(plain)}
        )
    if dialect == "pixi":
        found = found._replace(
            env_markers=draw(st.none() | st.just("sys_platform == 'linux'")),
            index_url=draw(st.none() | st.just("https://h.org/simple")),
            subdirectory=draw(st.none() | plain),
        )
    return found


def environments(dialect):
    one = st.builds(
        SimpleNamespace,
        name=st.just("law"),
        platform=subdirs,
        config=st.lists(channels, unique=True).map(lambda listed: SimpleNamespace(channels=listed)),
        requested_packages=st.lists(conda_specs(dialect), unique_by=lambda spec: spec.name, max_size=4),
        external_packages=st.lists(pypi_specs(dialect), unique_by=lambda spec: spec.name, max_size=3).map(
            lambda found: {"pip": found}
        ),
        explicit_packages=st.just([]),
    )
    return st.lists(one, min_size=1, max_size=3, unique_by=lambda environment: environment.platform)


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
@settings(deadline=None)
def test_environments_exported_and_read_ask_for_the_same(tmp_path_factory, name, data):
    envs = data.draw(environments(DIALECTS[name]))
    path = tmp_path_factory.getbasetemp() / name
    parser = find_parser(path)
    manifest = parser.read_data(tomli.loads(parser.export(envs)), path)
    workspace = manifest.workspace
    assert manifest.warnings == ()
    assert (workspace.name, workspace.platforms) == ("law", sorted(env.platform for env in envs))
    assert workspace.channels == [Channel(channel) for channel in envs[0].config.channels]
    default = workspace.features["default"]
    for environment in envs:
        of_platform = default.targets.get(environment.platform)
        conda = {**default.conda_dependencies, **(of_platform.conda_dependencies if of_platform else {})}
        pypi = {**default.pypi_dependencies, **(of_platform.pypi_dependencies if of_platform else {})}
        assert conda == {spec.name: spec for spec in environment.requested_packages}
        assert pypi == {spec.name: spec for spec in environment.external_packages["pip"]}
