from __future__ import annotations

from pathlib import Path

import pytest

import harness
from tests.run.bench import RuleModel, rows, write_pictures

SOURCE = {"file": "labels.csv", "image": "image", "label": "emotion", "subject": "person"}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: `labels.csv` and 24 pictures, half of them anger."""
    write_pictures(tmp_path, rows(24))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(data: Path) -> harness.Run:
    """A finished run of two prompts by a model of one's own: the first is answered right on anger alone."""
    return harness.evaluate(
        "table/emotion",
        model=RuleModel(rule=lambda request: "anger"),
        prompts=["emotion/plain", "emotion/defined"],
        source=SOURCE,
        set={"slices": ["light"]},
        out="run",
        progress=False,
    )
