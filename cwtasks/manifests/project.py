"""What ``[project]`` and ``[dependency-groups]`` of a ``pyproject.toml`` add to a workspace.

Knows those two tables as far as pixi reads them. Knows nothing of the workspace beside them: who wins is decided there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cwtasks.exceptions import suggestion
from cwtasks.manifests.dependencies import parse_requirement
from cwtasks.manifests.tables import dotted
from cwtasks.models import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cwtasks.manifests.tables import Report, TomlTable
    from cwtasks.models import DialectName, PyPIDependency


class Project(NamedTuple):
    """What a Python project says of itself that a workspace takes over."""

    name: str | None = None
    version: str | None = None
    description: str | None = None
    requires_python: str | None = None
    pypi: Mapping[str, Mapping[str, PyPIDependency]] = {}
    """Feature name to the requirements that feature gets."""


def read_project(pyproject: TomlTable, dialect: DialectName, report: Report) -> Project:
    """Read what the project adds to the workspace of its ``pyproject.toml``.

    Args:
        pyproject: The whole document.
        dialect: Conda-workspaces takes only name, version and description.
        report: Where mistakes go.
    """
    project = report.table(pyproject.get("project"), "project") or {}
    name, version, description, requires_python = (
        report.text(project.get(key), f"project.{key}") for key in ("name", "version", "description", "requires-python")
    )
    if dialect == "conda":
        return Project(name, version, description)
    pypi = _Requirements(pyproject, project, name or "", report).by_feature()
    return Project(name, version, description, requires_python, pypi)


class _Requirements:
    """The requirements of a project, with groups and extras that stand for others resolved."""

    def __init__(self, pyproject: TomlTable, project: TomlTable, name: str, report: Report) -> None:
        self.project = project
        self.name = normalised(name)
        self.report = report
        self.extras = report.table(project.get("optional-dependencies"), "project.optional-dependencies") or {}
        self.groups = report.table(pyproject.get("dependency-groups"), "dependency-groups") or {}
        self._read: dict[str, dict[str, PyPIDependency]] = {}

    def by_feature(self) -> dict[str, dict[str, PyPIDependency]]:
        """Return feature name to requirements; every extra and every group is a feature."""
        features = {DEFAULT: self._texts(self.project.get("dependencies"), "project.dependencies", ())}
        for extra in self.extras:
            features.setdefault(extra, {}).update(self._extra(extra, ()))
        for group in self.groups:
            features.setdefault(group, {}).update(self._group(group, ()))
        return features

    def _extra(self, extra: str, above: tuple[str, ...]) -> dict[str, PyPIDependency]:
        place = dotted("project.optional-dependencies", extra)
        return self._texts(self.extras[extra], place, (*above, extra))

    def _texts(self, raw: object, at: str, above: tuple[str, ...]) -> dict[str, PyPIDependency]:
        read: dict[str, PyPIDependency] = {}
        for index, text in enumerate(self.report.texts(raw, at) or ()):
            requirement = self._requirement(text, f"{at}[{index}]")
            if requirement is None:
                continue
            if normalised(requirement.name) != self.name or not requirement.extras:
                read[requirement.name] = requirement
                continue
            # "thisproject[extra]" is how one extra includes another.
            for extra in requirement.extras:
                if extra in self.extras and extra not in above:
                    read.update(self._extra(extra, above))
        return read

    def _group(self, group: str, above: tuple[str, ...]) -> dict[str, PyPIDependency]:
        if group in self._read:
            return self._read[group]
        at = dotted("dependency-groups", group)
        read: dict[str, PyPIDependency] = {}
        for index, item in enumerate(self.report.array(self.groups[group], at, "an array of requirements") or ()):
            place = f"{at}[{index}]"
            if isinstance(item, dict):
                read.update(self._included(item, place, (*above, group)))
            elif isinstance(item, str) and (requirement := self._requirement(item, place)):
                read[requirement.name] = requirement
            elif not isinstance(item, str):
                self.report.unexpected(place, item, "a requirement or { include-group = ... }")
        self._read[group] = read
        return read

    def _included(self, item: TomlTable, at: str, above: tuple[str, ...]) -> dict[str, PyPIDependency]:
        name = self.report.text(item.get("include-group"), f"{at}.include-group")
        if name is None:
            self.report.check_keys(item, ("include-group",), at)
            return {}
        if name in above:
            self.report.mistake(at, f"groups include each other: {' -> '.join([*above, name])}", "remove one include")
        elif name not in self.groups:
            hint = suggestion(name, self.groups, label="Defined groups")
            self.report.mistake(at, f"group '{name}' is not defined", hint)
        else:
            return self._group(name, above)
        return {}

    def _requirement(self, text: str, at: str) -> PyPIDependency | None:
        requirement = parse_requirement(text)
        if requirement is None:
            self.report.unexpected(at, text, "a requirement", 'write "name", or "name>=1.2"')
        return requirement


def normalised(name: str) -> str:
    """Return a package name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
