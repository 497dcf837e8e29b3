"""Platforms of a manifest: plain conda subdirs, and rich ones that also say what the machine must have.

Knows how they are written and what they are called when nobody names them. Knows no machine.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import suggestion
from cwtasks.manifests.tables import Report, TomlTable, dotted
from cwtasks.models import KNOWN_SUBDIRS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cwtasks.models import DialectName

FAMILIES = ("linux", "osx", "macos", "win", "unix")
"""Selectors that mean several subdirs; never the name of a platform."""
ALIASES = {"libc": "glibc", "macos": "osx", "windows": "win"}
"""How manifests also spell a requirement, to its name here."""
NAME_ORDER = ("cuda", "archspec", "glibc", "linux", "osx", "win")
REQUIREMENTS = (*NAME_ORDER, *ALIASES)
DEFAULTS = {"linux": {"glibc": "2.28", "linux": "4.18"}, "osx": {"osx": "13.0"}}
"""Family to what a bare subdir of it already promises; such a value is not part of a generated name."""
MAX_NAME_CHARS = 64


class Platforms(NamedTuple):
    """The ``platforms`` of a workspace, as three views of one list."""

    names: list[str]
    subdirs: dict[str, str]
    requirements: dict[str, dict[str, str]]
    """Only of platforms that require something."""


def generated_name(subdir: str, requirements: Mapping[str, str]) -> str:
    """Return what a rich platform without a name is called, for example ``linux-64-cuda-12-0``."""
    usual = DEFAULTS.get(subdir.partition("-")[0], {})
    friendly = [key for key in NAME_ORDER if key in requirements and requirements[key] != usual.get(key)]
    others = sorted(key for key in requirements if key not in NAME_ORDER)
    parts = [f"{key.removeprefix('__')}-{requirements[key]}" for key in [*friendly, *others]]
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join([subdir, *parts])).strip("-")


class PlatformReader:
    """Reads platforms and system requirements of one dialect."""

    def __init__(self, report: Report, *, dialect: DialectName) -> None:
        self.report = report
        self.dialect = dialect

    def platforms(self, raw: object, at: str) -> Platforms:
        """Read ``workspace.platforms``; an entry with mistakes is left out."""
        read = Platforms([], {}, {})
        for index, item in enumerate(self.report.array(raw, at, "an array of platform names and tables") or ()):
            self._add(item, f"{at}[{index}]", read)
        return read

    def _add(self, raw: object, at: str, read: Platforms) -> None:
        before = len(self.report.mistakes)
        if isinstance(raw, str):
            name, subdir, requirements = raw, raw, dict[str, str]()
            self._check_subdir(subdir, at)
        elif isinstance(raw, dict):
            name, subdir, requirements = self._rich(raw, at)
        else:
            self.report.unexpected(at, raw, "a platform name or a table")
            return
        if name in read.subdirs:
            self.report.mistake(at, f"platform '{name}' is declared twice", "remove one, or give it another 'name'")
        if len(self.report.mistakes) == before:
            read.names.append(name)
            read.subdirs[name] = subdir
            if requirements:
                read.requirements[name] = requirements

    def _check_subdir(self, subdir: str, at: str) -> None:
        if subdir not in KNOWN_SUBDIRS:
            hint = suggestion(subdir, KNOWN_SUBDIRS, label="Known platforms")
            self.report.mistake(at, f"'{subdir}' is not a platform conda knows", hint)

    def _rich(self, raw: TomlTable, at: str) -> tuple[str, str, dict[str, str]]:
        given = {key: value for key, value in raw.items() if key not in {"name", "platform"}}
        requirements = self.requirements(given, at)
        name = self.report.text(raw.get("name"), f"{at}.name")
        subdir = self.report.text(raw.get("platform"), f"{at}.platform")
        if subdir is None:
            subdir = self._subdir_from_name(raw, name, at)
        else:
            self._check_subdir(subdir, f"{at}.platform")
        if name is not None:
            self._check_name(name, subdir, f"{at}.name")
        return name or generated_name(subdir, requirements), subdir, requirements

    def _subdir_from_name(self, raw: TomlTable, name: str | None, at: str) -> str:
        if "platform" not in raw and "name" not in raw:
            self.report.mistake(at, "neither 'platform' nor 'name' is given", 'add platform = "linux-64"')
        elif name is not None and name not in KNOWN_SUBDIRS and "platform" not in raw:
            self.report.mistake(at, f"'{name}' is not a platform conda knows", 'add platform = "linux-64"')
        return name or ""

    def _check_name(self, name: str, subdir: str, at: str) -> None:
        if name in KNOWN_SUBDIRS and name != subdir:
            self.report.mistake(at, f"'{name}' names another platform than '{subdir}'", "choose another name")
        elif self.dialect == "pixi" and not _is_name(name):
            fact = f"'{name}' cannot name a platform"
            self.report.mistake(at, fact, "use a letter first, then letters, digits and '-', at most 64 in all")

    def requirements(self, raw: object, at: str) -> dict[str, str]:
        """Read what the machine must have: requirement to version, with each requirement under one name."""
        table = self.report.table(raw, at) or {}
        read: dict[str, str] = {}
        for key, value in table.items():
            place = dotted(at, key)
            if not key.startswith("__") and key not in REQUIREMENTS:
                self.report.unknown_key(key, REQUIREMENTS, at)
            for name, version in self._requirement(ALIASES.get(key, key), value, place):
                if name in read or f"__{name}" in read or name.removeprefix("__") in read:
                    self.report.mistake(place, f"'{name}' is given twice", "keep one of the two spellings")
                read[name] = version
        return read

    def _requirement(self, name: str, value: object, at: str) -> list[tuple[str, str]]:
        if isinstance(value, dict) and name == "glibc":
            self.report.check_keys(value, ("family", "version"), at)
            family = self.report.text(value.get("family"), f"{at}.family") or name
            return [(ALIASES.get(family, family), self._version(value.get("version", ""), f"{at}.version"))]
        if isinstance(value, dict) and name == "cuda":
            return self._cuda(value, at)
        return [(name, self._version(value, at))]

    def _cuda(self, value: TomlTable, at: str) -> list[tuple[str, str]]:
        self.report.check_keys(value, ("driver", "arch"), at)
        if "driver" not in value:
            self.report.mistake(at, "'driver' is missing", 'add driver = "12.0"')
        read = [("cuda", self._version(value.get("driver", ""), f"{at}.driver"))]
        if "arch" in value:
            read.append(("__cuda_arch", self._version(value["arch"], f"{at}.arch")))
        return read

    def _version(self, value: object, at: str) -> str:
        if isinstance(value, str) or (isinstance(value, (int, float)) and not isinstance(value, bool)):
            return str(value)
        self.report.unexpected(at, value, "a version string", 'write "12.0"')
        return ""


def _is_name(name: str) -> bool:
    shape = re.fullmatch(r"[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?", name)
    return bool(shape) and len(name) <= MAX_NAME_CHARS and name not in FAMILIES
