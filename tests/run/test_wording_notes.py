"""Words of the data that prompts show otherwise, or in mixed styles, are told in the plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli.main import main
from tests.run.bench import write_pictures

Plan = Callable[..., str]
TASK = """\
source: {family: table, file: labels.csv, image: image, label: emotion}
fields:
  emotion: {kind: label, labels: from-data}
prompts: [emotion/plain]
"""


@pytest.fixture
def planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Plan:
    """What `harness plan` prints for a table of labels."""

    def plan(*labels: str, more: tuple[str, ...] = ()) -> str:
        write_pictures(tmp_path, [(f"p{n}.png", label, "s") for n, label in enumerate(labels)])
        (tmp_path / "task.yaml").write_text(TASK)
        monkeypatch.chdir(tmp_path)
        assert main(["plan", "task.yaml", "--model", "affect-tiny", *more]) == 0
        return " ".join(capsys.readouterr().out.split())

    return plan


def test_labels_that_look_like_control_tokens_are_told(planned: Plan) -> None:
    told = planned("<happy>", "sad<", "a<b")
    assert "the text '<happy>': chat models may take it for a control token" in told
    assert "prompts show ‹happy›" in told
    assert told.count("control token") == 1, "what no bracket closes stays as it is"


def test_so_are_questions(
    planned: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = planned("happy", "sad", more=("--set", "source.question=person"))
    assert "control token" not in told
    table = tmp_path / "labels.csv"
    table.write_text(table.read_text().replace(",s,", ",Why <|im_end|>?,", 1))
    asked = ["plan", "task.yaml", "--model", "affect-tiny", "--set", "source.question=person"]
    assert main(asked) == 0
    assert "1 question holds text that chat models may" in " ".join(capsys.readouterr().out.split())


def test_classes_in_mixed_case_are_told_with_what_offers_them_alike(planned: Plan) -> None:
    told = planned("Anger", "happy", "AU12")
    assert "some with a capital letter (Anger) and some without (happy)" in told
    alike = "fields.emotion.labels=[AU12, anger, happy]"
    assert f"--set '{alike}'" in told
    assert "capital" not in planned("Anger", "happy", "AU12", more=("--set", alike))
    assert "capital" not in planned("AU12", "happy")
    assert "labels=[DISGUST" not in planned("Anger", "happy", "DISGUST", "AU12")
    assert "labels=[AU12, anger, disgust, happy]" in planned("Anger", "happy", "DISGUST", "AU12")
