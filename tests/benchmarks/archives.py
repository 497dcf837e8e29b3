"""What archives cost beside `tar | zstd -T0 -3 | tee | sha256sum`: made, looked into, unpacked; on three sets of files.

Each measurement of ours is one call in a process of its own, and so is what a start of Python costs, which is taken off
where it says so.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.clock import milliseconds, ratio, roomy_folder, usual_environ, warm_memory

ROUNDS = 3
MANIFEST = '[workspace]\nname = "w"\nchannels = []\nplatforms = ["linux-64"]\n'
LOCK = "version: 1\nenvironments:\n  default:\n    channels: []\n    packages: {}\npackages: []\n"
WANTED = {"small": (1.1, 1.03), "tiny": (1.1, 1.08), "mix": (0.7, 1.03)}

CREATE = """
from cwtasks.archive import WorkspaceArchive
WorkspaceArchive.create(workspace={root!r}, output={output!r}, receipt=True)
"""
#: The second of two calls in one process, as a program sees it that has the library loaded; prints seconds.
TWICE = """
import time
{first}
begun = time.perf_counter()
{second}
print(time.perf_counter() - begun)
"""
EXTRACT = """
from cwtasks.archive import WorkspaceArchive
WorkspaceArchive({output!r}, receipt=True).extract(target={target!r})
"""
REMOVE = """
import shutil
shutil.rmtree({target!r})
"""
#: Not `ru_maxrss` of the process itself: that begins with the size of the process it was started from.
TOLD = """
import resource
with open("/proc/self/status") as status:
    own = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
INSPECT = """
from cwtasks.archive import WorkspaceArchive
WorkspaceArchive({output!r}).inspect()
"""
MEMBERS = """
from cwtasks.archive import WorkspaceArchive
WorkspaceArchive({output!r}).members()
"""
READ = """
from cwtasks.archive import WorkspaceArchive
WorkspaceArchive({output!r}).read({member!r})
"""


def write_files(folder: Path, kind: str) -> str:
    """Make the files and return the name of one that stands late in an archive."""
    chance = random.Random(5)
    words = [f"{chance.getrandbits(40):x}" for _ in range(3000)]
    count, length = {"small": (5000, 950), "tiny": (100_000, 20), "mix": (400, 95_000)}[kind]
    for number in range(count):
        path = folder / f"d{number // 100}/sub/file_{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(" ".join(chance.choices(words, k=length)))
        if kind == "mix":
            (path.parent / f"x{number}.png").write_bytes(os.urandom(1536 * 1024))
    (folder / "conda.toml").write_text(MANIFEST)
    (folder / "conda.lock").write_text(LOCK)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    return "d3/sub/x350.png" if kind == "mix" else "d9/sub/file_999.txt"


def seconds(command: list[str] | str, folder: Path) -> float:
    os.sync()
    begun = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env=usual_environ(), shell=isinstance(command, str), check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - begun


def told_seconds(command: list[str], folder: Path) -> float:
    os.sync()
    done = subprocess.run(command, cwd=folder, env=usual_environ(), check=True, capture_output=True, text=True)
    return float(done.stdout)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def peaks(code: str, folder: Path) -> tuple[int, int]:
    """Return the most memory a call takes, and the largest of the processes it starts; bytes."""
    done = subprocess.run(python(code + TOLD), cwd=folder, check=True, capture_output=True, text=True)
    own, child = done.stdout.split()
    return int(own) * 1024, int(child) * 1024


def measure() -> Iterator[tuple[str, str]]:
    for kind in WANTED:
        with tempfile.TemporaryDirectory(dir=roomy_folder()) as name:
            yield from _measure(kind, Path(name))


def _measure(kind: str, folder: Path) -> Iterator[tuple[str, str]]:
    root = folder / "files"
    root.mkdir()
    member = write_files(root, kind)
    output, theirs = str(folder / "ours.tar.zst"), folder / "theirs.tar.zst"
    names = {"root": str(root), "output": output, "member": member}
    warm_memory(10 * 1024**3)
    listed = folder / "names"
    listed.write_bytes(subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True).stdout)
    tar = f"tar -C files --null -T {listed} -cf - | zstd -q -3 -T0 | tee {theirs} | sha256sum"
    jobs: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        target = str(folder / f"out{number}")
        plain = folder / f"plain{number}"
        plain.mkdir()
        calls = {
            "start": python("pass"),
            "tar": tar,
            "create": python(CREATE.format(**names)),
            "create again": python(TWICE.format(first=CREATE.format(**names), second=CREATE.format(**names))),
            "untar": ["tar", "--zstd", "-xf", str(theirs), "-C", str(plain)],
            "extract": python(EXTRACT.format(**names, target=target)),
            "extract again": python(
                TWICE.format(
                    # Both get memory that was used before, as the others do.
                    first=EXTRACT.format(**names, target=target + "a") + REMOVE.format(target=target + "a"),
                    second=EXTRACT.format(**names, target=target + "a"),
                )
            ),
            "inspect": python(INSPECT.format(**names)),
            "members": python(MEMBERS.format(**names)),
            "read": python(READ.format(**names)),
        }
        for what, command in calls.items():
            spent = told_seconds(command, folder) if what.endswith("again") else seconds(command, folder)
            jobs.setdefault(what, []).append(spent)
        for old in folder.glob(f"*{number}*"):
            shutil.rmtree(old)
    best = {what: min(taken) for what, taken in jobs.items()}
    count = json.loads(
        subprocess.run(
            [sys.executable, "-m", "cwtasks", "inspect", "--json", output], check=True, capture_output=True, text=True
        ).stdout
    )
    wanted_time, wanted_size = WANTED[kind]
    start = best["start"]
    yield (
        f"{kind}: {count['members']:,} members, {count['content_bytes'] / 1e6:.0f} MB; tar | zstd | tee | sha256sum",
        milliseconds(best["tar"]),
    )
    yield (
        f"{kind}: create with receipt, start included / tar (wanted: {wanted_time})",
        ratio(best["create"], best["tar"]),
    )
    yield f"{kind}: create with receipt, library loaded / tar", ratio(best["create again"], best["tar"])
    yield f"{kind}: size / tar's (wanted: {wanted_size})", ratio(Path(output).stat().st_size, theirs.stat().st_size)
    yield f"{kind}: verified extract, start included / tar -x (wanted: 1.1)", ratio(best["extract"], best["untar"])
    yield f"{kind}: verified extract, library loaded / tar -x", ratio(best["extract again"], best["untar"])
    yield (
        f"{kind}: inspect, over a start (wanted: {150 if kind == 'tiny' else 50} ms)",
        milliseconds(best["inspect"] - start),
    )
    yield f"{kind}: all members, over a start", milliseconds(best["members"] - start)
    yield f"{kind}: one member, over a start (wanted: 50 ms)", milliseconds(best["read"] - start)
    yield f"{kind}: memory of create (wanted: 200 MB)", f"{sum(peaks(CREATE.format(**names), folder)) / 1e6:8.0f} MB"
    target = str(folder / "last")
    yield f"{kind}: memory of extract", f"{sum(peaks(EXTRACT.format(**names, target=target), folder)) / 1e6:8.0f} MB"
