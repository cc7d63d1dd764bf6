"""What the documents at the top name is there. Their commands and code are run by tests/docs/test_pages.py."""

from __future__ import annotations

import re

from tests.documents import ROOT, blocks


def test_the_readme_has_its_examples() -> None:
    """So that its test cannot pass for want of anything to run."""
    found = list(blocks("README.md"))
    assert (
        sum(words[0] == "harness" for b in found if b.language == "sh" for words in b.commands) >= 5
    )
    assert {"python", "jinja", "bash"} <= {b.language for b in found}
    assert next(b.commands for b in found if b.language == "sh") == [
        ["make", "demo"],
        ["make", "test"],
    ]


def test_files_named_in_the_documents_exist() -> None:
    for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / target).exists(), (name, target)


def test_rooms_named_in_the_architecture_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    planned = {"cues", "submit"}
    for room in re.findall(r"`harness/([a-z]+)/`", text):
        assert (ROOT / "harness" / room).is_dir() or room in planned, room
    for folder in (ROOT / "harness").iterdir():
        if (folder / "__init__.py").is_file():
            assert f"`harness/{folder.name}/`" in text, folder.name
