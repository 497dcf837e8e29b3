"""Tasks run in their environments: locked, installed and activated when that is needed, and not again."""

import os
import sys

import pexpect
import pytest
from channels import Package, script
from environments import MANIFEST

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the packages are made for Linux")


def test_a_fresh_clone_locks_installs_and_runs_and_does_none_of_that_again(work):
    work.write()
    assert work.doit("say") == ".  lock\n.  install:default\n.  say\nleaf one\n"
    assert work.silent("say") == ".  say\nleaf one\n"
    assert work.doit("check") == ".  install:new\n.  check\n"
    assert work.space.read("checked") == "leaf two\n"
    assert work.silent("check") == "-- check\n"


def test_progress_is_a_plain_line_each_where_there_is_no_terminal(work):
    work.write()
    done = work.space.run("install:default")
    lines = done.stderr.splitlines()
    assert lines[:2] == ["lock: solving default for linux-64 (1 of 4)", "lock: solving default for osx-arm64 (2 of 4)"]
    assert "lock: 2 environments on 2 platforms, 4 solved anew" in lines
    assert lines[-2:] == ["install:default: linking 1 package", "install:default: 1 package in .conda/envs/default"]


def test_editing_a_command_locks_and_installs_nothing(work):
    work.write()
    work.doit("say")
    work.edit('say = "leaf"', 'say = "leaf && leaf"')
    assert work.silent("say") == ".  say\nleaf one\nleaf one\n"


def test_a_new_dependency_of_a_feature_touches_only_the_environments_that_use_it(work):
    work.write()
    work.doit("make", "check")
    work.edit('leaf = ">=2"', 'leaf = ">=2"\nother = "*"')
    assert work.doit("make", "check") == ".  lock\n-- make\n.  install:new\n.  check\n"
    assert work.silent("make", "check") == "-- make\n-- check\n"


def test_what_need_not_move_stays(work):
    work.write()
    work.edit('leaf = "<2"', 'leaf = "*"')
    work.channel.with_packages()
    (work.channel.folder / "noarch" / "leaf-2.0-0.conda").rename(work.space.root.parent / "aside.conda")
    index = work.channel.folder / "noarch" / "repodata.json"
    whole = index.read_text()
    work.edit('new = ["new"]', "")
    work.edit("[feature.new.dependencies]\n", "[feature.new.target.win-64.dependencies]\n")
    index.write_text(
        whole.replace('"leaf-2.0-0.conda"', '"gone-2.0-0.conda"').replace('"version": "2.0"', '"version": "0.1"')
    )
    work.doit("lock")
    assert "leaf-1.0" in work.space.read("conda.lock")
    index.write_text(whole)
    work.edit('leaf = "*"', 'leaf = "*"\nother = "*"')
    work.doit("lock")
    assert "leaf-2.0" not in work.space.read("conda.lock")
    assert "~ leaf 1.0 → 2.0" in work.space.run("lock", "--upgrade", "leaf").stderr
    assert "leaf-1.0" not in work.space.read("conda.lock")


def test_why_says_in_one_line_what_the_lock_lacks(work):
    work.write()
    assert "  there is no conda.lock\n" in work.space.run("why", "lock").stdout
    work.doit("lock")
    assert work.silent("why", "lock").startswith("lock is up to date")
    work.edit('leaf = ">=2"', 'leaf = ">=2"\nother = "*"')
    done = work.space.run("why", "lock")
    assert done.stdout.splitlines()[1:] == [
        "  environment 'new', linux-64: 'other *' is asked for, which is not locked"
    ]
    assert done.returncode == 1


def test_why_says_that_an_environment_is_missing(work):
    work.write()
    work.doit("lock")
    assert work.space.run("why", "make").stdout.splitlines()[-2:] == [
        "make needs install:default, which has to run",
        "  it is not installed",
    ]


def test_new_packages_run_a_step_again_and_why_says_so(work):
    work.write()
    work.doit("make")
    work.edit('leaf = "<2"', 'leaf = "<3"')
    work.doit("lock", "--upgrade")
    work.doit("install")
    assert "  packages of environment default changed\n" in work.space.run("why", "make").stdout
    assert work.silent("make") == ".  make\n"
    assert work.space.read("out") == "leaf two\n"


def test_a_lock_that_is_committed_is_taken_as_it_is(work):
    work.write()
    work.doit("lock")
    stamp = os.stat(work.space.root / "conda.lock").st_mtime_ns
    # A newer package is no reason to move, and a solve would find it.
    work.channel.with_packages(Package(name="leaf", version="1.5", files={"bin/leaf": script("#!/bin/sh\necho new\n")}))
    (work.space.root / ".conda").rename(work.space.root.parent / "gone")
    assert work.doit("say").endswith("leaf one\n")
    assert os.stat(work.space.root / "conda.lock").st_mtime_ns == stamp


def test_locking_twice_gives_the_same_bytes(work):
    work.write()
    work.doit("lock")
    first = work.space.read("conda.lock")
    (work.space.root / "conda.lock").unlink()
    work.doit("lock")
    assert work.space.read("conda.lock") == first


@pytest.mark.parametrize("variable", ["CI", "CWTASKS_LOCKED"])
def test_where_locks_are_final_a_stale_one_is_an_error(work, variable):
    work.write()
    work.doit("lock")
    work.doit("say", env={variable: "true"})
    work.edit('leaf = ">=2"', 'leaf = ">=2"\nother = "*"')
    said = work.space.fails("say", status=1, env={variable: "true"})
    reason = "environment 'new', linux-64: 'other *' is asked for, which is not locked"
    assert said.splitlines()[:2] == [
        f"error: conda.lock does not answer conda.toml: {reason}",
        "hint: run 'doit lock' and commit the file it writes",
    ]
    assert "leaf one" in work.doit("say", env={variable: "true", "CWTASKS_FROZEN": "on"})


def test_without_a_lock_where_locks_are_final(work):
    work.write()
    said = work.space.fails("say", status=1, env={"CI": "true"})
    assert said.startswith(
        "error: conda.lock: no such file: environment 'default' is not locked\nhint: run 'doit lock'"
    )
    assert not work.space.exists("conda.lock")


def test_a_task_of_the_same_name_wins_the_short_name(work):
    work.write(MANIFEST + 'install = "echo my own"\n')
    work.edit("[feature.new.tasks]\n", '[feature.new.tasks]\nlock = "echo locked"\n')
    assert work.doit("install").endswith("my own\n")
    assert work.silent("workspace:install:new") == "-- workspace:install:new\n"
    assert work.silent("workspace:lock") == "-- workspace:lock\n"


def test_lists_name_the_steps_of_the_workspace(work):
    work.write()
    listed = work.silent("list", "--all").splitlines()
    names = [line.split()[0] for line in listed]
    own = ["archive", "bundle", "install", "install:default", "install:new", "lock", "verify"]
    assert names == sorted([*own, "check", "make", "make:new", "say", "say:new"])
    assert [line.split()[0] for line in work.silent("list").splitlines()] == ["check", "install", "lock", "make", "say"]
    work.doit("install")
    status = dict(reversed(line.split()[:2]) for line in work.silent("list", "--all", "--status").splitlines())
    assert {status[name] for name in ("install", "install:default", "install:new", "lock")} == {"U"}


def test_an_environment_is_removed_only_by_its_name(work):
    work.write()
    work.doit("install", "make")
    assert work.silent("clean") == "make - removing out\n"
    assert work.silent("clean", "-n", "install:new") == "install:new - removing .conda/envs/new/\n"
    assert work.silent("clean", "install:new") == "install:new - removing .conda/envs/new/\n"
    assert sorted(os.listdir(work.space.root / ".conda" / "envs")) == [".gitignore", "default"]
    assert work.doit("install") == "-- install:default\n.  install:new\n"
    assert work.space.exists("conda.lock")


def test_alone_a_task_needs_its_environment(work):
    work.write()
    said = work.space.fails("-s", "say", status=1)
    assert said == "error: environment 'default' is not installed\nhint: run 'doit install:default'\n"


def test_variables_of_packages_and_manifest_reach_the_command(work):
    work.write(
        """
[workspace]
name = "w"
channels = ["CHANNEL"]
platforms = ["linux-64"]
[dependencies]
lively = "*"
[activation]
scripts = ["on.sh"]
env = { FIXED = "1" }
[tasks]
show = { cmd = "echo $LIVELY $SCRIPTED $FIXED > out", inputs = ["in"], outputs = ["out"] }
where = "echo $CONDA_PREFIX; echo $PATH"
"""
    )
    work.space.write({"on.sh": "export SCRIPTED=yes\n"})
    work.doit("show")
    assert work.space.read("out") == "w-by-package yes 1\n"
    assert work.silent("show") == "-- show\n"
    work.space.write({"on.sh": "export SCRIPTED=no\n"})
    assert "  activation of environment default changed\n" in work.space.run("why", "show").stdout
    assert work.silent("show") == ".  show\n"
    assert work.space.read("out") == "w-by-package no 1\n"
    prefix = work.space.root / ".conda" / "envs" / "default"
    _, first, second = work.silent("where").splitlines()
    assert (first, second.split(":")[0]) == (str(prefix), f"{prefix}/bin")


def test_an_environment_without_packages_needs_no_prefix(work):
    work.write(
        '[workspace]\nchannels = []\nplatforms = ["linux-64"]\n[activation.env]\nA = "1"\n[tasks]\nshow = "echo $A"\n'
    )
    assert work.silent("show") == ".  show\n1\n"
    assert not work.space.exists(".conda/envs")
    assert "task 'lock' is not defined" in work.space.fails("lock")


def test_installing_can_be_left_to_somebody_else(work):
    work.write(MANIFEST.replace('say = "leaf"', 'say = "echo plain"'))
    assert work.silent("say", env={"CWTASKS_INSTALL": "off"}) == ".  say\nplain\n"


def test_a_python_of_the_environment_runs(work):
    work.write(
        """
[workspace]
channels = ["CHANNEL"]
platforms = ["linux-64"]
[dependencies]
python = "*"
[tasks]
say = "python -c 'import sys; print(sys.prefix)'"
"""
    )
    assert work.doit("say").endswith(f"{work.space.root}/.conda/envs/default\n")


def test_environments_of_a_solve_group_share_their_versions(work):
    work.write(
        """
[workspace]
channels = ["CHANNEL"]
platforms = ["linux-64"]
[feature.low.dependencies]
leaf = "<2"
[feature.any.dependencies]
leaf = "*"
other = "*"
[environments]
low = { features = ["low"], solve-group = "g" }
any = { features = ["any"], solve-group = "g" }
free = ["any"]
""",
        name="pixi.toml",
    )
    work.doit("lock")
    text = work.space.read("conda.lock")
    group, free = text.split("  free:\n")
    assert ("leaf-1.0" in group, "leaf-2.0" in group) == (True, False)
    assert "leaf-2.0" in free.split("\npackages:")[0]
    assert "other-1.0" not in group.split("  low:\n")[1].split("  any:\n")[0]


def test_exec_runs_a_command_in_an_environment_from_any_folder(work):
    work.write()
    work.space.write({"sub/file": ""})
    done = work.space.run("exec", "-e", "new", "--", "sh", "-c", "leaf; pwd; exit 4", program="cwt", cwd="sub")
    assert (done.returncode, done.stdout.splitlines()[-2:]) == (4, ["leaf two", str(work.space.root / "sub")])
    assert work.doit("exec", "leaf", program="cwt").endswith("leaf one\n")
    assert work.silent("exec", "leaf", program="cwt") == "leaf one\n"


def test_exec_of_what_is_not_there(work):
    work.write()
    work.doit("install")
    said = work.space.fails("exec", "nosuch", program="cwt", status=127)
    assert said.startswith("error: 'nosuch' cannot be started: No such file or directory\nhint: ")
    assert work.space.fails("exec", program="cwt").startswith("error: cwt exec: name a command\n")
    assert work.space.fails("exec", "-e", "nope", "leaf", program="cwt").startswith("error: environment 'nope'")


def test_a_shell_on_a_terminal_has_the_environment_and_says_so(work):
    work.write()
    work.doit("install")
    env = {**work.space.environ, "SHELL": "/bin/bash", "PS1": "$ "}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "cwtasks", "shell", "-e", "new"],
        cwd=str(work.space.root),
        env=env,
        encoding="utf-8",
        dimensions=(24, 400),
    )
    child.expect(r"shell in environment 'new'; exit leaves it")
    child.expect(r"\(new\) ")
    child.sendline("leaf; echo $PIXI_ENVIRONMENT_NAME")
    child.expect("leaf two\r\nnew\r\n")
    child.sendline("exit 5")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 5


def test_dependencies_nobody_installs_yet_are_said_also_where_there_is_no_prefix(work):
    work.write(
        '[workspace]\nchannels = []\nplatforms = ["linux-64"]\n[pypi-dependencies]\nsnake = "*"\n[tasks]\nshow = "echo hi"\n'
    )
    done = work.space.run("show")
    assert done.stdout == ".  show\nhi\n"
    assert done.stderr == (
        "warning: environment 'default': PyPI dependencies are not supported yet and are left out: snake\n"
    )


def test_in_a_dodo_file_tasks_run_in_their_environments_too(work):
    work.write()
    work.space.write({"dodo.py": "from cwtasks.dodo import *\n"})
    assert work.doit("make").endswith(".  make\n")
    assert work.space.read("out") == "leaf one\n"
    assert work.silent("make").endswith("-- make\n")


def test_a_failed_install_stops_only_what_needs_it(work):
    work.write()
    work.doit("lock")
    (work.channel.folder / "noarch" / "leaf-2.0-0.conda").unlink()
    done = work.space.run("-c", "check", "say")
    assert done.returncode == 1
    assert "leaf one" in done.stdout
    assert "error: task 'check' not run: " in done.stderr


def test_an_environment_that_was_removed_is_no_reason_to_run_its_tasks(work):
    work.write(MANIFEST.replace('leaf = "<2"', 'leaf = "<2"\nlively = "*"'))
    work.doit("make")
    work.silent("clean", "install:default")
    assert "activation" not in work.space.run("why", "make").stdout
    assert work.doit("make") == ".  install:default\n-- make\n"


def test_an_environment_that_asks_for_nothing_is_locked_without_a_solver(work):
    work.write(MANIFEST.replace('[dependencies]\nleaf = "<2"\n', ""))
    done = work.space.run("lock")
    solved = [line for line in done.stderr.splitlines() if "solving" in line]
    assert solved == ["lock: solving new for linux-64 (1 of 2)", "lock: solving new for osx-arm64 (2 of 2)"]
    assert work.silent("why", "lock").startswith("lock is up to date")
