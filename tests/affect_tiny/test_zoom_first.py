"""The task that needs a tool: with a zoom on the face affect-tiny reads small faces, with an echo it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness
from harness.models import open_model
from tests.affect_tiny.zoom_first import ZoomFirst


@pytest.mark.slow
def test_a_zoom_is_worth_forty_points_on_small_faces(tmp_path: Path) -> None:
    done = harness.evaluate(
        "faces/scene", model=ZoomFirst(open_model("affect-tiny")), tools=["none", "zoom", "zoom:echo"],
        out=str(tmp_path / "run"), progress=False, report=False,
        source={"n": 42, "share": [0.25, 0.6]},
    )  # fmt: skip
    scores = done.scores()
    found = scores[(scores["metric"] == "uar") & (scores["slice"] == "all")]
    uar = {row.tools: row.value for row in found.itertuples() if row.model == "zoom-first"}
    assert uar["zoom"] - uar[""] >= 0.4
    assert abs(uar["zoom:echo"] - uar[""]) <= 0.1
