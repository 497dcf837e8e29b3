"""What is doubtful but accepted: slips of the pen and old spellings."""

import pytest

from cwtasks.manifests import load_file

W = "[workspace]\nplatforms = ['linux-64']\n"

CASES = [
    ("conda.toml", "[task]\n", ["task: unknown key; did you mean 'tasks'?"]),
    ("conda.toml", "[zzz]\n", ["zzz: unknown key"]),
    ("conda.toml", "[project]\nname = 'x'\n", ["project: unknown key"]),
    ("conda.toml", "[tool.x]\n[package]\nname = 'a'\nanything = 1\n", []),
    ("conda.toml", "'$schema' = 'x'\n", []),
    ("conda.toml", "[workspace]\nchanels = []\n", ["workspace.chanels: unknown key; did you mean 'channels'?"]),
    ("conda.toml", W + "archive = { includes = [] }\n", ["workspace.archive.includes: unknown key; did you mean 'include'?"]),
    ("conda.toml", W + "channels = [{ channel = 'a', prio = 1 }]\n", ["workspace.channels[0].prio: unknown key; did you mean 'priority'?"]),
    ("conda.toml", "[workspace]\nplatforms = [{ platform = 'linux-64', cude = '1' }]\n", ["workspace.platforms[0].cude: unknown key; did you mean 'cuda'?"]),
    ("pixi.toml", "[tasks]\nbuild = { cmd = 'x', dependson = [] }\n", ["tasks.build.dependson: unknown key; did you mean 'depends-on'?"]),
    ("pixi.toml", "[tasks]\nbuild = { cmd = 'x', target = { win-64 = 'y' } }\n", ["tasks.build.target: pixi has no targets inside a task; write [target.<platform>.tasks]"]),
    ("conda.toml", "[tasks]\na = { cmd = 'x', depends-on = [{ task = 'b', arg = [] }] }\n", ["tasks.a.depends-on[0].arg: unknown key; did you mean 'args'?"]),
    ("conda.toml", "[tasks]\na = { cmd = 'x', args = [{ arg = 'b', choice = [] }] }\n", ["tasks.a.args[0].choice: unknown key; did you mean 'choices'?"]),
    ("conda.toml", "[tasks.a]\ncmd = 'x'\ntarget = { win-64 = { cdw = 'x' } }\n", ["tasks.a.target.win-64.cdw: unknown key; did you mean 'cwd'?"]),
    ("conda.toml", "[feature.a]\ndependancies = {}\n", ["feature.a.dependancies: unknown key; did you mean 'dependencies'?"]),
    ("conda.toml", "[target.win-64]\ntask = {}\n", ["target.win-64.task: unknown key; did you mean 'tasks'?"]),
    ("conda.toml", "[environments]\na = { feature = [] }\n", ["environments.a.feature: unknown key; did you mean 'features'?"]),
    ("conda.toml", "[activation]\nscript = []\n", ["activation.script: unknown key; did you mean 'scripts'?"]),
    ("conda.toml", "[dependencies]\na = { verison = '1' }\n", ["dependencies.a.verison: unknown key; did you mean 'version'?"]),
    ("conda.toml", "[pypi-dependencies]\na = { extra = ['x'] }\n", ["pypi-dependencies.a.extra: unknown key; did you mean 'extras'?"]),
    ("conda.toml", "[system-requirements]\nglib = '2.28'\n", ["system-requirements.glib: unknown key; did you mean 'glibc'?"]),
    ("pixi.toml", "[pypi-options]\nanything = 1\n[workspace]\nname = 'x'\nbuild-variants = { a = ['1'] }\n", []),
    ("pyproject.toml", "[tool.conda.tasks]\nb = { cmd = 'x', cwdd = 'y' }\n", ["tool.conda.tasks.b.cwdd: unknown key; did you mean 'cwd'?"]),
    ("pixi.toml", "[project]\nname = 'x'\n", ["project: old spelling; write 'workspace'"]),
    ("pixi.toml", "[tasks]\na = { cmd = 'x', depends_on = 'b' }\n", ["tasks.a.depends_on: old spelling; write 'depends-on'"]),
    ("conda.toml", "[tasks]\na = { cmd = 'x', clean_env = true }\n", ["tasks.a.clean_env: old spelling; write 'clean-env'"]),
    ("pixi.toml", "[tasks]\na = ['b', { task = 'c' }]\n", ["tasks.a: pixi itself refuses names in an array; write { depends-on = [...] }"]),
    ("conda.toml", "[tasks]\na = ['b', { task = 'c' }]\n", []),
    ("conda.toml", "[tasks]\na = { cmd = 'x', depends-on = { task = 'b' } }\n", ["tasks.a.depends-on: a table stands alone; write [{ ... }]"]),
    ("pixi.toml", "[tasks]\na = { depends-on = ['b'], cwd = 'c', env = {} }\n", ["tasks.a.cwd: has no effect without 'cmd'", "tasks.a.env: has no effect without 'cmd'"]),
    ("conda.toml", "[tasks]\na = { depends-on = ['b'], cwd = 'c' }\n", []),
    ("conda.toml", W + "[target.linux64.tasks]\na = 'x'\n", ["target.linux64: matches no platform; did you mean 'linux-64'?"]),
    ("pixi.toml", W + "[feature.f.target.unix.tasks]\na = 'x'\n[target.'cuda-*'.tasks]\na = 'x'\n", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "warnings"), CASES, ids=[f"{name}-{number}" for number, (name, *_) in enumerate(CASES)]
)
def test_doubtful_manifest_loads_with_these_warnings(tmp_path, name, text, warnings):
    (tmp_path / name).write_text(text)
    assert load_file(tmp_path / name).warnings == tuple(f"{name}: {warning}" for warning in warnings)
