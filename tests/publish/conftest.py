"""One run of four cells whose order is known, for all that is handed in."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from harness.core.cell import Cell
from harness.core.sample import Sample
from harness.run.folder import RunFolder
from harness.score import score_run
from tests.report.runs import LABELS, emotion_task, make_run

SHARE = {("good", "emotion/plain"): 0.7, ("good", "emotion/cot"): 0.98, ("=po_or%", "emotion/plain"): 0.4, ("=po_or%", "emotion/cot"): 0.42}  # fmt: skip
"""Share right of each model and prompt; the second name is one that breaks careless writers."""


def reply(cell: Cell, sample: Sample, number: int) -> str:
    truth = str(sample.targets["emotion"])
    if cell.condition == "blank":
        return f"Final answer: {LABELS[-1]}"
    drawn = hashlib.sha256(f"{sample.id}{cell.model}".encode()).digest()
    right = drawn[0] / 256 < SHARE[cell.model, cell.prompt]
    return f"Final answer: {truth if right else LABELS[(LABELS.index(truth) + 1) % 7]}"


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    task = emotion_task(n=140).model_copy(update={"name": "raf-db/emotion"})
    models = list(dict.fromkeys(model for model, _ in SHARE))
    folder = make_run(tmp_path_factory.mktemp("publish") / "run", tasks=[task], models=models, reply=reply)  # fmt: skip
    score_run(folder)
    return folder


@pytest.fixture(scope="session")
def exported(run: RunFolder) -> Path:
    from harness.exports.export import Kept, write_export

    out = run.path.with_name("export.zip")
    write_export(run, out, secret=None, kept=Kept())
    return out
