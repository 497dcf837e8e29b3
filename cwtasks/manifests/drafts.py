"""A manifest on the way from the disk, through edits, back to the disk.

Knows bytes, encodings and what else may have happened to the file meanwhile. Knows no meaning of any table: what is to
be changed comes in as addresses and values.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import ManifestChangedError, ManifestNotEditableError, ManifestNotWritableError, shown_path
from cwtasks.files import create_file, replace_file
from cwtasks.locking import locked
from cwtasks.manifests import editing
from cwtasks.manifests.tables import TomlTable, dotted, parse_toml, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cwtasks.manifests.layout import KeyPath

_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of a manifest, and the bytes it was read from."""

    path: Path
    """The manifest; of a link, what it leads to."""
    before: bytes | None
    """What was read; ``None`` when there was no file."""
    text: str
    """What it is to say, without a byte order mark."""

    @classmethod
    def read(cls, path: Path, *, may_be_missing: bool = False) -> Draft:
        """Read a manifest.

        Args:
            path: The manifest.
            may_be_missing: Whether to start with an empty text when there is no file.

        Raises:
            FileNotFoundError: there is none.
            WorkspaceParseError: it cannot be read, or is no TOML.
        """
        place = path.resolve()
        try:
            before = read_bytes(place)
        except FileNotFoundError:
            if not may_be_missing:
                raise
            return cls(place, None, "")
        parse_toml(before, path)
        return cls(place, before, before.decode("utf-8-sig"))

    @property
    def data(self) -> TomlTable:
        """What the text says."""
        return parse_toml(self.text.encode(), self.path)

    @property
    def after(self) -> bytes:
        """The text as bytes, with a byte order mark when there was one."""
        mark = _BOM if (self.before or b"").startswith(_BOM.encode()) else ""
        return f"{mark}{self.text}".encode()

    @property
    def has_changes(self) -> bool:
        """Whether the text says, or looks, other than what was read."""
        return self.after != self.before

    def with_text(self, text: str) -> Draft:
        """Return a draft with another text."""
        return replace(self, text=text)

    def with_entry(self, path: KeyPath, value: str) -> Draft:
        """Return a draft with an entry put in, see :func:`cwtasks.manifests.editing.with_entry`.

        Raises:
            ManifestNotEditableError: it cannot be put in without changing something else.
        """
        with self._editing(path):
            return self.with_text(editing.with_entry(self.text, path, value))

    def without(self, path: KeyPath) -> Draft:
        """Return a draft with an entry or a table taken out, see :func:`cwtasks.manifests.editing.without`.

        Raises:
            ManifestNotEditableError: it cannot be taken out without changing something else.
        """
        with self._editing(path):
            return self.with_text(editing.without(self.text, path))

    def with_tables(self, tables: str, near: KeyPath) -> Draft:
        """Return a draft with whole tables put in, see :func:`cwtasks.manifests.editing.with_tables`.

        Raises:
            ManifestNotEditableError: they cannot be put in without changing something else.
        """
        with self._editing(near):
            return self.with_text(editing.with_tables(self.text, tables, near))

    @contextmanager
    def _editing(self, path: KeyPath) -> Iterator[None]:
        try:
            yield
        except editing.NotEditableError as error:
            raise ManifestNotEditableError(self.path, address(path)) from error

    def diff(self) -> str:
        """Return what writing would change, as a unified diff; empty when nothing."""
        from difflib import unified_diff
        from io import StringIO

        # Lines of TOML end with newlines only, whatever else Python takes for the end of a line.
        old, new = (list(StringIO(text, "\n")) for text in ((self.before or b"").decode("utf-8-sig"), self.text))
        name = shown_path(self.path)
        lines = unified_diff(old, new, "/dev/null" if self.before is None else name, name)
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def write(self) -> None:
        """Write the manifest, whole or not at all; nothing happens when there are no changes.

        Raises:
            ManifestChangedError: it is no longer what was read.
            ManifestNotWritableError: the system refuses.
        """
        if not self.has_changes:
            return
        try:
            if self.before is None:
                create_file(str(self.path), self.after)
            else:
                self._replace(self.before)
        except (FileExistsError, FileNotFoundError) as error:
            raise ManifestChangedError(self.path) from error
        except OSError as error:
            raise ManifestNotWritableError(self.path, error.strerror or str(error)) from error

    def _replace(self, before: bytes) -> None:
        # A file that nobody may write could still be replaced by whoever may write the folder; that is not meant.
        if not stat.S_IMODE(os.stat(self.path).st_mode) & 0o222:
            raise ManifestNotWritableError(self.path, "it is read-only")
        # Held while it is compared and replaced: two of us at once must not both find it unchanged.
        with self._held():
            if self.path.read_bytes() != before:
                raise ManifestChangedError(self.path)
            replace_file(str(self.path), self.after, is_durable=True)

    @contextmanager
    def _held(self) -> Iterator[None]:
        with open(self.path, "r+b") as file:
            if os.name == "posix":
                with locked(file.fileno()):
                    yield
                return
        # Windows gives no name to another file while this one is open.
        yield


class Scope(NamedTuple):
    """Which of the tables of a manifest are meant."""

    feature: str | None = None
    """Name of a feature; ``None`` for the top-level tables."""
    platform: str | None = None
    """Selector of a target; ``None`` for the table of the feature itself."""

    def inside(self, section: KeyPath) -> KeyPath:
        """Return the address of the feature or target, in the table that holds the workspace."""
        feature = ("feature", self.feature) if self.feature is not None else ()
        target = ("target", self.platform) if self.platform is not None else ()
        return (*section, *feature, *target)

    def options(self) -> Iterator[str]:
        """Yield the words that mean it on a command line."""
        if self.feature is not None:
            yield f"--feature {self.feature}"
        if self.platform is not None:
            yield f"--platform {self.platform}"


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit came to."""

    draft: Draft
    """The manifest with what was asked."""
    changed: tuple[str, ...] = ()
    """Dotted keys that were put in or taken out."""
    kept: tuple[str, ...] = ()
    """Dotted keys that were there already and say the same."""

    @property
    def has_changes(self) -> bool:
        """Whether there is something to write."""
        return self.draft.has_changes

    def written(self) -> Edit:
        """Write the manifest, and return the edit itself.

        Raises:
            ManifestChangedError: it is no longer what was read.
            ManifestNotWritableError: the system refuses.
        """
        self.draft.write()
        return self


def address(path: KeyPath) -> str:
    """Return an address as people are told it."""
    place = ""
    for key in path:
        place = dotted(place, key)
    return place
