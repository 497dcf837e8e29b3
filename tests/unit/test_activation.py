"""Activation with real scripts in made-up prefixes."""

import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from cwtasks.activation import Activation, changes, content_digest, variables
from cwtasks.activation.prefix import Script
from cwtasks.activation.shell import bash_text, cmd_text
from cwtasks.exceptions import ActivationError

OUTSIDE = {"PATH": "/usr/bin:/bin", "HOME": "/home/me", "FROM": "outside"}

#: Longer than the clock of a file system may stand still.
TICK_SECONDS = 0.05


class Workspace:
    """A workspace with one environment, and what activating it gives."""

    def __init__(self, folder):
        self.root = folder / "space"
        self.prefix = self.root / ".conda" / "envs" / "test"
        self.cache = self.root / ".conda" / "cache"
        self.warnings = []
        self.is_settled = False
        (self.prefix / "conda-meta").mkdir(parents=True)

    def write(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.is_settled = False

    def package_script(self, text, name="tool.sh"):
        self.write(self.prefix / "etc/conda/activate.d" / name, text)

    def package_variables(self, values, name="tool.json"):
        text = values if isinstance(values, str) else json.dumps(values)
        self.write(self.prefix / "etc/conda/env_vars.d" / name, text)

    def state(self, values):
        self.write(self.prefix / "conda-meta/state", json.dumps({"version": 1, "env_vars": values}))

    def script(self, text, name="setup.sh"):
        self.write(self.root / name, text)

    def settle(self):
        if not self.is_settled:
            time.sleep(TICK_SECONDS)
            self.is_settled = True

    def arguments(self, *scripts, env=(), expands=True, outside=OUTSIDE, statics=None, cached=False, platform="linux"):
        pairs = tuple(env.items()) if isinstance(env, dict) else env
        return {
            "activation": Activation("test", scripts, pairs, expands),
            "statics": statics or {},
            "outside": outside,
            "root": str(self.root),
            "cache_folder": str(self.cache) if cached else None,
            "platform": platform,
            "warn": self.warnings.append,
        }

    def __call__(self, *scripts, **options):
        """Return the variables; what is to be remembered is asked for when no file is fresh any more."""
        if options.get("cached"):
            self.settle()
        return variables(str(self.prefix), **self.arguments(*scripts, **options))

    def changes(self, *scripts, **options):
        return changes(str(self.prefix), **self.arguments(*scripts, **options))

    def digest(self, *scripts, env=(), platform="linux"):
        return content_digest(str(self.prefix), Activation("test", scripts, env), str(self.root), platform=platform)


@pytest.fixture
def space(tmp_path):
    return Workspace(tmp_path)


def refusal(call, *arguments, **options):
    with pytest.raises(ActivationError) as error:
        call(*arguments, **options)
    return error.value


@pytest.fixture
def no_process(monkeypatch):
    """Return a function after which no process can be started."""

    def forbid():
        def refuse(*_, **__):
            raise AssertionError("a process was started")

        monkeypatch.setattr("subprocess.run", refuse)

    return forbid


@pytest.fixture
def processes(monkeypatch):
    """Return a list that gets one entry for each process that is started."""
    started = []
    run = subprocess.run

    def note(argv, **options):
        started.append(argv)
        return run(argv, **options)

    monkeypatch.setattr("subprocess.run", note)
    return started


# Without a script


def test_the_prefix_comes_first_and_is_named(space, no_process):
    no_process()
    found = space(statics={"PIXI_IN_SHELL": "1", "CONDA_DEFAULT_ENV": "w:test"})
    assert found == {
        **OUTSIDE,
        "PATH": f"{space.prefix}/bin:/usr/bin:/bin",
        "CONDA_PREFIX": str(space.prefix),
        "CONDA_SHLVL": "1",
        "CONDA_DEFAULT_ENV": "w:test",
        "PIXI_IN_SHELL": "1",
    }


def test_an_outside_without_path_leaves_the_folder_of_the_prefix(space):
    assert space(outside={})["PATH"] == f"{space.prefix}/bin"


def test_values_of_packages_and_users_are_never_expanded_nor_run(space, no_process):
    no_process()
    wild = {"HOMELY": "$HOME", "TICK": "`touch bad`", "CALL": "$(touch bad)", "LINES_": "a\nb", "QUOTE": "\"'\\"}
    space.package_variables(wild)
    space.state({"MINE": "$HOME/`id`"})
    found = space()
    assert {name: found[name] for name in [*wild, "MINE"]} == {**wild, "MINE": "$HOME/`id`"}


def test_values_of_packages_stay_as_they_are_when_a_script_runs(space):
    space.package_variables({"TICK": "`touch bad` $HOME", "TWO": "a\nb"})
    space.package_script("export SEEN=$TICK")
    found = space()
    assert (found["TICK"], found["SEEN"], found["TWO"]) == ("`touch bad` $HOME", "`touch bad` $HOME", "a\nb")
    assert not (space.root / "bad").exists()


def test_files_of_variables_are_read_by_name_and_the_user_is_stronger(space):
    space.package_variables({"A": "b", "B": "b"}, "b.json")
    space.package_variables({"A": "a", "B": "a", "C": "a"}, "a.json")
    space.package_variables("not read", "notes.txt")
    space.state({"B": "user", "GONE": "***unset***"})
    found = space()
    assert (found["A"], found["B"], found["C"], "GONE" in found) == ("b", "user", "a", False)


def test_what_is_no_variable_is_left_out_with_a_warning(space):
    space.package_variables({"PATH": "/evil", "NUMBER": 3, "A=B": "x", "GOOD": "1"})
    found = space()
    assert found["GOOD"] == "1"
    assert found["PATH"].startswith(f"{space.prefix}/bin:")
    assert space.warnings == [
        "etc/conda/env_vars.d/tool.json: 'PATH' is left out: it may not be set by value",
        "etc/conda/env_vars.d/tool.json: 'NUMBER' is left out: it is no variable with a text as its value",
        "etc/conda/env_vars.d/tool.json: 'A=B' is left out: it is no variable with a text as its value",
    ]


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        pytest.param("{", "is not JSON: Expecting property name", id="no JSON"),
        pytest.param("[1]", ": expected an object, found list", id="a list"),
    ],
)
def test_a_damaged_file_of_variables_is_named(space, text, fact):
    space.package_variables(text)
    error = refusal(space)
    assert "environment 'test' cannot be activated: etc/conda/env_vars.d/tool.json" in error.error_message
    assert fact in error.error_message


def test_a_state_that_is_not_readable_is_named(space):
    (space.prefix / "conda-meta/state").mkdir()
    assert refusal(space).reason == "conda-meta/state cannot be read: Is a directory"


def test_variables_of_the_manifest_are_set_without_a_process(space, no_process):
    no_process()
    space.package_variables({"A": "package"})
    env = {"A": "manifest", "B": "a\\b", "C": 'say "x"', "D": "~", "my.key": "1"}
    found = space(env=env)
    assert {name: found[name] for name in env} == env


def test_the_conda_dialect_expands_nothing(space, no_process):
    no_process()
    assert space(env={"A": "$HOME `id`"}, expands=False)["A"] == "$HOME `id`"


# An environment that is active outside


ACTIVE = {
    "PATH": "/venv/bin:/envs/old/bin:/condabin:/usr/bin:/envs/old/bin",
    "CONDA_PREFIX": "/envs/old",
    "CONDA_DEFAULT_ENV": "old",
    "CONDA_SHLVL": "2",
    "CONDA_PREFIX_1": "/base",
    "CONDA_PROMPT_MODIFIER": "(old) ",
    "CONDA_EXE": "/base/bin/conda",
}


def test_an_environment_that_is_active_outside_is_left(space):
    assert space(outside=ACTIVE) == {
        "PATH": f"{space.prefix}/bin:/venv/bin:/condabin:/usr/bin:/envs/old/bin",
        "CONDA_PREFIX": str(space.prefix),
        "CONDA_DEFAULT_ENV": "test",
        "CONDA_SHLVL": "1",
        "CONDA_EXE": "/base/bin/conda",
    }


def test_activating_twice_changes_nothing_more(space):
    space.package_script('export FLAGS="-O2"')
    once = space()
    assert space(outside=once) == once


def test_the_folders_of_the_system_stay_on_path(space):
    found = space(outside={"PATH": "/usr/bin:/bin", "CONDA_PREFIX": "/usr/"})
    assert found["PATH"] == f"{space.prefix}/bin:/usr/bin:/bin"


# Scripts


PRECEDENCE = ["outside", "static", "package value", "user value", "package script", "manifest script", "manifest env"]


@pytest.mark.parametrize("strongest", range(len(PRECEDENCE)))
@pytest.mark.parametrize("expands", [True, False])
def test_precedence(space, strongest, expands):
    given = set(PRECEDENCE[: strongest + 1])
    space.package_variables({"X": "package value"} if "package value" in given else {})
    space.state({"X": "user value"} if "user value" in given else {})
    space.package_script("export X='package script'" if "package script" in given else "")
    space.script("export X='manifest script'" if "manifest script" in given else "")
    found = space(
        "setup.sh",
        outside={**OUTSIDE, "X": "outside"},
        statics={"X": "static"} if "static" in given else {},
        env={"X": "manifest env"} if "manifest env" in given else {},
        expands=expands,
    )
    assert found["X"] == PRECEDENCE[strongest]


def test_scripts_run_in_order_and_see_what_came_before(space):
    space.package_variables({"SEEN": "v"})
    space.package_script("export SEEN=$SEEN-2", "b.sh")
    space.package_script("export SEEN=$SEEN-1", "a.sh")
    space.package_script("export SEEN=never", "a.fish")
    space.script("export SEEN=$SEEN-4", "z.sh")
    space.script("export SEEN=$SEEN-3-${CONDA_PREFIX##*/}-$LABEL", "y.bash")
    found = space("y.bash", "z.sh", statics={"LABEL": "l"})
    assert found["SEEN"] == "v-1-2-3-test-l-4"


def test_values_expand_in_the_shell_and_in_order(space):
    env = {"A": "$FROM-x", "B": "${A}-$(echo y)", "C": 'say "$A"', "D": "\\$A", "E": "$NONE", "my.key": "$A"}
    found = space(env=env)
    assert {name: found[name] for name in env} == {
        "A": "outside-x",
        "B": "outside-x-y",
        "C": 'say "outside-x"',
        "D": "$A",
        "E": "",
        "my.key": "$A",
    }


def test_values_see_what_scripts_set(space):
    space.script("export A=script")
    assert space("setup.sh", env={"B": "$A"})["B"] == "script"
    assert space("setup.sh", env={"B": "$A"}, expands=False)["B"] == "$A"


AWKWARD = {
    "prints": ("echo out; echo err >&2; export X=1", {"X": "1"}),
    "nounset": ("set -u; export X=1", {"X": "1"}),
    "errexit": ("set -e; export X=1", {"X": "1"}),
    "noclobber, noglob, xtrace, allexport": ("set -Cfxa; X=1", {"X": "1"}),
    "posix": ("set -o posix; export X=1", {"X": "1"}),
    "newlines": ("export X=$'a\\nY=b\\n'", {"X": "a\nY=b\n"}),
    "folder": ("cd /; export X=1", {"X": "1"}),
    "last command fails": ("export X=1; [ -n '' ]", {"X": "1"}),
    "returns": ("export X=1; return 3; export X=2", {"X": "1"}),
    "closes everything": ("export X=1; exec >&- 2>&- <&- 3>&- 9>&-", {"X": "1"}),
    "positional": ("set -- a b; export X=$1; shift", {"X": "a"}),
    "fields": ("IFS=0123; export X=1", {"X": "1"}),
    "exit trap": ("trap 'exit 3' EXIT; export X=1", {"X": "1"}),
    "functions": ("f() { :; }; export -f f; alias x=y; export X=1", {"X": "1"}),
    "path": ("PATH=/nowhere; export X=1", {"X": "1", "PATH": "/nowhere"}),
    "no path": ("unset PATH; export X=1", {"X": "1"}),
    "not exported": ("Y=1; export X=1", {"X": "1"}),
    "reads": ("read line; export X=1$line", {"X": "1"}),
    "daemon": ("sleep 2 & export X=1", {"X": "1"}),
    "equals": ("export X='a=b=c'", {"X": "a=b=c"}),
    "bytes": ("export X=$'\\xff'", {"X": "\udcff"}),
    "names of commands": ("printf() { :; }; set() { :; }; cd() { :; }; export X=1", {"X": "1"}),
}


@pytest.mark.parametrize(("text", "expected"), [pytest.param(*case, id=name) for name, case in AWKWARD.items()])
def test_awkward_scripts_work(space, text, expected, capfd):
    space.script(text)
    space.script('export NEXT=${NONE}ok; [ $PWD = "$OLDPWD" ]; false; true', "next.sh")
    started = time.monotonic()
    found = space.changes("setup.sh", "next.sh")
    assert time.monotonic() - started < 1.5
    expected = {"NEXT": "ok", **expected}
    plain = space.changes()
    assert {name: value for name, value in found.set.items() if plain.set.get(name) != value} == expected
    assert "".join(capfd.readouterr()) == ""


def test_scripts_run_in_the_workspace_each(space):
    space.script("export ONE=$PWD; cd /", "one.sh")
    space.script("export TWO=$PWD", "two.sh")
    found = space("one.sh", "two.sh")
    assert (found["ONE"], found["TWO"]) == (str(space.root), str(space.root))


def test_what_a_script_unsets_is_gone(space):
    space.package_variables({"MINE": "1"})
    space.script("unset FROM MINE; unset CONDA_DEFAULT_ENV")
    found = space("setup.sh")
    assert {"FROM", "MINE", "CONDA_DEFAULT_ENV"}.isdisjoint(found)
    assert space.changes("setup.sh").unset == ("FROM",)


def test_a_variable_that_comes_back_is_not_unset(space):
    space.script("unset FROM")
    assert space("setup.sh", env={"FROM": "manifest"})["FROM"] == "manifest"


def test_odd_variables_outside_pass_through(space):
    odd = {"my.key": "1", "BASH_FUNC_f%%": "() {  echo hi\n}", "SHLVL": "7", "PWD": "/x", "INIT_CWD": "/y", "N": "a\nb"}
    odd |= {"BASH_ENV": "/no/file", "SHELLOPTS": "errexit:nounset", "POSIXLY_CORRECT": "1", "B": "\udcff"}
    space.script("false; export X=1")
    found = space("setup.sh", outside={**OUTSIDE, **odd})
    assert {name: found[name] for name in odd} == odd


def test_no_file_of_the_user_is_run_first(space):
    space.script("touch bad", "startup.sh")
    space.script("export X=1")
    outside = {**OUTSIDE, "BASH_ENV": str(space.root / "startup.sh"), "HOME": str(space.root)}
    space.script("touch bad", ".bashrc")
    assert space("setup.sh", outside=outside)["X"] == "1"
    assert not (space.root / "bad").exists()


def test_odd_paths_work(tmp_path):
    space = Workspace(tmp_path / 'it\'s a $HOME `x` "y"')
    space.script("export X=$PWD", "a 'b' $c.sh")
    assert space("a 'b' $c.sh")["X"] == str(space.root)


FAILING = {
    "exit": ("echo no licence >&2; exit 7", "setup.sh failed with exit status 7\n  no licence"),
    "exit 0": ("exit 0", "setup.sh ended the shell with 'exit' or 'exec'"),
    "exec": ("exec true", "setup.sh ended the shell with 'exit' or 'exec'"),
    "errexit": ("set -e\nfalse\ntrue", "setup.sh failed with exit status 1"),
    "signal": ("kill -9 $$", "setup.sh was ended by signal 9"),
}


@pytest.mark.parametrize(("text", "reason"), [pytest.param(*case, id=name) for name, case in FAILING.items()])
def test_a_failing_script_is_named(space, text, reason):
    space.package_script("export GOOD=1")
    space.script(text)
    error = refusal(space, "setup.sh")
    assert (error.environment, error.reason) == ("test", reason)


def test_a_failing_script_as_the_user_sees_it(space):
    space.package_script("echo one; echo two >&2; exit 3")
    assert refusal(space).render() == (
        "error: environment 'test' cannot be activated: etc/conda/activate.d/tool.sh failed with exit status 3\n"
        "  one\n  two\n"
        "hint: correct what is named above, or reinstall the environment if a package brought it"
    )


def test_a_syntax_error_is_an_error(space):
    space.script("export X=1\nif true; then\n")
    reason = refusal(space, "setup.sh").reason
    assert reason.startswith("setup.sh failed with exit status 2\n")
    assert "syntax error" in reason


def test_only_the_last_lines_of_a_failing_script_are_shown(space):
    space.script("seq 1000; exit 1")
    assert refusal(space, "setup.sh").reason.splitlines()[1:] == [f"  {number}" for number in range(989, 1001)]


def test_a_value_that_the_shell_cannot_read_is_named(space):
    reason = refusal(space, env={"GOOD": "1", "BAD": "$(", "NEXT": "1"}).reason
    assert reason.startswith("activation.env: BAD failed with exit status")


def test_a_script_that_is_not_there_is_a_warning(space):
    space.script("export X=1")
    assert space("none.sh", "setup.sh", "win.bat", "tool.py")["X"] == "1"
    assert space.warnings == [
        "activation script 'none.sh' was not found",
        "activation script 'tool.py' is left out: its name ends in none of .bash, .bat, .cmd, .sh",
    ]


# What is remembered


@pytest.fixture
def counted(space):
    """A workspace whose script notes each run; call it for the number of runs so far."""
    space.package_script("", "other.sh")
    space.package_variables({"P": "1"})
    space.state({"S": "1"})
    space.script('echo run >> "$CONDA_PREFIX/../../../runs"; export X=$FROM; unset HOME')

    def runs():
        path = space.root / "runs"
        return len(path.read_text().splitlines()) if path.exists() else 0

    return runs


def test_an_unchanged_environment_starts_no_process(space, counted, no_process):
    first = space("setup.sh", cached=True)
    no_process()
    assert space("setup.sh", cached=True) == first
    assert (first["X"], "HOME" in first, counted()) == ("outside", False, 1)


CHANGES = {
    "the manifest's script": lambda space: space.script("export X=2"),
    "a package's script": lambda space: space.package_script("export Y=1", "other.sh"),
    "another package's script": lambda space: space.package_script("", "new.sh"),
    "a package's variables": lambda space: space.package_variables({"P": "2"}),
    "a package's variables, written again": lambda space: space.package_variables({"P": "1"}),
    "the user's variables": lambda space: space.state({"S": "2"}),
    "a package": lambda space: space.write(space.prefix / "conda-meta/new.json", "{}"),
    "a second script": lambda space: space.script("export Z=1", "late.sh"),
}


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in CHANGES.items()])
def test_a_change_is_seen(space, counted, processes, no_process, change):
    scripts = ("setup.sh", "late.sh")
    space(*scripts, cached=True)
    change(space)
    fresh = space(*scripts)
    processes.clear()
    assert space(*scripts, cached=True) == fresh
    assert len(processes) == 1
    no_process()
    assert space(*scripts, cached=True) == fresh


def test_a_script_of_the_same_size_and_time_is_seen(space, counted):
    space("setup.sh", cached=True)
    path = space.root / "setup.sh"
    status = path.stat()
    path.write_text(path.read_text().replace("X=$FROM", "Y=$FROM"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert "Y" in space("setup.sh", cached=True)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"outside": {**OUTSIDE, "FROM": "elsewhere"}}, id="outside"),
        pytest.param({"outside": {"PATH": "/usr/bin:/bin"}}, id="less outside"),
        pytest.param({"statics": {"LABEL": "1"}}, id="statics"),
        pytest.param({"env": {"A": "$FROM"}}, id="activation.env"),
    ],
)
def test_another_question_has_another_answer(space, counted, no_process, options):
    first = space("setup.sh", cached=True)
    assert space("setup.sh", cached=True, **options) == space("setup.sh", **options)
    assert counted() == 3
    no_process()
    assert space("setup.sh", cached=True) == first
    space("setup.sh", cached=True, **options)


def test_a_value_that_no_shell_expands_is_applied_to_the_same_answer(space, counted, no_process):
    space("setup.sh", cached=True)
    no_process()
    assert space("setup.sh", cached=True, env={"A": "plain"})["A"] == "plain"


def test_another_terminal_and_folder_have_the_same_answer(space, counted, no_process):
    space("setup.sh", cached=True, statics={"INIT_CWD": "/a"})
    no_process()
    outside = {**OUTSIDE, "PWD": "/b", "SHLVL": "5", "_": "/usr/bin/doit", "TMUX_PANE": "%3", "OLDPWD": "/"}
    found = space("setup.sh", cached=True, outside=outside, statics={"INIT_CWD": "/b"})
    assert {name: found[name] for name in ("PWD", "SHLVL", "TMUX_PANE", "INIT_CWD")} == {
        "PWD": "/b",
        "SHLVL": "5",
        "TMUX_PANE": "%3",
        "INIT_CWD": "/b",
    }


def test_a_script_cannot_see_what_the_key_does_not_hold(space):
    space.script('export SEEN="$INIT_CWD$TMUX_PANE$OLDPWD"')
    outside = {**OUTSIDE, "INIT_CWD": "/a", "TMUX_PANE": "%1", "OLDPWD": "/b"}
    assert space("setup.sh", outside=outside)["SEEN"] == ""


def test_what_was_written_just_now_is_not_remembered(space, counted):
    space.script("echo run >> runs")
    for _ in range(2):
        variables(str(space.prefix), **space.arguments("setup.sh", cached=True))
    assert counted() == 2


def test_a_script_that_changes_its_environment_is_not_remembered(space, counted):
    space.script('echo run >> runs; touch "$CONDA_PREFIX/conda-meta/$RANDOM$RANDOM"')
    space("setup.sh", cached=True)
    space("setup.sh", cached=True)
    assert counted() == 2


def test_a_failure_is_not_remembered(space, counted):
    space.script("echo run >> runs; exit 1")
    refusal(space, "setup.sh", cached=True)
    refusal(space, "setup.sh", cached=True)
    assert counted() == 2


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[:-1], id="cut"),
        pytest.param(lambda content: content[:40] + bytes([content[40] ^ 1]) + content[41:], id="one bit"),
        pytest.param(lambda content: b"rubbish" * 20, id="rubbish"),
    ],
)
def test_a_damaged_answer_is_asked_for_again(space, counted, damage):
    first = space("setup.sh", cached=True)
    (path,) = space.cache.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert space("setup.sh", cached=True) == first
    assert counted() == 2
    space("setup.sh", cached=True)
    assert counted() == 2


def test_nowhere_to_remember_is_no_error(space, counted):
    space.write(space.cache, "a file")
    assert space("setup.sh", cached=True)["X"] == "outside"


def test_secrets_of_the_outside_are_not_written(space, counted):
    space("setup.sh", cached=True, outside={**OUTSIDE, "TOKEN": "hush-hush"})
    (path,) = space.cache.iterdir()
    assert b"hush-hush" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0


def test_only_so_many_answers_are_kept(space, counted, monkeypatch):
    monkeypatch.setattr("cwtasks.activation.memory.MAX_ANSWERS", 2)
    for number in range(4):
        space("setup.sh", cached=True, outside={**OUTSIDE, "N": str(number)})
    assert len(list(space.cache.iterdir())) == 2


def test_threads_ask_once(space, counted):
    space.script("echo run >> runs; sleep 0.1; export X=1")
    found = []
    threads = [threading.Thread(target=lambda: found.append(space("setup.sh", cached=True))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (counted(), [each["X"] for each in found]) == (1, ["1"] * 6)


# The digest


def test_the_digest_is_the_same_in_another_folder(tmp_path):
    digests = []
    for name in ("one", "another"):
        space = Workspace(tmp_path / name)
        space.package_script(f"export X={space.prefix}/lib")
        space.package_variables({"V": f"{space.prefix}/share"})
        space.script("export Y=1")
        digests.append(space.digest("setup.sh", str(space.root / "setup.sh"), env=(("A", "1"),)))
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("change", "options"),
    [
        pytest.param(lambda space: space.script("export X=2"), {}, id="script"),
        pytest.param(lambda space: (space.root / "setup.sh").unlink(), {}, id="script gone"),
        pytest.param(lambda space: space.package_script("x=1"), {}, id="package script"),
        pytest.param(lambda space: space.package_variables({"V": "2"}), {}, id="package variables"),
        pytest.param(lambda space: space.state({"V": "2"}), {}, id="user variables"),
        pytest.param(lambda space: None, {"env": (("A", "2"),)}, id="activation.env"),
    ],
)
def test_the_digest_changes_with(space, change, options):
    space.script("export X=1")
    before = space.digest("setup.sh", env=(("A", "1"),))
    change(space)
    assert space.digest("setup.sh", **{"env": (("A", "1"),), **options}) != before


def test_the_digest_does_not_change_with_time_nor_other_state(space):
    space.script("export X=1")
    space.state({"V": "1"})
    before = space.digest("setup.sh")
    space.script("export X=1")
    space.write(space.prefix / "conda-meta/state", '{"env_vars": {"V": "1"}, "version": 2}')
    assert space.digest("setup.sh") == before


# Windows


def test_windows_has_six_folders_and_names_in_upper_case(space, no_process):
    no_process()
    space.package_script("", "tool.sh")
    outside = {"Path": r"c:\Envs\Old;C:\envs\old\Library\bin\;C:\Windows", "CONDA_PREFIX": r"C:\envs\old", "Temp": "t"}
    found = space("setup.sh", outside=outside, env={"mixed": "$X"}, platform="win32")
    prefix = str(space.prefix)
    folders = [prefix, *(rf"{prefix}\{f}" for f in (r"Library\mingw-w64\bin", r"Library\usr\bin", r"Library\bin"))]
    assert found["PATH"].split(";") == [*folders, rf"{prefix}\Scripts", rf"{prefix}\bin", r"C:\Windows"]
    assert (found["TEMP"], found["MIXED"], "Path" in found) == ("t", "$X", False)
    assert space.warnings == []


def test_windows_runs_batch_files_in_one_cmd(space, monkeypatch):
    space.package_script("", "tool.bat")
    space.package_script("", "tool.sh")
    space.script("", "setup.bat")
    seen = {}

    class Done:
        returncode = 0

    def run(argv, **options):
        script = Path(argv[-1])
        seen.update(argv=argv[:-1], text=script.read_text())
        after = {**options["env"], "Added": "1", "=C:": "C:\\"}
        records = (f"{name}={value}".encode() + b"\0" for name, value in after.items())
        (script.parent / "environment").write_bytes(b"".join(records))
        (script.parent / "at").write_text("end\r\n")
        return Done()

    monkeypatch.setattr("subprocess.run", run)
    found = space("setup.sh", "setup.bat", env={"E": "%FROM%"}, platform="win32", outside={"PATH": "", "From": "o"})
    assert (found["ADDED"], found["FROM"], seen["argv"]) == ("1", "o", ["cmd", "/d", "/c"])
    calls = [line for line in seen["text"].splitlines() if line.startswith(("call", "set "))]
    assert calls == [
        f'call "{space.prefix}/etc/conda/activate.d/tool.bat"',
        f'call "{space.root}/setup.bat"',
        'set "E=%FROM%"',
    ]


def test_a_percent_sign_in_a_path_stays_one_for_cmd():
    text = cmd_text([Script("C:\\100%\\a.bat", "a.bat")], [], "at", "result", root="C:\\100%")
    assert text.splitlines()[2:5] == ['cd /d "C:\\100%%"', '>"at" echo a.bat', 'call "C:\\100%%\\a.bat"']


def test_where_env_cannot_write_nul_python_does(space):
    result = space.root / "result"
    text = bash_text(
        [], [], str(space.root / "at"), str(result), root=str(space.root), bash=shutil.which("bash"), env="false"
    )
    subprocess.run(["bash", "-c", text], env={**OUTSIDE, "N": "a\nb"}, check=True)
    assert b"N=a\nb" in result.read_bytes().split(b"\0")
    assert (space.root / "at").read_text() == "end"
