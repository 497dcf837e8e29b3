"""The pages that are made from the program are as the program is."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_commands_is_what_help_says():
    render = runpy.run_path(str(ROOT / "docs" / "make_commands.py"))["render"]
    assert (ROOT / "docs" / "commands.md").read_text() == render(), "run: doit docs"


def test_the_schema_in_the_docs_is_the_one_of_the_program():
    render = runpy.run_path(str(ROOT / "docs" / "make_schema.py"))["render"]
    assert (ROOT / "docs" / "conda.schema.json").read_text() == render(), "run: doit docs"


@pytest.mark.parametrize(
    "page", [pytest.param(path, id=path.name) for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")]]
)
def test_links_lead_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_ci_runs_the_test_command_of_the_readme():
    readme = (ROOT / "README.md").read_text()
    (command,) = re.findall(r"^Install it for development.*?```sh\n(.*?)\n```", readme, re.MULTILINE | re.DOTALL)
    shown = subprocess.run(
        ["bash", "-c", 'eval() { echo "would run: $*"; }; . .ci/run'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"would run: {command}\n" in shown


def test_the_project_lists_its_own_tasks():
    done = subprocess.run(
        [sys.executable, "-m", "doit", "list", "-q"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {"test", "lint", "typecheck", "docs", "bench"} <= set(done.stdout.split())
