"""`harness score --ratings`: what a table says, and what is wrong with one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cli.main import main
from harness.core.blocks import Lines, Number, Table
from harness.core.errors import HarnessError
from harness.raters.accuracy import accuracy_of
from harness.raters.blocks import study_blocks
from harness.raters.numbers import scale_of
from harness.raters.study import study_of
from harness.raters.table import read_ratings
from harness.rating.items import ItemKey
from tests.raters.simulate import COLUMNS, World, drawn, write

LEVELS = {("AV", "anger"): 1.0, ("AV", "joy"): 2.0, ("V", "anger"): -0.5, ("V", "joy"): 2.0}


@pytest.fixture(scope="module")
def between(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = drawn(World(LEVELS), raters=20, items=8, within=False, seed=4)
    return write(tmp_path_factory.mktemp("ratings") / "ratings.csv", rows)


def test_accuracy_confusion_and_the_planted_difference(between: Path) -> None:
    table = read_ratings(between, known={}, truth="true")
    (field,) = table.fields
    found = accuracy_of(table, field, table.truths, against="V")
    assert found is not None
    scores = {(s.condition, s.name): s for s in found.scores}
    rows = [line.split(",") for line in between.read_text().splitlines()[1:]]
    for condition, emotion in LEVELS:
        own = [r for r in rows if r[2] == condition and r[5] == emotion]
        right = sum(r[4] == emotion for r in own)
        assert scores[condition, emotion].estimate.value == pytest.approx(right / len(own))
        assert found.confusion[condition][emotion, emotion] == right
        interval = scores[condition, emotion].estimate.interval
        assert interval.low < World(LEVELS).right(condition, emotion) < interval.high
    differences = {d.name: d for d in found.differences}
    assert (
        "between groups of raters: 20 and 20; the same items" in found.differences[0].design.words
    )
    assert differences["anger"].estimate.interval.low > 0 and differences["anger"].p < 0.01
    joy = differences["joy"].estimate.interval
    assert joy.low < 0 < joy.high


def test_raters_who_saw_both_are_compared_within(tmp_path: Path) -> None:
    world = World(LEVELS, raters=1.5)
    widths = {}
    for within in (True, False):
        rows = drawn(world, raters=24, items=8, within=within, seed=5)
        table = read_ratings(write(tmp_path / "r.csv", rows), known={}, truth="true")
        found = accuracy_of(table, table.fields[0], table.truths)
        assert found is not None and found.differences[0].design.within is within
        widths[within] = next(d.estimate.error for d in found.differences if d.name == "anger")
    assert widths[True] < widths[False]


def test_cannot_tell_is_a_miss_and_stands_apart(tmp_path: Path) -> None:
    rows = [
        (f"r{k}", f"i{j}", "V", "emotion", "joy" if j else "", "joy")
        for k in range(4)
        for j in range(4)
    ]
    table = read_ratings(write(tmp_path / "r.csv", rows), known={}, truth="true")
    found = accuracy_of(table, table.fields[0], table.truths)
    assert found is not None
    score = next(s for s in found.scores if s.name == "all")
    assert (score.estimate.value, score.answered, score.unsure) == (0.75, 1.0, 4)


def test_numbers_as_interval_and_as_ordinal(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    rows = []
    values: dict[str, list[int]] = {"AV": [], "V": []}
    for k in range(30):
        for j in range(6):
            condition = "AV" if k % 2 else "V"
            value = int(np.clip(round(draw.normal(3.6 if k % 2 else 3.0, 1)), 1, 5))
            values[condition].append(value)
            rows.append((f"r{k}", f"i{j}", condition, "realism", str(value), "3"))
    table = read_ratings(
        write(tmp_path / "r.csv", rows), known={}, asked=["realism=number:1,5"], truth="true"
    )
    found = scale_of(table, table.fields[0], table.truths, against="V")
    assert found is not None
    scores = {(s.condition, s.name): s.estimate.value for s in found.scores}
    assert scores["AV", "mean"] == pytest.approx(np.mean(values["AV"]))
    assert scores["V", "bias"] == pytest.approx(np.mean(values["V"]) - 3)
    assert scores["V", "mean absolute error"] == pytest.approx(
        np.abs(np.array(values["V"]) - 3).mean()
    )
    a, b = np.array(values["AV"])[:, None], np.array(values["V"])[None]
    assert found.higher[0].estimate.value + 0.5 == pytest.approx(np.mean((a > b) + (a == b) / 2))
    assert found.differences[0].estimate.interval.low > 0


def test_agreement_is_that_of_each_condition_with_icc(tmp_path: Path) -> None:
    # Shrout and Fleiss 1979, table 2: six targets, four judges
    judges = [(9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7)]
    rows = [
        (f"judge{k}", f"target{j}", "none", "score", str(value), "")
        for j, line in enumerate(judges)
        for k, value in enumerate(line)
    ]
    table = read_ratings(write(tmp_path / "r.csv", rows), known={})
    found = {one.measure.name: one.measure.value for one in study_of(table, {}, truth="").agreement}
    assert found["ICC(2,1)"] == pytest.approx(0.29, abs=0.005)
    assert found["ICC(2,k)"] == pytest.approx(0.62, abs=0.005)
    assert {"Krippendorff's alpha, interval", "Krippendorff's alpha, ordinal"} <= set(found)


def test_notes_keep_the_spelling_of_names(tmp_path: Path) -> None:
    path = write(
        tmp_path / "ratings.csv",
        [("a", "i", "none", "valance", "3", ""), ("b", "i", "none", "valance", "4", "")],
    )
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
    found = study_of(read_ratings(path, known={}), {}, truth="")
    block = list(study_blocks(found))[1]
    assert isinstance(block, Lines)
    assert [line.split(" ")[:2] for line in block.lines] == [
        ["ratings.csv", "read"],
        ["Field", "valance"],
    ]


@pytest.mark.parametrize(
    ("columns", "rows", "said"),
    [
        (("rater", "item", "value"), [("a", "i", "joy")], "no column 'field'"),
        (COLUMNS, [], "no rows"),
        (COLUMNS, [("a", "i", "V", "emotion", "joy", "joy")] * 2, "row 2 (line 3): rater a has rated emotion of i under V before"),
        (COLUMNS, [("", "i", "V", "emotion", "joy", "joy")], "row 1 (line 2): rater is empty"),
        (COLUMNS, [("a", "i", "V", "emotion", "glee", "joy")], "row 1 (line 2): value is 'glee': 'glee' is not one of its options"),
        (COLUMNS, [("a", "i", "V", "emotion", "joy", "joy"), ("b", "i", "V", "emotion", "joy", "fear")], "row 2 (line 3): i is truly fear, but joy in"),
        (COLUMNS, [("a", "i", "V", "valence", "7", "")], "row 1 (line 2): value is '7'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_row(
    tmp_path: Path, columns: tuple[str, ...], rows: list[tuple[str, ...]], said: str
) -> None:
    path = write(tmp_path / "r.csv", rows, columns)
    asked = [
        f
        for f in ("emotion=label:joy,fear", "valence=number:-1,1")
        if any(f.split("=")[0] in r for r in rows)
    ]
    truth = "true" if "true" in columns else None
    with pytest.raises(HarnessError) as failed:
        read_ratings(path, known={}, asked=asked, truth=truth)
    assert said in failed.value.message


def rows_of(values: list[str], true: list[str], rater: str = "r{}") -> list[tuple[str, ...]]:
    """One rating an item, of four raters in turn."""
    return [
        (rater.format(at % 4), f"i{at}", "none", "emotion", value, true[at % len(true)])
        for at, value in enumerate(values)
    ]


def test_values_are_guessed_with_the_truths_and_in_any_spelling(tmp_path: Path) -> None:
    said = ["Joy", "joy", "JOY ", "fear", "-", "n/a", "?", "Don't know"] * 2
    found = read_ratings(
        write(tmp_path / "a.csv", rows_of(said, ["joy", "anger"])), known={}, truth="true"
    )
    assert found.fields[0].options == ("anger", "fear", "joy")
    values = [rating.value for rating in found.ratings.given.values()]
    assert values == ["joy", "joy", "joy", "fear", None, None, None, None] * 2


@pytest.mark.parametrize(
    ("said", "true", "told"),
    [
        (
            ["Wut", "Freude", "neutral"],
            ["anger", "joy", "neutral"],
            "'Freude', which is never true",
        ),
        (["1,5", "2", "3,5"], [""], "row 1 (line 2): value has a decimal comma"),
    ],
)
def test_other_words_and_decimal_commas_are_refused(
    tmp_path: Path, said: list[str], true: list[str], told: str
) -> None:
    with pytest.raises(HarnessError) as failed:
        read_ratings(write(tmp_path / "a.csv", rows_of(said, true)), known={}, truth="true")
    assert told in failed.value.message


def test_raters_whose_numbers_lost_their_zeros_are_told(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        [*rows_of(["joy"] * 4, ["joy"], "0{}"), *rows_of(["fear"] * 4, ["joy"], "{}")],
    )
    assert any("leading zeros" in note for note in read_ratings(path, known={}).notes)


def test_a_rater_in_both_arms_is_fine_and_said(between: Path, tmp_path: Path) -> None:
    text = between.read_text() + "r000,joy-0,V,emotion,joy,joy\n"  # r000 is in the other group
    path = tmp_path / "r.csv"
    path.write_text(text)
    found = study_of(read_ratings(path, known={}, truth="true"), {}, truth="")
    assert any(
        "one under" not in n and "rated under more than one condition" in n for n in found.notes
    )


def test_names_in_other_spellings_are_one_name(tmp_path: Path) -> None:
    rows = drawn(World(LEVELS), raters=4, items=4, within=True, seed=2)
    odd = [
        (row[0], row[1], f" {row[2].lower()} " if at % 3 == 0 else row[2], "Emotion" if at % 2 else row[3], *row[4:])
        for at, row in enumerate(rows)
    ]  # fmt: skip
    found = read_ratings(write(tmp_path / "odd.csv", odd), known={}, truth="true")
    assert found.conditions == ("av", "v") and len(found.fields) == 1
    assert len(found.ratings.given) == len(rows)
    assert any(note.startswith("condition: ") and " read as " in note for note in found.notes)
    half = [(*row[:2], "", *row[3:]) if at == 5 else row for at, row in enumerate(rows)]
    with pytest.raises(HarnessError, match=r"row 6 .*condition is empty"):
        read_ratings(write(tmp_path / "half.csv", half), known={}, truth="true")
    twins = [(rows[0][0].upper(), *rows[0][1:]), *rows]
    said = read_ratings(write(tmp_path / "twins.csv", twins), known={}, truth="true").notes
    assert any("are counted as 2" in note for note in said)


def test_raters_who_all_say_the_same_have_no_interval_of_width_0(tmp_path: Path) -> None:
    rows = [
        (f"r{rater}", f"{emotion}-{k}", condition, field, value, true)
        for rater in range(6)
        for condition in ("AV", "V")
        for emotion in ("anger", "joy")
        for k in range(12)
        for field, value, true in (("emotion", "anger", emotion), ("strength", "3", ""))
    ]
    table = read_ratings(
        write(tmp_path / "r.csv", rows), known={}, asked=["strength=number:1,5"], truth="true"
    )
    blocks = list(study_blocks(study_of(table, table.truths, truth="column true")))
    cells = [
        cell
        for block in blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in getattr(row, "cells", row)
        if isinstance(cell, Number)
    ]
    assert len(cells) > 8
    assert all(cell.low is None or cell.low < cell.high for cell in cells), cells


def test_groups_of_raters(tmp_path: Path) -> None:
    rows = [
        (*row, "f" if int(row[0][1:]) < 8 else "m" if int(row[0][1:]) < 16 else "x")
        for row in drawn(World(LEVELS), raters=9, items=4, within=False, seed=2)
    ]
    table = read_ratings(
        write(tmp_path / "r.csv", rows, (*COLUMNS, "gender")), known={}, truth="true"
    )
    found = study_of(table, table.truths, truth="column true", by=["gender"])
    groups = {(g.group, g.score is not None) for g in found.fields[0].groups}
    assert ("x", False) in groups  # two raters: nothing is shown
    with pytest.raises(HarnessError, match="no such column of raters"):
        study_of(table, table.truths, truth="", by=["age"])
    rows[-1] = (*rows[-1][:6], "f")
    mixed = read_ratings(
        write(tmp_path / "m.csv", rows, (*COLUMNS, "gender")), known={}, truth="true"
    )
    with pytest.raises(HarnessError, match="r017 has two values of it"):
        study_of(mixed, mixed.truths, truth="", by=["gender"])


def test_the_command_in_each_form(
    between: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    asked = ["score", "--ratings", str(between), "--truth", "true", "--against", "V"]
    assert main([*asked, "--html", str(page)]) == 0
    told = capsys.readouterr().out
    assert "AV minus V: between groups of raters" in told and "Krippendorff's alpha" in told
    text = page.read_text()
    assert "how often raters are right" in text and "<script" not in text
    assert main([*asked, "--json"]) == 0
    blocks = json.loads(capsys.readouterr().out)["blocks"]
    assert {"table", "matrix", "lines"} <= {b["block"] for b in blocks}
    assert main([*asked, "--markdown"]) == 0
    assert "| anger |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--epsilon", ".2"], "--epsilon has no effect without --model-run"),
        (["--refresh"], "--refresh has no effect with --ratings"),
        (["--against", "X"], "no rating is under this condition"),
        (["--set", "source.n=3"], "--set has no effect without --task"),
        (["--field", "mood=yes-no"], "no row is about this field"),
    ],
)  # fmt: skip
def test_options_that_do_nothing_are_refused(
    between: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert main(["score", "--ratings", str(between), *more]) != 0
    assert said in " ".join(capsys.readouterr().err.split())


def test_ratings_options_belong_to_ratings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "somewhere", "--by", "gender"]) != 0
    assert "--by has no effect without --ratings" in capsys.readouterr().err


def test_what_harness_rate_writes_is_read_again(tmp_path: Path) -> None:
    from harness.core.field import FieldSpec
    from harness.rating.form import FormField
    from harness.rating.journal import Rating, Ratings, Study
    from harness.rating.tables import long_form, write_tables

    fields = (
        FormField("emotion", FieldSpec(kind="label", labels=("joy", "anger"))),
        FormField("units", FieldSpec(kind="set", labels=("AU1", "AU4"))),
        FormField("valence", FieldSpec(kind="number")),
        FormField("teeth", FieldSpec(kind="yes-no")),
    )
    ratings = Ratings(Study("mine", "d", fields, ("none", "face-crop"), 0, 4))
    said: dict[str, list[Any]] = {
        "emotion": ["joy", None], "units": ["AU1; AU4", "none"], "valence": ["0.25", "-1"], "teeth": ["yes", "no"],
    }  # fmt: skip
    for rater in ("anna", "ben"):
        ratings.about[rater] = {"age": 30}
        for name, values in said.items():
            for k, value in enumerate(values):
                for condition in ("none", "face-crop"):
                    ratings.add(Rating(rater, ItemKey(f"s{k}", condition), name, value, 1.5, 0.0))
    for suffix in (".csv", ".parquet"):
        out = tmp_path / f"r{suffix}"
        write_tables(out, ratings, [])
        table = read_ratings(out, known={f.name: f.spec for f in fields})
        assert {k: r.value for k, r in table.ratings.given.items()} == {
            k: r.value for k, r in ratings.given.items()
        }
        again = long_form(table.ratings)
        first = long_form(ratings)
        assert [again[n] for n in ("rater", "item", "condition", "field", "value")] == [
            first[n] for n in ("rater", "item", "condition", "field", "value")
        ]
        assert table.ratings.about["anna"] == {"age": "30"}
