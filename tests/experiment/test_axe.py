"""The pages of an experiment are usable by all: axe-core at a desk and on a phone, light and dark."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.rating.chromium import CHROMIUM, LOOKS, browser
from tests.report.chromium import AXE

from .conftest import Experiment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed, see .ci/run"),
]
TWO = ("--where", "model=ada-7b,prompt=emotion/plain", "--where", "model=ada-7b,prompt=emotion/cot")


def test_axe_finds_nothing_wrong_with_any_page(experiment: Experiment, tmp_path: Path) -> None:
    overview, pair = tmp_path / "overview.html", tmp_path / "pair.html"
    experiment.command("compare", experiment.run, "--html", overview)
    experiment.command("compare", experiment.run, *TWO, "--condition", "none", "--samples", "--html", pair)  # fmt: skip
    experiment.command("board", "build", experiment.run, "--out", tmp_path / "board")
    pages = (experiment.run / "report.html", overview, pair, tmp_path / "board/index.html")

    async def looked_at() -> dict[str, list[str]]:
        async with browser(tmp_path / "profile") as tab:
            await tab.call("Page.setBypassCSP", enabled=True)
            found = {}
            for page in pages:
                await tab.go(page.as_uri())
                await tab.until(f"document.readyState === 'complete' && location.href === '{page.as_uri()}'")  # fmt: skip
                large = (
                    page.name == "report.html"
                )  # what is folded on it: tests/report/test_chromium.py
                looks = LOOKS[::3] if large else LOOKS
                found[page.name] = await tab.axe(unfold=not large, looks=looks)
            return found

    assert {name: faults for name, faults in asyncio.run(looked_at()).items() if faults} == {}
