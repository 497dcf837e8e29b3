"""What an activation is made of, as one digest for the fingerprints of steps. Runs nothing."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from cwtasks.activation.prefix import (
    VARIABLES_FOLDER,
    Script,
    manifest_scripts,
    package_scripts,
    user_variables,
    variable_files,
)
from cwtasks.exceptions import ActivationError

if TYPE_CHECKING:
    from cwtasks.activation.declared import Activation

#: Stands for the path of the prefix, which packages have written into their scripts.
_PREFIX = b"/prefix-placeholder"


def content_digest(prefix: str, activation: Activation, root: str, *, platform: str = sys.platform) -> str:
    """Return a digest of all that decides what activation does, equal for equal content in another folder.

    Covers the contents of the manifest's scripts, of the packages' scripts and files of variables, the variables the
    user gave to the environment, and the manifest's ``env``. A script that is missing counts as missing.

    Args:
        prefix: Absolute path; empty where there is none.
        activation: What the manifest says.
        root: Workspace directory, absolute.
        platform: As ``sys.platform``.

    Returns:
        SHA-256 in hexadecimal.

    Raises:
        ActivationError: a file cannot be read.
    """
    from hashlib import sha256

    files, given = [], []
    if prefix:
        files += package_scripts(prefix, platform)
        files += [Script(path, f"{VARIABLES_FOLDER}/{os.path.basename(path)}") for path in variable_files(prefix)]
        given = sorted(user_variables(prefix, environment=activation.environment).items())
    files += manifest_scripts(activation, root=root, platform=platform, warn=lambda _: None)
    contents = []
    for file in files:
        # A manifest may name a script by its absolute path, which says nothing of what it does.
        label = os.path.basename(file.label) if os.path.isabs(file.label) else file.label
        content = _portable(_read(file, activation.environment), prefix)
        contents.append((label, sha256(content, usedforsecurity=False).hexdigest()))
    whole = (contents, given, activation.env, activation.env_expands)
    return sha256(_portable(repr(whole).encode(), prefix), usedforsecurity=False).hexdigest()


def _portable(content: bytes, prefix: str) -> bytes:
    return content.replace(os.fsencode(prefix), _PREFIX) if prefix else content


def _read(file: Script, environment: str) -> bytes:
    try:
        with open(file.path, "rb") as opened:
            return opened.read()
    except OSError as error:
        raise ActivationError(environment, f"{file.label} cannot be read: {error.strerror}") from error
