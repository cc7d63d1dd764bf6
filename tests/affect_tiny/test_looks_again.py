"""affect-tiny uses its tool where it has to, and says so where the tool shows nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import harness


@pytest.mark.slow
def test_it_enlarges_small_faces_alone_and_cannot_tell_a_blank_one(tmp_path: Path) -> None:
    run = harness.evaluate(
        "faces/scene", model="affect-tiny", tools=["none", "zoom", "zoom:blank", "zoom:unavailable"],
        out=str(tmp_path / "run"), progress=False, report=False, source={"n": 56},
    )  # fmt: skip
    made = {}
    for line in (tmp_path / "run/trials.jsonl").read_text(encoding="utf-8").splitlines():
        trial = json.loads(line)
        made[trial["trial"]] = bool(trial.get("calls"))
    told = run.records()
    told["calls"] = told["trial"].map(made)
    shown = run.samples().set_index("sample")["annotation.suffices"]
    small = told["sample"].map(shown) == "no"
    right = (told["value"] == told["target"]) & (told["outcome"] == "answered")
    zoom, once = told["tools"] == "zoom", ~told["calls"] & (told["tools"] == "")
    assert told["calls"][zoom & small].mean() >= 0.8
    assert told["calls"][zoom & ~small].mean() <= 0.2
    assert right[zoom & small].mean() - right[once & small].mean() >= 0.4
    nothing = told["tools"].isin(["zoom:blank", "zoom:unavailable"]) & told["calls"]
    assert (told["outcome"][nothing] == "refused").mean() >= 0.9
