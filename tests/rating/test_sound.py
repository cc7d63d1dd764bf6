"""Clips with sound: what the page is sent, and that a browser plays it."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import pytest

from harness.core.errors import HarnessError

from .chromium import CHROMIUM, browser
from .conftest import Serve, clips_with_sound

CONDITIONS = ("both", "picture", "audio")
SHOWN = "document.querySelector('fieldset') && !document.getElementById('stage').hidden"


async def test_each_condition_gives_what_it_names(serve: Serve) -> None:
    async with serve("anna", given=clips_with_sound(), conditions=CONDITIONS) as page:
        for at, item in enumerate(page.desks[0].seat.items):
            told = await page.get(f"items/{at}")
            assert told["sound"] == (None if item.condition == "picture" else 0.8)
            assert told["media"] == ([] if item.condition == "audio" else [20])
            assert told["clip"] is (item.condition != "audio") and not told["failure"]
            if item.condition != "audio":
                assert len(told["times"]) == 20
            async with page.visitor.get(page.address(path=f"items/{at}/sound")) as reply:
                if item.condition == "picture":
                    assert reply.status == 404
                    continue
                assert reply.status == 200 and reply.content_type == "audio/wav"
                with wave.open(io.BytesIO(await reply.read())) as file:
                    assert (file.getframerate(), file.getnframes()) == (8000, 6400)
        async with page.visitor.get(page.address()) as reply:
            assert "media-src blob:;" in reply.headers["Content-Security-Policy"]


async def test_a_study_without_any_sound_is_refused(serve: Serve) -> None:
    with pytest.raises(HarnessError, match="--condition both: no sample has a sound"):
        async with serve("anna", conditions=("both",)):
            pass


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
async def test_a_browser_plays_it_and_the_frames_follow(serve: Serve, tmp_path: Path) -> None:
    given = clips_with_sound(1, seconds=1.2)
    async with (
        serve("anna", given=given, conditions=("both",)) as page,
        browser(tmp_path / "profile") as tab,
    ):
        await tab.size(1200, 800)
        await tab.go(page.address())
        await tab.until(SHOWN)
        await tab.until("document.getElementById('sound').readyState >= 3")
        await tab.js(
            "window.heard = 0; document.getElementById('sound').addEventListener('timeupdate', (e) => { window.heard = Math.max(window.heard, e.target.currentTime); })"
        )
        await tab.until("document.getElementById('message').textContent.startsWith('Press Play')")
        await tab.press(" ")  # a browser lets a page be heard once it was touched
        await tab.until("document.getElementById('play').getAttribute('aria-pressed') === 'true'")
        await tab.until("document.getElementById('time').textContent.startsWith('20 of 20')")
        await tab.until("document.getElementById('play').getAttribute('aria-pressed') === 'false'")
        assert await tab.js("window.heard") > 0.9
        assert tab.errors == []


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
async def test_a_sound_alone_has_its_own_controls(serve: Serve, tmp_path: Path) -> None:
    async with (
        serve("anna", given=clips_with_sound(1), conditions=("audio",)) as page,
        browser(tmp_path / "profile") as tab,
    ):
        await tab.size(390, 740, mobile=True)
        await tab.go(page.address())
        await tab.until(SHOWN)
        sound = "document.getElementById('sound')"
        await tab.until(f"!{sound}.hidden && {sound}.readyState >= 3")
        await tab.press(" ")
        await tab.until(f"{sound}.ended || {sound}.currentTime > 0.4")
        assert await tab.js("document.getElementById('player').hidden")
        assert await tab.js("document.documentElement.scrollWidth") <= 390
        assert tab.errors == []
