"""Writes an archive: files -> headers and contents -> frames, with every digest taken on the way.

Laid out for reading: manifest and lock alone in the first frame, then what compresses, then what is compressed already,
then packages; behind them the index, see :mod:`.index`. To tar it is a plain stream all the same. Knows which names go
in, not why.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from cwtasks.archive.compressing import DEFAULT_LEVELS, Frames, HashedFile, compressor
from cwtasks.archive.gathering import Gatherer
from cwtasks.archive.headers import DEFAULT_MTIME, END
from cwtasks.archive.index import write_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cwtasks.archive.compressing import Compressor
    from cwtasks.archive.gathering import Package

BATCH = 4096
"""Names after which a frame ends in any case, so that others can begin behind them; count."""

_PROCESSES_FROM = 6
"""Batches from which it pays to start processes for them; count."""
_COMPRESSED = frozenset(
    {
        *(
            ".7z",
            ".br",
            ".bz2",
            ".conda",
            ".gz",
            ".jar",
            ".lz4",
            ".nupkg",
            ".rar",
            ".tbz",
            ".tbz2",
            ".tgz",
            ".txz",
            ".tzst",
        ),
        *(
            ".whl",
            ".xz",
            ".zip",
            ".zst",
            ".zstd",
            ".orc",
            ".parquet",
            ".docx",
            ".odt",
            ".pptx",
            ".xlsx",
            ".woff",
            ".woff2",
        ),
        *(".avif", ".gif", ".heic", ".jpeg", ".jpg", ".jxl", ".png", ".webp", ".avi", ".mkv", ".mov", ".mp4", ".webm"),
        *(".flac", ".m4a", ".mp3", ".ogg", ".opus"),
    }
)


class Packed(NamedTuple):
    """What was written."""

    sha256: str
    """Of the archive, lower-case hexadecimal."""
    size: int
    """Of the archive; bytes."""
    digests: Mapping[str, str]
    """SHA-256 of the files in front, by name."""
    links: Mapping[str, str]
    """Target of each symlink, by name."""
    members: int
    content_bytes: int
    """Of all files; bytes."""


class Progress(NamedTuple):
    """How far packing has come."""

    members: int
    """Packed so far; count."""
    total: int
    """Of all members; count."""
    content_bytes: int
    """Read so far; bytes."""


def is_compressed(name: str) -> bool:
    """Say whether a file is compressed already, by its name."""
    return os.path.splitext(name)[1].lower() in _COMPRESSED


def pack(
    output: BinaryIO,
    root: str,
    names: Sequence[str],
    *,
    kind: str,
    front: Sequence[str] = (),
    folders: Sequence[str] = (),
    packages: Sequence[Package] = (),
    level: int | None = None,
    mtime: int = DEFAULT_MTIME,
    notes: Mapping[str, object] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Packed:
    """Write an archive.

    Args:
        output: Open for writing, empty.
        root: Of the workspace, absolute.
        names: Files and symlinks below it, in POSIX form, sorted.
        kind: ``zstd``, ``gzip`` or ``bzip2``.
        front: Which of the names come first, in this order, and have their digest taken.
        folders: Empty folders, sorted.
        packages: Package files that come last.
        level: Of compression; the kind's default by default.
        mtime: Of all members; seconds since the epoch.
        notes: What the index tells beside the members, as JSON.
        progress: Called now and then.

    Returns:
        What was written.

    Raises:
        FileChangedError: a file is not there, is of another kind, or changes while it is read.
        ArchiveHashMismatchError: a package is not the one it should be.
        WorkerEndedError: a process of ours ended early.
        OSError: the output cannot be written.
    """
    hashed = HashedFile(output)
    level = level if level is not None else DEFAULT_LEVELS[kind]
    writer = compressor(kind, hashed, level)
    total = len(names) + len(folders) + len(packages)

    def report() -> None:
        if progress is not None:
            progress(Progress(len(found.names), total, gatherer.read_bytes))

    gatherer = Gatherer(root, writer, mtime=mtime, report=report)
    found = gatherer.contents
    try:
        gatherer.add_all(front, keeps_digests=True)
        gatherer.end_frame()
        gatherer.add_folders(folders)
        _add_rest(gatherer, writer, _rest(names, set(front), splits=kind == "zstd"), level=level)
        gatherer.add_packages(packages)
        writer.add(END)
        frames = writer.finish()
    except BaseException:
        writer.abandon()
        raise
    if kind == "zstd":
        write_index(hashed, frames, found, notes or {})
    return Packed(hashed.sha256, hashed.size, gatherer.digests, found.links, len(found.names), found.content_bytes)


class _Batch(NamedTuple):
    """Names that end with a frame."""

    names: Sequence[str]
    stored: bool


def _rest(names: Sequence[str], front: set[str], *, splits: bool) -> Iterator[_Batch]:
    """Yield what is not in front: first what compresses, then what is compressed already."""
    rest = [name for name in names if name not in front]
    kept = [name for name in rest if is_compressed(name)] if splits else []
    if kept:
        apart = set(kept)
        rest = [name for name in rest if name not in apart]
    for listed, stored in ((rest, False), (kept, True)):
        for at in range(0, len(listed), BATCH):
            yield _Batch(listed[at : at + BATCH], stored)


def _add_rest(gatherer: Gatherer, writer: Compressor, batches: Iterator[_Batch], *, level: int) -> None:
    todo = list(batches)
    if len(todo) >= _PROCESSES_FROM and isinstance(writer, Frames):
        from cwtasks.archive.packing_pool import PackingPool

        # Reading many files takes longer than compressing them, and two threads of Python do not read side by side.
        with PackingPool(gatherer.root, mtime=gatherer.mtime, level=level) as pool:
            for done in pool.gather(todo):
                for frame, content in done.frames:
                    writer.put(frame, content)
                gatherer.take_over(done)
        return
    for batch in todo:
        gatherer.add_all(batch.names, stored=batch.stored)
        gatherer.end_frame(stored=batch.stored)
