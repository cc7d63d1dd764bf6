"""The model that mean corruption errors are relative to: of the run, or named when it is scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness import open_run
from harness.api.carry_out import carry_out
from harness.api.model_object import Lent
from harness.api.options import RunOptions, prepare
from harness.api.watchers import Noting
from harness.cli.main import main
from harness.core.cell_pattern import CellPattern
from harness.core.errors import HarnessError
from tests.run.bench import TASK, RuleModel, write_pictures
from tests.run.bench import rows as made_rows


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_pictures(tmp_path, made_rows(30))
    (tmp_path / "task.yaml").write_text(TASK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(out: str, *, against: str = "", conditions: str = "degrade:noise=all") -> None:
    """Three models: one says anger, one happiness, one neither."""
    said = {"angry": "anger", "happy": "happiness", "mute": "perhaps"}
    options: dict[str, Any] = {"against": CellPattern(model=against)} if against else {}
    asked = RunOptions(
        tasks=("task.yaml",), models=tuple(said), conditions=("none", conditions),
        prompts=("emotion/plain",), out=Path(out), **options,
    )  # fmt: skip
    models = {
        name: Lent(RuleModel(lambda request, word=word: word, identity=name), ("chat",))  # type: ignore[misc]
        for name, word in said.items()
    }
    carry_out(prepare(asked, command=["test"], models=models), Noting(None), report=False)


def errors(out: str) -> dict[tuple[str, str], float | None]:
    """(model, reference) -> mean corruption error."""
    scores = json.loads(Path(out, "scores.json").read_text())
    found = [one for one in scores["severity"] if one["what"] == "mce"]
    return {(one["model"], one["reference"]): one["value"] for one in found}


def test_one_reference_in_place_of_all_pairs(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("run")
    every = errors("run")
    assert len(every) == 6 and every["mute", "angry"] == pytest.approx(2.0)
    assert main(["score", "run", "--reference", "angry"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "mean corruption error 2.000" in printed and "relative to angry" in printed
    assert "--reference angry" in printed
    assert errors("run") == {pair: value for pair, value in every.items() if pair[1] == "angry"}
    open_run("run").rescore(reference="mute")
    assert {pair[1] for pair in errors("run")} == {"mute"}
    assert main(["score", "run"]) == 0
    assert errors("run") == every
    with pytest.raises(HarnessError, match="the run has no such model") as raised:
        open_run("run").rescore(reference="angri")
    assert "did you mean angry?" in raised.value.hint
    assert errors("run") == every


def test_the_model_that_a_run_is_against_is_the_reference(place: Path) -> None:
    run("run", against="happy")
    assert errors("run") == pytest.approx({("angry", "happy"): 1.0, ("mute", "happy"): 2.0})


def test_one_that_never_answers_is_no_reference(place: Path) -> None:
    run("run", against="mute")
    assert errors("run") == {("angry", "mute"): None, ("happy", "mute"): None}


def test_a_reference_without_all_severities_is_refused(place: Path) -> None:
    run("run", conditions="degrade:noise=3")
    with pytest.raises(HarnessError, match="--reference mute has no effect"):
        open_run("run").rescore(reference="mute")
