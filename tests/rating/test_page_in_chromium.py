"""The rating page in a real browser: by keys alone, on a desk and in a phone's width, with nothing in the console."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report.chromium import AXE

from .chromium import CHROMIUM, browser
from .conftest import Serve

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
SHOWN = "document.querySelector('#pictures img')?.complete && document.querySelector('fieldset')"


async def test_a_rater_needs_the_keyboard_alone(serve: Serve, tmp_path: Path) -> None:
    async with serve("anna") as page, browser(tmp_path / "profile") as tab:
        await tab.size(1200, 800)
        await tab.go(page.address())
        place = "document.getElementById('place').textContent"
        await tab.until(SHOWN)
        assert await tab.js(place) == "Item 1 of 4, 0 done"
        await tab.press("Enter")
        await tab.until(
            "document.getElementById('message').textContent.includes('Still to answer')"
        )
        for key in ("2", "1", "Enter"):  # joy, teeth, on
            await tab.press(key)
        await tab.until(f"{place}.startsWith('Item 2 of 4, 1')")
        await tab.press("Backspace")
        await tab.until(f"{place}.startsWith('Item 1')")
        checked = "[...document.querySelectorAll('input:checked')].map(i => i.value).join()"
        await tab.until(SHOWN)
        assert await tab.js(checked) == "joy,yes"
        await tab.press("ArrowDown")  # the first question again, chosen otherwise
        await tab.press("1")
        await tab.press("Enter")
        await tab.until(f"{place}.startsWith('Item 2')")
        for at in (2, 3, 4):
            await tab.until(f"{place}.startsWith('Item {at}') && {SHOWN}")
            for key in ("0", "2", "Enter"):
                await tab.press(key)
        await tab.until("document.getElementById('end').textContent.includes('All done')")
        given = {(r.item, r.field): r.value for r in page.journal.ratings.given.values()}
        first = page.desks[0].seat.items[0].key
        assert given[first, "emotion"] == "anger" and given[first, "teeth"] == "yes"
        assert sorted(map(str, given.values())) == ["None"] * 3 + ["anger"] + ["no"] * 3 + ["yes"]
        assert tab.errors == []


async def test_a_phone_shows_picture_and_answers_without_scrolling_aside(serve: Serve, tmp_path: Path) -> None:  # fmt: skip
    async with serve("anna") as page, browser(tmp_path / "profile") as tab:
        await tab.size(360, 740, mobile=True)
        await tab.go(page.address())
        await tab.until(SHOWN)
        assert await tab.js("document.documentElement.scrollWidth") <= 360
        boxes = await tab.js(
            "[...document.querySelectorAll('#pictures img, .option, footer button')]"
            ".map(e => e.getBoundingClientRect()).map(b => [b.left, b.right, b.height])"
        )
        assert all(left >= 0 and right <= 360 and height >= 40 for left, right, height in boxes)
        named = await tab.js("[...document.querySelectorAll('img')].every(i => i.alt)")
        labelled = await tab.js(
            "[...document.querySelectorAll('form input')].every(i => i.closest('label') || i.ariaLabel)"
        )
        assert named and labelled
        assert tab.errors == []


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed, see .ci/run")
async def test_axe_finds_nothing_wrong(serve: Serve, tmp_path: Path) -> None:
    async with serve("anna") as page, browser(tmp_path / "profile") as tab:
        await tab.call("Page.setBypassCSP", enabled=True)
        await tab.go(page.address())
        await tab.until(SHOWN)
        faults = await tab.axe()
        assert faults == [], "\n".join(faults)
