"""What bundles cost: making one beside `cp` of its packages, and installing from one beside py-rattler itself."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # channels.py lies beside this package

from channels import Channel, Package

from tests.benchmarks.archives import peak_bytes
from tests.benchmarks.clock import milliseconds, ratio, roomy_folder, warm_memory
from tests.benchmarks.contents import Contents
from tests.benchmarks.environments import DIRECT, run

PACKAGES, FILES, FILE_BYTES = 100, 60, 140_000
ROUNDS = 5

INSTALL = """
from cwtasks.archive import WorkspaceArchive
WorkspaceArchive({archive!r}, receipt=True).install(target={target!r})
"""


def measure() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory(dir=roomy_folder()) as name:
        yield from _measure(Path(name))


def _measure(folder: Path) -> Iterator[tuple[str, str]]:
    channel = Channel(folder / "channel")
    contents = Contents()
    for number in range(PACKAGES):
        files = {f"share/p{number}/{index}.txt": contents.piece(FILE_BYTES) for index in range(FILES)}
        channel.add(Package(name=f"p{number}", files=files))
    channel.write_index()
    work = folder / "work"
    work.mkdir()
    specs = "\n".join(f'p{number} = "*"' for number in range(PACKAGES))
    (work / "conda.toml").write_text(
        f'[workspace]\nname = "w"\nchannels = ["{channel.url}"]\nplatforms = ["linux-64"]\n[dependencies]\n{specs}\n'
    )
    os.environ["CWTASKS_CACHE"] = str(folder / "cache")
    cwt = [sys.executable, "-m", "cwtasks"]
    run([*cwt, "bundle"], work)
    packages = sorted(str(path) for path in (folder / "cache/pkgs").rglob("*.conda"))
    size = sum(os.path.getsize(path) for path in packages)
    times: dict[str, list[float]] = {}
    warm_memory()
    copies = folder / "copies"
    for number in range(ROUNDS):
        copies.mkdir()
        times.setdefault("cp", []).append(run(["cp", *packages, str(copies)], folder))
        shutil.rmtree(copies)
        shutil.rmtree(work / ".conda")
        times.setdefault("bundle", []).append(run([*cwt, "bundle"], work))
        (work / "note").write_text(str(number))
        (work / "w.tar.zst").unlink(missing_ok=True)
        times.setdefault("archive", []).append(run([*cwt, "archive", "--bundle"], work))
    # A machine that has rattler's cache warm against one that has the archive alone, and its packages nowhere.
    archive = str(work / "w.tar.zst")
    theirs, other = folder / "rattler-cache", folder / "rattler-env"
    direct = [sys.executable, "-c", DIRECT, str(channel.folder), str(other), str(theirs)]
    for _ in range(ROUNDS):
        for path in (other, theirs, folder / "far-cache", folder / "far"):
            shutil.rmtree(path, ignore_errors=True)
        times.setdefault("direct", []).append(run(direct, folder))
        os.environ["CWTASKS_CACHE"] = str(folder / "far-cache")
        install = [*cwt, "install", archive, "--target", str(folder / "far")]
        times.setdefault("install", []).append(run(install, folder))
    best = {what: min(taken) for what, taken in times.items()}
    yield f"cp of {PACKAGES} packages, {size / 1e6:.0f} MB", milliseconds(best["cp"])
    yield (
        "`cwt bundle` from a warm cache, nothing known of the workspace / cp (wanted: 1.3)",
        ratio(best["bundle"], best["cp"]),
    )
    yield "`cwt archive --bundle`: these packages packed, with a receipt / cp", ratio(best["archive"], best["cp"])
    yield f"py-rattler installs {PACKAGES} packages of a file:// channel", milliseconds(best["direct"])
    yield "`cwt install` of a bundle / that (wanted: 1.2)", ratio(best["install"], best["direct"])
    shutil.rmtree(folder / "far")
    code = INSTALL.format(archive=archive, target=str(folder / "far"))
    yield "memory of an install from a bundle (wanted: 200 MB)", f"{peak_bytes(code, folder) / 1e6:8.0f} MB"
