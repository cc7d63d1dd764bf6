"""Pairs asked of a chat model: both pictures are sent, and yes, no and numbers are scored alike."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.cli.main import main
from tests.models.stub import running_stub


def pictures(body: dict[str, Any]) -> list[np.ndarray[Any, Any]]:
    parts = [p for turn in body["messages"] if not isinstance(turn["content"], str) for p in turn["content"]]  # fmt: skip
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    found = []
    for url in urls:
        with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as picture:
            found.append(np.asarray(picture.convert("RGB").resize((8, 8)), dtype=float))
    return found


def answer(body: dict[str, Any]) -> str:
    """A model that takes pictures of like colours for one person's."""
    told = pictures(body)
    if len(told) != 2:
        return "no"
    apart = float(np.abs(told[0] - told[1]).mean())
    if "from 0" in json.dumps(body):
        return f"{max(0, round(100 - 2 * apart))}"
    return "Yes, the same person." if apart < 20 else "No."


def test_pairs_go_to_a_chat_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with running_stub(answer=answer) as stub:
        run = ["run", "faces/pairs", "--set", "source.n=16", "--model", f"openai:stub@{stub.url}"]
        asked = ["--prompt", "pairs/yes-no", "--prompt", "pairs/score", "--no-report"]
        assert main([*run, *asked, "--json", "--out", "run"]) == 0
    assert {len(pictures(body)) for body in stub.requests} == {2} and stub.count == 32
    rows = [r for r in json.loads(capsys.readouterr().out)["scores"] if r["metric"] == "pair_auroc"]
    assert {row["prompt"] for row in rows if row["model"].startswith("openai")} == {"pairs/yes-no", "pairs/score"}  # fmt: skip
    mine = [row for row in rows if row["model"].startswith("openai")]
    assert all(0 <= row["value"] <= 1 and row["n"] == 16 for row in mine), mine
    trials = [json.loads(line) for line in Path("run/trials.jsonl").read_text().splitlines()]
    assert not [trial for trial in trials if trial.get("failure")]
