"""Locks and environments: nothing to do, a cold and a warm install against py-rattler itself, locks, activation."""

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

sys.path.insert(0, str(Path(__file__).parents[1]))  # channels.py lies beside this package

from channels import Channel, Package

from cwtasks.activation.declared import Activation
from cwtasks.activation.effective import variables
from cwtasks.lockfile import Lock, LockedEnvironment, LockedPackage, read_lock, write_lock
from tests.benchmarks.clock import (
    best_of_calls,
    best_of_processes,
    doit,
    milliseconds,
    ratio,
    roomy_folder,
    usual_environ,
    warm_memory,
)
from tests.benchmarks.contents import Contents

#: Of an environment that is installed: packages, files of each, bytes of a file. As many packages as those of scientific
#: Python, once very small ones, so that every fixed cost shows, and once of the size that real ones have on average.
SMALL, USUAL = (300, 60, 1000), (300, 200, 8000)
PACKAGES = 300
INSTALLS = 9

DIRECT = """
import asyncio, json, os, sys
from pathlib import Path
import rattler
from rattler.repo_data import RepoData

async def main():
    channel, prefix, cache = sys.argv[1:]
    records = RepoData.from_path(Path(channel, "noarch", "repodata.json")).into_repo_data(rattler.Channel("file://" + channel))
    await rattler.install(records, prefix, cache_dir=Path(cache), show_progress=False)

asyncio.run(main())
sys.stdout.flush()
os._exit(0)
"""


def measure() -> Iterator[tuple[str, str]]:
    for size in (USUAL, SMALL):
        with tempfile.TemporaryDirectory(dir=roomy_folder()) as name:
            folder = Path(name)
            os.environ["CWTASKS_CACHE"] = str(folder / "cache")
            channel = make_channel(folder / "channel", *size)
            warm_memory()
            work = make_workspace(folder / "work", channel, PACKAGES)
            yield from _installs(folder, channel, work, f"{PACKAGES} packages, {size[0] * size[1]:,} files")
            if size == SMALL:
                yield from _nothing_to_do(folder, work)
    yield from _lock()
    yield from _activation()


def make_channel(folder: Path, packages: int, files_each: int, file_bytes: int) -> Channel:
    channel = Channel(folder)
    contents = Contents()
    for number in range(packages):
        files = {f"share/p{number}/{index}.txt": contents.piece(file_bytes) for index in range(files_each)}
        channel.add(Package(name=f"p{number}", files=files))
    channel.write_index()
    return channel


def make_workspace(folder: Path, channel: Channel, packages: int) -> Path:
    folder.mkdir()
    specs = "\n".join(f'p{number} = "*"' for number in range(packages))
    task = 'copy = { cmd = "cp in out", inputs = ["in"], outputs = ["out"] }'
    text = f'[workspace]\nchannels = ["{channel.url}"]\nplatforms = ["linux-64"]\n[dependencies]\n{specs}\n[tasks]\n{task}\n'
    (folder / "conda.toml").write_text(text)
    (folder / "in").write_text("1")
    return folder


def _installs(folder: Path, channel: Channel, work: Path, what: str) -> Iterator[tuple[str, str]]:
    """Install the same records, from an empty and from a full cache; wall time, since both use several threads."""
    run(doit("lock"), work)
    prefix, ours = work / ".conda" / "envs" / "default", folder / "cache"
    theirs, other = folder / "rattler-cache", folder / "rattler-env"
    direct = [sys.executable, "-c", DIRECT, str(channel.folder), str(other), str(theirs)]
    times: dict[str, list[float]] = {}
    order = random.Random(1)
    for _ in range(INSTALLS):
        for state in ("cold", "warm"):
            sides = [
                (
                    "us",
                    doit("install"),
                    work,
                    [prefix, *([ours / "pkgs", ours / "extracted"] if state == "cold" else [])],
                ),
                ("rattler", direct, folder, [other, *([theirs] if state == "cold" else [])]),
            ]
            # What the one leaves in the memory of the machine is not always the other's to clear away.
            for who, command, cwd, gone in order.sample(sides, len(sides)):
                for path in gone:
                    shutil.rmtree(path, ignore_errors=True)
                times.setdefault(f"{state} {who}", []).append(run(command, cwd))
    for state in ("cold", "warm"):
        best = {who: min(times[f"{state} {who}"]) for who in ("us", "rattler")}
        yield f"{state} install of {what}, py-rattler", milliseconds(best["rattler"])
        yield f"{state} install, doit / py-rattler (wanted: 1.2)", ratio(best["us"], best["rattler"])


def run(command: list[str], cwd: Path) -> float:
    environ, nowhere = usual_environ(), subprocess.DEVNULL
    begun = time.perf_counter()
    subprocess.run(command, cwd=cwd, env=environ, stdout=nowhere, stderr=nowhere, check=True)
    return time.perf_counter() - begun


def _nothing_to_do(folder: Path, work: Path) -> Iterator[tuple[str, str]]:
    bare = folder / "bare"
    bare.mkdir()
    (bare / "in").write_text("1")
    (bare / "conda.toml").write_text('[tasks]\ncopy = { cmd = "cp in out", inputs = ["in"], outputs = ["out"] }\n')
    for place in (work, bare):
        run(doit("copy"), place)
    time.sleep(0.1)
    for place in (work, bare):
        run(doit("copy"), place)
    times = best_of_processes(
        {"install": (doit("install"), work), "task": (doit("copy"), work), "bare": (doit("copy"), bare)}
    )
    yield "null build of one task without a workspace", milliseconds(times["bare"])
    yield (
        f"no-op install of {PACKAGES} packages, over that (wanted: < 10 ms)",
        milliseconds(times["install"] - times["bare"]),
    )
    yield "null build of one task in that environment, over that", milliseconds(times["task"] - times["bare"])


def _lock() -> Iterator[tuple[str, str]]:
    packages = tuple(
        LockedPackage.from_record(
            {
                "url": f"https://channel.invalid/noarch/package-{number}-1.2.{number}-h{number:07x}_0.conda",
                "sha256": f"{number:064x}",
                "md5": f"{number:032x}",
                "depends": [f"package-{(number * k) % 2000} >=1.{k},<3" for k in range(1, 7)],
                "license": "BSD-3-Clause",
                "size": 1000 + number,
                "timestamp": 1_700_000_000_000,
            }
        )
        for number in range(1800)
    )
    environment = LockedEnvironment(channels=("https://channel.invalid",), packages={"linux-64": packages})
    with tempfile.TemporaryDirectory() as name:
        path, cache = Path(name, "conda.lock"), Path(name, "cache")
        # A lock with the same text as the last one is not read again, so each is called otherwise.
        first = float("inf")
        for round_ in range(3):
            write_lock(path, Lock(environments={f"env-{round_}": environment}))
            first = min(first, best_of_calls(lambda: read_lock(path), rounds=1))
        time.sleep(0.1)
        size = path.stat().st_size / 1e6
        read_lock(path, cache_folder=cache)
        after = best_of_calls(lambda: read_lock(path, cache_folder=cache))
    yield f"a lock of {size:.1f} MB, read the first time (wanted: < 150 ms per MB)", milliseconds(first / size)
    yield "the same afterwards (wanted: < 20 ms per MB)", milliseconds(after / size)


def _activation() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as name:
        prefix, cache = Path(name, "env"), Path(name, "cache")
        (prefix / "etc/conda/activate.d").mkdir(parents=True)
        (prefix / "conda-meta").mkdir()
        (prefix / "etc/conda/activate.d/a.sh").write_text("export A=1\n")
        (prefix / "conda-meta/state").write_text(json.dumps({"env_vars": {"B": "2"}}))
        time.sleep(0.1)

        def activate() -> dict[str, str]:
            return variables(
                str(prefix),
                activation=Activation("default"),
                statics={},
                outside=os.environ,
                root=name,
                cache_folder=str(cache),
            )

        first = best_of_calls(activate, rounds=1)
        yield "activation with a script, the first time", milliseconds(first)
        yield "the same of an unchanged environment (wanted: < 2 ms)", milliseconds(best_of_calls(activate))
