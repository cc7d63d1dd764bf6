"""Survival by a risk: planted ratios are found, what is wrong with a table is named, the page is whole."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.report.survival_page import survival_page
from harness.report.survival_tables import survival_blocks, survival_json
from harness.survival.analysis import analyse
from harness.survival.cohort import read_cohort

COLUMNS = ("years", "died", "risk", "age", "sex")


def rows_of(
    people: int, *, beta: float, seed: int, whole_years: bool = False
) -> list[Sequence[Any]]:
    """Exponential times of hazard exp(beta risk + .03 (age - 60)), censored at random."""
    rng = np.random.default_rng(seed)
    risk, age = rng.normal(size=people), rng.normal(60, 10, people)
    time = rng.exponential(5 / np.exp(beta * risk + 0.03 * (age - 60)))
    end = rng.exponential(8, people)
    seen = np.minimum(time, end)
    seen = np.ceil(seen) if whole_years else seen
    return [
        (round(float(seen[i]), 4), int(time[i] < end[i]), round(float(risk[i]), 5), round(float(age[i]), 1), "fm"[i % 2])
        for i in range(people)
    ]  # fmt: skip


def write(path: Path, rows: Sequence[Sequence[Any]], columns: Sequence[str] = COLUMNS) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def test_a_planted_ratio_is_found_and_a_null_is_not(tmp_path: Path) -> None:
    for beta in (0.6, 0.0):
        table = write(tmp_path / f"{beta}.csv", rows_of(600, beta=beta, seed=1))
        found = analyse(
            read_cohort(table, time="years", event="died", risk="risk", adjust=["age", "sex"])
        )
        ratio = next(r for r in found.ratios if r.adjusted and "standard" in r.name)
        assert ratio.low <= np.exp(beta) <= ratio.high
        assert (ratio.low > 1) == (beta > 0)
        assert (found.log_rank[1] < 0.01) == (beta > 0)
        assert (found.concordance.low > 0.5) == (beta > 0)
        assert ratio.proportional_p > 0.01


def test_hazards_that_change_over_time_are_told(tmp_path: Path) -> None:
    """High risks die early or not at all: the ratio turns around."""
    rng = np.random.default_rng(5)
    rows = [(round(float(rng.uniform(0, 2) if r else rng.uniform(0, 10)), 3) if rng.random() < 0.6 else 12, 1, r)
            for r in [0, 1] * 200]  # fmt: skip
    found = analyse(
        read_cohort(write(tmp_path / "c.csv", rows, ("t", "e", "r")), time="t", event="e", risk="r")
    )
    assert min(r.proportional_p for r in found.ratios) < 0.05


def test_heavy_ties_are_told_and_computed(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", rows_of(400, beta=0.6, seed=2, whole_years=True))
    found = analyse(read_cohort(table, time="years", event="died", risk="risk", strata=["sex"]))
    assert any("share their time" in note for note in found.notes)
    assert found.concordance.value > 0.55


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda r: [(-1, *r[0][1:]), *r[1:]], r"row 1 .*years is negative"),
        (lambda r: [(y, 0, *rest) for y, _, *rest in r], "no events in column 'died'"),
        (lambda r: [(y, "maybe", *rest) for y, _, *rest in r], "neither an event nor censored"),
        (lambda r: [(y, e, 1, *rest) for y, e, _, *rest in r], "all risks in 'risk' are equal"),
        (lambda r: [(y, e, "high", *rest) for y, e, _, *rest in r], "'high', not a number"),
        (lambda r: r[:10], "10 people with all columns"),
        (lambda r: [(y, e + 1, *rest) for y, e, *rest in r], "'2', neither an event nor censored"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: Any, told: str) -> None:
    table = write(tmp_path / "c.csv", change(rows_of(60, beta=0.5, seed=4)))
    with pytest.raises(HarnessError, match=told):
        read_cohort(table, time="years", event="died", risk="risk")


def test_a_risk_far_off_all_others_is_told(tmp_path: Path) -> None:
    rows = [list(row) for row in rows_of(60, beta=0.5, seed=4)]
    plain = read_cohort(write(tmp_path / "c.csv", rows), time="years", event="died", risk="risk")
    rows[3][2] = 1e300
    odd = read_cohort(write(tmp_path / "d.csv", rows), time="years", event="died", risk="risk")
    assert not any("middle half" in note for note in plain.notes)
    assert any(
        note.startswith("the risk 1e+300 (d.csv, row 4 (line 5)) lies") for note in odd.notes
    )


@pytest.mark.parametrize(
    ("asked", "which"),
    [
        ({"risk": "years"}, "time"),
        ({"risk": "risk", "adjust": ["risk-died"]}, "event"),
        ({"risk": "risk", "strata": ["died"]}, "event"),
    ],
)
def test_the_outcome_is_no_risk(tmp_path: Path, asked: Any, which: str) -> None:
    table = write(tmp_path / "c.csv", rows_of(60, beta=0.5, seed=4))
    with pytest.raises(HarnessError, match=f"is the {which}, and cannot be"):
        read_cohort(table, time="years", event="died", **asked)


def test_empty_cells_leave_rows_out_and_differences_of_columns_are_taken(tmp_path: Path) -> None:
    rows = rows_of(100, beta=0.5, seed=6)
    rows[3] = ("", *rows[3][1:])
    found = read_cohort(
        write(tmp_path / "c.csv", rows), time="years", event="died", risk="age-risk"
    )
    assert len(found) == 99 and any("1 of 100 rows" in note for note in found.notes)
    assert found.risk[0] == pytest.approx(rows[0][3] - rows[0][2])


@pytest.mark.parametrize(
    "words", [("1.0", "0.0"), ("Y", "N"), ("t", "f"), ("Deceased", "living"), (True, False)]
)
def test_events_are_read_in_the_words_of_tables(tmp_path: Path, words: Any) -> None:
    rows = rows_of(60, beta=0.5, seed=4)
    said = [(y, words[0] if e else words[1], *rest) for y, e, *rest in rows]
    found = read_cohort(write(tmp_path / "c.csv", said), time="years", event="died", risk="risk")
    assert found.event.tolist() == [row[1] == 1 for row in rows]


def test_what_may_mislead_is_told(tmp_path: Path) -> None:
    rows = [list(row) for row in rows_of(60, beta=0.5, seed=4)]
    rows[0][4], rows[1][4], rows[2][4], rows[3][4] = "F", "x", "-", "n/a"
    table = write(tmp_path / "c.csv", [*rows, rows[7]])
    found = read_cohort(table, time="years", event="died", risk="risk", strata=["sex"])
    assert len(found) == 59 and set(found.strata) == {"f", "m", "F", "x"}
    for told in ("2 of 61 rows", "1 row repeats", "2 people are alone", "'F' and 'f' in 'sex'"):
        assert any(told in note for note in found.notes), told


def test_decimal_commas_and_columns_given_twice_are_named(tmp_path: Path) -> None:
    rows = rows_of(60, beta=0.5, seed=4)
    table = write(tmp_path / "c.csv", [(str(y).replace(".", ","), *rest) for y, *rest in rows])
    with pytest.raises(HarnessError, match="not a number") as told:
        read_cohort(table, time="years", event="died", risk="risk")
    assert "decimal point" in told.value.hint
    dated = write(tmp_path / "e.csv", [("2020-01-01", *rest) for _, *rest in rows])
    with pytest.raises(HarnessError, match="not a number") as told:
        read_cohort(dated, time="years", event="died", risk="risk")
    assert "times are numbers" in told.value.hint
    table = write(tmp_path / "d.csv", rows)
    for adjust, strata in ((["risk"], []), (["age", "age"], []), (["sex"], ["sex"])):
        with pytest.raises(HarnessError, match="is given twice"):
            read_cohort(
                table, time="years", event="died", risk="risk", adjust=adjust, strata=strata
            )


def test_a_curve_goes_on_to_the_last_person_seen(tmp_path: Path) -> None:
    """The lowest risks are all seen to the end, with no event after half the time."""
    rows = [(1 + k % 7, 1, 1 + k / 100) for k in range(60)] + [
        (20 - k % 9, 0, k / 100) for k in range(60)
    ]
    rows[60] = (5, 1, 0.001)
    found = analyse(
        read_cohort(write(tmp_path / "c.csv", rows, ("t", "e", "r")), time="t", event="e", risk="r")
    )
    assert [curve.until for curve in found.curves] == [20, 20, 7, 7]
    assert found.curves[0].times == [5] and found.curves[3].times[-1] == 7
    paths = re.findall(
        r'class="curve"[^>]*? d="([^"]+)"|d="([^"]+)"[^>]*?class="curve"', survival_page(found)
    )
    ends = [float(re.findall(r"H([\d.]+)", a or b)[-1]) for a, b in paths]
    assert ends[0] == ends[1] > 2 * ends[3] > 0


def test_the_command_prints_writes_a_page_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write(tmp_path / "c.csv", rows_of(200, beta=0.7, seed=7))
    command = [
        "survive",
        str(table),
        "--time",
        "years",
        "--event",
        "died",
        "--risk",
        "risk",
        "--adjust",
        "age, sex",
    ]
    assert main([*command, "--html", str(tmp_path / "s.html")]) == 0
    assert "Concordance of risk with survival" in capsys.readouterr().out
    page = (tmp_path / "s.html").read_text(encoding="utf-8")
    assert page.count('class="curve"') == 8 and "no cause" in page
    assert not re.search(r"https?://", page)
    (tmp_path / "s.html").write_text("mine")
    assert main([*command, "--html", str(tmp_path / "s.html")]) == 2
    assert "s.html already exists" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 2, "it has no effect without a page"
    capsys.readouterr()
    assert (tmp_path / "s.html").read_text() == "mine"
    assert main([*command, "--html", str(tmp_path / "s.html"), "--overwrite"]) == 0
    assert (tmp_path / "s.html").read_text(encoding="utf-8") == page
    capsys.readouterr()
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["adjusted_for"] == ["age", "sex=m"] and len(told["hazard_ratios"]) == 8


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "case",
    [
        "site tells the risk",
        "no events below",
        "tiny",
        "one time",
        "equal to the risk",
        "own strata",
    ],
)
def test_what_cannot_be_computed_is_told_and_the_rest_stands(tmp_path: Path, case: str) -> None:
    rows = [[*row, "x" if row[2] < 0 else "y"] for row in rows_of(160, beta=0.6, seed=8)]
    adjust, strata = [], []
    if case == "site tells the risk":
        strata = ["site"]
        rows = [[*row[:5], f"{row[2]:.1f}"] for row in rows]
    elif case == "no events below":
        rows = [[row[0], row[1] if row[2] > -0.7 else 0, *row[2:]] for row in rows]
    elif case == "tiny":
        adjust, rows = (
            ["age"],
            [[row[0], row[1], row[2] * 1e-300, row[3] * 1e-300, *row[4:]] for row in rows],
        )
    elif case == "one time":
        rows = [[3, *row[1:]] for row in rows]
    elif case == "equal to the risk":
        adjust, rows = ["age"], [[*row[:3], row[2], *row[4:]] for row in rows]
    else:
        strata, rows = ["site"], [[*row[:5], str(place)] for place, row in enumerate(rows)]
    table = write(tmp_path / "c.csv", rows, (*COLUMNS, "site"))
    found = analyse(
        read_cohort(table, time="years", event="died", risk="risk", adjust=adjust, strata=strata)
    )
    assert len(found.curves) == 4 and len(found.ratios) == (8 if adjust else 4)
    assert found.notes or case == "tiny"
    assert "nan" not in str(list(survival_blocks(found)))
    json.dumps(survival_json(found), allow_nan=False)
    if case == "no events below":
        assert any("no events in quartile 1" in note for note in found.notes)
        assert found.ratios[0].low > 1
