"""How the command of a task is read: characters that mean something elsewhere, several lines, lists."""

import pytest

PIXI = '[workspace]\nname = "w"\nchannels = []\nplatforms = ["linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64"]\n'


@pytest.mark.parametrize(
    ("command", "said"),
    [
        pytest.param("'echo 100%'", "100%\n", id="percent"),
        pytest.param("'date -d @0 +%Y'", "1970\n", id="percent-with-a-letter"),
        pytest.param("'echo %(name)s %% %'", None, id="percent-with-brackets-is-a-mistake-of-the-shell"),
        pytest.param("'echo {a} {b}'", "{a} {b}\n", id="braces"),
        pytest.param("'echo {% raw %}{{x}}{% endraw %}'", "{{x}}\n", id="raw"),
        pytest.param("'''echo \"$(echo a | tr a b)\" && echo c || echo d'''", "b\nc\n", id="shell-syntax"),
        pytest.param("'x=1; echo ${x:-2}'", "1\n", id="parameter-expansion"),
        pytest.param("'''\n  echo one\n  if true; then\n    echo two\n  fi\n'''", "one\ntwo\n", id="several-lines"),
        pytest.param("'''\n  false\n  echo on\n'''", "on\n", id="a-failing-line-does-not-stop-the-next"),
        pytest.param("'''\n  set -e\n  false\n  echo on\n'''", None, id="unless-asked-to"),
        pytest.param("'echo é ✓'", "é ✓\n", id="beyond-ascii"),
    ],
)
def test_a_text_command_is_shell_text(space, command: str, said: str | None):
    space.write({"conda.toml": f"[tasks.t]\ncmd = {command}\n"})
    done = space.run("t")
    if said is None:
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
    else:
        assert (done.returncode, done.stdout, done.stderr) == (0, f".  t\n{said}", "")


LIST = """
[tasks.t]
cmd = ["echo", "$HOME", "a  b", "&&", "{% raw %}{{%}}{% endraw %}", "*.toml"]
"""


def test_a_list_command_reaches_no_shell_in_the_conda_dialect(space):
    space.write({"conda.toml": LIST})
    assert space.doit("t") == ".  t\n$HOME a  b && {{%}} *.toml\n"


def test_a_list_command_is_shell_text_in_the_pixi_dialect(space):
    space.write({"pixi.toml": PIXI + LIST.replace('"{% raw %}{{%}}{% endraw %}"', '"echo"')})
    assert space.doit("t") == f".  t\n{space.home} a  b\npixi.toml\n"


def test_an_undefined_name_in_a_template_runs_nothing(space):
    space.write({"conda.toml": '[tasks]\nfirst = "echo 1"\nt = { cmd = "echo {{ nmae }}", depends-on = ["first"] }\n'})
    message = space.fails("t")
    assert message.startswith("error: task 't': cmd: cannot render 'echo {{ nmae }}': ")
    assert "hint: known names: conda, pixi" in message


@pytest.mark.parametrize(
    ("template", "said"),
    [
        pytest.param("{{ pixi.environment.name }}", "default", id="environment"),
        pytest.param("{{ pixi.manifest_path }}", "{root}/pixi.toml", id="manifest"),
        pytest.param("{{ pixi.init_cwd }}", "{root}/sub", id="folder-of-the-caller"),
        pytest.param("{{ 'posix' if pixi.is_unix else 'other' }}", "posix", id="condition"),
        pytest.param("{{ 'a,b' | split(',') | last | upper }}", "B", id="filters"),
    ],
)
def test_templates_know_the_workspace(space, template: str, said: str):
    space.write({"pixi.toml": f'{PIXI}[tasks]\nt = """echo {template}"""\n', "sub/file": ""})
    assert space.doit("t", cwd="sub") == f".  t\n{said.format(root=space.root)}\n"
