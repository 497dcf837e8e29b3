"""What both lock formats share: looking into a parsed document, and saying where in it something is wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from cwtasks.exceptions import LockfileIntegrityError
from cwtasks.lockfile.records import LockedPackage, has_credentials, kind_of
from cwtasks.lockfile.yaml_subset import YamlMistake, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cwtasks.lockfile.yaml_subset import Value

_MAX_PACKAGES = 100_000
_USER_IN_URL = re.compile(r"://[^/\s'\"]*@")


class LockDocument:
    """A parsed lock file and the name it has in errors."""

    def __init__(self, text: str, path: str | Path) -> None:
        """Parse the text.

        Args:
            text: Content of the file.
            path: For errors.

        Raises:
            LockfileIntegrityError: not YAML as locks are written in, or no table at the top.
        """
        self.path = path
        try:
            top = parse_yaml(text)
        except YamlMistake as mistake:
            raise LockfileIntegrityError(path, str(mistake)) from None
        self.top = self.table(top, "")
        self.references = 0

    def fail(self, place: str, fact: str) -> NoReturn:
        """Refuse the file.

        Args:
            place: Dotted key, empty for the whole file.
            fact: What was expected and what kind of thing was found.

        Raises:
            LockfileIntegrityError: always.
        """
        raise LockfileIntegrityError(self.path, f"{place}: {fact}" if place else fact)

    def table(self, value: Value, place: str) -> dict[str, Value]:
        """Return a value that has to be a table; nothing counts as an empty one."""
        if isinstance(value, dict):
            return value
        return {} if value is None and place else self.fail(place, f"expected a table, found {kind_of(value)}")

    def list(self, value: Value, place: str) -> list[Value]:
        """Return a value that has to be a list; nothing counts as an empty one."""
        if isinstance(value, list):
            return value
        return [] if value is None else self.fail(place, f"expected a list, found {kind_of(value)}")

    def text(self, value: Value, place: str) -> str:
        """Return a value that has to be text."""
        return value if isinstance(value, str) else self.fail(place, f"expected text, found {kind_of(value)}")

    def clean_url(self, value: Value, place: str) -> str:
        """Return a URL that has to be free of credentials."""
        url = self.text(value, place)
        if has_credentials(url):
            self.fail(place, "the URL holds credentials, which do not belong into a lock")
        return url

    def channels(self, environment: Mapping[str, Value], place: str) -> tuple[str, ...]:
        """Return the channel URLs of an environment."""
        urls = []
        for index, channel in enumerate(self.list(environment.get("channels"), f"{place}.channels")):
            where = f"{place}.channels[{index}]"
            urls.append(self.clean_url(self.table(channel, where).get("url"), f"{where}.url"))
        return tuple(urls)

    def package(self, record: Mapping[str, Value], place: str) -> LockedPackage:
        """Return the package that a record of the file describes."""
        try:
            return LockedPackage.from_record(record)
        except ValueError as mistake:
            self.fail(place, str(mistake))

    def count_reference(self, place: str) -> None:
        """Refuse a file that refers to more packages than any workspace has."""
        self.references += 1
        if self.references > _MAX_PACKAGES:
            self.fail(place, f"expected at most {_MAX_PACKAGES} packages in all environments, found more")


def refuse_credentials(text: str, path: str | Path) -> None:
    """Refuse a text in which any URL names a user.

    Args:
        text: Whole file.
        path: For the error.

    Raises:
        LockfileIntegrityError: with the line, without what it says.
    """
    found = _USER_IN_URL.search(text) if "@" in text else None
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise LockfileIntegrityError(path, f"line {line}: the URL holds credentials, which do not belong into a lock")
