"""Scores by group: small ones suppressed, the worst named, non-answers counted, gaps over what groups share."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.analyses.slices import ANALYSIS
from harness.cli.main import main
from harness.core.blocks import Note
from harness.core.task import Task
from harness.score.analysis import ScoredTask
from harness.score.grouping import LEAST_CLUSTERS, LEAST_SAMPLES, UNKNOWN, grouping, suppressed

LABELS = ("anger", "disgust", "fear")
TASK = """\
source: {family: table, file: nowhere.csv}
fields:
  emotion: {kind: label, labels: [anger, disgust, fear]}
prompts: [emotion/plain]
slices: [gender, light]
folds: split
"""
MAP = "{truth: gt, answer: said, cluster: person, annotations: [gender, light, split]}\n"
Rows = list[tuple[str, str, str, str, str, str]]
"""Truth, answer, person, gender, light, fold."""


def rows() -> Rows:
    """180 answers: women are read less well and refused at times, and are four people only, two lights are rare."""
    found: Rows = []
    for i in range(180):
        person, truth = i // 6, LABELS[i % 3]
        gender = ("female", "male", "other")[min(person % 6, 2) if person < 24 else 1]
        light = "odd" if i < 8 else "lamp" if person in {2, 3, 4, 5} else "day" if i % 2 else ""
        wrong = i % (3 if gender == "female" else 7) == 0
        said = "I'm sorry, I can't judge that." if gender == "female" and i % 10 == 1 else truth
        found.append(
            (
                truth,
                LABELS[(i + 1) % 3] if wrong else said,
                f"p{person}",
                gender,
                light,
                str(person % 3),
            )
        )
    return found


def scored(
    folder: Path, table: Rows, capsys: pytest.CaptureFixture[str], task: str = TASK
) -> dict[str, Any]:
    with (folder / "p.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "gt", "said", "person", "gender", "light", "split"))
        writer.writerows((f"s{i}", *row) for i, row in enumerate(table))
    (folder / "map.yaml").write_text(MAP)
    (folder / "task.yaml").write_text(task)
    command = ["score", "--predictions", str(folder / "p.csv"), "--task", str(folder / "task.yaml")]
    assert (
        main([*command, "--map", str(folder / "map.yaml"), "--out", str(folder / "run"), "--json"])
        == 0
    )
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    return body


@pytest.fixture
def body(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return scored(tmp_path, rows(), capsys)


def table_of(body: dict[str, Any], column: str) -> dict[str, Any]:
    (found,) = [entry for entry in body["slices"] if entry["column"] == column]
    return found


def uar(table: Rows, gender: str) -> float:
    mine = [row for row in table if row[3] == gender]
    return float(
        np.mean([np.mean([r[1] == label for r in mine if r[0] == label]) for label in LABELS])
    )


def test_each_group_has_its_score_its_size_and_its_refusals(body: dict[str, Any]) -> None:
    found, table = table_of(body, "gender"), rows()
    by_name = {group["name"]: group for group in found["groups"]}
    assert found["metric"] == "uar"
    for name, group in by_name.items():
        mine = [row for row in table if row[3] == name]
        assert group["n"] == len(mine)
        assert group["clusters"] == len({row[2] for row in mine})
        assert group["value"] == pytest.approx(uar(table, name), abs=1e-6)
        assert group["low"] <= group["value"] <= group["high"]
        assert sum(group["outcomes"].values()) == len(mine)
    refused = sum(row[3] == "other" and "sorry" in row[1] for row in table)
    assert refused == 0
    assert "refused" not in by_name["other"]["outcomes"]


def test_the_worst_the_best_and_the_gap(body: dict[str, Any]) -> None:
    found, table = table_of(body, "gender"), rows()
    values = {name: uar(table, name) for name in ("male", "other")}
    assert found["worst"] == min(values, key=values.__getitem__)
    assert found["best"] == max(values, key=values.__getitem__)
    gap = found["gap"]
    assert gap["value"] == pytest.approx(abs(values["male"] - values["other"]), abs=1e-6)
    assert gap["low"] <= gap["value"] <= gap["high"] <= 1
    assert gap["equal_groups"] > 0
    assert "biased upwards" in found["estimator"]


def test_small_groups_are_suppressed_by_one_rule(body: dict[str, Any]) -> None:
    assert (LEAST_SAMPLES, LEAST_CLUSTERS) == (20, 5)
    assert table_of(body, "gender")["suppressed"] == [
        {"name": "female", "why": "fewer than 5 subjects"}
    ]
    light = table_of(body, "light")
    assert {s["name"]: s["why"] for s in light["suppressed"]} == {
        "lamp": "fewer than 5 subjects", "odd": "n < 20",
    }  # fmt: skip
    assert [group["name"] for group in light["groups"]] == ["day"]
    assert light["gap"] is None
    assert light["worst"] is None
    assert light["unknown"] == sum(not row[4] for row in rows())
    told = {row["slice"] for row in body["scores"]}
    assert not {"gender=female", "light=odd", "light=lamp"} & told
    assert {"gender=male", "gender=other", "light=day"} <= told


def test_women_are_the_worst_where_there_are_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = [(*row[:2], f"q{i // 3}", "female" if i // 3 % 3 == 0 else "male", *row[4:]) for i, row in enumerate(rows())]  # fmt: skip
    table = [(t, "I'm sorry, I can't judge that." if g == "female" and i % 4 == 0 else a, p, g, *rest)
             for i, (t, a, p, g, *rest) in enumerate(table)]  # fmt: skip
    found = table_of(scored(tmp_path, table, capsys), "gender")
    assert found["worst"] == "female"
    women = next(group for group in found["groups"] if group["name"] == "female")
    assert women["outcomes"]["refused"] == sum("sorry" in row[1] for row in table if row[3] == "female")  # fmt: skip
    assert women["coverage"] == pytest.approx(1 - women["outcomes"]["refused"] / women["n"], abs=1e-6)  # fmt: skip


def test_groups_that_hold_other_classes_are_compared_on_those_they_share(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = [row for row in rows() if not (row[3] == "other" and row[0] == "fear")]
    found = table_of(scored(tmp_path, table, capsys), "gender")
    assert found["classes"] == ["anger", "disgust"]
    values = []
    for name in ("male", "other"):
        mine = [row for row in table if row[3] == name and row[0] != "fear"]
        recalls = [np.mean([r[1] == c for r in mine if r[0] == c]) for c in ("anger", "disgust")]
        values.append(float(np.mean(recalls)))
    assert [g["scored"] for g in found["groups"]] == [
        sum(r[3] == name and r[0] != "fear" for r in table) for name in ("male", "other")
    ]
    assert [g["value"] for g in found["groups"]] == pytest.approx(values, abs=1e-6)
    assert found["gap"]["value"] == pytest.approx(abs(values[0] - values[1]), abs=1e-6)


def test_the_terminal_says_it_in_one_line_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scored(tmp_path, rows(), capsys)
    assert main(["score", str(tmp_path / "run")]) == 0
    said = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert re.search(
        r"emotion by gender: UAR worst \.\d{3} \((male|other), n \d+\), best \.\d{3} \(\w+, n \d+\), gap \.\d{3} "
        r"\[\.\d\d, \.\d\d\], where equal groups would show \.\d\d; suppressed: female \(fewer than 5 subjects\)",
        said,
    )
    assert "; suppressed: lamp (fewer than 5 subjects), odd (n < 20)" in said


def test_the_page_has_a_table_for_each_annotation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scored(tmp_path, rows(), capsys)
    assert main(["report", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "report.html").read_text()
    for said in ("<bdi>UAR by gender, strict</bdi>", "<bdi>UAR by light, strict</bdi>", "Suppressed (n &lt; 20): odd.",
                 "where equal groups would show", '<span class="tag">worst</span>'):  # fmt: skip
        assert said in page


def test_values_come_in_natural_order_and_none_is_no_value() -> None:
    found = grouping("age", ["70+", "4-19", None, "20-39", "0-3", True])
    assert found.values == ("0-3", "4-19", "20-39", "70+", "True")
    assert found.codes.tolist() == [3, 1, UNKNOWN, 2, 0, 4]


@pytest.mark.parametrize(
    ("n", "people", "why"),
    [(19, 19, "n < 20"), (20, 4, "fewer than 5 subjects"), (20, 5, ""), (400, 5, "")],
)
def test_the_rule(n: int, people: int, why: str) -> None:
    mask = np.ones(n, dtype=np.bool_)
    assert suppressed(mask, np.arange(n) % people, unit="subject") == why


def test_a_field_slices_the_others_by_its_truth_and_not_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "p.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "gt", "teeth", "said", "seen"))
        for i in range(80):
            writer.writerow((f"s{i}", LABELS[i % 2], ("yes", "no")[i // 2 % 2], LABELS[i % 2 if i % 5 else 0], "yes"))  # fmt: skip
    (tmp_path / "task.yaml").write_text(
        "source: {family: table, file: nowhere.csv}\nprompts: [emotion/plain]\nslices: [teeth]\n"
        "fields:\n  emotion: {kind: label, labels: [anger, disgust]}\n  teeth: {kind: yes-no}\n"
    )
    (tmp_path / "map.yaml").write_text(
        "{truth: {emotion: gt, teeth: teeth}, answer: {emotion: said, teeth: seen}}\n"
    )
    command = ["score", "--predictions", str(tmp_path / "p.csv"), "--task", str(tmp_path / "task.yaml")]  # fmt: skip
    command += ["--map", str(tmp_path / "map.yaml"), "--out", str(tmp_path / "run"), "--json"]
    assert main(command) == 0
    body = json.loads(capsys.readouterr().out)
    assert [(e["field"], e["column"]) for e in body["slices"]] == [("emotion", "teeth")]
    assert {g["name"]: g["n"] for g in body["slices"][0]["groups"]} == {"no": 40, "yes": 40}
    assert {r["field"] for r in body["scores"] if "=" in r["slice"]} == {"emotion"}


def test_a_groups_name_cannot_write_on_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = [(*row[:3], row[3].replace("male", "<script>alert(1)</script>"), *row[4:]) for row in rows()]  # fmt: skip
    scored(tmp_path, table, capsys)
    assert main(["report", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_column_of_many_values_is_told_to_be_no_groups() -> None:
    task = Task.model_validate({
        "name": "t", "source": {"family": "faces"}, "prompts": ["p"], "slices": ["ita", "light"],
        "fields": {"emotion": {"kind": "label", "labels": list(LABELS)}},
    })  # fmt: skip
    left_out = ["ita: 41 different values", "light=odd: suppressed (n < 20)"]
    beside = ScoredTask(task=task, scores=(), summary={"left_out": left_out})
    (note,) = ANALYSIS.blocks((), beside)
    assert isinstance(note, Note) and note.text.startswith(
        "ita: 41 different values are too many for groups"
    )
