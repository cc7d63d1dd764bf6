"""The page of a run: how long it takes to write and to open, and the experiment of the picture in the documentation.

    python results/benchmarks/page.py open SAMPLES MODELS [FOLDER]
    python results/benchmarks/page.py experiment FOLDER

`open` answers drawn faces by a rule for so many models and two prompts, writes the page and opens it in headless Chromium
(`chromium` on the path). `experiment` runs three imitated models, four prompts and two conditions on drawn faces: model A
reads more faces where the prompt defines the labels, model B fewer where it is to think aloud, model C the same by any prompt.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import harness
from harness.core.cell import Cell
from harness.core.generation import Generation, Usage
from harness.core.message import Image, Text
from harness.core.model import Card
from harness.core.request import Request
from harness.core.sample import Sample
from harness.report.page import write_report
from harness.score import score_run
from harness.sources import open_source
from tests.report.runs import LABELS, emotion_task, make_run

PROBE = (
    "<script>addEventListener('load', () => { document.title = 'loaded ' + Math.round(performance.now()) + ' '"
    " + document.querySelectorAll('#entries th.sample').length; })</script>"
)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def drawn(*words: str) -> float:
    """A number from 0 to 1 that hangs on the words alone."""
    return int(hashlib.sha256("/".join(words).encode()).hexdigest()[:8], 16) / 2**32


def reply(cell: Cell, sample: Sample, number: int) -> str:
    """A model that is right more often the higher its number, and more alike another's on the same face."""
    truth = str(sample.targets["emotion"])
    if drawn("refuse", cell.model, sample.id) < 0.02:
        return "I'm sorry, but I can't judge the emotions of a person in a picture."
    share = 0.4 + 0.03 * int(cell.model[1:]) + 0.03 * cell.prompt.endswith("cot")
    luck = 0.6 * drawn(sample.id) + 0.4 * drawn(cell.model, cell.prompt, sample.id)
    said = truth if luck < share else LABELS[int(7 * drawn("wrong", sample.id, cell.model))]
    if cell.prompt.endswith("plain"):
        return said
    thought = f"The brows of face {number} are raised and drawn together, the mouth is open, the eyes are wide. "
    return f"{thought * 3}\nFinal answer: {said}"


def opening(samples: int, models: int, folder: Path) -> None:
    """Write one page of samples x models x two prompts, open it three times, print what it took."""
    run = make_run(
        folder, tasks=[emotion_task(n=samples)], conditions=("none",),
        models=[f"m{number}" for number in range(1, models + 1)], reply=reply,
    )  # fmt: skip
    score_run(run)
    begun = time.process_time()
    page = write_report(run)
    took = time.process_time() - begun
    text = POLICY.sub("", page.read_text(encoding="utf-8")).replace("<head>", f"<head>{PROBE}", 1)
    probe = folder / "probe.html"
    probe.write_text(text, encoding="utf-8")
    times = []
    with tempfile.TemporaryDirectory() as profile:
        for _ in range(3):
            done = subprocess.run(
                [
                    shutil.which("chromium") or "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                    f"--user-data-dir={profile}", "--dump-dom", probe.as_uri(),
                ],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            found = re.search(r"<title>loaded ([0-9]+) ([0-9]+)", done.stdout)
            times.append(int(found[1]) if found else -1)
    size = page.stat().st_size / 1e6
    print(
        f"| {samples:,} x {2 * models} | {size:.1f} | {took:.1f} | {', '.join(map(str, times))} |"
    )


@dataclass
class Imitated:
    """A model that is right on a share of the faces, which hangs on what the prompt says."""

    name: str
    base: float
    gains: Mapping[str, float]
    """Words of a prompt -> how much larger the share is."""
    truths: Mapping[str, str] = field(repr=False)
    """Name of a picture -> its label."""

    @property
    def card(self) -> Card:
        return Card(name=self.name, identity=f"{self.name} imitated", window=64, max_images=8)

    async def reply(self, request: Request) -> Generation:
        await asyncio.sleep(0)
        parts = [part for message in request.messages for part in message.parts]
        text = " ".join(part.text for part in parts if isinstance(part, Text))
        picture = next(part for part in parts if isinstance(part, Image))
        truth = self.truths[picture.name.split(" (")[0]]
        share = self.base + sum(gain for words, gain in self.gains.items() if words in text)
        luck = 0.6 * drawn(picture.digest) + 0.4 * drawn(self.name, text[-300:], picture.digest)
        said = truth if luck < share else LABELS[int(7 * drawn("wrong", picture.digest, self.name))]
        if "(blank)" in picture.name:
            said = "neutral"
        elif drawn("refuse", self.name, picture.digest) < 0.01:
            said = "I'm sorry, but I can't judge the emotions of a person in a picture."
        return Generation(
            request.key, said, "stop", Usage(250 + len(text) // 4, 1 + len(said) // 4), latency=0.2 + luck / 10
        )  # fmt: skip

    async def close(self) -> None:
        pass


def experiment(folder: Path) -> None:
    """Three models x four prompts x two conditions."""
    task = harness.load_task("faces/emotion")
    source = {"n": 280, "seed": 3}
    faces = open_source({**task.source, **source}, fields=task.fields, base=Path())
    truths = {face.medium.frames[0].name: str(face.targets["emotion"]) for face in faces}
    defined, units = "raised and drawn together", "inner"
    models = [
        Imitated("Model A 7B", 0.55, {defined: 0.06, units: 0.03}, truths),
        Imitated("Model B 11B", 0.45, {"Final answer": -0.04}, truths),
        Imitated("Model C 1B", 0.50, {}, truths),
    ]
    harness.evaluate(
        "faces/emotion", models=models, source=source, out=folder, conditions=("none", "blank"),
        prompts=("emotion/plain", "emotion/defined", "emotion/cot", "emotion/au-guided"),
        name="Do definitions help?", against={"prompt": "emotion/plain"},
    )  # fmt: skip


def main() -> None:
    if sys.argv[1] == "experiment":
        experiment(Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[4]) if len(sys.argv) > 4 else Path(scratch) / "run"
        opening(int(sys.argv[2]), int(sys.argv[3]), folder)


if __name__ == "__main__":
    main()
