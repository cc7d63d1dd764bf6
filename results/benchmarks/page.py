"""The page of a run: how long it takes to write and to open.

    python results/benchmarks/page.py SAMPLES MODELS
    python results/benchmarks/page.py RUN

Answers drawn faces by a rule for so many models and two prompts, or takes a run that is there, writes the page and opens it
three times in headless Chromium (`chromium` on the path).
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness.core.cell import Cell
from harness.core.sample import Sample
from harness.report.page import write_report
from harness.run.folder import RunFolder
from harness.score.folder import score_run
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


def made(samples: int, models: int, folder: Path) -> RunFolder:
    """A scored run of samples x models x two prompts."""
    run = make_run(
        folder, tasks=[emotion_task(n=samples)], conditions=("none",),
        models=[f"m{number}" for number in range(1, models + 1)], reply=reply,
    )  # fmt: skip
    score_run(run)
    return run


def opening(name: str, run: RunFolder, scratch: Path) -> None:
    """Write the page of a run, open it three times, print what it took."""
    begun = time.process_time()
    page = write_report(run)
    took = time.process_time() - begun
    text = POLICY.sub("", page.read_text(encoding="utf-8")).replace("<head>", f"<head>{PROBE}", 1)
    probe = scratch / "probe.html"
    probe.write_text(text, encoding="utf-8")
    times = []
    for _ in range(3):
        done = subprocess.run(
            [
                shutil.which("chromium") or "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                f"--user-data-dir={scratch / 'profile'}", "--dump-dom", probe.as_uri(),
            ],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        found = re.search(r"<title>loaded ([0-9]+) ([0-9]+)", done.stdout)
        times.append(int(found[1]) if found else -1)
    size = page.stat().st_size / 1e6
    print(f"| {name} | {size:.1f} | {took:.1f} | {', '.join(map(str, times))} |")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if len(sys.argv) == 2:
            opening(sys.argv[1], RunFolder(Path(sys.argv[1])), scratch)
        else:
            samples, models = map(int, sys.argv[1:])
            opening(f"{samples:,} x {2 * models}", made(samples, models, scratch / "run"), scratch)


if __name__ == "__main__":
    main()
