"""What a run folder keeps of the commands that were given into it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image as Pillow

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.core.request import Request
from harness.cues import read_sheets
from harness.report.inputs import read_run
from harness.report.page import render
from harness.run.cell_entry import version_names
from harness.run.log import read_log
from harness.score.folder import score_run
from harness.score.scores import Scores
from harness.submit import Choice
from harness.submit.megc.questions import Question
from harness.submit.megc.replies import read_given
from tests.run.keeping import PLAIN, Desk, RuleModel, contents, make_desk

OTHER = PLAIN.replace("One of", "Choose from")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return make_desk(tmp_path)


def happy(request: Request) -> str:
    return "happiness"


def angry(request: Request) -> str:
    return "anger"


def accuracy(scores: Scores, **names: str) -> float | None:
    """The accuracy of the one row with these names."""
    rows = [
        row
        for row in scores.scores
        if row.metric == "accuracy"
        and row.slice == "all"
        and all(getattr(row, name) == value for name, value in names.items())
    ]
    assert len(rows) == 1, rows
    return rows[0].value


def told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> str:
    """What `harness score` prints, in one line."""
    capsys.readouterr()
    assert main(["score", str(desk.folder.path)]) == 0
    return " ".join(capsys.readouterr().out.split())


def version(desk: Desk) -> str:
    (name,) = version_names(desk.manifest)
    return name


def test_a_second_model_leaves_the_first_in_the_table(desk: Desk) -> None:
    desk.run({"one": RuleModel(happy)})
    done = desk.run({"two": RuleModel(angry, identity="rule-2")})
    assert desk.opened == ["two"]
    for model in ("one", "two"):
        assert accuracy(done.scores, model=model) == 0.5
    assert [cell["model"] for cell in desk.cells(named=False)] == ["one"]
    done = desk.run({"one": RuleModel(happy)})
    assert desk.opened == []
    assert {row.model for row in done.scores.scores} >= {"one", "two"}


def test_an_edited_prompt_leaves_its_earlier_version(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    first = desk.run(RuleModel(happy), "plain", conditions=("none", "blank")).scores
    model = RuleModel(angry)
    desk.write_prompt("plain", OTHER)
    done = desk.run(model, "plain", conditions=("none", "blank"))
    assert done.tally.asked == 13
    name = version(desk)
    assert name.startswith("own/plain@20") and len(name.rpartition("-")[2]) == 6
    assert [cell["asked_as"] for cell in desk.cells(prompt=name)] == ["own/plain"] * 2
    for shown in ("none", "blank"):
        kept = accuracy(done.scores, model="rule", prompt=name, condition=shown)
        assert kept == accuracy(first, model="rule", prompt="own/plain", condition=shown)
    shown = told(desk, capsys)
    assert f"left out: 2 earlier versions: rule {name} (its text was edited)" in shown
    table = shown.partition("samples; 95% intervals")[0]
    assert name not in table
    page = render(read_run(desk.folder))
    assert f"{name}" in page.partition("<details")[2]
    assert main(["compare", "run", "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)["comparisons"]
    assert "prompt" in {c["axis"] for c in compared}
    assert name in json.dumps(compared)


def test_a_prompt_that_is_put_back_counts_again_without_asking(desk: Desk) -> None:
    desk.run(RuleModel(happy))
    desk.write_prompt("plain", OTHER)
    desk.run(RuleModel(angry))
    desk.write_prompt("plain")
    before = desk.folder.trials.read_bytes()
    done = desk.run(RuleModel(angry))
    assert desk.opened == [] and done.tally.asked == 0
    assert desk.folder.trials.read_bytes() == before
    answers = {
        r["value"] for r in pq.read_table(desk.folder.records).to_pylist() if "@" not in r["prompt"]
    }
    assert answers == {'"happiness"'}
    assert [c["asked_as"] for c in desk.manifest["cells"] if "asked_as" in c] == ["own/plain"]
    desk.write_prompt("plain", OTHER)
    desk.run(RuleModel(angry))
    assert desk.opened == [], "and forth again"
    assert len(desk.manifest["cells"]) == 2


def test_three_texts_of_a_prompt_are_three_cells(desk: Desk) -> None:
    for word in ("One of", "Choose from", "Which of"):
        desk.write_prompt("plain", PLAIN.replace("One of", word))
        desk.run(RuleModel(happy))
    assert len(version_names(desk.manifest)) == 2
    assert len({cell["prompt"] for cell in desk.manifest["cells"]}) == 3
    assert all(cell.get("changed") == ["prompt"] for cell in desk.cells(named=False))


def test_an_edited_prompt_that_one_model_is_asked_makes_a_version_of_the_others(
    desk: Desk,
) -> None:
    desk.run({"one": RuleModel(happy), "two": RuleModel(angry)})
    desk.write_prompt("plain", OTHER)
    desk.run({"two": RuleModel(angry)})
    kept = desk.cells(named=False)
    assert [cell["model"] for cell in kept] == ["one", "two"]
    assert {cell["prompt"] for cell in kept} == {version(desk)}


def test_an_earlier_version_is_not_exported(desk: Desk) -> None:
    desk.run(RuleModel(happy))
    desk.write_prompt("plain", OTHER)
    desk.run(RuleModel(angry), "plain", repeats=2, temperature=0.5)
    desk.write_prompt("other")
    desk.run(RuleModel(happy), "other")
    name = version(desk)
    assert main(["export", "run", "--out", "export", "--with-prompts"]) == 0
    for path in (desk.root / "export").iterdir():
        assert name.encode() not in path.read_bytes()
    rows = pq.read_table(desk.root / "export" / "records.parquet").to_pylist()
    assert {row["prompt"] for row in rows} == {"own/plain", "own/other"}
    assert main(["compare", "export", "--unlike"]) == 0, "cells of different repeats"


def test_labels_that_changed_make_a_version_of_cells_that_are_not_named(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.run({"one": RuleModel(happy)})
    desk.run({"two": RuleModel(happy)}, changes=("fields.emotion.labels=[anger, happiness, fear]",))
    (kept,) = desk.cells(named=False)
    assert kept["changed"] == ["task"] and kept["asked_as"] == "own/plain"
    assert (
        "fields or media of the task changed; its replies are parsed with the current ones"
        in told(desk, capsys)
    )
    desk.run({"two": RuleModel(happy)})
    one = desk.cells(model="one")
    assert [cell["prompt"] for cell in one] == ["own/plain"], "put back, it stands again"
    assert desk.cells(model="two", named=False)[0]["changed"] == ["task"]


def test_metrics_that_changed_leave_cells_that_are_not_named_alone(desk: Desk) -> None:
    desk.run({"one": RuleModel(happy)})
    done = desk.run(
        {"two": RuleModel(happy)}, changes=("fields.emotion.metrics=[kappa]", "slices=[]")
    )
    assert not version_names(desk.manifest)
    assert {row.model for row in done.scores.scores if row.metric == "kappa"} >= {"one", "two"}


def test_another_model_under_the_same_name_leaves_what_the_first_said(desk: Desk) -> None:
    desk.write_prompt("other", OTHER)
    desk.run(RuleModel(happy), "plain")
    desk.run(RuleModel(angry, identity="rule-2"), "other")
    (kept,) = desk.cells(named=False)
    assert kept["changed"] == ["model"] and kept["identity"] == "rule-1"
    model = RuleModel(angry, identity="rule-2")
    done = desk.run(model, "plain")
    assert done.tally.asked == 12
    assert accuracy(done.scores, model="rule", prompt=kept["prompt"]) == 0.5


def test_a_smaller_limit_drops_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.run(RuleModel(happy), limit=10)
    desk.write_prompt("other", OTHER)
    done = desk.run(RuleModel(angry), "other", limit=4)
    assert done.tally.asked == 4
    rows = pq.read_table(desk.folder.records).to_pylist()
    assert len([row for row in rows if row["prompt"] == "own/plain"]) == 10
    shown = told(desk, capsys)
    assert "4 of 10" in shown and "trials not finished" not in shown
    done = desk.run(RuleModel(angry), "other")
    assert done.tally.asked == 8
    assert "own/plain: 10 of 12" in told(desk, capsys)


def test_samples_gone_from_the_source_are_counted_until_they_return(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.run(RuleModel(happy))
    table = desk.root / "labels.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(lines[:10]))
    done = desk.run(RuleModel(happy))
    assert desk.opened == [] and done.scores.tasks[0]["samples"] == 9
    assert any("3 samples of this run are gone from the source" in note for note in desk.notes)
    assert "left out: 3 samples of this run that are gone from the source" in told(desk, capsys)
    table.write_text("".join(lines[:8]))
    desk.run(RuleModel(happy))
    assert "left out: 5 samples" in told(desk, capsys)
    table.write_text("".join(lines))
    desk.run(RuleModel(happy))
    assert desk.opened == [], "their trials are finished still"
    assert "gone from the source" not in told(desk, capsys)
    assert not desk.folder.gone.exists()


def test_a_picture_that_changed_is_asked_alone(desk: Desk) -> None:
    desk.run(RuleModel(happy))
    Pillow.new("RGB", (40, 40), (1, 2, 3)).save(desk.root / "p3.png")
    model = RuleModel(angry)
    done = desk.run(model)
    assert desk.opened == ["rule"] and len(model.asked) == 1
    assert done.tally.reused == 11
    assert [n for n in desk.notes if "rule was opened and asked again" in n] != []


def test_a_complete_run_is_told_not_to_have_been_checked(desk: Desk) -> None:
    desk.run(RuleModel(happy))
    desk.run(RuleModel(happy, identity="rule-2"))
    assert desk.opened == []
    assert [n for n in desk.notes if "is opened only if" in n and "--check-model" in n] != []
    assert [n for n in desk.notes if "was opened" in n] == []


def test_a_changed_picture_and_another_model_is_an_error(desk: Desk) -> None:
    desk.run(RuleModel(happy))
    Pillow.new("RGB", (40, 40), (1, 2, 3)).save(desk.root / "p3.png")
    with pytest.raises(HarnessError, match="is not the model recorded in this run") as e:
        desk.run(RuleModel(angry, identity="rule-2"))
    assert "--check-model" in e.value.hint
    assert score_run(desk.folder).tasks[0]["pending"] == 0, "what it had is kept"


def test_check_model_asks_another_model_again(desk: Desk) -> None:
    desk.run(RuleModel(happy))
    again = RuleModel(happy)
    desk.run(again, check_models=True)
    assert desk.opened == ["rule"] and again.asked == []
    other = RuleModel(angry, identity="rule-2")
    done = desk.run(other, check_models=True)
    assert len(other.asked) == 12
    (kept,) = desk.cells(named=False)
    assert kept["changed"] == ["model"]
    assert accuracy(done.scores, model="rule", prompt=kept["prompt"]) == 0.5


def test_other_sampling_leaves_an_earlier_version(desk: Desk) -> None:
    desk.run(RuleModel(happy))
    desk.run(RuleModel(angry), temperature=0.5)
    (kept,) = desk.cells(named=False)
    assert kept["changed"] == ["sampling"]


def test_each_cell_has_repeats_of_its_own(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.write_prompt("other", OTHER)
    desk.run(RuleModel(happy), "plain", repeats=3, temperature=0.5)
    done = desk.run(RuleModel(happy), "other", temperature=0.5)
    assert accuracy(done.scores, prompt="own/plain") == accuracy(done.scores, prompt="own/other")
    assert done.scores.tasks[0]["pending"] == 0
    records = pq.read_table(desk.folder.records).to_pylist()
    assert len([row for row in records if row["prompt"] == "own/plain"]) == 36
    assert "asked" not in done.scores.tasks[0]


def test_fewer_repeats_keep_those_that_were_asked(desk: Desk) -> None:
    desk.run(RuleModel(happy), repeats=3, temperature=0.5)
    done = desk.run(RuleModel(happy), temperature=0.5)
    assert done.tally.asked == 0
    assert len(list(read_log(desk.folder.trials))) == 36
    done = desk.run(RuleModel(happy), repeats=3, temperature=0.5)
    assert desk.opened == []


def test_a_run_that_was_stopped_says_how_much_was_asked(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Request] = []

    def until(request: Request) -> str:
        asked.append(request)
        if len(asked) > 5:
            raise HarnessError("the power is out")
        return "anger"

    with pytest.raises(HarnessError, match="the power is out"):
        desk.run(RuleModel(until, window=1))
    shown = told(desk, capsys)
    assert "own/plain: 5 of 12" in shown and "7 trials not finished" in shown
    before = contents(desk.folder.path)
    assert before
    desk.run(RuleModel(angry))
    assert "trials not finished" not in told(desk, capsys)


def test_cues_and_submissions_take_what_stands(desk: Desk) -> None:
    desk.run(RuleModel(happy), label_orders=("reversed",))
    desk.write_prompt("plain", OTHER)
    desk.run(RuleModel(angry), label_orders=("reversed",))
    name = version(desk)
    _, sheets = read_sheets(desk.folder)
    assert [sheet.prompt for sheet in sheets] == ["own/plain"]
    asked = {"p0.png": Question(1, "p0.png", "v", "", None, {})}
    for choice, says in (
        (Choice(), "anger"),
        (Choice(prompt="own/plain", condition="label-order:reversed"), "anger"),
        (Choice(condition="none+label-order:reversed"), "anger"),
        (Choice(prompt=name), "happiness"),
    ):
        (given,) = read_given([desk.folder.path], asked, choice)["p0.png"]
        assert given.text == says
    with pytest.raises(HarnessError, match="no finished answer"):
        read_given([desk.folder.path], asked, Choice(condition="none"))


def test_scoring_otherwise_takes_kept_cells_too(desk: Desk) -> None:
    desk.run({"one": RuleModel(happy)})
    desk.write_prompt("plain", OTHER)
    desk.run({"two": RuleModel(angry)})
    assert main(["score", "run", "--set", "fields.emotion.metrics=[kappa]"]) == 0
    rows = [row for row in score_run(desk.folder).scores if row.metric == "kappa"]
    assert {row.prompt for row in rows} >= {version(desk), "own/plain"}
    assert main(["score", "run", "--set", "fields.emotion.definitions={anger: heat}"]) == 0


def test_an_earlier_version_is_compared_with_what_stands_alone(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """It enters no other pair, no ranking and no choice among prompts."""
    desk.write_prompt("other", PLAIN.replace("One of", "Which of"))
    desk.run(RuleModel(happy), "plain", "other")
    desk.write_prompt("plain", OTHER)
    desk.run(RuleModel(angry), "plain", "other")
    name = version(desk)
    capsys.readouterr()
    assert main(["compare", "run", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    pairs = [{c["a"]["prompt"], c["b"]["prompt"]} for c in body["comparisons"]]
    assert sorted(map(sorted, pairs)) == [["own/other", "own/plain"], ["own/plain", name]]
    assert name not in json.dumps(body["ranks"])
    assert main(["compare", "run", "--select", "loso"]) == 0
    assert name not in capsys.readouterr().out
    capsys.readouterr()
    desk.run(RuleModel(happy), "plain", "other", temperature=0.5)
    assert main(["compare", "run"]) == 0
    assert "is not compared" in capsys.readouterr().out


def test_another_model_under_the_same_name_is_compared_as_a_model(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.run(RuleModel(happy))
    desk.run(RuleModel(angry, identity="rule-2"), check_models=True)
    capsys.readouterr()
    assert main(["compare", "run", "--json"]) == 0
    (compared,) = json.loads(capsys.readouterr().out)["comparisons"]
    assert compared["axis"] == "model"
