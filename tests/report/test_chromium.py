"""The page in a real browser: no script error, filters that filter, nothing fetched."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.report.page import write_report
from harness.run.folder import RunFolder

from .pages import Page, parse
from .runs import make_run
from .test_page import HOSTILE, hostile_task

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
ERRORS = re.compile(r"CONSOLE|Uncaught|Refused to|Content.Security.Policy")


def opened(page: Path, fragment: str, profile: Path) -> tuple[Page, str]:
    """The page's elements after its script ran, and what the console said."""
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--enable-logging=stderr", "--log-level=0", "--virtual-time-budget=2000",
            f"--user-data-dir={profile}", "--dump-dom", f"{page.as_uri()}#{fragment}",
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if ERRORS.search(line)]
    return parse(done.stdout), "\n".join(said)


def articles(page: Page) -> int:
    return sum(tag == "article" for tag, _ in page.elements)


def test_all_samples_are_paged_and_drawn_faces_shown(run_folder: RunFolder, tmp_path: Path) -> None:
    page, errors = opened(write_report(run_folder), "", tmp_path / "profile")
    assert errors == ""
    assert articles(page) == 20
    assert "1–20 of 152 that match" in page.words and "page 1 of 8" in page.words
    pictures = [known for tag, known in page.elements if tag == "img"]
    assert pictures and all(
        known["src"].startswith("data:image/jpeg;base64,") for known in pictures
    )
    assert all(known["alt"] for known in pictures)


def test_filters_in_the_address_hold(run_folder: RunFolder, tmp_path: Path) -> None:
    wanted = "samples&task=emotion%2Fdrawn&outcome=refused&condition=none&text=SORRY"
    page, errors = opened(write_report(run_folder), wanted, tmp_path / "profile")
    assert errors == ""
    assert articles(page) == 2
    assert "1–2 of 2 that match" in page.words
    assert page.words.count("✗ no answer") == 2
    assert "I'm sorry, but I can't judge a person's emotions." in page.words


def test_a_search_without_a_hit_says_so(run_folder: RunFolder, tmp_path: Path) -> None:
    page, errors = opened(write_report(run_folder), "samples&text=nowhere", tmp_path / "profile")
    assert (errors, articles(page)) == ("", 0)
    assert "No sample matches." in page.words


def test_hostile_replies_stay_text(runs: Path, tmp_path: Path) -> None:
    folder = make_run(runs, tasks=[hostile_task()], reply=lambda cell, sample, number: HOSTILE)
    page, errors = opened(write_report(folder), "", tmp_path / "profile")
    assert errors == ""
    assert page.words.startswith("affect-tiny on vqa/table")  # the title, not `owned`
    assert "</script><script>document.title='owned'</script><!-- {{7*7}}" in page.words
    assert not [tag for tag, _ in page.elements if tag == "img"]


def test_a_script_that_is_not_the_pages_own_is_refused_and_noticed(
    run_folder: RunFolder, tmp_path: Path
) -> None:
    injected = "<script>document.title='owned'</script></body>"
    changed = tmp_path / "changed.html"
    changed.write_text(
        write_report(run_folder).read_text(encoding="utf-8").replace("</body>", injected),
        encoding="utf-8",
    )
    page, errors = opened(changed, "", tmp_path / "profile")
    assert "Content Security Policy" in errors
    assert page.words.startswith("affect-tiny on")
