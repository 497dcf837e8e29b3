"""Which files of a workspace go into its archive, and why the others do not.

Inside a git work tree, what git tracks; elsewhere whatever is not ignored by a ``.gitignore``. What holds secrets or
can be made again stays out in any case; then the manifest's patterns decide. Reads names of files, never their content
but that of ``.gitignore`` and of what looks like a receipt.
"""

from __future__ import annotations

import fnmatch
import os
import re
from contextlib import suppress
from posixpath import normpath
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize

from cwtasks.archive.errors import ControlCharacterError, FileChangedError, NotUnicodeNameError
from cwtasks.archive.names import RECEIPT_SUFFIX, SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from pathspec import RegexPattern

    from cwtasks.models.workspace import ArchiveConfig

MADE_AGAIN = (".git", ".hg", ".svn", "__pycache__", ".pixi", ".conda/envs", ".conda/cwtasks")
"""Folders that stay out at any depth."""
MADE_AGAIN_UNTRACKED = (".venv", "node_modules", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache")
"""Likewise where no git says that somebody wants them in."""
SENSITIVE = (
    *(".env", ".env.*", ".aws", ".azure", ".config/gcloud", ".docker", ".gnupg", ".kube", ".ssh", ".terraform"),
    *(".condarc", ".git-credentials", ".netrc", ".npmrc", ".pypirc", "id_dsa", "id_ecdsa", "id_ed25519", "id_rsa"),
    *("kubeconfig", "secrets", "secrets.*", ".conda/workspace.lock", "*.kubeconfig", "*.key", "*.keystore", "*.jks"),
    *("*.p12", "*.pem", "*.pfx", "*.secret", "*.secrets", "*.tfstate", "*.tfstate.*"),
)
"""Files and folders that hold secrets, at any depth; no pattern brings them back."""
HARMLESS = (".env.dist", ".env.example", ".env.sample", ".env.template")
"""Names that look like one of these and are meant to be shared."""

_UNKNOWN_BYTE = re.compile("[\ud800-\udfff]")
_PREDICATE = b"workspace-archive-receipt"


class LeftOut(NamedTuple):
    """A file that does not go in."""

    name: str
    """Below the workspace; a folder's with a slash at its end."""
    reason: str


class Selection(NamedTuple):
    """What goes in."""

    names: Sequence[str]
    """Files and links below the workspace, in POSIX form, sorted by their UTF-8 bytes, each once."""
    folders: Sequence[str]
    """Empty folders, likewise."""
    left_out: Sequence[LeftOut]
    """What was looked at and does not go in; what git does not track only where it was asked for."""
    warnings: Sequence[str]


def select(
    root: str,
    config: ArchiveConfig,
    *,
    always: Collection[str] = (),
    outputs: Collection[str] = (),
    workspace_name: str = "",
    envs_dir: str = ".conda/envs",
    is_thorough: bool = False,
) -> Selection:
    """Choose the files of a workspace.

    Args:
        root: Of the workspace, absolute, links resolved.
        config: Include and exclude patterns: those of fnmatch, for the path or any folder above it; ``*`` matches
            slashes too.
        always: Names that are looked at whether git tracks them or not: manifest and lock.
        outputs: Absolute paths that are about to be written.
        workspace_name: How archives of this workspace are called by default.
        envs_dir: Where environments are, relative to the root.
        is_thorough: Whether to look for files that git tracks and somebody deleted, and to name those it does not
            track among what is left out.

    Raises:
        NothingTrackedError: git tracks nothing here.
        GitError: git does not say what it tracks.
        FileChangedError: a folder cannot be read.
        ControlCharacterError: a name has a line break in it.
        NotUnicodeNameError: one that would go in is not UTF-8.
    """
    from cwtasks.archive import tracked

    found = tracked.files(root, is_thorough=is_thorough) if tracked.has_git(root) else None
    names: Sequence[str]
    folders: Sequence[str] = ()
    warnings: Sequence[str] = ()
    if found is None:
        walk = _Walk(root, _folders(*MADE_AGAIN, *MADE_AGAIN_UNTRACKED, envs_dir))
        names, folders, left_out = walk.names, walk.folders, walk.left_out
        left_out += _own_files(root, names, workspace_name)
    else:
        names, warnings = found.names, found.warnings
        left_out = [LeftOut(*left) for left in found.left_out]
    listed = set(names)
    others = (name for name in always if name not in listed and os.path.lexists(os.path.join(root, name)))
    candidates = sorted([*names, *others])
    check_lines([*candidates, *folders])
    left_out = [*(LeftOut(name, "is written anew") for name in _below(root, outputs)), *left_out]
    left_out += _built_in(candidates, _folders(*MADE_AGAIN, envs_dir))
    kept, refused = _chosen(candidates, config, {left.name for left in left_out} - set(always))
    kept_folders, refused_folders = _chosen(sorted(folders), config, {left.name[:-1] for left in left_out})
    _check_unicode([*kept, *kept_folders])
    left_out += [*refused, *refused_folders]
    inside = {*kept, *(f"{name}/" for name in kept_folders)}
    # Of several reasons the first found is the one to know.
    reasons = {left.name: left for left in reversed(left_out) if left.name not in inside}
    return Selection(kept, kept_folders, sorted(reasons.values()), warnings)


def check_lines(names: Iterable[str]) -> None:
    """Refuse names that hold a line break, before they are looked at as lines.

    Raises:
        ControlCharacterError: one does.
    """
    if "\n" in "".join(names):
        raise ControlCharacterError(next(name for name in names if "\n" in name))


def _check_unicode(names: Sequence[str]) -> None:
    """Refuse names of other bytes than UTF-8, for which a tar stream has no way to say them."""
    try:
        "".join(names).encode()
    except UnicodeEncodeError as error:
        name = next(name for name in names if not name.isascii() and _UNKNOWN_BYTE.search(name))
        raise NotUnicodeNameError(os.fsencode(name).decode("utf-8", "backslashreplace")) from error


def _folders(*names: str) -> tuple[str, ...]:
    """Return those that are below the workspace, each once."""
    below = (normpath(name) for name in names if not name.startswith("~"))
    return tuple(dict.fromkeys(name for name in below if not name.startswith(("/", "..")) and name != "."))


def _below(root: str, paths: Iterable[str]) -> Iterator[str]:
    beginning = os.path.join(root, "")
    for path in paths:
        place = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if place.startswith(beginning) and os.path.lexists(place):
            yield place[len(beginning) :].replace(os.sep, "/")


def _built_in(names: Sequence[str], made_again: Iterable[str]) -> Iterator[LeftOut]:
    """Yield what stays out whatever patterns say."""
    harmless = set(matching(HARMLESS, names, anywhere=True, folds=True))
    for index in matching(SENSITIVE, names, anywhere=True, folds=True):
        if index not in harmless:
            yield LeftOut(names[index], "may hold secrets")
    for index in matching(made_again, names, anywhere=True):
        yield LeftOut(names[index], "can be made again")


def _chosen(names: Sequence[str], config: ArchiveConfig, without: Collection[str]) -> tuple[list[str], list[LeftOut]]:
    left_out = []
    if config.include:
        included = set(matching(config.include, names))
        left_out += [LeftOut(name, "no include pattern matches") for at, name in enumerate(names) if at not in included]
    for pattern in config.exclude:
        left_out += [LeftOut(names[index], f"exclude pattern '{pattern}'") for index in matching([pattern], names)]
    refused = {left.name for left in left_out}
    refused.update(without)
    kept = [name for name in names if name not in refused] if refused else list(names)
    return kept, [left for left in left_out if left.name not in without]


def matching(
    patterns: Iterable[str], names: Sequence[str], *, anywhere: bool = False, folds: bool = False
) -> list[int]:
    """Return the indices of names that a pattern matches, as a whole or in a folder above them.

    Args:
        patterns: Of fnmatch.
        names: In POSIX form.
        anywhere: Whether a pattern may begin at any folder, and ``*`` stops at slashes.
        folds: Whether letters of the other case, and written otherwise in Unicode, count as equal.
    """
    if not names:
        return []
    text = "\n".join(names)
    if folds:
        text = normalize("NFC", text).casefold()
    # Looking for the longest plain part in all names at once spares nearly all the work.
    possible = [pattern for pattern in patterns if _plain_part(pattern) in text]
    if not possible:
        return []
    lines = text.split("\n")
    found: set[int] = set()
    for pattern in possible:
        plain, match = _plain_part(pattern), _matcher(pattern, anywhere=anywhere)
        found.update(index for index, name in enumerate(lines) if plain in name and match(name))
    return sorted(found)


def _plain_part(pattern: str) -> str:
    return max(re.split(r"[*?]|\[!?.[^\]]*\]", pattern), key=len)


def _matcher(pattern: str, *, anywhere: bool) -> Callable[[str], object]:
    body = fnmatch.translate(pattern)[:-2]  # without the end of the text, which is \Z or, from Python 3.14 on, \z
    if not anywhere:
        return re.compile(rf"{body}(?:/|\Z)").match
    return re.compile(rf"(?:^|/){body.replace('.*', '[^/]*')}(?:/|\Z)").search


def _own_files(root: str, names: Iterable[str], workspace_name: str) -> Iterator[LeftOut]:
    """Yield archives of this workspace, and receipts with the archive beside them."""
    listed = set(names)
    for name in sorted(listed):
        if not (name.endswith((RECEIPT_SUFFIX, *SUFFIXES)) and os.path.isfile(os.path.join(root, name))):
            continue  # a link to a FIFO must not make us wait
        if name.endswith(RECEIPT_SUFFIX) and _is_receipt(os.path.join(root, name)):
            yield LeftOut(name, "is the receipt of an archive")
            if (archive := name.removesuffix(RECEIPT_SUFFIX)) in listed:
                yield LeftOut(archive, "is an archive of a workspace")
        elif name.endswith(tuple(SUFFIXES)) and _is_archive(root, name, workspace_name):
            yield LeftOut(name, "is an archive of a workspace")


def _is_receipt(path: str) -> bool:
    from base64 import b64encode

    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError:
        return False
    # Signed, the same statement stands there in base64, whose letters depend on where in it the word begins.
    signed = (b64encode(b" " * shift + _PREDICATE)[4:-4] for shift in range(3))
    return _PREDICATE in content or (b'"payloadType"' in content and any(word in content for word in signed))


def _is_archive(root: str, name: str, workspace_name: str) -> bool:
    from cwtasks.archive.index import read_index

    if name in {workspace_name + suffix for suffix in SUFFIXES}:
        return True
    try:
        descriptor = os.open(os.path.join(root, name), os.O_RDONLY)
    except OSError:
        return False
    try:
        return read_index(descriptor) is not None
    finally:
        os.close(descriptor)


class _Line(NamedTuple):
    """A line of a ``.gitignore``."""

    pattern: RegexPattern
    is_bare: bool
    """Whether it is for names in any folder."""
    is_tree: bool
    """Whether it is for all below a folder, and not for itself."""
    end: str
    """A slash where it is for folders only."""

    def speaks_of(self, name: str) -> bool:
        """Say whether it is for this very name, and not only for a folder above it, which was asked about before."""
        found = self.pattern.match_file(name[name.rfind("/", 0, -1) + 1 :] if self.is_bare else name)
        if found is None or self.is_bare:
            return found is not None
        rest = name[found.match.end() :]
        return rest != "" and rest.endswith(self.end) if self.is_tree else rest == ""


class _Walk:
    """A folder and all below it, as far as no ``.gitignore`` and no built-in rule leaves it out."""

    def __init__(self, root: str, made_again: Collection[str]) -> None:
        self.names: list[str] = []
        self.folders: list[str] = []
        self.left_out: list[LeftOut] = []
        self._root = root
        self._made_again = made_again
        self._walk()

    def _walk(self) -> None:
        todo: list[tuple[str, tuple[tuple[str, list[_Line]], ...]]] = [("", ())]
        while todo:
            folder, rules = todo.pop()
            try:
                with os.scandir(os.path.join(self._root, folder)) as entries:
                    listed = list(entries)
            except OSError as error:
                raise FileChangedError(folder or ".", error.strerror or str(error)) from error
            if any(entry.name == ".gitignore" for entry in listed):
                rules = ((folder, _read_rules(os.path.join(self._root, folder, ".gitignore"))), *rules)
            if folder and not listed:
                self.folders.append(folder)
            for entry in listed:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if self._is_kept(name, entry, rules):
                    if entry.is_dir(follow_symlinks=False):
                        todo.append((name, rules))
                    else:
                        self.names.append(name)

    def _is_kept(self, name: str, entry: os.DirEntry[str], rules: Iterable[tuple[str, list[_Line]]]) -> bool:
        is_folder = entry.is_dir(follow_symlinks=False)
        shown = f"{name}/" if is_folder else name
        if is_folder and any(name == made or name.endswith(f"/{made}") for made in self._made_again):
            self.left_out.append(LeftOut(shown, "can be made again"))
        elif _is_ignored(shown, rules):
            self.left_out.append(LeftOut(shown, "ignored by .gitignore"))
        elif not (is_folder or entry.is_symlink() or entry.is_file(follow_symlinks=False)):
            self.left_out.append(LeftOut(shown, "is neither file nor folder nor link"))
        else:
            return True
        return False


def _is_ignored(name: str, rules: Iterable[tuple[str, list[_Line]]]) -> bool:
    """Ask the rules from the nearest folder up; the last line that says something of this very name decides."""
    for folder, lines in rules:
        below = name[len(folder) + 1 :] if folder else name
        for line in lines:
            if line.speaks_of(below):
                return bool(line.pattern.include)
    return False


def _read_rules(path: str) -> list[_Line]:
    """Return the lines of a ``.gitignore``, the last first."""
    from pathspec import GitIgnoreSpec

    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            texts = file.read().split("\n")
    except OSError:
        return []
    lines = []
    for text in texts:
        with suppress(ValueError):
            # A whole specification would prefer what is said of files to what is said later of folders above them.
            lines += [_line(text.strip(), pattern) for pattern in GitIgnoreSpec.from_lines([text]).patterns]
    return lines[::-1]


def _line(text: str, pattern: RegexPattern) -> _Line:
    shown = text.removeprefix("!").rstrip("/")
    return _Line(pattern, "/" not in shown or shown == "/**", shown.endswith("/**"), "/" if text.endswith("/") else "")
