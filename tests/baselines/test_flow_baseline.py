"""The flow network: what it sees, that it is small, repeatable, and never answers a subject that it was trained on."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from harness.baselines.flow_inputs import SIDE, flow_error, flow_planes
from harness.baselines.flow_network import (
    MOST_PARAMETERS,
    TrainingSettings,
    one_hot,
    parameters,
    train_and_answer,
)
from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.run.folder import RunFolder
from harness.run.manifest import read_manifest


def test_planes_of_flow_whose_values_are_known() -> None:
    """A field that stretches by 10% to the right and shears: strain is the same everywhere."""
    _, columns = np.mgrid[0:112, 0:112].astype(np.float32)
    flow = np.stack([0.1 * columns, 0.04 * columns], axis=-1).astype(np.float32)
    right, down, strain = flow_planes(flow)
    assert right.shape == (SIDE, SIDE)
    assert right[:, 0] == pytest.approx(0.1 * columns[0, :4].mean() * 100 / 112, abs=1e-5)
    assert down == pytest.approx(0.4 * right, abs=1e-5)
    assert strain == pytest.approx(np.sqrt(0.1**2 + 2 * 0.02**2), rel=1e-4)


def test_the_error_of_a_flow_is_that_of_its_landmarks() -> None:
    before = [(float(x), 50.0) for x in range(10, 78)]
    after = [(x + 3.0, y + 4.0) for x, y in before]
    still = np.zeros((100, 100, 2), dtype=np.float32)
    nothing = flow_error(still, before, after)
    assert (nothing.endpoint, nothing.still) == (pytest.approx(5.0), pytest.approx(5.0))
    assert nothing.landmarks == pytest.approx(5 / 6), "the eyes are six pixels apart"
    assert flow_error(still + np.float32([3, 4]), before, after).endpoint == pytest.approx(0)


def made_up(subjects: int = 6) -> tuple[np.ndarray, list[str]]:
    """Clips whose label is where the movement is, with noise."""
    draws = np.random.default_rng(1)
    labels = ["a", "b"] * subjects * 2
    planes = draws.normal(0, 0.1, (len(labels), 3, SIDE, SIDE)).astype(np.float32)
    for place, label in enumerate(labels):
        planes[place, 1, slice(3, 9) if label == "a" else slice(18, 24), 8:20] += 1.0
    return planes, labels


def test_the_network_is_small_learns_and_repeats_itself() -> None:
    import torch

    planes, labels = made_up()
    shares = one_hot(labels, ["a", "b"])
    train, test = np.arange(0, 16), np.arange(16, 24)
    settings = TrainingSettings(epochs=15)
    before = torch.get_num_threads(), torch.random.get_rng_state()
    first = train_and_answer(planes, shares, train, test, settings)
    assert np.array_equal(first, train_and_answer(planes, shares, train, test, settings))
    assert torch.get_num_threads() == before[0]
    assert torch.equal(torch.random.get_rng_state(), before[1])
    assert (first.argmax(1) == shares[test].argmax(1)).all()
    assert first.sum(axis=1) == pytest.approx(1)
    other = train_and_answer(planes, shares, train, test, TrainingSettings(epochs=15, seed=1))
    assert not np.array_equal(first, other)
    assert parameters(7) <= MOST_PARAMETERS
    with pytest.raises(HarnessError, match="40 classes need"):
        train_and_answer(planes, np.eye(40, dtype=np.float32)[:24], train, test, settings)


def test_the_answer_hangs_on_the_training_clips_alone() -> None:
    """What stands in the other clips, their labels included, changes nothing."""
    planes, labels = made_up()
    shares = one_hot(labels, ["a", "b"])
    train, test = np.arange(0, 16), np.arange(16, 20)
    settings = TrainingSettings(epochs=3)
    first = train_and_answer(planes, shares, train, test, settings)
    planes[20:] = 9.0
    shares[16:] = shares[16:, ::-1]
    assert np.array_equal(first, train_and_answer(planes, shares, train, test, settings))


def baseline(out: Path, *more: str) -> int:
    small = ["--set", "source.n=28", "--set", "source.size=96", "--epochs", "4"]
    return main(["baseline", "flow", "faces/me-emotion-3", *small, "--out", str(out), *more])


@pytest.mark.slow
def test_a_run_folder_like_any_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert baseline(tmp_path / "a", "--json") == 0
    told = capsys.readouterr()
    rows = json.loads(told.out)["scores"]
    assert {r["model"] for r in rows} >= {"baseline:flow", "majority"}
    assert "EPE" in told.err
    run = RunFolder(tmp_path / "a")
    details = read_manifest(run)["models"]["baseline:flow"]["details"]
    assert int(details["parameters"]) <= MOST_PARAMETERS
    assert details["checkpoint"] == "an epoch that was fixed before training"
    with (run.path / "private" / "answers.csv").open() as file:
        answers = list(csv.DictReader(file))
    assert len(answers) == 28
    assert all(row["fold"] not in row["trained_on"].split("; ") for row in answers)
    assert all(len(row["trained_on"].split("; ")) == 3 for row in answers)
    assert "leave-one-subject-out" in details["folds"]
    assert baseline(tmp_path / "b") == 0
    assert (tmp_path / "a/records.parquet").read_bytes() == (
        tmp_path / "b/records.parquet"
    ).read_bytes()
    assert baseline(tmp_path / "c", "--shuffle-flow") == 0
    assert "baseline:flow-shuffled" in capsys.readouterr().out
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "c")]) == 0
    assert main(["export", str(tmp_path / "a"), "--out", str(tmp_path / "export")]) == 0
    assert not any("test-7-0" in p.read_text() for p in (tmp_path / "export").glob("*.json"))


@pytest.mark.parametrize(
    ("task", "more", "message"),
    [
        ("faces/emotion", (), "is a single picture"),
        (
            "faces/emotion",
            ("--set", "folds=subject", "--set", "source.n=14"),
            "is a single picture",
        ),
        ("faces/me-vqa", (), "the network answers one field"),
        ("faces/me-emotion-3", ("--mix", "-1"), "--mix -1 is outside 0 to 10"),
        ("faces/me-emotion-3", ("--epochs", "0"), "--epochs 0 is outside"),
        ("faces/me-emotion-3", ("--set", "source.n=3", "--set", "source.size=64"), "fewer than 6"),
    ],
)
def test_what_cannot_be_trained_is_told(
    task: str,
    more: tuple[str, ...],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["baseline", "flow", task, *more, "--out", str(tmp_path / "run")])
    assert code == (1 if message == "fewer than 6" else 2)
    assert not (tmp_path / "run").exists()
    assert message in " ".join(capsys.readouterr().err.split())
