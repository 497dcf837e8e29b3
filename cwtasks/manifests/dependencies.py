"""Dependencies and channels: from what a manifest says to specs.

Knows how specs are written, and the pool that ``{ workspace = true }`` takes from. Knows no package, no server, and
nothing of how the specs of several features come together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from cwtasks.exceptions import suggestion
from cwtasks.manifests.tables import Report, TomlTable, dotted, toml_text
from cwtasks.models import Channel, MatchSpec, PyPIDependency, without_credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from cwtasks.models import DialectName

CONDA_FIELDS = {
    "build": "build",
    "build-number": "build_number",
    "build_number": "build_number",
    "channel": "channel",
    "subdir": "subdir",
    "md5": "md5",
    "sha256": "sha256",
    "url": "url",
    "fn": "fn",
    "file-name": "fn",
    "license": "license",
    "license-family": "license_family",
    "license_family": "license_family",
    "features": "features",
    "track-features": "track_features",
    "track_features": "track_features",
}
"""Key of a detailed spec to the field of a match spec, except ``version``."""
SOURCE_KEYS = ("branch", "extras", "flags", "git", "path", "rev", "subdirectory", "tag")
"""Keys that only pixi understands; most say that the package is built from source."""
CONDA_KEYS = frozenset((*CONDA_FIELDS, *SOURCE_KEYS, "version", "when", "lfs", "workspace"))
PYPI_TEXTS = ("path", "git", "url", "branch", "tag", "rev", "subdirectory")
PYPI_KEYS = frozenset((*PYPI_TEXTS, "version", "extras", "editable", "index", "env-markers", "lfs"))
CHANNEL_KEYS = ("channel", "priority", "exclude-newer")


class PoolEntry(NamedTuple):
    """One entry of ``[workspace.dependencies]``."""

    spec: MatchSpec
    refused: tuple[str, ...]
    """Its keys that cannot be inherited in the conda dialect."""


class DependencyReader:
    """Reads dependency tables and channels of one manifest."""

    def __init__(self, report: Report, *, dialect: DialectName, root: str) -> None:
        """Read into ``report``.

        Args:
            report: Where mistakes and warnings go.
            dialect: What may be inherited, and whether a plain version may carry a build, depend on it.
            root: Directory of the manifest; relative channels start there.
        """
        self.report = report
        self.dialect = dialect
        self.root = root
        self.pool: dict[str, PoolEntry] = {}

    def read_pool(self, raw: object, at: str) -> dict[str, MatchSpec]:
        """Read ``[workspace.dependencies]`` and keep it for :meth:`conda`."""
        for name, value in (self.report.table(raw, at) or {}).items():
            place = dotted(at, name)
            if isinstance(value, dict) and "workspace" in value:
                self.report.mistake(f"{place}.workspace", "an entry of the pool cannot inherit", "write its version")
            elif (spec := self._spec(name, value, place)) is not None:
                keys = value if isinstance(value, dict) else ()
                refused = tuple(key for key in keys if key in SOURCE_KEYS or key not in CONDA_KEYS)
                self.pool[name] = PoolEntry(spec, refused)
        return {name: entry.spec for name, entry in self.pool.items()}

    def conda(self, raw: object, at: str) -> dict[str, MatchSpec]:
        """Read a table of conda dependencies; an entry with mistakes is left out."""
        return self._each(raw, at, self._spec)

    def pypi(self, raw: object, at: str) -> dict[str, PyPIDependency]:
        """Read a table of PyPI dependencies; an entry with mistakes is left out."""
        return self._each(raw, at, self._pypi)

    def _each(self, raw: object, at: str, read: Callable[[str, object, str], Any]) -> dict[str, Any]:
        table = self.report.table(raw, at) or {}
        specs = {name: read(name, value, dotted(at, name)) for name, value in table.items()}
        return {name: spec for name, spec in specs.items() if spec is not None}

    def _spec(self, name: str, value: object, at: str) -> MatchSpec | None:
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
            self.report.mistake(at, f"'{without_credentials(name)}' is not a package name", _NAME_HINT)
            return None
        if isinstance(value, str):
            return self._match_spec(name, value, {}, at)
        if not isinstance(value, dict):
            hint = f'write "{toml_text(value)}"' if isinstance(value, (int, float)) else ""
            self.report.unexpected(at, value, "a version string or a table", hint)
            return None
        if "workspace" in value:
            return self._inherited(name, value, at)
        self.report.check_keys(value, CONDA_KEYS, at)
        version = self.report.text(value.get("version"), f"{at}.version") or ""
        return self._match_spec(name, version, self._fields(value, at), at)

    def _match_spec(self, name: str, version: str, fields: dict[str, Any], at: str) -> MatchSpec | None:
        if re.search(r"[\[\]:]", version):
            self.report.mistake(at, f"'{without_credentials(version)}' is not a version", _VERSION_HINT)
            return None
        try:
            plain = MatchSpec(f"{name} {version}")
            spec = plain.overlaid(**fields)
        except ValueError as error:
            self.report.mistake(at, without_credentials(str(error)))
            return None
        if self.dialect == "pixi" and plain.build:
            fact = f"'{version}' is a version and a build, expected a version"
            hint = f'write {{ version = "{plain.version}", build = "{plain.build}" }}'
            self.report.mistake(at, fact, hint)
        return spec

    def _fields(self, value: TomlTable, at: str) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for key, item in value.items():
            field = CONDA_FIELDS.get(key)
            if field is None:
                continue
            place = dotted(at, key)
            if field in {"features", "track_features"} and isinstance(item, list):
                fields[field] = self.report.texts(item, place)
            elif field == "build_number" and isinstance(item, int) and not isinstance(item, bool):
                fields[field] = str(item)
            else:
                fields[field] = self.report.text(item, place)
        return fields

    def _inherited(self, name: str, value: TomlTable, at: str) -> MatchSpec | None:
        entry = self.pool.get(name)
        before = len(self.report.mistakes)
        if value["workspace"] is not True:
            self.report.unexpected(f"{at}.workspace", value["workspace"], "true", "remove it, or write true")
        elif entry is None:
            hint = suggestion(name, self.pool, label="[workspace.dependencies]")
            self.report.mistake(at, f"'{name}' is not in [workspace.dependencies]", hint)
        self._check_consumer(value, at)
        if entry is not None and self.dialect == "conda" and entry.refused:
            keys = ", ".join(f"'{key}'" for key in entry.refused)
            self.report.mistake(
                at, f"[workspace.dependencies] gives {keys}, which cannot be inherited", "write it here"
            )
        if entry is None or len(self.report.mistakes) > before:
            return None
        return entry.spec.overlaid(**self._fields(value, at))

    def _check_consumer(self, value: TomlTable, at: str) -> None:
        refused = ("version", "url", *SOURCE_KEYS) if self.dialect == "pixi" else ("version", *SOURCE_KEYS)
        for key in value:
            place = dotted(at, key)
            if key in refused and not (self.dialect == "pixi" and key in {"extras", "flags"}):
                self.report.mistake(place, f"'{key}' cannot stand beside workspace = true", "remove one of the two")
            elif key not in CONDA_KEYS and self.dialect == "conda":
                self.report.mistake(place, "unknown key beside workspace = true", "remove it")
            elif key not in CONDA_KEYS:
                self.report.unknown_key(key, CONDA_KEYS, at)

    def _pypi(self, name: str, value: object, at: str) -> PyPIDependency | None:
        if isinstance(value, str):
            return PyPIDependency(name, "" if value.strip() == "*" else value)
        if not isinstance(value, dict):
            hint = f'write "=={toml_text(value)}"' if isinstance(value, (int, float)) else ""
            self.report.unexpected(at, value, "a version string or a table", hint)
            return None
        self.report.check_keys(value, PYPI_KEYS, at)
        version = self.report.text(value.get("version"), f"{at}.version") or ""
        texts = {key: self.report.text(value.get(key), f"{at}.{key}") for key in PYPI_TEXTS}
        return PyPIDependency(
            name,
            "" if version.strip() == "*" else version,
            tuple(self.report.texts(value.get("extras"), f"{at}.extras") or ()),
            editable=self.report.boolean(value.get("editable"), f"{at}.editable") or False,
            index_url=self.report.text(value.get("index"), f"{at}.index"),
            env_markers=self.report.text(value.get("env-markers"), f"{at}.env-markers"),
            **texts,
        )

    def channels(self, raw: object, at: str) -> list[Channel]:
        """Read an array of channels: names, URLs, directories, or tables with a ``priority``."""
        items = self.report.array(raw, at, "an array of channels") or ()
        read = [self._channel(item, f"{at}[{index}]") for index, item in enumerate(items)]
        return [channel for channel in read if channel is not None]

    def _channel(self, raw: object, at: str) -> Channel | None:
        if isinstance(raw, str):
            return self._located(raw, 0)
        if not isinstance(raw, dict):
            self.report.unexpected(at, raw, "a channel or a table")
            return None
        self.report.check_keys(raw, CHANNEL_KEYS, at)
        if "channel" not in raw:
            self.report.mistake(at, "'channel' is missing", 'add channel = "conda-forge"')
        value = self.report.text(raw.get("channel"), f"{at}.channel")
        priority = self.report.integer(raw.get("priority"), f"{at}.priority") or 0
        return None if value is None else self._located(value, priority)

    def _located(self, value: str, priority: int) -> Channel:
        if value.startswith(("./", "../")):
            root = self.root.replace("\\", "/")
            return Channel(f"{root}/{value.removeprefix('./')}", priority=priority)
        return Channel(value, priority=priority)


_VERSION_HINT = 'write a table: { version = "...", channel = "..." }'
_NAME_HINT = "use letters, digits, '_', '-' and '.'; a channel goes into the table: { channel = \"...\" }"


def parse_requirement(text: str) -> PyPIDependency | None:
    """Read one PEP 508 requirement, or return ``None`` when it is none.

    Splits it only: whether the specifier and the marker are well formed is for the installer to say.
    """
    found = re.match(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*(.*)$", text, re.DOTALL)
    if not found:
        return None
    name, rest = found[1], found[3].strip()
    extras = tuple(extra.strip() for extra in (found[2] or "").split(",") if extra.strip())
    if rest.startswith("@"):
        # Only a blank before ";" ends the URL: the sign itself may be part of it.
        location, _, marker = rest[1:].strip().partition(" ;")
        scheme, git, url = location.strip().partition("git+")
        dependency = PyPIDependency(name, extras=extras, env_markers=marker.strip() or None)
        return dependency._replace(git=url) if git and not scheme else dependency._replace(url=location.strip())
    spec, _, marker = rest.partition(";")
    spec = spec.strip().removeprefix("(").removesuffix(")")
    if spec and not re.match(r"[<>=!~]", spec):
        return None
    return PyPIDependency(name, spec.strip(), extras, env_markers=marker.strip() or None)
