"""The pictures of the documentation: `python docs/_generate/pictures.py [FOLDER]`, with Chromium on the path.

Runs the experiment of three imitated models on 280 drawn faces in FOLDER (left out: one that is removed), writes its page,
figures and board unless they are there, and takes pictures of them in headless Chromium: docs/images/*.png, each below 150 kB.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PIL import Image

from harness.cli.main import main as harness
from tests.experiment.imitated import running_experiment
from tests.rating.chromium import Tab, browser

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs/images"
FACES = 280
RUN = "results/runs/Do-definitions-help"
MOST_BYTES = 150_000
COLOURS = 128


@dataclass(frozen=True)
class Shot:
    """One picture of a page."""

    name: str
    page: str
    """A file in the folder of the experiment."""
    size: tuple[int, int]
    ready: str
    """What is true once the page stands."""
    fragment: str = ""
    top: str = ""
    """The element that the picture begins with; left out, the top of the page."""


REPORT = f"{RUN}/report.html"
ROWS = "document.querySelectorAll('#entries th.sample').length"
SHOTS = (
    Shot("experiment-page", REPORT, (1280, 960), ROWS),
    Shot(
        "samples", REPORT, (1280, 800), f"{ROWS} && document.querySelector('#entries img')?.naturalWidth",
        "samples&which=a-not-b&a=2&b=0&columns=0,2,8,12,16", "#samples",
    ),
    Shot("leaderboard", "board/index.html", (1280, 560), "document.querySelector('table')"),
)  # fmt: skip


def run(folder: Path) -> None:
    """All commands that a user would give."""
    with chdir(folder), running_experiment(folder, n=FACES):
        for words in (
            ("run", "experiment.yaml"),
            ("figure", RUN, "heatmap", "--out", "heatmap.png"),
            ("figure", RUN, "forest", "--out", "forest.png"),
            ("board", "build", RUN, "--out", "board"),
        ):
            if harness(list(words)):
                raise SystemExit(f"failed: harness {' '.join(words)}")


async def take(folder: Path, shots: Sequence[Shot]) -> None:
    """The pictures of the pages."""
    with tempfile.TemporaryDirectory() as profile:
        async with browser(Path(profile)) as tab:
            for shot in shots:
                await _take(tab, shot, (folder / shot.page).as_uri())


async def _take(tab: Tab, shot: Shot, address: str) -> None:
    await tab.size(*shot.size)
    await tab.go("about:blank")
    await tab.go(address + (f"#{shot.fragment}" if shot.fragment else ""))
    await tab.until(shot.ready)
    if shot.top:
        await tab.js(f"document.querySelector('{shot.top}').scrollIntoView({{behavior: 'instant'}})")  # fmt: skip
        await asyncio.sleep(0.5)
    path = IMAGES / f"{shot.name}.png"
    await tab.picture(path)
    shrink(path, path, width=shot.size[0])


def shrink(path: Path, out: Path, *, width: int) -> None:
    """Fewer colours and no more than `width` pixels across."""
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((width, 10_000), Image.Resampling.LANCZOS)
    small.quantize(COLOURS, dither=Image.Dither.NONE).save(out, optimize=True)
    if out.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{out}: {out.stat().st_size} bytes")
    print(f"{out.relative_to(ROOT)}: {out.stat().st_size // 1000} kB")


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "board").exists():
            run(folder)
        asyncio.run(take(folder, SHOTS))
        for name in ("heatmap", "forest"):
            shrink(folder / f"{name}.png", IMAGES / f"{name}.png", width=900)


if __name__ == "__main__":
    main()
