"""The page of `harness view` in a real browser: by keys, on a desk and in a phone's width, with nothing in the console."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.rating.chromium import CHROMIUM, Tab, browser
from tests.report.chromium import AXE
from tests.view.conftest import EVIL, Visit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
ROWS = "document.querySelectorAll('.runs tbody tr').length"
TEXT = "document.querySelector('main').innerText"
PICTURES = os.environ.get("VIEW_PICTURES")


async def test_runs_are_found_opened_compared_and_noted(
    visit: Visit, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)  # where the pictures lie
    root = tmp_path / "results"
    shutil.copytree(made / "results", root)
    async with visit(root, side=160) as page, browser(tmp_path / "profile") as tab:

        async def look(name: str) -> None:
            """No width is scrolled aside; a picture where one is wanted."""
            for width, mobile in ((1280, False), (390, True)):
                await tab.size(width, 900, mobile=mobile)
                assert await tab.js("document.documentElement.scrollWidth") <= width, name
                if PICTURES:
                    await tab.picture(Path(PICTURES) / f"{name}-{width}.png")
            await tab.size(1280, 900)

        await tab.size(1280, 900)
        await tab.go(page.address())
        await tab.until(f"{ROWS} === 2")
        await look("runs")
        await tab.press("/")
        await tab.until("document.activeElement.type === 'search'")
        for key in "rule-2":
            await tab.press(key)
        assert await tab.js(ROWS) == 0  # the name of a model, not its identity
        await tab.js("document.activeElement.value = ''")
        for key in "look":
            await tab.press(key)
        await tab.until(f"{ROWS} === 1")

        await tab.js("document.querySelector('.runs a').focus()")
        await tab.press("Enter")
        await tab.until("document.querySelectorAll('.sample').length === 20")
        assert EVIL.partition("\u202e")[0] not in await tab.js("document.body.innerHTML")
        assert await tab.js("document.title") != "1"
        await tab.js("document.querySelectorAll('.answer details')[0].open = true")
        await tab.until("document.querySelectorAll('.answer pre').length >= 1")
        await tab.until(
            "[...document.querySelectorAll('.pictures img')].slice(0, 3).every(i => i.naturalWidth)"
        )
        await look("run")
        await tab.js("document.querySelector('.sample').scrollIntoView()")
        await look("samples")
        await note(tab)
        await tab.until(f"{TEXT}.includes('Saved.')")
        assert (root / "a/notes.json").read_text().count("pilot") == 1

        await tab.js(
            "document.querySelectorAll('[data-cell] .pick input').forEach(box => box.click())"
        )
        await tab.js("document.querySelector('#ticked button.main').focus()")
        await tab.press("Enter")
        await tab.until(f"{TEXT}.includes('macro_f1')")
        await look("compared")
        await tab.js("location.hash = '#/'")
        await tab.until("document.querySelectorAll('.tag').length === 1")

        opened = await page.get(f"runs/{await page.id_of('a')}")
        await tab.go(page.origin + opened["pages"]["report.html"])
        await tab.until("document.body.innerText.includes('page 1 of')")  # its script runs
        assert await tab.js("window.origin") == "null"
        assert tab.errors == []


async def note(tab: Tab) -> None:
    await tab.js(
        "const text = document.querySelector('textarea'); text.value = 'odd'; "
        "const tags = text.form.querySelector('input'); tags.value = 'pilot'; text.form.requestSubmit()"
    )


async def test_progress_of_a_run_is_seen_in_the_dark(
    visit: Visit, made: Path, tmp_path: Path
) -> None:
    root = tmp_path / "results"
    shutil.copytree(made / "results/a", root / "a")
    log = root / "a/trials.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:12]))
    for name in ("scores.json", "records.parquet", "report.html"):
        (root / "a" / name).unlink()
    async with visit(root) as page, browser(tmp_path / "profile") as tab:
        await tab.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark"}],
        )
        await tab.size(390, 800, mobile=True)
        await tab.go(page.address())
        await tab.until(f"{TEXT}.includes('12 of 48')")
        log.write_text("".join(lines[:36]))
        await tab.until(f"{TEXT}.includes('36 of 48')")
        assert await tab.js("document.documentElement.scrollWidth") <= 390
        if PICTURES:
            await tab.picture(Path(PICTURES) / "dark-390.png")
        assert tab.errors == []


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed, see .ci/run")
async def test_axe_finds_nothing_wrong(
    visit: Visit, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)
    root = tmp_path / "results"
    shutil.copytree(made / "results", root)
    async with visit(root, side=160) as page, browser(tmp_path / "profile") as tab:
        await tab.call("Page.setBypassCSP", enabled=True)
        found = {}
        await tab.go(page.address())
        await tab.until(f"{ROWS} === 2")
        found["list"] = await tab.axe()
        await tab.js(
            "[...document.querySelectorAll('.runs a')].find(a => a.closest('tr').innerText.includes('look')).click()"
        )
        await tab.until("document.querySelectorAll('.sample').length === 20")
        found["run"] = await tab.axe()
        await tab.js(
            "document.querySelectorAll('[data-cell] .pick input').forEach(box => box.click())"
        )
        await tab.js("document.querySelector('#ticked button.main').click()")
        await tab.until(f"{TEXT}.includes('macro_f1')")
        found["compared"] = await tab.axe()
        faults = [f"{name} {one}" for name, some in found.items() for one in some]
        assert faults == [], "\n".join(faults)
