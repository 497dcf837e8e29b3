"""What is edited while a task runs was not seen by it, so the task runs again."""

HOLDS = """
[tasks.t]
cmd = "cp in.txt out.txt; touch started; while [ ! -e go ]; do sleep 0.01; done"
inputs = ["in.txt"]
outputs = ["out.txt"]
"""


def test_an_input_edited_while_its_task_runs_runs_it_once_more(space):
    space.write({"conda.toml": HOLDS, "in.txt": "old"})
    process = space.start("t")
    space.wait_for("started")
    space.write({"in.txt": "new"})
    space.write({"go": ""})
    assert process.wait() == 0
    assert space.read("out.txt") == "old"
    assert [space.ran("t"), space.ran("t")] == [["t"], []]
    assert space.read("out.txt") == "new"


def test_an_input_added_while_its_task_runs_runs_it_once_more(space):
    space.write({"conda.toml": HOLDS.replace('"in.txt"]', '"src"]').replace("in.txt", "src/a"), "src/a": "1"})
    process = space.start("-n", "2", "t")
    space.wait_for("started")
    space.write({"src/b": "2"})
    space.write({"go": ""})
    assert process.wait() == 0
    assert [space.ran("t"), space.ran("t")] == [["t"], []]


def test_a_task_that_changes_its_own_input_never_settles(space):
    space.write({"conda.toml": '[tasks.t]\ncmd = "echo x >> log.txt"\ninputs = ["log.txt"]\n', "log.txt": ""})
    assert [space.ran("t"), space.ran("t")] == [["t"], ["t"]]


def test_an_input_changed_by_another_task_of_the_run_is_seen(space):
    space.write(
        {
            "conda.toml": """
[tasks.read]
cmd = "cp in.txt out.txt"
inputs = ["in.txt"]
outputs = ["out.txt"]
[tasks.bump]
cmd = "echo 2 > in.txt"
""",
            "in.txt": "1",
        }
    )
    assert space.ran("read", "bump") == ["read", "bump"]
    assert space.ran("read") == ["read"]
    assert space.read("out.txt") == "2\n"
