"""The model of a workspace over time: never stale, never in vain.

A scenario is a set of tasks and some rounds, each a few edits and a run. After every run the workspace is compared with
two things that owe nothing to our program: the same commands run one after another by one shell in a copy without
outputs (the oracle), and a plain memory of what each task last saw (:class:`Memory`). The laws:

1. A run succeeds exactly when the clean rebuild does, and then every output is equal to the rebuilt one, byte by byte
   and in its executable bit.
2. A task runs or is restored exactly when its command, a variable, an argument, an input or an output is not as its
   last success left it, or when there is no success that proves anything. What a reported line says is what happened.
3. Nothing is restored that should run: outputs that somebody touched, a failure, a task that was forgotten.
4. Running once more runs nothing.

Commands do what the laws presuppose: they are functions of what they declare, and take away what they left before.
What is left out, because no build tool could keep the laws there: tasks that read what a later one writes, and files
that users put beside the outputs of a task. Where two tasks write one file, each undoes what the other one recorded, so
both run every time: of such tasks only the first law is asked, that the last one wins as it does in a clean rebuild.
"""

import contextlib
import io
import os
import shutil
import subprocess
import tempfile
from typing import NamedTuple

from hypothesis import event, given, note, settings
from hypothesis import strategies as st

from cwtasks.doit_plugin.commands.run import Run
from cwtasks.doit_plugin.loader import WorkspaceLoader
from cwtasks.doit_plugin.workspace import Workspace

#: What commands are made of. `into` names a folder that gets one file for each that is shown.
LIBRARY = r"""
begin() { echo "begin $1" >> "$LOG"; shift; [ $# -eq 0 ] || rm -rf "$@"; }
end() { echo "end $1" >> "$LOG"; }
words() { if [ -n "$into" ]; then mkdir "$into"; else echo "$@"; fi; }
show() {
  for path; do
    if [ -f "$path" ] && [ "$path" != "$skip" ]; then
      if [ -n "$into" ]; then print "$path" >> "$into/${path##*/}"; else print "$path"; fi
    fi
  done
}
print() {
  if [ -x "$1" ]; then echo "$1 runs"; else echo "$1"; fi
  while IFS= read -r line || [ -n "$line" ]; do
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
    [ -f "$path" ] || continue
    line=; read -r line < "$path"
    case "$line" in bad) exit 1;; raw*) echo "${line#raw}" > "$path";; esac
  done
}
"""

SLOTS = range(8)
#: Only these write the file `shared`, and only later ones read it.
SHARERS = (1, 2)
#: Only this one formats `fmt`, and only later ones read it.
FORMATTER = 0


class Reading(NamedTuple):
    """A way to read files: what the manifest says, what the command does, and what that means."""

    patterns: tuple[str, ...]
    command: str
    reads: object
    """Says of a path whether it is read."""


def below(folder, ending="", but=""):
    return lambda path: path.startswith(folder + "/") and path.endswith(ending) and path != but


def directly_in(folder):
    return lambda path: os.path.dirname(path) == folder


def one_of(*paths):
    return lambda path: path in paths


SOURCES = (
    Reading(("src/a",), "show src/a", one_of("src/a")),
    Reading(("src/b", "src/c.x"), "show src/b src/c.x", one_of("src/b", "src/c.x")),
    Reading(("src/*",), "show src/*", directly_in("src")),
    Reading(("src/{a,b}",), "show src/a src/b", one_of("src/a", "src/b")),
    Reading(("src/[!a]",), "show src/[!a]", one_of("src/b")),
    Reading(("src",), "deep src", below("src")),
    Reading(("src/**/*.x",), "only=.x; deep src; only=", below("src", ".x")),
    Reading(("src", "!src/b"), "skip=src/b; deep src; skip=", below("src", but="src/b")),
    Reading(("src/sub/",), "deep src/sub", below("src/sub")),
)
FORMATTED = (Reading(("fmt/*",), "show fmt/*", directly_in("fmt")),)
SHARED = (Reading(("shared",), "show shared", one_of("shared")),)


def generated(slot):
    """Return the ways to read what earlier tasks may write."""
    for earlier in range(slot):
        folder = f"d{earlier}"
        yield Reading((f"o{earlier}",), f"show o{earlier}", one_of(f"o{earlier}"))
        yield Reading((f"x{earlier}",), f"show x{earlier}", one_of(f"x{earlier}"))
        yield Reading((folder,), f"deep {folder}", below(folder))
        yield Reading((f"{folder}/*",), f"show {folder}/*", directly_in(folder))
    if slot:
        pattern = f"[ox][0-{slot - 1}]"
        names = [f"{letter}{earlier}" for letter in "ox" for earlier in range(slot)]
        yield Reading((pattern,), f"show {pattern}", one_of(*names))


def readings(slot):
    yield from SOURCES
    yield from generated(slot)
    if slot > FORMATTER:
        yield from FORMATTED
    if slot > max(SHARERS):
        yield from SHARED


class Task(NamedTuple):
    """One task, as people change it."""

    readings: tuple[Reading, ...]
    writes: str
    """``nothing``, ``file``, ``two``, ``folder``, ``files in folder``, ``shared`` or ``format``."""
    word: str = "0"
    variable: str = ""
    argument: str = ""
    needs: tuple[int, ...] = ()
    """Slots beside those of which it reads something."""

    def inputs(self):
        if self.writes == "format":
            return ("fmt/*",)
        return tuple(pattern for reading in self.readings for pattern in reading.patterns)

    def reads(self, path):
        if self.writes == "format":
            return path.startswith("fmt/")
        # Within one task an exclusion reaches what the patterns before it brought in, whoever wrote it.
        is_read = False
        for reading in self.readings:
            if "!src/b" in reading.patterns and path == "src/b":
                is_read = False
            is_read = is_read or reading.reads(path)
        return is_read

    def outputs(self, slot):
        return {
            "nothing": (),
            "file": (f"o{slot}",),
            "two": (f"o{slot}", f"x{slot}"),
            "folder": (f"d{slot}",),
            "files in folder": (f"d{slot}/*",),
            "shared": ("shared",),
            "format": ("fmt/*",),
        }[self.writes]

    def places(self, slot):
        """Return the files and folders it makes."""
        return tuple(pattern.removesuffix("/*") for pattern in self.outputs(slot) if pattern != "fmt/*")

    def owns(self, slot, path):
        places = ("fmt",) if self.writes == "format" else self.places(slot)
        return any(path == place or path.startswith(place + "/") for place in places)

    def command(self, slot):
        """Return the text of the command, the template of its argument not yet rendered."""
        words = f"{self.word} $VALUE {'{{ word }}' if self.argument else ''}".strip()
        shown = "; ".join([f"words {words}", *(reading.command for reading in self.readings)])
        body = {
            "nothing": f"{{ {shown}; }} > /dev/null",
            "file": f"{{ {shown}; }} > o{slot}",
            "two": f"{{ {shown}; }} > o{slot}; {{ echo true; {shown}; }} > x{slot}; chmod +x x{slot}",
            "folder": f"into=d{slot}; {shown}",
            "files in folder": f"into=d{slot}; {shown}",
            "shared": f"{{ echo {slot}; {shown}; }} > shared",
            "format": "format fmt/*",
        }[self.writes]
        return f". library; begin {' '.join((f't{slot}', *self.places(slot)))}; {body}; end t{slot}"

    def facts(self, slot):
        return self.command(slot), self.variable, self.argument


class Tasks(dict):
    """Slot -> task, in the order of the manifest."""

    declares_needs = True
    """Whether a task depends on whoever writes what it reads; if not, only their order says it."""

    def needs(self, slot):
        task = self[slot]
        earlier = [other for other in self if other < slot]
        needed = set(task.needs).intersection(earlier)
        if self.declares_needs:
            for other in earlier:
                writes = self[other].places(other) if self[other].writes != "format" else ("fmt",)
                if any(self._may_read(task, place) for place in writes):
                    needed.add(other)
        return sorted(needed)

    @staticmethod
    def _may_read(task, place):
        # Whether a place is a file or a folder only its writer knows: try both, with any name.
        return task.reads(place) or task.reads(f"{place}/a")

    def closure(self, slot):
        found = {slot}
        for needed in self.needs(slot):
            found |= self.closure(needed)
        return found

    def manifest(self):
        lines = []
        for slot in sorted(self):
            task = self[slot]
            lines += [f"[tasks.t{slot}]", f"cmd = '{task.command(slot)}'"]
            lines += [f"inputs = {list(task.inputs())}"] if task.inputs() else []
            lines += [f"outputs = {list(task.outputs(slot))}"] if task.outputs(slot) else []
            lines += [f"env = {{ VALUE = '{task.variable}' }}"] if task.variable else []
            lines += [f"args = [{{ arg = 'word', default = '{task.argument}' }}]"] if task.argument else []
            lines += [f"depends-on = {[f't{needed}' for needed in self.needs(slot)]}"] if self.needs(slot) else []
        return "\n".join(lines) + "\n"

    def script(self, selected):
        """Return one shell text that runs the commands of some tasks in the written order."""
        lines = []
        for slot in sorted(selected):
            task = self[slot]
            export = f"export VALUE='{task.variable}'; " if task.variable else ""
            lines.append(f"( {export}{task.command(slot).replace('{{ word }}', task.argument)} ) || exit 1")
        return "\n".join(lines)

    def rivals(self):
        """Return the tasks that write one file, when there are several."""
        sharing = {slot for slot, task in self.items() if task.writes == "shared"}
        return sharing if len(sharing) > 1 else set()


class Picture(NamedTuple):
    """What a task depends on and what it left, at its last success."""

    facts: tuple[str, ...]
    inputs: dict
    outputs: dict
    is_proof: bool
    """Whether it declares files and each role it declares has some."""


class Run_(NamedTuple):
    """A run of the workspace."""

    workers: int
    keeps: bool
    only: int | None


class Seen(NamedTuple):
    """What a run did."""

    status: int
    began: list[str]
    ended: list[str]
    restored: list[str]
    up_to_date: list[str]
