"""Dependencies as a person types them, one word each -> specs. Knows the two grammars, no manifest."""

from __future__ import annotations

import re

from cwtasks.exceptions import BadSpecError
from cwtasks.manifests.dependencies import parse_requirement
from cwtasks.models import MatchSpec, PyPIDependency, without_credentials

_PYPI_HINT = "write it as name, 'name>=1.2', 'name[extra]' or 'name @ URL'"


def conda_spec(text: str) -> MatchSpec:
    """Read a match spec.

    Args:
        text: For example ``numpy``, ``numpy>=2``, ``conda-forge::numpy``, ``numpy[version='>=2',build='py*']``.

    Raises:
        BadSpecError: it is none, or names no single package.
    """
    shown = without_credentials(text)
    try:
        spec = MatchSpec(text)
    except ValueError as error:
        raise BadSpecError(shown, without_credentials(str(error))) from error
    if not re.fullmatch(r"[a-z0-9_.-]+", spec.name):
        raise BadSpecError(shown, f"'{spec.name}' is not a package name")
    return spec


def pypi_spec(text: str) -> PyPIDependency:
    """Read a requirement of a Python package.

    Args:
        text: For example ``requests``, ``requests[socks]>=2``, ``name @ https://…``.

    Raises:
        BadSpecError: it is none.
    """
    requirement = parse_requirement(text)
    if requirement is None:
        raise BadSpecError(without_credentials(text), "is not a requirement of a Python package", hint=_PYPI_HINT)
    return requirement
