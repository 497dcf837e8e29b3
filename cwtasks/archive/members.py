"""Which names, types and links of members are safe, alone and together.

Names are judged by what they would mean on any system, so that an archive is either good everywhere or nowhere.
Knows no disk: it keeps a picture of the tree that the members make, and follows links in that.

A whole archive may have ``./`` before all its names, as ``tar -cf x.tar .`` makes it. The first member decides: if it
is ``.`` or starts with ``./``, every name and every target of a hard link must, and the prefix is taken off; if it
does not, none may.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import normalize

from cwtasks.archive import errors
from cwtasks.archive.limits import ArchiveLimits, Budget
from cwtasks.archive.tarstream import FILE, FOLDER, HARD_LINK, SYMLINK, Header

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_DRIVE = re.compile(r"[A-Za-z]:")
_NOT_PORTABLE = re.compile(r'[<>:"|?*]')
_DEVICE = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[1-9\u00b9\u00b2\u00b3]) *(?:\..*)?", re.IGNORECASE | re.DOTALL
)
_DEVICE_BETWEEN = re.compile(r"[/\n](?:con|prn|aux|nul|com[1-9]|lpt[1-9])[./\n]")
_PLAIN_BYTES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-/\n"
# Most names are this plain: they cannot break a rule, for none is about such characters in such places.
_PLAIN = re.compile(r"(?!con|prn|aux|nul|com|lpt)[a-z0-9_+\-](?:[a-z0-9_.+\-]*[a-z0-9_+\-])?", re.IGNORECASE | re.ASCII)


def check_name(name: str, limits: ArchiveLimits | None = None) -> None:
    """Judge a name by itself.

    Args:
        name: Relative, with slashes.
        limits: What is allowed.

    Raises:
        MemberRefusedError: In the subclass of the rule it breaks.
    """
    limits = limits or ArchiveLimits()
    _check_start(name)
    if len(name.encode()) > limits.path_bytes:
        raise errors.LongPathError(name)
    parts = name.split("/")
    if len(parts) > limits.path_depth:
        raise errors.DeepPathError(name)
    for part in parts:
        _check_part(name, part, limits)


def _check_start(name: str) -> None:
    if _CONTROL.search(name):
        raise errors.ControlCharacterError(name)
    if "\\" in name:
        raise errors.BackslashNameError(name)
    if name.startswith("/"):
        raise errors.AbsoluteNameError(name)
    if _DRIVE.match(name):
        raise errors.DriveNameError(name)


def _check_part(name: str, part: str, limits: ArchiveLimits) -> None:
    if part == "..":
        raise errors.ParentNameError(name)
    if part in {"", "."}:
        raise errors.NotCanonicalNameError(name)
    if len(part.encode()) > limits.component_bytes:
        raise errors.LongComponentError(name)
    if part[-1] in ". ":
        raise errors.TrailingCharacterError(name, part)
    if found := _NOT_PORTABLE.search(part):
        raise errors.NotPortableNameError(name, found[0])
    if _DEVICE.fullmatch(part):
        raise errors.DeviceNameError(name, part)


def folded(name: str) -> str:
    """Return what a name is to a system that ignores case and Unicode normalisation."""
    return name.lower() if name.isascii() else normalize("NFC", normalize("NFC", name).casefold())


class MemberRules:
    """Admits the members of one archive one after the other.

    Attributes:
        links: Target by name of every symlink admitted so far.
    """

    def __init__(self, limits: ArchiveLimits | None = None) -> None:
        self.links: dict[str, str] = {}
        self._limits = limits or ArchiveLimits()
        # No name this short can break a limit of length or depth.
        self._short = min(self._limits.path_bytes // 4, self._limits.component_bytes, 2 * self._limits.path_depth - 1)
        self._entries = Budget("members and implied folders", self._limits.members)
        self._dotted: bool | None = None
        self._root_seen = False
        self._kinds: dict[str, str] = {}  # by name
        self._names: dict[str, str] = {}  # by folded name
        self._implied: set[str] = set()  # folders that no member of their own has made yet

    def admit(self, header: Header) -> Header | None:
        """Judge the next member.

        Args:
            header: As the tar stream has it.

        Returns:
            The header with its clean name (and a hard link's clean target); ``None`` for the root folder itself.

        Raises:
            MemberRefusedError: In the subclass of the rule it breaks.
            LimitExceededError: If there are too many.
        """
        name = self._undotted(header.name, header.name)
        if name == ".":
            if header.kind != FOLDER:
                raise errors.NotCanonicalNameError(header.name)
            if self._root_seen:
                raise errors.DuplicateMemberError(header.name)
            self._root_seen = True
            return None
        if len(name) > self._short or not _PLAIN.fullmatch(name.rpartition("/")[2]):
            check_name(name, self._limits)
        folder = name.rpartition("/")[0]
        if folder and self._kinds.get(folder) != FOLDER:
            check_name(name, self._limits)
            self._imply(folder, name)
        self._register(name, header.kind)
        if name != header.name:
            header = header._replace(name=name)
        if header.kind == SYMLINK:
            self._check_target(name, header.linkname)
            self.links[name] = header.linkname
        elif header.kind == HARD_LINK:
            target = self._hard_target(name, header.linkname)
            header = header._replace(linkname=target)
        return header

    def check_links(self) -> None:
        """Follow every symlink through the whole tree, once all members are admitted.

        Raises:
            MemberRefusedError: If one leads out, in a circle, or grows too long.
        """
        for name in self.links:
            self._follow(name)

    def _undotted(self, name: str, member: str) -> str:
        dotted = name in {".", "./"} or name.startswith("./")
        if self._dotted is None:
            self._dotted = dotted
        if dotted != self._dotted:
            raise errors.NotCanonicalNameError(member)
        return (name[2:] or ".") if dotted and name != "." else name

    def _imply(self, folder: str, member: str) -> None:
        """Register the folders that a name implies."""
        at = -1
        while True:
            at = folder.find("/", at + 1)
            parent = folder if at < 0 else folder[:at]
            kind = self._kinds.get(parent)
            if kind == SYMLINK:
                raise errors.BelowLinkError(member, parent)
            if kind not in {None, FOLDER}:
                raise errors.BelowFileError(member, parent)
            if kind is None:
                self._register(parent, FOLDER, member)
                self._implied.add(parent)
            if at < 0:
                return

    def _register(self, name: str, kind: str, member: str = "") -> None:
        if name in self._kinds:
            if kind != FOLDER or name not in self._implied:
                raise errors.DuplicateMemberError(name)
            self._implied.discard(name)
            return
        self._entries.spend(member=member or name)
        known = self._names.setdefault(folded(name), name)
        if known != name:
            raise errors.NameCollisionError(member or name, known)
        self._kinds[name] = kind

    def _check_target(self, name: str, target: str) -> None:
        if target.startswith("/") or _DRIVE.match(target):
            raise errors.AbsoluteLinkError(name, target)
        if not target or "\\" in target or _CONTROL.search(target) or len(target.encode()) > self._limits.path_bytes:
            raise errors.LinkTargetError(name, target[:200])

    def _hard_target(self, name: str, linkname: str) -> str:
        dotted = linkname.startswith("./")
        target = linkname[2:] if dotted else linkname
        if dotted != self._dotted or self._kinds.get(target) not in {FILE, HARD_LINK} or target == name:
            raise errors.HardLinkError(name, linkname)
        return target

    def _follow(self, name: str) -> None:
        """Resolve one link as a system would, but in the picture of the tree, and never out of it."""
        target = self.links[name]
        place = name.split("/")[:-1]
        todo = [part for part in reversed(target.split("/")) if part not in {"", "."}]
        hops = 1
        while todo:
            part = todo.pop()
            if part == "..":
                if not place:
                    raise errors.EscapingLinkError(name, target)
                place.pop()
                continue
            place.append(part)
            known = self._names.get(folded("/".join(place)))
            further = self.links.get(known) if known else None
            if further is None:
                continue
            place.pop()
            hops += 1
            if hops > self._limits.link_hops:
                raise errors.LinkCycleError(name, target)
            todo.extend(part for part in reversed(further.split("/")) if part not in {"", "."})
            # Systems refuse to look further once the path grows too long, and what they do then has been an attack.
            if _length(place) + _length(todo) > self._limits.path_bytes:
                raise errors.LinkExpansionError(name)


def _length(parts: list[str]) -> int:
    return sum(len(part.encode()) + 1 for part in parts)


def check_tree(
    names: Sequence[str],
    links: Mapping[str, str],
    *,
    folders: Sequence[str] = (),
    limits: ArchiveLimits | None = None,
) -> None:
    """Judge the names and links of a whole tree, as :class:`MemberRules` would one after the other.

    Args:
        names: Of files and links, each once, sorted.
        links: Target of each link, by name.
        folders: Names of empty folders.
        limits: What is allowed.

    Raises:
        MemberRefusedError: In the subclass of the rule that is broken.
        LimitExceededError: If there are too many.
    """
    limits = limits or ArchiveLimits()
    if not links and _is_plain_tree([*names, *folders], limits):
        return
    rules = MemberRules(limits)
    for name in folders:
        rules.admit(Header(name, FOLDER, 0o755, 0, 0, ""))
    for name in names:
        target = links.get(name)
        kind = FILE if target is None else SYMLINK
        rules.admit(Header(name, kind, 0o644, 0, 0, target or ""))
    rules.check_links()


def _is_plain_tree(names: Sequence[str], limits: ArchiveLimits) -> bool:
    """Say whether names are so plain that no rule can concern them, looking at all of them at once."""
    text = "\n".join(["", *names, ""])
    if not text.isascii() or text.encode().translate(None, _PLAIN_BYTES):
        return False
    if any(wrong in text for wrong in ("//", "./", ".\n", "/\n", "\n/", "\n\n")):
        return False
    lowered = text.lower()
    lowered_names = lowered.split("\n")[1:-1]
    # A name may hold a line break itself.
    if _DEVICE_BETWEEN.search(lowered) or len(lowered_names) != len(names):
        return False
    folders = _folders_of(names)
    return (
        len(names) + len(folders) <= limits.members
        and max(map(len, names), default=0) <= min(limits.component_bytes, limits.path_bytes)
        and max((folder.count("/") for folder in folders), default=0) < limits.path_depth - 1
        and _are_distinct(folders, lowered_names)
    )


def _folders_of(names: Sequence[str]) -> set[str]:
    """Return all folders that names imply."""
    nearest = {name.rpartition("/")[0] for name in names}
    every = set(nearest)
    for folder in nearest:
        while "/" in folder and (folder := folder.rpartition("/")[0]) not in every:
            every.add(folder)
    every.discard("")
    return every


def _are_distinct(folders: set[str], lowered_names: Sequence[str]) -> bool:
    """Say whether no two names or folders are the same to a system that ignores case."""
    lowered = {folder.lower() for folder in folders}
    distinct = set(lowered_names)
    return len(distinct) == len(lowered_names) and len(lowered) == len(folders) and lowered.isdisjoint(distinct)
