"""What a manifest says of packages: channels and specs. Knows no solver, no server, no version order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


KNOWN_SUBDIRS = (
    "emscripten-wasm32",
    "freebsd-64",
    "linux-32",
    "linux-64",
    "linux-aarch64",
    "linux-armv6l",
    "linux-armv7l",
    "linux-ppc64",
    "linux-ppc64le",
    "linux-riscv64",
    "linux-s390x",
    "noarch",
    "osx-64",
    "osx-arm64",
    "wasi-wasm32",
    "win-32",
    "win-64",
    "win-arm64",
    "zos-z",
)
"""Every conda platform name a manifest may use."""


FieldValue = str | frozenset[str]
"""What a field of a match spec holds: text, or a set for ``features`` and ``track_features``."""


def without_credentials(url: str) -> str:
    """Return a URL without user, password and ``/t/<token>``: what may be shown or written.

    A path and a ``file:`` URL hold neither; a folder called ``t`` is a folder.
    """
    if "://" not in url or url.startswith("file:"):
        return url
    # Greedy up to the last "@" before the path: a password may hold one too, and half of it must not stay.
    return re.sub(r"/t/[^/]+", "", re.sub(r"(?<=://)[^/]*@", "", url))


class PyPIDependency(NamedTuple):
    """A dependency taken from a Python package index, a path, a repository or a URL."""

    name: str
    spec: str = ""
    """PEP 440 specifier; empty for any version."""
    extras: tuple[str, ...] = ()
    path: str | None = None
    editable: bool = False
    git: str | None = None
    url: str | None = None
    branch: str | None = None
    tag: str | None = None
    rev: str | None = None
    subdirectory: str | None = None
    """Where in the repository or archive the project is."""
    index_url: str | None = None
    """URL of the only index it may come from."""
    env_markers: str | None = None
    """PEP 508 marker: when it is needed; ``None`` for always."""

    def __str__(self) -> str:
        marker = f" ; {self.env_markers}" if self.env_markers else ""
        return f"{self._without_marker()}{marker}"

    def _without_marker(self) -> str:
        name = f"{self.name}[{','.join(self.extras)}]" if self.extras else self.name
        if self.git:
            return f"{name} @ git+{self.git}"
        if self.path:
            return f"{'-e ' if self.editable else ''}{name} @ {self.path}"
        return f"{name} @ {self.url}" if self.url else f"{name}{self.spec}"


class Channel:
    """Where packages come from: a name on the default server, a URL, or a directory.

    Equal by URL; a trailing slash does not matter.
    """

    __slots__ = ("base_url", "priority", "value")

    DEFAULT_SERVER: ClassVar[str] = "https://conda.anaconda.org"

    def __init__(self, value: str, *, priority: int = 0) -> None:
        """Accept a name, a URL or an absolute path.

        Args:
            value: As written in the manifest.
            priority: Pixi's channel priority; higher is asked first.
        """
        self.value = value
        self.priority = priority
        stripped = value.rstrip("/")
        if "://" in stripped:
            self.base_url = stripped
        elif stripped.startswith("/"):
            self.base_url = f"file://{stripped}"
        else:
            self.base_url = f"{self.DEFAULT_SERVER}/{stripped}"

    @property
    def public_url(self) -> str:
        """The URL without user, password and token: what may be shown or written."""
        return without_credentials(self.base_url)

    @property
    def canonical_name(self) -> str:
        """The bare name for channels of the default server, otherwise the public URL."""
        return self.public_url.removeprefix(f"{self.DEFAULT_SERVER}/")

    @property
    def name(self) -> str:
        """Short name for people."""
        return self.canonical_name

    def urls(self, *, with_credentials: bool = False, subdirs: Iterable[str] = ("noarch",)) -> list[str]:
        """Return one URL per subdir.

        Args:
            with_credentials: Keep user, password and token.
            subdirs: Conda subdirs, in order.
        """
        base = self.base_url if with_credentials else self.public_url
        return [f"{base}/{subdir}" for subdir in subdirs]

    def __str__(self) -> str:
        return self.public_url

    def __repr__(self) -> str:
        return f"Channel({self.canonical_name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Channel) and self.base_url == other.base_url

    def __hash__(self) -> int:
        return hash(self.base_url)


class MatchSpec:
    """Which packages satisfy a dependency: a name and constraints on the fields of a package.

    Holds what a manifest says, it does not match. Equal by fields; hashable.
    """

    __slots__ = ("_fields",)

    FIELD_NAMES: ClassVar[tuple[str, ...]] = (
        "name",
        "version",
        "build",
        "build_number",
        "channel",
        "subdir",
        "md5",
        "sha256",
        "url",
        "fn",
        "license",
        "license_family",
        "features",
        "track_features",
    )

    def __init__(self, text: str | None = None, **fields: object) -> None:
        """Parse ``name [version [build]]`` and its relatives, then apply ``fields`` over it.

        Args:
            text: For example ``zlib``, ``zlib >=1.2``, ``zlib=1.2``, ``conda-forge::zlib``, ``zlib[md5=…]``.
            **fields: Names of :attr:`FIELD_NAMES`; ``None`` and empty text are skipped.

        Raises:
            ValueError: no name, an unknown field, or unbalanced brackets.
        """
        values = _parse_match_spec(text) if text is not None else {}
        for name, value in fields.items():
            if name not in self.FIELD_NAMES:
                raise ValueError(f"unknown field '{name}' of a match spec")
            if value is not None and value != "":
                values[name] = _normalise_field(name, value)
        if not values.get("name"):
            raise ValueError("a match spec needs a name")
        self._fields: tuple[tuple[str, FieldValue], ...] = tuple(
            (name, values[name]) for name in self.FIELD_NAMES if name in values
        )

    def overlaid(self, **fields: object) -> MatchSpec:
        """Return a copy in which the given fields replace ours.

        Args:
            **fields: As for the constructor; ``None`` and empty text keep our value.

        Raises:
            ValueError: an unknown field.
        """
        given = {name: value for name, value in fields.items() if value is not None and value != ""}
        return MatchSpec(None, **{**dict(self._fields), **given})

    def get_raw_value(self, field_name: str) -> FieldValue | None:
        """Return the value of one field, or ``None``: text, or a frozenset for feature sets."""
        return dict(self._fields).get(field_name)

    def get_exact_value(self, field_name: str) -> FieldValue | None:
        """Return the value of one field when it allows only that value, otherwise ``None``."""
        value = self.get_raw_value(field_name)
        if isinstance(value, str) and re.search(r"[*<>=!~,|^ ]", value.removeprefix("==")):
            return None
        return value.removeprefix("==") if isinstance(value, str) else value

    @property
    def name(self) -> str:
        """Package name, lower case."""
        return str(self.get_raw_value("name"))

    @property
    def version(self) -> str | None:
        """Version constraint as written, or ``None``."""
        return self._text("version")

    @property
    def build(self) -> str | None:
        """Build string constraint, or ``None``."""
        return self._text("build")

    def _text(self, field_name: str) -> str | None:
        value = self.get_raw_value(field_name)
        return value if isinstance(value, str) else None

    def conda_build_form(self) -> str:
        """Return ``name version build``; ``*`` stands for a missing version before a build."""
        version = self.version or ("*" if self.build else None)
        return " ".join(part for part in (self.name, version, self.build) if part)

    def __str__(self) -> str:
        extra = [(name, value) for name, value in self._fields if name not in {"name", "version", "build", "channel"}]
        channel = self.get_raw_value("channel")
        text = (f"{channel}::" if channel else "") + self.conda_build_form()
        brackets = ",".join(
            f"{name}={' '.join(sorted(value)) if isinstance(value, frozenset) else value}" for name, value in extra
        )
        return f"{text}[{brackets}]" if brackets else text

    def __repr__(self) -> str:
        return f"MatchSpec({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MatchSpec) and self._fields == other._fields

    def __hash__(self) -> int:
        return hash(self._fields)


def _normalise_field(name: str, value: object) -> FieldValue:
    if name == "name":
        return str(value).lower()
    if name in {"license", "license_family"}:
        return str(value).lower()
    if name == "channel":
        return str(value if isinstance(value, Channel) else Channel(str(value)))
    if name in {"features", "track_features"}:
        names = value if isinstance(value, (list, tuple, set, frozenset)) else str(value).replace(",", " ").split()
        return frozenset(map(str, names))
    return str(value)


def _parse_match_spec(text: str) -> dict[str, FieldValue]:
    """Split match-spec text into fields; the grammar is conda's, as far as manifests use it."""
    values: dict[str, FieldValue] = {}
    rest = text.strip()
    if rest.endswith("]"):
        rest, bracket, inside = rest.partition("[")
        if not bracket:
            raise ValueError(f"unbalanced brackets in match spec '{text}'")
        values.update(_parse_brackets(inside[:-1], text))
    if "::" in rest:
        channel, _, rest = rest.partition("::")
        base, _, subdir = channel.rpartition("/")
        if base and subdir in KNOWN_SUBDIRS:
            channel = base
            values["subdir"] = subdir
        values["channel"] = _normalise_field("channel", channel)
    found = re.match(r"\s*([A-Za-z0-9_.*-]+)\s*(.*)$", rest)
    if not found:
        raise ValueError(f"no package name in match spec '{text}'")
    version, build = _split_version_build(found[2].strip())
    values["name"] = found[1].lower()
    values.update((key, value) for key, value in (("version", version), ("build", build)) if value)
    return values


def _parse_brackets(inside: str, text: str) -> dict[str, FieldValue]:
    values: dict[str, FieldValue] = {}
    for written, _, value in re.findall(r"([\w-]+)\s*=\s*(['\"]?)((?:(?!\2[,\]]).)*)\2", inside):
        key = written.replace("-", "_")
        if key not in MatchSpec.FIELD_NAMES:
            raise ValueError(f"unknown field '{written}' in match spec '{text}'")
        values[key] = _normalise_field(key, value)
    return values


def _split_version_build(rest: str) -> tuple[str, str]:
    # Blanks around operators say nothing; the first one that is left separates version from build.
    rest = re.sub(r"\s+(?=[,|])|(?<=[<>=!~,|])\s+", "", rest)
    version, _, build = (part.strip() for part in rest.partition(" "))
    exact = re.fullmatch(r"(={0,2})([^=<>!~,|]+)(?:=([^=]+))?", version)
    if not exact:
        return version, build
    operator, version, after = exact[1], exact[2], exact[3] or ""
    fuzzy = operator == "=" and not after and not version.endswith("*")
    return (f"{version}.*" if fuzzy else version), build or after
