"""A JSON schema of ``conda.toml`` as it is read here, for editors.

Which keys a table has comes from the readers, so a key that is added there is in the schema. What a key holds is said
here; a test compares it with what the readers accept. An unknown key, which the readers only warn of, is a mistake for
the schema: an editor has no other way to show it. What takes more than one value to judge (names that are used and not
defined, two platforms of one name) is no part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cwtasks.manifests.dependencies import CHANNEL_KEYS, CONDA_FIELDS, CONDA_KEYS, PYPI_KEYS, PYPI_TEXTS, SOURCE_KEYS
from cwtasks.manifests.features import (
    ACTIVATION_KEYS,
    ENVIRONMENT_CONTENT_KEYS,
    FEATURE_KEYS,
    TARGET_KEYS,
)
from cwtasks.manifests.normalize import ARG_KEYS, DEPENDENCY_KEYS, TASK_KEYS
from cwtasks.manifests.platforms import ALIASES, REQUIREMENTS
from cwtasks.manifests.workspace import (
    ARCHIVE_KEYS,
    CHANNEL_PRIORITIES,
    COMPRESSIONS,
    ENVIRONMENT_OWN_KEYS,
    ROOT_KEYS,
    WORKSPACE_KEYS,
)
from cwtasks.models import DEFAULT, KNOWN_SUBDIRS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Schema = dict[str, Any]

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The version of JSON Schema that editors know for TOML."""
_TEXT: Schema = {"type": "string"}
_BOOLEAN: Schema = {"type": "boolean"}
_INTEGER: Schema = {"type": "integer"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_TEXT_TABLE: Schema = {"type": "object", "additionalProperties": _TEXT}
#: A version is no spec: brackets and a channel have keys of their own.
_VERSION: Schema = {"type": "string", "pattern": r"^[^\[\]:]*$"}
_REQUIREMENT: Schema = {"type": ["string", "number"]}
_PACKAGE_NAME: Schema = {"pattern": "^[A-Za-z0-9_.-]+$"}
#: What can be a folder on every system.
_ENVIRONMENT_NAME: Schema = {
    "pattern": r'^[^<>:"/\\|?*]*[^<>:"/\\|?*. ]$',
    "not": {"pattern": r"^([cC][oO][nN]|[pP][rR][nN]|[aA][uU][xX]|[nN][uU][lL]|([cC][oO][mM]|[lL][pP][tT])\d)(\..*)?$"},
}


def conda_schema() -> Schema:
    """Return the schema, made of what JSON knows."""
    return {
        "$schema": DIALECT,
        "title": "conda.toml",
        "description": "A workspace and its tasks, as cwtasks reads them.",
        **_table(
            ROOT_KEYS,
            {
                **_content(),
                "environments": {**_tables(_ref("environment")), "propertyNames": _ENVIRONMENT_NAME},
                "feature": {**_tables(_ref("feature")), "propertyNames": {"not": {"const": DEFAULT}}},
                "system-requirements": _ref("system-requirements"),
                "target": _ref("targets"),
                "workspace": _ref("workspace"),
            },
        ),
        "definitions": {
            "workspace": _workspace(),
            "feature": _feature(),
            "environment": _environment(),
            "targets": _tables(_table(TARGET_KEYS, _content())),
            "channel": _either(_TEXT, _table(CHANNEL_KEYS, {"channel": _TEXT, "priority": _INTEGER}, "channel")),
            "platform": _platform(),
            "system-requirements": _requirements({}),
            "dependencies": {**_tables(_either(_VERSION, _detailed(), _inherited())), "propertyNames": _PACKAGE_NAME},
            "pool": {**_tables(_either(_VERSION, _detailed())), "propertyNames": _PACKAGE_NAME},
            "pypi-dependencies": _tables(_either(_TEXT, _pypi())),
            "activation": _table(ACTIVATION_KEYS, {"scripts": _TEXTS, "env": _TEXT_TABLE}),
            "task": _task(),
            "depends-on": _depends_on(),
            "argument": _argument(),
        },
    }


def _table(keys: Collection[str], shapes: Mapping[str, Schema], *required: str) -> Schema:
    """Return the schema of a table with exactly these keys; what is not read may hold anything.

    Raises:
        ValueError: a shape is for a key that no reader knows.
    """
    unread = shapes.keys() - set(keys)
    if unread:
        raise ValueError(f"no reader knows {sorted(unread)}")
    table: Schema = {
        "type": "object",
        "properties": {key: shapes.get(key, True) for key in sorted(keys)},
        "additionalProperties": False,
    }
    return {**table, "required": list(required)} if required else table


def _tables(content: Schema) -> Schema:
    return {"type": "object", "additionalProperties": content}


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _either(*shapes: Schema) -> Schema:
    return {"anyOf": list(shapes)}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _content() -> dict[str, Schema]:
    """Return what the root, features, environments and targets may hold alike."""
    return {
        "activation": _ref("activation"),
        "build-dependencies": _ref("dependencies"),
        "dependencies": _ref("dependencies"),
        "host-dependencies": _ref("dependencies"),
        "pypi-dependencies": _ref("pypi-dependencies"),
        "tasks": _tables(_ref("task")),
    }


def _limited() -> dict[str, Schema]:
    return {**_content(), "channels": _array(_ref("channel")), "platforms": _TEXTS, "target": _ref("targets")}


def _feature() -> Schema:
    return _table(FEATURE_KEYS, {**_limited(), "system-requirements": _ref("system-requirements")})


def _environment() -> Schema:
    own = {"features": _TEXTS, "no-default-feature": _BOOLEAN, "solve-group": _TEXT}
    return _either(_TEXTS, _table(ENVIRONMENT_OWN_KEYS | ENVIRONMENT_CONTENT_KEYS, {**own, **_limited()}))


def _workspace() -> Schema:
    archive = {
        "include": _TEXTS,
        "exclude": _TEXTS,
        "compression": {"enum": list(COMPRESSIONS)},
        "compression-level": _INTEGER,
    }
    shapes = {
        "name": _TEXT,
        "version": _TEXT,
        "description": _TEXT,
        "channels": _array(_ref("channel")),
        "platforms": _array(_ref("platform")),
        "dependencies": _ref("pool"),
        "channel-priority": {"enum": list(CHANNEL_PRIORITIES)},
        "envs-dir": _TEXT,
        "archive": _table(ARCHIVE_KEYS, archive),
    }
    return {**_table(WORKSPACE_KEYS, shapes), "minProperties": 1}


def _requirements(more: Mapping[str, Schema]) -> Schema:
    glibc = _table(("family", "version"), {"family": _TEXT, "version": _REQUIREMENT})
    cuda = _table(("driver", "arch"), {"driver": _REQUIREMENT, "arch": _REQUIREMENT}, "driver")
    tables = {"glibc": glibc, "cuda": cuda}
    shapes = {
        key: _either(_REQUIREMENT, tables[name]) if (name := ALIASES.get(key, key)) in tables else _REQUIREMENT
        for key in REQUIREMENTS
    }
    return {**_table((*REQUIREMENTS, *more), {**shapes, **more}), "patternProperties": {"^__": _REQUIREMENT}}


def _platform() -> Schema:
    known = {"enum": list(KNOWN_SUBDIRS)}
    rich = _requirements({"name": _TEXT, "platform": known})
    named = {"required": ["name"], "properties": {"name": known}}
    return _either(known, {**rich, "anyOf": [{"required": ["platform"]}, named]})


def _detailed() -> Schema:
    fields = dict.fromkeys(CONDA_FIELDS, _TEXT)
    for key, field in CONDA_FIELDS.items():
        if field == "build_number":
            fields[key] = {"type": ["string", "integer"]}
        elif field in {"features", "track_features"}:
            fields[key] = _either(_TEXT, _TEXTS)
    return _table(CONDA_KEYS - {"workspace"}, {**fields, "version": _VERSION})


def _inherited() -> Schema:
    """Return the schema of a dependency that takes what the pool says, and narrows it."""
    detailed = _detailed()["properties"]
    keys = CONDA_KEYS - {"version", *SOURCE_KEYS}
    return _table(keys, {**{key: detailed[key] for key in CONDA_FIELDS}, "workspace": {"const": True}}, "workspace")


def _pypi() -> Schema:
    shapes = {**dict.fromkeys((*PYPI_TEXTS, "version", "index", "env-markers"), _TEXT), "extras": _TEXTS}
    return _table(PYPI_KEYS, {**shapes, "editable": _BOOLEAN})


def _task() -> Schema:
    shapes = {
        "cmd": _either(_TEXT, {**_TEXTS, "minItems": 1}),
        "args": _array(_ref("argument")),
        "depends-on": _either(_TEXT, _array(_ref("depends-on")), _ref("depends-on")),
        "cwd": _TEXT,
        "env": _TEXT_TABLE,
        "description": _TEXT,
        "inputs": _TEXTS,
        "outputs": _TEXTS,
        "clean-env": _BOOLEAN,
        "default-environment": _TEXT,
        "target": _tables(_ref("task")),
    }
    shapes |= {key: shapes[key.replace("_", "-")] for key in TASK_KEYS if "_" in key}
    return _either(_TEXT, _array(_ref("depends-on")), _table(TASK_KEYS, shapes))


def _depends_on() -> Schema:
    named = {**_TEXT_TABLE, "minProperties": 1, "maxProperties": 1}
    shapes = {"task": _TEXT, "args": _array(_either(_TEXT, named)), "environment": _TEXT}
    return _either(_TEXT, _table(DEPENDENCY_KEYS, shapes, "task"))


def _argument() -> Schema:
    name = {"type": "string", "pattern": "^[^-]*$"}
    return _either(name, _table(ARG_KEYS, {"arg": name, "default": _TEXT, "choices": _TEXTS}, "arg"))
