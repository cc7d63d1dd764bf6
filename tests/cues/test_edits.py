"""Edited pictures: each edit against the unedited picture of the same face."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.core.task import Task
from harness.cues.edits import edits
from harness.cues.sheet import AnswerSheet
from tests import open_sets


def sheet(said: dict[tuple[int, str], str | None], field: str = "emotion") -> AnswerSheet:
    """Answers by (face, edit); the empty edit is the unedited picture."""
    names = [f"{face}:{edit}" for face, edit in said]
    return AnswerSheet(
        "t", "m", "p", "none", "free", tuple(names), tuple(str(face) for face, _ in said), {field: [None] * len(said)},
        {field: list(said.values())}, {},
        [{"base_face": str(face), "edit": edit.partition("=")[0], "edit_value": edit.partition("=")[2]} for face, edit in said],
    )  # fmt: skip


def task(field: str, labels: tuple[str, ...]) -> dict[str, Task]:
    return {"t": Task(source={"family": "table"}, fields={field: {"kind": "label", "labels": labels}}, prompts=("p",))}  # type: ignore[dict-item]  # fmt: skip


def test_an_edit_that_causes_anger_is_found_and_one_that_does_nothing_is_not() -> None:
    said: dict[tuple[int, str], str | None] = {}
    for face in range(40):
        base = "neutral" if face % 4 else "anger"
        said[face, ""] = base
        said[face, "tattoos=Facial tattoo"] = "anger" if face % 2 else base
        said[face, "hair_color=Gray"] = base if face != 7 else None
    found = edits([sheet(said)], task("emotion", ("anger", "neutral")), label="anger").effects
    by = {(one.effect.cue, one.effect.outcome): one.effect for one in found}
    tattoo, grey = by["tattoos: Facial tattoo", "share anger"], by["hair_color: Gray", "share anger"]  # fmt: skip
    assert tattoo.change.value == pytest.approx(0.5) and tattoo.change.low > 0.3
    assert tattoo.p_holm < 0.01 and grey.change.value == 0 and grey.p_holm == 1
    assert (grey.pairs, grey.dropped, tattoo.pairs) == (39, 1, 40)
    assert by["tattoos: Facial tattoo", "label changed"].change.value == pytest.approx(0.5)
    assert by["hair_color: Gray", "label changed"].change.value == 0
    assert by["tattoos: Facial tattoo", "label changed"].p != by["tattoos: Facial tattoo", "label changed"].p  # fmt: skip


def test_any_field_of_one_answer_is_compared_and_a_face_without_its_base_is_no_pair() -> None:
    said = {(0, ""): "poor", (0, "eyewear=Thick"): "rich", (1, "eyewear=Thick"): "rich"}
    found = edits([sheet(said, "judgement")], task("judgement", ("rich", "poor"))).effects
    assert [(one.effect.outcome, one.effect.pairs) for one in found] == [("share rich", 1), ("label changed", 1)]  # fmt: skip


def test_the_command_tells_edits_of_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = open_sets.stylistic_bias(tmp_path / "set", 6)
    asked = ["--task", "stylistic-bias/emotion", "--set", f"source.root={root}"]
    with (tmp_path / "a.csv").open("w", newline="") as file:
        rows = [(p.stem, "anger" if "_face_1_" in p.stem else "neutral") for p in sorted(root.glob("*/*.png"))]  # fmt: skip
        csv.writer(file).writerows([("id", "answer"), *rows])
    run = str(tmp_path / "run")
    assert main(["score", "--predictions", str(tmp_path / "a.csv"), *asked, "--out", run]) == 0
    assert main(["cues", run, "--label", "anger"]) == 0
    out = capsys.readouterr().out
    assert "hair_color: Gray" in out and "+1.000" in out and "unedited" in out
    page = (tmp_path / "run" / "cues.html").read_text()
    assert "Edited pictures" in page and "hair_color: Gray" in page
    assert main(["cues", run, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["edits"]["effects"]
    assert {one[1]["outcome"] for one in told} == {"share happiness", "label changed"}
    assert main(["cues", run, "--label", "wealthy"]) == 2
    assert "no such label" in capsys.readouterr().err
