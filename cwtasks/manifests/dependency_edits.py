"""Dependencies put into a manifest and taken out of it.

Knows in which tables dependencies stand, and when two ways of writing one say the same. Knows no package, and no file:
a draft comes in, an edit goes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import tomli

from cwtasks.exceptions import BadSpecError, DependencyNotFoundError, EntryExistsError
from cwtasks.manifests.dependencies import DependencyReader
from cwtasks.manifests.drafts import Edit, address
from cwtasks.manifests.project import normalised
from cwtasks.manifests.spec_values import conda_value, pypi_value
from cwtasks.manifests.tables import Report
from cwtasks.manifests.writing import table_at, written
from cwtasks.models import MatchSpec, PyPIDependency, without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cwtasks.manifests.drafts import Draft, Scope
    from cwtasks.manifests.layout import KeyPath
    from cwtasks.models import DialectName

Dependency = MatchSpec | PyPIDependency

CONDA_TABLE = "dependencies"
PYPI_TABLE = "pypi-dependencies"


def with_dependencies(
    draft: Draft, section: KeyPath, specs: Iterable[Dependency], *, scope: Scope, dialect: DialectName
) -> Edit:
    """Put in dependencies. One that asks for nothing but a name is content with whatever is there.

    Args:
        draft: The manifest.
        section: Address of the table that holds the workspace.
        specs: What is asked for; the kind decides on the table.
        scope: Where they go.
        dialect: Of the manifest.

    Raises:
        BadSpecError: a manifest of that dialect cannot say it.
        EntryExistsError: the package is there, asked for in another way.
        ManifestNotEditableError: it cannot be put in without changing something else.
    """
    changed, kept = [], []
    for spec in specs:
        table = (*scope.inside(section), _table_of(spec))
        entries = table_at(draft.data, table)
        value = _value(spec, dialect)
        there = _found(spec.name, entries, table[-1])
        if there is None:
            draft = draft.with_entry((*table, spec.name), value)
            changed.append(address((*table, spec.name)))
        elif value == '"*"' or _Reading(draft, section, dialect, table[-1]).says(there, entries[there], value):
            kept.append(address((*table, there)))
        else:
            # The words of the option stand where the person has to repeat them.
            hint = f"change it there, or remove it first: cwt remove {' '.join([*_options(scope, spec), there])}"
            raise EntryExistsError(draft.path, address((*table, there)), hint=hint)
    return Edit(draft, tuple(changed), tuple(kept))


def without_dependencies(
    draft: Draft, section: KeyPath, names: Iterable[str], *, scope: Scope, is_pypi: bool = False
) -> Edit:
    """Take out dependencies.

    Args:
        draft: The manifest.
        section: Address of the table that holds the workspace.
        names: Of packages.
        scope: Where they are.
        is_pypi: Whether the packages are from a Python index.

    Raises:
        DependencyNotFoundError: one is not there.
        ManifestNotEditableError: it cannot be taken out without changing something else.
    """
    table = (*scope.inside(section), PYPI_TABLE if is_pypi else CONDA_TABLE)
    changed = []
    for name in names:
        entries = table_at(draft.data, table)
        there = _found(name, entries, table[-1])
        if there is None:
            places = dependency_tables(draft.data, section)
            elsewhere = [address(path) for path in places if _found(name, table_at(draft.data, path), path[-1])]
            raise DependencyNotFoundError(draft.path, name, address(table), known=entries, elsewhere=elsewhere)
        draft = draft.without((*table, there))
        changed.append(address((*table, there)))
    return Edit(draft, tuple(changed))


def dependency_tables(data: object, section: KeyPath) -> Iterator[KeyPath]:
    """Yield the addresses of all tables of dependencies that there may be in a manifest.

    Args:
        data: The manifest.
        section: Address of the table that holds the workspace.
    """
    features = [("feature", feature) for feature in table_at(data, (*section, "feature"))]
    for place in [section, *((*section, *feature) for feature in features)]:
        targets = [("target", platform) for platform in table_at(data, (*place, "target"))]
        for inside in [place, *((*place, *target) for target in targets)]:
            yield (*inside, CONDA_TABLE)
            yield (*inside, PYPI_TABLE)


class _Reading:
    """Reads single dependencies as the manifest would."""

    def __init__(self, draft: Draft, section: KeyPath, dialect: DialectName, table: str) -> None:
        self.report = Report(draft.path)
        self.table = table
        self.reader = DependencyReader(self.report, dialect=dialect, root=str(draft.path.parent))
        self.reader.read_pool(table_at(draft.data, (*section, "workspace", "dependencies")), "")

    def says(self, name: str, raw: object, value: str) -> bool:
        """Tell whether what is there says the same as a value, however it is written."""
        return self._read(name, raw) == self._read(name, tomli.loads(f"x = {value}")["x"])

    def _read(self, name: str, raw: object) -> object:
        read = self.reader.pypi if self.table == PYPI_TABLE else self.reader.conda
        return read({name: raw}, "").get(name, raw)


def _value(spec: Dependency, dialect: DialectName) -> str:
    said = pypi_value(spec, dialect) if isinstance(spec, PyPIDependency) else conda_value(spec, dialect)
    report = Report("")
    reader = DependencyReader(report, dialect=dialect, root="")
    read = reader.pypi if isinstance(spec, PyPIDependency) else reader.conda
    read({spec.name: said.value}, "")
    facts = [mistake.fact for mistake in report.mistakes]
    if facts or said.losses:
        reasons = facts or [f"this manifest cannot say {loss.removeprefix(f'{spec.name}: ')}" for loss in said.losses]
        hint = "" if facts else "leave it out, or use a manifest of the other dialect"
        raise BadSpecError(without_credentials(str(spec)), "; ".join(reasons), hint=hint)
    return written(said.value)


def _found(name: str, entries: Iterable[str], table: str) -> str | None:
    """Return the name of a package as the table writes it."""
    comparable = normalised if table == PYPI_TABLE else str.lower
    return next((entry for entry in entries if comparable(entry) == comparable(name)), None)


def _table_of(spec: Dependency) -> str:
    return PYPI_TABLE if isinstance(spec, PyPIDependency) else CONDA_TABLE


def _options(scope: Scope, spec: Dependency) -> Iterator[str]:
    yield from scope.options()
    if isinstance(spec, PyPIDependency):
        yield "--pypi"
