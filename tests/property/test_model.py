"""The model of a workspace over time: never stale, never in vain.

A scenario is a set of tasks and some rounds, each a few edits and a run. After every run the workspace is compared with
two things that owe nothing to our program: the same commands run one after another by one shell in a copy without
outputs, and a plain memory of what each task last saw. The laws:

1. A run succeeds exactly when the clean rebuild does, and then every output is equal to the rebuilt one, byte by byte
   and in its executable bit.
2. A task runs or is restored exactly when its command, a variable, an argument, an input or an output is not as its
   last success left it, or when there is no success that proves anything. What is announced is what happened.
3. Nothing is restored that has to run: where somebody touched an output, after a failure, when it was forgotten, and
   where it would be put over a source.
4. Running once more runs nothing.

Commands do what the laws presuppose: they are functions of what they declare, and take away what they left before.
Left out is where no build tool could keep the laws: tasks that read what a later one writes, and files that users put
among the outputs of a task. Where two tasks write one file, each undoes what the other one recorded, so both run every
time; of such rivals only the first law is asked: the last one wins, as it does in a clean rebuild.
"""

import contextlib
import io
import os
import shutil
import subprocess
import tempfile
from typing import NamedTuple

from hypothesis import Phase, event, given, note, settings
from hypothesis import strategies as st

from cwtasks.doit_plugin.commands.run import Run
from cwtasks.doit_plugin.loader import WorkspaceLoader
from cwtasks.doit_plugin.workspace import Workspace

#: What commands are made of. `into` names a folder that gets one file for each that is shown.
LIBRARY = r"""
begin() { echo "$1" >> "$LOG"; shift; [ $# -eq 0 ] || rm -rf "$@"; }
end() { echo "$1 done" >> "$LOG"; }
words() { words="$*"; if [ "$into" ]; then mkdir "$into"; else echo "$words"; fi; }
show() {
  for path; do
    if [ -f "$path" ] && [ "$path" != "$skip" ]; then
      if [ "$into" ]; then { echo "$words"; print "$path"; } >> "$into/${path##*/}"; else print "$path"; fi
    fi
  done
}
print() {
  if [ -x "$1" ]; then echo "$1 runs"; else echo "$1"; fi
  while IFS= read -r line || [ "$line" ]; do
    [ "$line" != bad ] || exit 1
    echo "$line"
  done < "$1"
}
deep() {
  for path in "$1"/*; do
    if [ -d "$path" ]; then deep "$path"; else case "$path" in *"$only") show "$path";; esac; fi
  done
}
format() {
  for path; do
    if [ -f "$path" ]; then
      line=; read -r line < "$path"
      case "$line" in bad) exit 1;; raw*) echo "${line#raw}" > "$path";; esac
    fi
  done
}
"""

SLOTS = range(8)
#: Of a word of the command, of a variable and of an argument; the empty one means that there is none.
VALUES = ("", "1", "2")
#: Only this one formats `fmt`, and only later ones read it.
FORMATTER = 0
#: Only these write the file `shared`, and only later ones read it.
SHARERS = (1, 2)


class Reading(NamedTuple):
    """A way to read files: what the manifest says, what the command does, and which paths these are."""

    patterns: tuple[str, ...]
    command: str
    reads: object

    def __repr__(self):
        return f"{' '.join(self.patterns)}"


def files(*paths):
    return lambda path: path in paths


def directly_in(folder):
    return lambda path: os.path.dirname(path) == folder


def below(folder, ending="", but=""):
    return lambda path: path.startswith(folder + "/") and path.endswith(ending) and path != but


SOURCE_FILES = ("src/a", "src/b", "src/c.x", "src/sub/d", "src/sub/e.x", "fmt/f", "fmt/g")
SOURCES = (
    Reading(("src/a",), "show src/a", files("src/a")),
    Reading(("src/b", "src/c.x"), "show src/b src/c.x", files("src/b", "src/c.x")),
    Reading(("src/*",), "show src/*", directly_in("src")),
    Reading(("src/{a,b}",), "show src/a src/b", files("src/a", "src/b")),
    Reading(("src/[!a]",), "show src/[!a]", files("src/b")),
    Reading(("src",), "deep src", below("src")),
    Reading(("src/**/*.x",), "only=.x; deep src; only=", below("src", ending=".x")),
    Reading(("src/sub/",), "deep src/sub", below("src/sub")),
    Reading(("src", "!src/b"), "skip=src/b; deep src; skip=", below("src", but="src/b")),
)


def readings(slot):
    """Yield the ways to read that do not reach what this task or a later one writes."""
    yield from SOURCES
    if slot > FORMATTER:
        yield Reading(("fmt/*",), "show fmt/*", directly_in("fmt"))
    if slot > max(SHARERS):
        yield Reading(("shared",), "show shared", files("shared"))
    for earlier in range(slot):
        folder = f"out/d{earlier}"
        yield Reading((f"out/o{earlier}",), f"show out/o{earlier}", files(f"out/o{earlier}"))
        yield Reading((f"out/x{earlier}",), f"show out/x{earlier}", files(f"out/x{earlier}"))
        yield Reading((folder,), f"deep {folder}", below(folder))
        yield Reading((f"{folder}/*",), f"show {folder}/*", directly_in(folder))
    if slot:
        pattern = f"out/[ox][0-{slot - 1}]"
        yield Reading((pattern,), f"show {pattern}", files(*(f"out/{x}{y}" for x in "ox" for y in range(slot))))


class Task(NamedTuple):
    """One task, as a person writes it."""

    readings: tuple[Reading, ...] = ()
    writes: str = "file"
    """``nothing``, ``file``, ``two``, ``folder``, ``files in folder``, ``shared`` or ``format``."""
    word: str = ""
    variable: str = ""
    argument: str = ""
    needs: tuple[int, ...] = ()
    """Slots it depends on beside those it reads from."""

    def inputs(self):
        if self.writes == "format":
            return ["fmt/*"]
        # Exclusions first: they must not reach what another reading brings in.
        ordered = sorted(self.readings, key=lambda reading: "!src/b" not in reading.patterns)
        return [pattern for reading in ordered for pattern in reading.patterns]

    def reads(self, path):
        if self.writes == "format":
            return path.startswith("fmt/")
        return any(reading.reads(path) for reading in self.readings)

    def outputs(self, slot):
        return {
            "nothing": [],
            "file": [f"out/o{slot}"],
            "two": [f"out/o{slot}", f"out/x{slot}"],
            "folder": [f"out/d{slot}"],
            "files in folder": [f"out/d{slot}/*"],
            "shared": ["shared"],
            "format": ["fmt/*"],
        }[self.writes]

    def places(self, slot):
        """Return the files and folders where it writes."""
        return [pattern.removesuffix("/*") for pattern in self.outputs(slot)]

    def owns(self, slot, path):
        return any(path == place or path.startswith(place + "/") for place in self.places(slot))

    def command(self, slot):
        """Return the text of the command; its argument is not yet rendered."""
        words = " ".join(filter(None, ["words", self.word, "$VALUE", self.argument and "{{ word }}"]))
        shown = "; ".join([words, *(reading.command for reading in self.readings)])
        body = {
            "nothing": f"{{ {shown}; }} > /dev/null",
            "file": f"{{ {shown}; }} > out/o{slot}",
            "two": f"{{ {shown}; }} > out/o{slot}; {{ echo true; {shown}; }} > out/x{slot}; chmod +x out/x{slot}",
            "folder": f"into=out/d{slot}; {shown}",
            "files in folder": f"into=out/d{slot}; {shown}",
            "shared": f"{{ echo {slot}; {shown}; }} > shared",
            "format": "format fmt/*",
        }[self.writes]
        removed = self.places(slot) if self.writes != "format" else []
        return f". library; begin {' '.join([f't{slot}', *removed])}; {body}; end t{slot}"


class Tasks(dict):
    """Slot -> task."""

    declares_needs = True
    """Whether who reads what another task writes also depends on it; if not, only their order says so."""

    def needs(self, slot):
        task = self[slot]
        earlier = sorted(other for other in self if other < slot)
        return [
            other
            for other in earlier
            if other in task.needs
            or (self.declares_needs and any(_may_read(task, place) for place in self[other].places(other)))
        ]

    def ordered(self, asked):
        """Return some tasks and all they need, in the order in which a person would run them."""
        found = {}
        for slot in asked:
            if slot not in found:
                found.update(dict.fromkeys([*self.ordered(self.needs(slot)), slot]))
        return list(found)

    def rivals(self):
        """Return the tasks that write one file, when there are several."""
        sharing = {slot for slot, task in self.items() if task.writes == "shared"}
        return sharing if len(sharing) > 1 else set()

    def manifest(self):
        lines = []
        for slot, task in sorted(self.items()):
            needs = [f"t{needed}" for needed in self.needs(slot)]
            lines += [f"[tasks.t{slot}]", f"cmd = '{task.command(slot)}'"]
            lines += [f"inputs = {task.inputs()}"] * bool(task.inputs())
            lines += [f"outputs = {task.outputs(slot)}"] * bool(task.outputs(slot))
            lines += [f"env = {{ VALUE = '{task.variable}' }}"] * bool(task.variable)
            lines += [f"args = [{{ arg = 'word', default = '{task.argument}' }}]"] * bool(task.argument)
            lines += [f"depends-on = {needs}"] * bool(needs)
        return "\n".join(lines) + "\n"

    def script(self, selected):
        """Return one shell text that runs the commands of some tasks one after another."""
        lines = []
        for slot in selected:
            task = self[slot]
            export = f"export VALUE='{task.variable}'; " if task.variable else ""
            lines.append(f"( {export}{task.command(slot).replace('{{ word }}', task.argument)} ) || exit 1")
        return "\n".join(lines)


def _may_read(task, place):
    # Whether a place is a file or a folder is not to be seen: try both.
    return task.reads(place) or task.reads(f"{place}/a")


class Options(NamedTuple):
    """How the workspace is run."""

    workers: int = 1
    keeps: bool = False
    """Whether outputs are kept."""
    only: int | None = None
    """The one task asked for; ``None`` asks for all."""
    twice: bool = True
    """Whether it is run once more. If not, the next edit follows within the same tick of the clock that stamps files."""


class Seen(NamedTuple):
    """What a run did, by slot."""

    status: int
    began: list[int]
    done: list[int]
    restored: list[int]
    untouched: list[int]


class Space:
    """A workspace in a folder, run within this process; commands are processes of their own."""

    def __init__(self, folder):
        self.root, self.log, self.bin = f"{folder}/space", f"{folder}/log", f"{folder}/bin"
        self._clean = f"{folder}/clean"
        self.manifest = ""
        os.mkdir(self.root)
        os.mkdir(self.bin)
        for program in ("sh", "rm", "mkdir", "chmod"):
            os.symlink(shutil.which(program), f"{self.bin}/{program}")
        write(f"{self.bin}/library", LIBRARY)
        self.environ = {
            "PATH": self.bin,
            "HOME": folder,
            "LC_ALL": "C",
            "LOG": self.log,
            "CWTASKS_CACHE": f"{folder}/c",
        }

    def files(self, root=None):
        """Return content and executable bit of every file, by path."""
        return dict(_files_below(root or self.root, ""))

    def run(self, tasks, options):
        write(self.log, "")
        if self.manifest != tasks.manifest():
            self.manifest = tasks.manifest()
            write(f"{self.root}/conda.toml", self.manifest)
        out, err = io.StringIO(), io.StringIO()
        with self.opened(keeps=options.keeps) as loader:
            wanted = "t*" if options.only is None else f"t{options.only}"
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = Run(task_loader=loader).parse_execute(["-n", str(options.workers), wanted])
        assert not any(word in err.getvalue() for word in ("cannot", "damaged", "Traceback")), err.getvalue()
        log, lines = read(self.log).splitlines(), out.getvalue().splitlines()
        note(f"{' '.join(lines)} {err.getvalue()}")
        assert slots(lines, ".  t") == slots(log, "t"), "what is announced is what ran"
        return Seen(
            status,
            began=slots(log, "t"),
            done=slots(log, "t", " done"),
            restored=slots(lines, "-- t", " (restored)"),
            untouched=slots(lines, "-- t"),
        )

    def forget(self, slot):
        if not self.manifest:
            return
        with self.opened() as loader:
            loader.workspace.store.forget(f"t{slot}")

    @contextlib.contextmanager
    def opened(self, *, keeps=False):
        loader = WorkspaceLoader()
        environ = {**self.environ, "CWTASKS_KEEP_OUTPUTS": "on" if keeps else "off"}
        loader.workspace = Workspace(self.root, environ=environ)
        try:
            yield loader
        finally:
            loader.workspace.store.close()

    def rebuilt(self, tasks, selected):
        """Return the files after a clean rebuild in a copy; ``None`` when a command fails there."""
        shutil.rmtree(self._clean, ignore_errors=True)
        shutil.copytree(self.root, self._clean, ignore=shutil.ignore_patterns(".conda"))
        for slot in selected:
            for place in tasks[slot].places(slot) if tasks[slot].writes != "format" else ():
                remove(f"{self._clean}/{place}")
        done = subprocess.run(
            [f"{self.bin}/sh", "-c", tasks.script(selected)],
            cwd=self._clean,
            env={**self.environ, "LOG": "/dev/null"},
            capture_output=True,
            check=False,
        )
        assert done.stderr == b""
        return self.files(self._clean) if done.returncode == 0 else None


def _files_below(root, folder):
    for entry in os.scandir(f"{root}/{folder}"):
        if entry.is_dir():
            if entry.name != ".conda":
                yield from _files_below(root, f"{folder}{entry.name}/")
        else:
            with open(entry.path, "rb") as file:
                yield folder + entry.name, (file.read(), bool(entry.stat().st_mode & 0o100))


def slots(lines, before, after=""):
    """Return the sorted numbers of tasks that stand between two texts in some lines."""
    found = [
        line.removeprefix(before).removesuffix(after)
        for line in lines
        if line.startswith(before) and line.endswith(after)
    ]
    return sorted(int(number) for number in found if number.isdigit())


def read(path):
    with open(path) as file:
        return file.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def remove(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


class Picture(NamedTuple):
    """What a task depended on and what it left, at its last success."""

    facts: tuple[str, ...]
    inputs: dict[str, tuple[bytes, bool]]
    outputs: dict[str, tuple[bytes, bool]]
    proves: bool
    """Whether it declares files, and of each kind that it declares there were some."""


FAILED = FORGOTTEN = "has to run"
UNSURE = "may run"
"""Of rivals: what each one left has been overwritten."""


class Model:
    """A workspace, and what its tasks must remember."""

    def __init__(self, folder, tasks):
        self.space = Space(folder)
        self.tasks = tasks
        self.memory = {}
        self.history = []
        """What there was to version at each run: tasks and sources."""
        os.mkdir(f"{self.space.root}/out")
        for path in SOURCE_FILES:
            write(f"{self.space.root}/{path}", "1\n")

    def run(self, options):
        """Run the workspace and hold what happened against the laws."""
        if not self.tasks:
            return
        if options.only not in self.tasks or not self.tasks.declares_needs:
            options = options._replace(only=None)
        selected = self.tasks.ordered(sorted(self.tasks) if options.only is None else [options.only])
        self.memory = {slot: last for slot, last in self.memory.items() if slot in self.tasks}
        self.history.append((dict(self.tasks), self._sources()))
        before, rebuilt = self.space.files(), self.space.rebuilt(self.tasks, selected)
        seen = self.space.run(self.tasks, options)
        after = self.space.files()

        assert (seen.status == 0) == (rebuilt is not None), "law 1"
        if rebuilt is not None:
            assert self._outputs(after, selected) == self._outputs(rebuilt, selected), "law 1"
        for slot in selected:
            self._judge(slot, seen, options, before, after)
        if seen.status == 0 and options.twice:
            again = self.space.run(self.tasks, options)
            quiet = {slot for slot in selected if slot not in self.tasks.rivals() and self.memory[slot].proves}
            assert again.status == 0, "law 4"
            assert not quiet.intersection(again.began), "law 4"
            assert not quiet.intersection(again.restored), "law 4"
            assert self.space.files() == after, "law 4"
        event("restored" if seen.restored else "ran" if seen.began else "nothing to do")
        event(f"status {seen.status}")

    def _outputs(self, files, selected):
        return {path: content for slot in selected for path, content in self._owned(slot, files).items()}

    def _judge(self, slot, seen, options, before, after):
        """Hold what happened to one task against the second and the third law, and remember how it is now."""
        last, task = self.memory.get(slot), self.tasks[slot]
        # What a task reads is complete when its turn comes; only a formatter changes it then.
        now = self._picture(slot, before if task.writes == "format" else after, before)
        if slot not in seen.began and slot not in seen.restored and slot not in seen.untouched:
            assert seen.status != 0
            return
        if slot in self.tasks.rivals():
            self.memory[slot] = UNSURE
            return
        if last is not UNSURE:
            is_changed = not isinstance(last, Picture) or not last.proves or last[:3] != now[:3]
            assert is_changed == (slot not in seen.untouched), "law 2"
        if slot in seen.restored:
            assert options.keeps, "law 3"
            assert last != FAILED, "law 3"
            assert task.writes != "format", "law 3"
            if isinstance(last, Picture):
                assert self._owned(slot, last.outputs).items() <= now.outputs.items(), "law 3"
        is_failure = slot in seen.began and slot not in seen.done
        self.memory[slot] = FAILED if is_failure else self._picture(slot, after, after)

    def _picture(self, slot, inputs, outputs):
        task = self.tasks[slot]
        read_files = {path: content for path, content in inputs.items() if task.reads(path)}
        written = self._owned(slot, outputs)
        declared = [(task.inputs(), read_files), (task.outputs(slot), written)]
        proves = any(patterns for patterns, _ in declared) and all(
            found or not patterns for patterns, found in declared
        )
        return Picture((task.command(slot), task.variable, task.argument), read_files, written, proves)

    def _owned(self, slot, files):
        return {path: content for path, content in files.items() if self.tasks[slot].owns(slot, path)}

    def edit(self, operation, *values):
        getattr(self, f"_{operation}")(*values)

    def _source(self, path, operation, *values):
        self.edit(operation, path, *values)

    def _write(self, path, text):
        write(f"{self.space.root}/{path}", text)

    def _touch(self, path, seconds):
        with contextlib.suppress(FileNotFoundError):
            os.utime(f"{self.space.root}/{path}", (seconds, seconds))

    def _edit_unnoticed(self, path):
        path = f"{self.space.root}/{path}"
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(path)
            write(path, read(path).translate(str.maketrans("12", "21")))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def _delete(self, path):
        remove(f"{self.space.root}/{path}")

    def _rename(self, path, other):
        os.makedirs(os.path.dirname(f"{self.space.root}/{other}"), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{self.space.root}/{path}", f"{self.space.root}/{other}")

    def _switch_mode(self, path):
        with contextlib.suppress(FileNotFoundError):
            os.chmod(f"{self.space.root}/{path}", 0o644 ^ 0o111 ^ os.stat(f"{self.space.root}/{path}").st_mode & 0o111)

    def _output(self, number, operation, *values):
        """Do something to an output, if there is one."""
        outputs = sorted(self._outputs(self.space.files(), self.tasks))
        if outputs:
            self.edit(operation, outputs[number % len(outputs)], *values)

    def _task(self, number, operation, *values):
        """Do something to a task, if there is one."""
        if self.tasks:
            self.edit(operation, sorted(self.tasks)[number % len(self.tasks)], *values)

    def _change(self, slot, field, step):
        task = self.tasks[slot]
        value = VALUES[(VALUES.index(getattr(task, field)) + step) % len(VALUES)]
        self.tasks[slot] = task._replace(**{field: value})

    def _reread(self, slot, numbers):
        if self.tasks[slot].writes != "format":
            possible = tuple(readings(slot))
            chosen = dict.fromkeys(possible[number % len(possible)] for number in numbers)
            self.tasks[slot] = self.tasks[slot]._replace(readings=tuple(chosen))

    def _put(self, slot, task):
        self.tasks[slot] = task

    def _take_away(self, slot):
        del self.tasks[slot]

    def _forget(self, slot):
        self.space.forget(slot)
        if slot in self.memory:
            self.memory[slot] = FORGOTTEN

    def _sources(self):
        return {path: content for path, content in self.space.files().items() if path in SOURCE_FILES}

    def go_back(self, number):
        """Do what changing the branch does: tasks and sources are as they were at an earlier run."""
        if not self.history:
            return
        tasks, sources = self.history[number % len(self.history)]
        self.tasks.clear()
        self.tasks.update(tasks)
        here = self._sources()
        for path in SOURCE_FILES:
            if here.get(path) != sources.get(path):
                self._delete(path)
                if path in sources:
                    text, runs = sources[path]
                    self._write(path, text.decode())
                    os.chmod(f"{self.space.root}/{path}", 0o755 if runs else 0o644)

    def _lose_state(self):
        shutil.rmtree(f"{self.space.root}/.conda", ignore_errors=True)
        self.memory.clear()


some_slots = st.sampled_from(SLOTS)
some_files = st.sampled_from(SOURCE_FILES)
some_texts = st.sampled_from(["1\n", "2\n", "raw1\n", ""])
some_values = st.sampled_from(VALUES)
some_steps = st.integers(1, len(VALUES) - 1)
some_times = st.sampled_from([0, 1_000_000_000, 4_000_000_000])


def some_readings(slot):
    possible = tuple(readings(slot))
    # Other tasks twice as likely as sources: graphs are what this is about.
    return st.lists(st.sampled_from(possible + possible[len(SOURCES) :]), max_size=3, unique=True).map(tuple)


def some_task(slot):
    kinds = ["file", "two", "folder", "files in folder", "nothing"]
    kinds += ["format"] if slot == FORMATTER else []
    kinds += ["shared"] if slot in SHARERS else []
    needs = st.lists(st.sampled_from(range(slot)), max_size=2).map(tuple) if slot else st.just(())
    return st.builds(Task, some_readings(slot), st.sampled_from(kinds), some_values, some_values, some_values, needs)


def edits_of(*where):
    """Return the edits of one file, named by values before theirs."""
    return [
        st.tuples(*where, st.just("write"), some_texts),
        st.tuples(*where, st.just("edit_unnoticed")),
        st.tuples(*where, st.just("touch"), some_times),
        st.tuples(*where, st.just("delete")),
        st.tuples(*where, st.just("rename"), some_files),
        st.tuples(*where, st.just("switch_mode")),
    ]


def edits_of_task(operation, *values):
    return st.tuples(st.just("task"), st.integers(0, 9), st.just(operation), *values)


some_edits = st.one_of(
    *edits_of(st.just("source"), some_files),
    *edits_of(st.just("output"), st.integers(0, 9)),
    edits_of_task("change", st.just("word"), some_steps),
    edits_of_task("change", st.just("variable"), some_steps),
    edits_of_task("change", st.just("argument"), some_steps),
    edits_of_task("reread", st.lists(st.integers(0, 99), max_size=3)),
    edits_of_task("take_away"),
    edits_of_task("forget"),
    some_slots.flatmap(lambda slot: st.tuples(st.just("put"), st.just(slot), some_task(slot))),
    st.tuples(st.just("source"), some_files, st.just("write"), st.just("bad\n")),
    st.just(("lose_state",)),
)
some_options = st.builds(
    Options,
    workers=st.sampled_from([1, 4]),
    keeps=st.sampled_from([True, True, False]),
    only=st.none() | st.none() | some_slots,
    twice=st.booleans(),
)
some_returns = st.none() | st.none() | st.integers(0, 5)
some_rounds = st.lists(
    st.tuples(some_returns, st.lists(some_edits, min_size=1, max_size=3), some_options), min_size=1, max_size=5
)
some_tasks = st.integers(1, len(SLOTS)).flatmap(lambda count: st.tuples(*map(some_task, range(count))))


# To explain a failure would cost a thousand more runs; the smallest scenario explains itself.
@settings(max_examples=max(200, settings.default.max_examples), deadline=None, phases=set(Phase) - {Phase.explain})
@given(tasks=some_tasks, first=some_options, rounds=some_rounds, declares_needs=st.booleans())
def test_never_stale_never_in_vain(tasks, first, rounds, declares_needs):
    graph = Tasks(enumerate(tasks))
    graph.declares_needs = declares_needs
    with tempfile.TemporaryDirectory() as folder:
        model = Model(folder, graph)
        model.run(first)
        for back, edits, options in rounds:
            if back is not None:
                model.go_back(back)
            for edit in edits:
                model.edit(*edit)
            model.run(options)
        model.go_back(0)
        model.run(Options(keeps=True))
