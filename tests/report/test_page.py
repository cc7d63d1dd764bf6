from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

from harness.analyses.sections import task_sections
from harness.analyses.words import number
from harness.cli.main import main
from harness.core.blocks import Count, Number, Table
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.generation import Failure
from harness.core.sample import Sample
from harness.core.task import Task
from harness.report.inputs import RunView
from harness.report.page import write_report
from harness.run.folder import RunFolder
from harness.run.log import AppendLog
from harness.score.folder import score_run
from tests.run.bench import RuleModel, make_world

from .pages import Page, parse
from .runs import LABELS, emotion_task, make_run, question_task, speak, strings_of

HOSTILE = "</script><script>document.title='owned'</script><!-- {{7*7}} \x00 \u202egnp.exe \ud800 <img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def page(run_folder: RunFolder) -> Page:
    return parse(write_report(run_folder).read_text(encoding="utf-8"))


def test_the_page_is_well_formed_and_titled_by_models_and_tasks(page: Page) -> None:
    assert page.unbalanced == []
    assert "affect-tiny on emotion/drawn and vqa/table" in page.words
    ids = [known["id"] for _, known in page.elements if "id" in known]
    assert len(ids) == len(set(ids))
    for tag, known in page.elements:
        if tag == "a":
            assert known["href"].removeprefix("#") in ids


def test_every_main_number_stands_on_the_page(page: Page, run_folder: RunFolder) -> None:
    scores = json.loads(run_folder.scores.read_text())["scores"]
    shown = [s for s in scores if s["metric"] in {"uar", "ccc", "set_f1"} and "=" not in s["slice"]]
    assert len({s["field"] for s in shown}) == 5
    for score in shown:
        told = number(score["value"])
        if score["low"] is not None:
            told += f"[{number(score['low'], 2)}, {number(score['high'], 2)}]"
        assert told in page.words


def test_baselines_are_marked_and_a_blank_that_was_not_run_is_said(page: Page) -> None:
    assert "majority in-sample" in page.words
    assert "prior in-sample" in page.words
    assert "blank picture not run" in page.words  # the table task had no blank condition
    assert "not run" in page.words.partition("Task emotion/drawn")[0]


def test_outcomes_confusions_slices_notices_and_independence_are_there(page: Page) -> None:
    assert "24 answered, 1 refused, 1 unparsed, 1 empty and 1 failed" in page.words
    assert "no class" in page.words
    assert "glasses=yes" in page.words
    assert "scores here say nothing about photographs" in page.words
    assert "resampled by image (40): independence assumed" in page.words
    assert "resampled by subject (4)." in page.words


def test_provenance_names_command_commit_machine_prompts_and_skipped_rows(page: Page) -> None:
    for said in (
        "harness run emotion/drawn vqa/table --model=affect-tiny",
        "0123456789abcdef0123456789abcdef01234567 with uncommitted changes",
        "2 cores",
        "weights 1234",
        "{% user %}emotion/cot{% enduser %}",
        b"emotion/cot".hex(),
        "2 rows: no picture",
        "bootstrap 0",
        "numpy",
    ):
        assert said in page.words


def test_headers_have_a_scope_and_pictures_a_description(page: Page) -> None:
    for tag, known in page.elements:
        if tag == "th":
            assert known.get("scope") in {"col", "row", "colgroup", "rowgroup"}
        if tag == "svg":
            assert known["role"] == "img" and known["aria-label"]


def test_nothing_is_loaded_from_elsewhere(page: Page, run_folder: RunFolder) -> None:
    text = run_folder.report.read_text(encoding="utf-8")
    assert not re.search(r"https?://|//[a-z0-9-]+\.[a-z]{2,}|@import|url\(", text)
    for _, known in page.elements:
        assert not {"src", "srcset", "poster", "action"} & set(known)
        assert not [name for name in known if name.startswith("on")]
    policy = next(k["content"] for _, k in page.elements if "http-equiv" in k)
    assert policy.startswith("default-src 'none'")


def test_the_policy_allows_the_pages_own_script_and_no_other(page: Page) -> None:
    (script,) = [body for known, body in page.scripts if "type" not in known]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(k["content"] for _, k in page.elements if "http-equiv" in k)
    assert f"script-src 'sha256-{digest}'" in policy


def test_the_same_folder_gives_the_same_bytes(run_folder: RunFolder) -> None:
    first = write_report(run_folder).read_bytes()
    run_folder.scores.unlink()
    assert write_report(run_folder).read_bytes() == first


def test_the_page_stays_small(run_folder: RunFolder) -> None:
    assert write_report(run_folder).stat().st_size < 3_000_000


def test_the_data_hold_the_samples_and_their_pictures(page: Page) -> None:
    drawn, table = page.data["tasks"]
    assert (len(drawn["samples"]), len(table["samples"])) == (28, 40)
    assert len(drawn["cells"]) == 4 and drawn["groups"] == ["glasses"]
    ((_, name),) = drawn["pictures"]["none"]["0"]
    assert page.data["pictures"][name].startswith("data:image/webp;base64,")
    assert drawn["pictures"]["blank"]["0"][0][1] == "" and table["pictures"] == {}
    assert drawn["best"] and set(drawn["best"]) == {0, 2}


def test_the_first_screen_answers_and_the_rest_is_folded(page: Page) -> None:
    first = page.words.partition("Details")[0]
    assert "cot does not differ significantly from plain" in first and "Best: " in first
    assert "Shown a blank picture: UAR .143 (2 cells). Without looking: majority" in first
    assert "Against plain, paired" in first and "Cells, best first" in first
    folds = [
        known
        for tag, known in page.elements
        if tag == "details" and "fold" in known.get("class", "")
    ]
    assert {"summary", "task-1", "task-2", "reading", "provenance"} <= {k.get("id") for k in folds}
    assert not [known for known in folds if "open" in known]
    squares = [known for tag, known in page.elements if known.get("class", "").startswith("sq")]
    assert squares and all("UAR" in known["title"] for known in squares[:2])
    assert sum("best" in known["class"] for known in squares) == 1


def test_answers_to_blank_pictures_are_counted_apart(tmp_path: Path) -> None:
    def reply(cell: Cell, sample: Sample, number: int) -> str:
        if cell.condition == "blank":
            return "I'm sorry, but I can't judge a person's emotions."
        return f"Final answer: {sample.targets['emotion']}"

    folder = make_run(tmp_path / "run", tasks=[emotion_task(n=14)], reply=reply)
    words = parse(write_report(folder).read_text(encoding="utf-8")).words
    assert "blank pictures: refused 100%" in words and "refused 50%" not in words


def test_warnings_of_blank_cells_are_one_line(tmp_path: Path) -> None:
    def reply(cell: Cell, sample: Sample, number: int) -> str:
        return "neutral" if cell.condition == "blank" else speak_well(sample)

    def speak_well(sample: Sample) -> str:
        return f"Final answer: {sample.targets['emotion']}"

    page = parse(write_report(make_run(tmp_path / "r", tasks=[emotion_task()], reply=reply)).read_text())  # fmt: skip
    assert "Collapse" not in page.words
    assert "Shown a blank picture, 2 of 2 cells give one answer almost always" in page.words


def hostile_task() -> Task:
    task = question_task()
    return task.model_copy(
        update={
            "notice": HOSTILE.replace("\ud800", ""),
            "description": "<b>bold</b>",
            "fields": {
                **task.fields,
                "coarse": FieldSpec(kind="label", labels=("negative", "positive", "surprise")),
            },
        }
    )


def test_text_from_model_and_data_never_becomes_markup(runs: Path) -> None:
    def reply(cell: Cell, sample: Sample, number: int) -> str | Failure | None:
        return Failure("server", HOSTILE) if number % 2 else HOSTILE

    name = "<script>alert('model')</script>"
    folder = make_run(
        runs,
        tasks=[hostile_task()],
        reply=reply,
        models=[name],
        details={HOSTILE[:9]: HOSTILE[:40]},
    )
    text = write_report(folder).read_text(encoding="utf-8")
    page = parse(text)
    assert page.unbalanced == []
    assert len(page.scripts) == 2 and not [t for t, _ in page.elements if t in {"img", "bold"}]
    assert name in page.words and "<b>bold</b>" in page.words
    assert "{{7*7}}" in page.words and "49 " not in page.words.partition("Notice")[2][:200]
    assert not set("\x00\u202e\ud800") & set(text)
    said = "\n".join(strings_of(page.data))
    assert "⟨U+0000⟩" in said and "⟨U+202E⟩gnp.exe" in said
    assert "</script><script>document.title='owned'</script><!-- {{7*7}}" in said
    raw = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert raw and "<" not in raw[1]


def test_a_run_with_nothing_finished_gives_a_page(runs: Path) -> None:
    folder = make_run(runs, reply=lambda cell, sample, number: None)
    page = parse(write_report(folder).read_text(encoding="utf-8"))
    assert "No model has a score in this run yet." in page.words
    assert "152 trials are still to run" in page.words
    assert "nothing finished yet" in page.words
    assert "majority in-sample" in page.words
    assert [task["samples"] for task in page.data["tasks"]] == [[], []]


def test_baselines_alone_give_a_page(runs: Path) -> None:
    page = parse(write_report(make_run(runs, models=[])).read_text(encoding="utf-8"))
    assert "Baselines on emotion/drawn and vqa/table" in page.words
    assert "No model has a score in this run yet." in page.words
    assert "Give the same command again" not in page.words
    assert "majority in-sample" in page.words and "None: baselines only." in page.words


def test_a_run_that_went_on_is_scored_again(runs: Path) -> None:
    folder = make_run(
        runs, tasks=[emotion_task(n=14)], reply=lambda c, s, n: speak(c, s, n) if n < 7 else None
    )
    before = write_report(folder).read_bytes()
    assert b"trials are still to run" in before
    score_run(folder)
    log = AppendLog(folder.trials)
    first = json.loads(folder.trials.read_text().splitlines()[0])
    cell = first["trial"].split("/")[0]
    log.append({**first, "trial": f"{cell}/0/test-3-0000013"})
    log.close()
    assert write_report(folder).read_bytes() != before


def test_a_broken_scores_file_is_named(runs: Path) -> None:
    folder = make_run(runs, tasks=[emotion_task(n=14)])
    score_run(folder)
    folder.scores.write_text('{"scores": [{"nonsense": 1}]}')
    with pytest.raises(HarnessError, match=r"scores\.json cannot be read.*\n.*harness score"):
        write_report(folder)


def test_classes_stand_with_how_often_they_are_true_and_answered(view: RunView) -> None:
    sections = task_sections(view.scores, view.tasks["emotion/drawn"], view.manifest)
    (section,) = [one for one in sections if one.name == "class-by-class"]
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert ["blank" in table.caption for table in tables] == [False, False, True, True]
    blank = tables[-1].lines
    assert {row.cells[0]: row.cells[2] for row in blank} == {
        label: Count(28 if label == "neutral" else 0, 28) for label in LABELS
    }
    assert {row.cells[1] for row in blank} == {Count(4, 28)}
    assert "no answer among these" not in tables[-1].caption
    assert "4 (14%) have no answer among these" in tables[0].caption
    for row in tables[0].lines:
        assert isinstance(row.cells[3], Number) and row.cells[3].value is not None


def test_pictures_of_people_stand_only_on_the_private_page_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the paths of the data set start here
    world = make_world(tmp_path, 12)
    world.run(RuleModel())
    assert main(["report", str(world.folder.path)]) == 0
    plain = parse(world.folder.report.read_text())
    assert plain.data["pictures"] == {} and "Pictures are not shown" in plain.words
    assert main(["report", str(world.folder.path), "--with-pictures"]) == 0
    made = world.folder.private / "report-with-pictures.html"
    assert str(made) in capsys.readouterr().out
    page = parse(made.read_text())
    assert len(page.data["pictures"]) == 12
    assert "This page shows pictures of the data set." in page.words
    assert parse(world.folder.report.read_text()).data["pictures"] == {}
    assert main(["report", str(world.folder.path), "--with-pictures", "--format", "json"]) == 2
    (tmp_path / "p3.png").unlink()
    assert main(["report", str(world.folder.path), "--with-pictures"]) == 0
    assert len(parse(made.read_text()).data["pictures"]) == 11


def test_a_run_whose_samples_are_gone_has_a_page_that_says_so(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", tasks=[emotion_task(n=14)], conditions=("none",))
    write_report(folder)
    shutil.rmtree(folder.private)
    page = parse(write_report(folder).read_text(encoding="utf-8"))
    assert "Cells cannot be compared: " in page.words
    assert "majority in-sample" in page.words and len(page.data["tasks"][0]["samples"]) == 14
