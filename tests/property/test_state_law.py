"""Laws: only contents decide whether a step is up to date; a journal cut anywhere is a shorter journal."""

import os
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st

from cwtasks.globs import Tree
from cwtasks.graph.step import Step
from cwtasks.state import StateStore
from cwtasks.state.journal import Journal

SETTINGS = settings(deadline=None, database=None)
STEP = Step(id="s", task="s", environment=None, command="x", inputs=("in/*",), outputs=("out",))

files = st.sampled_from(["in/a", "in/b", "out"])
texts = st.sampled_from(["1", "2", "long"])
operations = st.one_of(
    st.tuples(st.just("write"), files, texts),
    st.tuples(st.just("write unnoticed"), files, texts),
    st.tuples(st.just("touch"), files, st.integers(0, 2_000_000_000)),
    st.tuples(st.just("delete"), files),
    st.tuples(st.just("mode"), files, st.sampled_from([0o644, 0o755])),
    st.tuples(st.just("replace"), files, texts),
    st.tuples(st.just("run"), texts),
    st.tuples(st.just("check")),
    st.tuples(st.just("reopen")),
)


@SETTINGS
@given(st.lists(operations, max_size=25))
def test_only_contents_decide(steps):
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(f"{root}/in")
        write(f"{root}/in/a", "1")
        tree, store, recorded = Tree(root), open_store(root), None
        for operation, *arguments in steps:
            if operation == "run":
                recorded = run(root, tree, store, *arguments) or recorded
            elif operation == "check":
                tree.changed()
                assert store.check(STEP, tree).up_to_date is (picture(root) == recorded)
            elif operation == "reopen":
                store.close()
                tree, store = Tree(root), open_store(root)
            else:
                edit(operation, f"{root}/{arguments[0]}", *arguments[1:])
        tree.changed()
        assert store.check(STEP, tree).up_to_date is (picture(root) == recorded)
        store.close()


def open_store(root):
    return StateStore(f"{root}/.conda/cwtasks", root=root, platform="linux-64")


def run(root, tree, store, text):
    """Run the step; return the picture it must be up to date with from now on."""
    tree.changed()
    before = store.check(STEP, tree).state
    write(f"{root}/out", text)
    store.succeeded(STEP, tree, before, started_ns=0, duration_ns=0)
    inputs_exist = any(name.startswith("in/") for name in picture(root))
    return picture(root) if inputs_exist else "nothing"


def picture(root):
    """Content and mode of all files, by path."""
    paths = ["out", *(f"in/{name}" for name in os.listdir(f"{root}/in"))]
    found = {}
    for path in paths:
        if os.path.exists(f"{root}/{path}"):
            with open(f"{root}/{path}") as file:
                found[path] = (file.read(), os.stat(f"{root}/{path}").st_mode & 0o100)
    return found


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def edit(operation, path, *arguments):
    if operation == "write":
        write(path, *arguments)
    elif not os.path.exists(path):
        return
    elif operation == "write unnoticed":
        status = os.stat(path)
        write(path, *arguments)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif operation == "touch":
        os.utime(path, (arguments[0], arguments[0]))
    elif operation == "delete":
        os.unlink(path)
    elif operation == "mode":
        os.chmod(path, *arguments)
    elif operation == "replace":
        write(path + "~", *arguments)
        os.replace(path + "~", path.replace("~", ""))


keys = st.sampled_from(["a", "b c", "ü", '"\\', ""])
values = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=2)


@SETTINGS
@given(st.lists(st.tuples(keys, values), max_size=8), st.data())
def test_a_journal_cut_anywhere_is_a_shorter_journal(entries, data):
    with tempfile.TemporaryDirectory() as root:
        path = f"{root}/journal"
        write(path, "")
        journal = Journal(path)
        for key, value in entries:
            journal.write({key: value})
        journal.close()
        cut = data.draw(st.integers(0, os.path.getsize(path)), label="cut")
        os.truncate(path, cut)
        with open(path, "rb") as file:
            whole_lines = file.read().count(b"\n")
        expected = {}
        for key, value in entries[:whole_lines]:
            expected[key] = value
        assert known(path) == present(expected)
        journal = Journal(path)
        journal.write({"new": 1})
        journal.close()
        assert known(path) == present({**expected, "new": 1})


def present(values):
    return {key: value for key, value in values.items() if value is not None}


def known(path):
    journal = Journal(path)
    journal.refresh()
    found = {key: journal.get(key) for key in journal.known_keys()}
    journal.close()
    return found
