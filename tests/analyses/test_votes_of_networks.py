"""The distribution that an encoder states is scored against the votes of FERV39k's annotators."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.cli.main import main
from tests.sources import layouts

LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
VOTES = {
    "Action/Sad/0010": {"sadness": 7, "neutral": 3},
    "Crime/Angry/0002": {"anger": 6, "fear": 4},
}
SAID = {
    "Action/Sad/0010": {"sadness": 0.5, "neutral": 0.5},
    "Crime/Angry/0002": {"anger": 0.6, "fear": 0.4},
}


def test_probabilities_of_a_network_against_votes_of_a_side_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layouts.ferv39k(tmp_path / "set")
    votes = tmp_path / "votes.csv"
    lines = [
        ",".join([name, *(str(row.get(label, 0)) for label in LABELS)])
        for name, row in VOTES.items()
    ]
    votes.write_text(
        "\n".join([",".join(["sample", *(f"votes.{label}" for label in LABELS)]), *lines])
    )
    answers = tmp_path / "answers.csv"
    rows = [
        ",".join([name, *(str(row.get(label, 0)) for label in LABELS)])
        for name, row in SAID.items()
    ]
    answers.write_text("\n".join([",".join(["name", *(f"p_{label}" for label in LABELS)]), *rows]))
    command = ["score", "--predictions", str(answers), "--task", "ferv39k/emotion", "--json"]
    command += ["--set", f"source.root={tmp_path / 'set'}", "--probabilities", "p_"]
    command += ["--set", f"source.sidecar.file={votes}", "--out", str(tmp_path / "run")]
    assert main(command) == 0
    scores = json.loads(capsys.readouterr().out)["scores"]
    found = {
        r["metric"]: r
        for r in scores
        if r["model"] == "predictions:answers.csv" and r["slice"] == "all"
    }
    truth, told = (
        np.array([[row[n].get(label, 0) for label in LABELS] for n in VOTES], dtype=float)
        for row in (VOTES, SAID)
    )
    truth /= truth.sum(axis=1, keepdims=True)
    middle = (truth + told) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.nansum(p * np.log2(p / middle), axis=1) / 2 for p in (truth, told)]
    assert found["js"]["value"] == pytest.approx(float(np.mean(parts[0] + parts[1])), abs=1e-6)
    assert "logarithm to base 2" in found["js"]["estimator"]
    assert "nats" in found["kl"]["estimator"] or "natural" in found["kl"]["estimator"]
    assert {"uar", "war", "expected_accuracy"} <= set(found)
