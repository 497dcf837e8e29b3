"""The rules of the house, run as the tools that hold them."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "cwtasks").rglob("*.py"))

CHECKS = {
    "style": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "types": ["mypy"],
    "floors": ["lint-imports"],
}


@pytest.mark.parametrize("command", [pytest.param(command, id=name) for name, command in CHECKS.items()])
def test_the_tree_passes(command: list[str]):
    tools = Path(sys.executable).parent
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in SOURCES])
def test_every_module_opens_with_what_it_is(path: Path):
    assert ast.get_docstring(ast.parse(path.read_text()))


#: One door per third party: the modules that may import it.
DOORS = {
    "backports": ("cwtasks/archive/zstd.py",),
    "doit": ("cwtasks/doit_plugin/", "cwtasks/cli/__init__.py"),
    "cryptography": ("cwtasks/archive/signing.py",),
    "cyclonedx": ("cwtasks/archive/sbom.py",),
    "packageurl": ("cwtasks/archive/sbom.py",),
    "rattler": ("cwtasks/engines/rattler_worker.py",),
    "minijinja": ("cwtasks/templates.py",),
    "pathspec": ("cwtasks/archive/selection.py",),
    "tomli": ("cwtasks/manifests/",),
    "tomlkit": ("cwtasks/manifests/",),
    "yaml": ("cwtasks/exchange/environment_file.py",),
}


@pytest.mark.parametrize("library", DOORS)
def test_each_library_has_one_door(library: str):
    users = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if library in _imported(node)
    }
    assert users
    assert [user for user in users if not user.startswith(DOORS[library])] == []


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {name.name.partition(".")[0] for name in node.names}
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        return {node.module.partition(".")[0]}
    return set()


def test_public_functions_that_raise_say_what():
    silent = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"
        for path in SOURCES
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        and not function.name.startswith("_")
        and _raises_itself(function)
        and "Raises:" not in (ast.get_docstring(function) or "")
    ]
    assert silent == []


def _raises_itself(function: ast.FunctionDef) -> bool:
    """Whether a new error leaves the function by its own `raise`; those it re-raises or hands to doit do not count."""
    own = [node for node in ast.walk(function) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    names = {node.exc.func.id for node in own if isinstance(node.exc.func, ast.Name)}
    return bool(names - {"NotImplementedError"})


def test_a_start_imports_nothing_that_is_not_used():
    """What `doit list` loads of ours and of third parties: no template engine, no editor of TOML, nothing that runs."""
    program = (
        "import sys, cwtasks.doit_plugin.commands.list, cwtasks.manifests;"
        "print([name for name in ('minijinja', 'tomlkit', 'rich', 'zstandard', 'asyncio',"
        " 'cwtasks.steps.process', 'cwtasks.state', 'concurrent.futures.thread') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
