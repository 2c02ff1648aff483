"""README and docs: links lead somewhere, and every command is one."""

import re
import shlex
from pathlib import Path

import pytest

from pipeline.cli import parser

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(text):
    """`pipeline` with its words, of the indented lines; what is explained stands two spaces off."""
    for block in re.findall(r"(?:^ {4}.*\n)+", text, re.M):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            words = line.strip()
            if words.startswith("pipeline "):
                yield re.split(r" {2,}", words)[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_another_file(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target:
            linked = (page.parent / target).resolve()
            assert linked.exists(), target
            assert linked != page, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_understood(page):
    for command in commands(page.read_text()):
        try:
            parser().parse_args(shlex.split(command)[1:])
        except SystemExit:
            pytest.fail(f"{page.name}: {command}")


def test_there_are_commands():
    found = [command for page in PAGES for command in commands(page.read_text())]
    assert len(found) >= 50
