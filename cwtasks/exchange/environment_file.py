"""Reading ``environment.yml``, with every mistake of it in one report.

Values are taken as they are written, never as what YAML makes of them: a version ``3.10`` is no number, and a variable
``yes`` is no truth value. Knows the format and YAML; writes nothing.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.exceptions import ManifestImportError, Mistake, WorkspaceParseError, nearest
from cwtasks.exchange.pip_lines import UnsaidError, parse_pip_line
from cwtasks.manifests.imported import Imported
from cwtasks.manifests.tables import parse_toml, read_bytes
from cwtasks.models import MatchSpec, without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cwtasks.models import PyPIDependency

KEYS = ("name", "channels", "dependencies", "variables", "prefix")
_NOTHING = frozenset(("", "~", "null", "Null", "NULL"))
_MAX_BYTES = 1024 * 1024


class EnvironmentFile(NamedTuple):
    """What a file says."""

    imported: Imported
    notes: tuple[str, ...]
    """What was passed over because it means nothing in a manifest, one line each."""
    losses: tuple[str, ...]
    """What it says and a manifest cannot, one line each."""


def read_environment_file(path: str | Path, *, root: str | Path | None = None) -> EnvironmentFile:
    """Read a file.

    Args:
        path: Of the file; folders it names are looked into for the names of the packages there.
        root: Folder from which paths are to be relative; ``None`` is that of the file.

    Raises:
        ManifestImportError: it cannot be read, is no YAML, or has mistakes; with every one of them.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ManifestImportError(path, f"cannot be read: {error.strerror or error}") from error
    if len(content) > _MAX_BYTES:
        raise ManifestImportError(path, f"expected at most {_MAX_BYTES} bytes, found more")
    folder = os.path.realpath(os.path.dirname(path))
    return parse_environment_file(content, path, folder=folder, root=folder if root is None else os.path.realpath(root))


def parse_environment_file(
    content: bytes, path: str | Path, *, folder: str | None = None, root: str | None = None
) -> EnvironmentFile:
    """Read the content of a file.

    Args:
        content: All of it.
        path: For errors.
        folder: Where paths in it start; ``None`` looks into no folder.
        root: Where they are to start; as for ``folder``.

    Raises:
        ManifestImportError: no YAML, or with mistakes; with every one of them.
    """
    reader = _Reader(folder, root)
    read = reader.read(_compose(content, path))
    if reader.mistakes:
        raise ManifestImportError(path, reader.mistakes)
    return read


def _compose(content: bytes, path: str | Path) -> Any:  # noqa: ANN401 - nodes of a library without types of its own
    """Return the node of the only document of a text: kinds, values as written, and lines.

    Raises:
        ManifestImportError: no YAML.
    """
    import yaml

    try:
        return yaml.compose(content.decode("utf-8-sig"), Loader=yaml.BaseLoader)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ManifestImportError(path, [Mistake(f"line {line}", "expected UTF-8, found other bytes")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}" if mark else ""
        raise ManifestImportError(path, [Mistake(place, error.problem or "no YAML")]) from None
    except yaml.YAMLError as error:
        raise ManifestImportError(path, str(error).partition("\n")[0]) from None
    except RecursionError:
        raise ManifestImportError(path, "lists or tables are nested too deeply") from None


class _Reader:
    """Walks the nodes of one document and notes mistakes with their lines."""

    def __init__(self, folder: str | None, root: str | None) -> None:
        self.folder = folder
        self.root = root
        self.mistakes: list[Mistake] = []
        self.notes: list[str] = []
        self.losses: list[str] = []
        self.conda: dict[str, MatchSpec] = {}
        self.pypi: dict[str, PyPIDependency] = {}

    def read(self, root: Any) -> EnvironmentFile:  # noqa: ANN401
        """Read the document."""
        table = {key: node for key, _, node in self._items(root, "")}
        for key in table:
            if key not in KEYS:
                likely = nearest(key, KEYS)
                self.notes.append(f"{key}: unknown key" + (f"; did you mean '{likely}'?" if likely else ""))
        if table and "dependencies" not in table and not self.mistakes:
            self.mistakes.append(Mistake("", "'dependencies' is missing", "is it an environment.yml?"))
        if "prefix" in table:
            self.notes.append("prefix: left out, a workspace has its environments in its own folder")
        channels = self._channels(table.get("channels"))
        for place, node in self._elements(table.get("dependencies"), "dependencies"):
            self._dependency(node, place)
        variables = {
            key: self._text(node, place) or "" for key, place, node in self._items(table.get("variables"), "variables")
        }
        name = self._text(table["name"], "name") if "name" in table else None
        imported = Imported(name, channels, self.conda, self.pypi, variables)
        return EnvironmentFile(imported, tuple(self.notes), tuple(self.losses))

    def _mistake(self, node: Any, place: str, fact: str, hint: str = "") -> None:  # noqa: ANN401
        line = f"line {node.start_mark.line + 1}" if node is not None else ""
        self.mistakes.append(Mistake(": ".join(part for part in (line, place) if part), fact, hint))

    def _kind(self, node: Any) -> str:  # noqa: ANN401
        if node is None or self._is_nothing(node):
            return "nothing"
        return {"scalar": "text", "sequence": "a list", "mapping": "a table"}[node.id]

    def _is_nothing(self, node: Any) -> bool:  # noqa: ANN401
        return node.id == "scalar" and node.style is None and node.value in _NOTHING

    def _text(self, node: Any, place: str) -> str | None:  # noqa: ANN401
        if self._is_nothing(node):
            return None
        if node.id != "scalar":
            self._mistake(node, place, f"expected text, found {self._kind(node)}")
            return None
        return str(node.value)

    def _elements(self, node: Any, place: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
        """Yield address and node of each element of a list; nothing counts as an empty one."""
        if node is None or self._is_nothing(node):
            return
        if node.id != "sequence":
            hint = f"write - {node.value}" if node.id == "scalar" and "://" not in node.value else ""
            self._mistake(node, place, f"expected a list, found {self._kind(node)}", hint)
            return
        yield from ((f"{place}[{index}]", item) for index, item in enumerate(node.value))

    def _items(self, node: Any, place: str) -> Iterator[tuple[str, str, Any]]:  # noqa: ANN401
        """Yield key, address and node of each entry of a table; nothing counts as an empty one, but not at the top."""
        if (node is None or self._is_nothing(node)) and place:
            return
        if node is None or node.id != "mapping":
            self._mistake(node, place, f"expected a table, found {self._kind(node)}")
            return
        seen = set()
        for key_node, value in node.value:
            key = key_node.value if key_node.id == "scalar" else ""
            if not key:
                self._mistake(key_node, place, "expected text as a key")
            elif key in seen:
                self._mistake(key_node, place, f"'{key}' is given twice", "keep one")
            else:
                seen.add(key)
                yield key, f"{place}.{key}" if place else key, value

    def _channels(self, node: Any) -> tuple[str, ...]:  # noqa: ANN401
        channels: dict[str, None] = {}
        for place, item in self._elements(node, "channels"):
            channel = self._text(item, place)
            if channel is None:
                if self._is_nothing(item):
                    self._mistake(item, place, "expected a channel, found nothing")
            elif channel == "nodefaults":
                self.notes.append("channels: 'nodefaults' is left out, a workspace asks no channel it does not name")
            else:
                public = without_credentials(channel)
                if public != channel:
                    self.notes.append(f"channels: the credentials of {public} are left out, keep them outside of files")
                channels[public] = None
        return tuple(channels)

    def _dependency(self, node: Any, place: str) -> None:  # noqa: ANN401
        if node.id == "mapping":
            for key, at, value in self._items(node, place):
                if key == "pip":
                    self._pip_lines(value, at)
                else:
                    self._mistake(value, at, f"'{key}' is not known here, expected 'pip'")
            return
        text = self._text(node, place)
        if text is None:
            if self._is_nothing(node):
                self._mistake(node, place, "expected a dependency, found nothing")
            return
        try:
            spec = MatchSpec(text)
        except ValueError:
            spec = None
        if spec is None or re.search(r"[\[\]:]", spec.version or ""):
            self._mistake(node, place, f"'{without_credentials(text)}' is no dependency of conda", _SPEC_HINT)
            return
        if not re.fullmatch(r"[a-z0-9_.-]+", spec.name):
            self._mistake(node, place, f"'{spec.name}' is no name of a package", _SPEC_HINT)
        elif (merged := _merged(self.conda.get(spec.name), spec)) is None:
            self._mistake(node, place, f"'{spec.name}' is asked for twice", "make one line of the two")
        else:
            self.conda[spec.name] = merged

    def _pip_lines(self, node: Any, place: str) -> None:  # noqa: ANN401
        for at, item in self._elements(node, place):
            text = self._text(item, at)
            if text is None:
                continue
            try:
                dependency = self._moved(parse_pip_line(text, name_at=self._name_at))
            except UnsaidError as error:
                self.losses.append(f"{at}: {without_credentials(text)} ({error})")
                continue
            except ValueError as error:
                self._mistake(item, at, str(error))
                continue
            if dependency.name in self.pypi:
                self._mistake(item, at, f"'{dependency.name}' is asked for twice", "make one line of the two")
            self.pypi[dependency.name] = dependency

    def _name_at(self, path: str) -> str | None:
        """Return what the project in a folder calls itself."""
        if self.folder is None:
            return None
        place = os.path.join(self.folder, path, "pyproject.toml")
        with suppress(OSError, WorkspaceParseError):
            project = parse_toml(read_bytes(place), place).get("project")
            name = project.get("name") if isinstance(project, dict) else None
            return name if isinstance(name, str) and name else None
        return None

    def _moved(self, dependency: PyPIDependency) -> PyPIDependency:
        """Return a dependency with its path as it is from where the manifest will be."""
        path = dependency.path
        if path is None or self.folder is None or self.folder == self.root or os.path.isabs(path):
            return dependency
        moved = os.path.relpath(os.path.join(self.folder, path), self.root).replace(os.sep, "/")
        return dependency._replace(path=moved if moved.startswith(".") else f"./{moved}")


_SPEC_HINT = "write it as name, name >=1.2,<2, name=1.2=build or channel::name"


def _merged(known: MatchSpec | None, spec: MatchSpec) -> MatchSpec | None:
    """Return one spec for two of a package; ``None`` where that would take more than joining their versions."""
    if known is None or known == spec:
        return spec
    fields = [
        {name: value for name in MatchSpec.FIELD_NAMES if (value := one.get_raw_value(name)) is not None}
        for one in (known, spec)
    ]
    for one, other in (fields, fields[::-1]):
        if all(other.get(name) == value for name, value in one.items()):
            return MatchSpec(None, **other)
    if any(one.keys() - {"name", "version"} or "|" in str(one["version"]) for one in fields):
        return None
    return MatchSpec(f"{spec.name} {fields[0]['version']},{fields[1]['version']}")
