"""What bundles cost: making one beside `cp` of its packages, and installing from one beside py-rattler itself."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # channels.py lies beside this package

from channels import Channel

from tests.benchmarks.archives import peaks
from tests.benchmarks.clock import milliseconds, ratio, roomy_folder, warm_memory
from tests.benchmarks.environments import DIRECT, make_channel, make_workspace, run

#: Packages of a bundle that is made, as of a few environments for a few platforms, and of one that is installed.
MANY, FEW = 300, 100
FILES, FILE_BYTES = 60, 140_000
ROUNDS = 5
CWT = [sys.executable, "-m", "cwtasks"]

INSTALL = """
from cwtasks.archive import WorkspaceArchive
WorkspaceArchive({archive!r}, receipt=True).install(target={target!r})
"""


def measure() -> Iterator[tuple[str, str]]:
    for count, part in ((MANY, _making), (FEW, _installing)):
        with tempfile.TemporaryDirectory(dir=roomy_folder()) as name:
            folder = Path(name)
            os.environ["CWTASKS_CACHE"] = str(folder / "cache")
            channel = make_channel(folder / "channel", count, FILES, FILE_BYTES)
            work = make_workspace(folder / "work", channel, count)
            run([*CWT, "bundle"], work)
            warm_memory()
            yield from part(folder, channel, work)


def _making(folder: Path, channel: Channel, work: Path) -> Iterator[tuple[str, str]]:
    """Find the packages in the cache and prove them, then pack them, beside what copying them takes."""
    del channel
    packages = sorted(str(path) for path in (folder / "cache/pkgs").rglob("*.conda"))
    size = sum(os.path.getsize(path) for path in packages)
    copies = folder / "copies"
    times: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        copies.mkdir()
        times.setdefault("cp", []).append(run(["cp", *packages, str(copies)], folder))
        shutil.rmtree(copies)
        shutil.rmtree(work / ".conda")
        times.setdefault("bundle", []).append(run([*CWT, "bundle"], work))
        (folder / "cache/pkgs-verified").unlink()
        shutil.rmtree(work / ".conda")
        times.setdefault("proven", []).append(run([*CWT, "bundle"], work))
        (work / "note").write_text(str(number))
        (work / "work.tar.zst").unlink(missing_ok=True)
        times.setdefault("archive", []).append(run([*CWT, "archive", "--bundle"], work))
    best = {what: min(taken) for what, taken in times.items()}
    yield f"cp of {len(packages)} packages, {size / 1e6:.0f} MB", milliseconds(best["cp"])
    for what, job in (
        ("bundle", "`cwt bundle` in a fresh clone, from a warm cache / cp (wanted: 1.3)"),
        ("proven", "the same, every package hashed anew / cp"),
        ("archive", "`cwt archive --bundle`: these packages packed, with a receipt / cp"),
    ):
        yield job, ratio(best[what], best["cp"])


def _installing(folder: Path, channel: Channel, work: Path) -> Iterator[tuple[str, str]]:
    """Install on a machine that has the archive alone, beside rattler on one that has the channel."""
    run([*CWT, "archive", "--bundle"], work)
    archive = str(work / "work.tar.zst")
    theirs, other = folder / "rattler-cache", folder / "rattler-env"
    direct = [sys.executable, "-c", DIRECT, str(channel.folder), str(other), str(theirs)]
    os.environ["CWTASKS_CACHE"] = str(folder / "far-cache")
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for path in (other, theirs, folder / "far-cache", folder / "far"):
            shutil.rmtree(path, ignore_errors=True)
        times.setdefault("direct", []).append(run(direct, folder))
        times.setdefault("install", []).append(run([*CWT, "install", archive, "--target", str(folder / "far")], folder))
    best = {what: min(taken) for what, taken in times.items()}
    yield f"py-rattler installs {FEW} packages of a file:// channel", milliseconds(best["direct"])
    yield "`cwt install` of a bundle / that (wanted: 1.2)", ratio(best["install"], best["direct"])
    shutil.rmtree(folder / "far")
    code = INSTALL.format(archive=archive, target=str(folder / "far"))
    own, rattler = peaks(code, folder)
    yield "memory of an install from a bundle (wanted: 200 MB)", f"{own / 1e6:8.0f} MB"
    yield "and of rattler, which unpacks several packages at once", f"{rattler / 1e6:8.0f} MB"
