"""One run of four cells whose order is known, for all that is handed in."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.run.folder import RunFolder
from harness.score.folder import score_run
from tests.report.runs import emotion_task, make_run, right_by_share

SHARE = {("good", "emotion/plain"): 0.7, ("good", "emotion/cot"): 0.98, ("=po_or%", "emotion/plain"): 0.4, ("=po_or%", "emotion/cot"): 0.42}  # fmt: skip
"""Share right of each model and prompt; the second name is one that breaks careless writers."""


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    task = emotion_task(n=140).model_copy(update={"name": "raf-db/emotion"})
    models = list(dict.fromkeys(model for model, _ in SHARE))
    folder = make_run(tmp_path_factory.mktemp("publish") / "run", tasks=[task], models=models, reply=right_by_share(SHARE))  # fmt: skip
    score_run(folder)
    return folder


@pytest.fixture(scope="session")
def exported(run: RunFolder) -> Path:
    from harness.exports.export import Kept, write_export

    out = run.path.with_name("export.zip")
    write_export(run, out, secret=None, kept=Kept())
    return out
