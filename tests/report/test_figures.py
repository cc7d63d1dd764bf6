from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analyses.sections import task_sections
from harness.analyses.words import OUTCOMES
from harness.core.blocks import Matrix
from harness.core.field import FieldSpec
from harness.report.figures import LEFT, RIGHT, WIDTH, interval_plot, outcome_bar, outcome_text
from harness.report.inputs import RunView
from harness.report.tables import ScoreTable, TableLine, shown, summary
from harness.report.writers.shades import shades
from harness.score.table import ScoreRow

SPEC = FieldSpec(kind="label", labels=("a", "b"))


def row(
    value: float | None, low: float | None, high: float | None, metric: str = "uar"
) -> ScoreRow:
    return ScoreRow("t", "m", "p", "none", "all", "f", metric, value, low, high, 10, 1.0, "e")


def line(key: tuple[str, str, str], score: ScoreRow) -> TableLine:
    kind = "baseline" if key[1] == "-" else "blank" if key[2] == "blank" else "model"
    return TableLine(kind, key, "", 10, "100%", (shown(score),), (shown(score),))


def table(*lines: TableLine, metric: str = "uar") -> ScoreTable:
    return ScoreTable("t", "all", "f", SPEC, ((metric, metric.upper()),), lines)


def plot(*lines: TableLine, metric: str = "uar") -> ET.Element:
    drawn = interval_plot(table(*lines, metric=metric))
    assert drawn is not None
    return ET.fromstring(drawn)


def test_dots_and_whiskers_stand_where_the_numbers_say() -> None:
    svg = plot(
        line(("majority", "-", "none"), row(0.25, 0.25, 0.25)),
        line(("m", "p", "none"), row(0.5, 0.25, 1.0)),
        line(("m", "p", "blank"), row(0.0, 0.0, 0.0)),
    )
    span = WIDTH - LEFT - RIGHT
    (dot,) = svg.findall("circle[@class='dot']")
    assert float(dot.get("cx", "")) == pytest.approx(LEFT + span / 2, abs=0.1)
    whisker = svg.findall("path")[1].get("d", "")
    low, high = map(float, re.findall(r"^M([\d.]+) [\d.]+H([\d.]+)", whisker)[0])
    assert (low, high) == pytest.approx((LEFT + span / 4, WIDTH - RIGHT), abs=0.1)
    (base,) = svg.findall("line[@class='base']")
    assert float(base.get("x1", "")) == pytest.approx(LEFT + span / 4, abs=0.1)
    (square,) = svg.findall("rect[@class='hollow']")
    assert float(square.get("x", "")) + 4.5 == pytest.approx(LEFT, abs=0.1)
    assert ".500 [.25, 1.00]" in "".join(svg.itertext())


@settings(deadline=None)
@given(st.lists(st.floats(-50, 50).map(lambda v: round(v, 6)), min_size=1, max_size=5))
def test_every_value_of_an_open_scale_is_inside_the_plot(values: list[float]) -> None:
    svg = plot(*(line(("m", f"p{v}", "none"), row(v, v, v, "ccc")) for v in values), metric="ccc")
    dots = [float(dot.get("cx", "")) for dot in svg.findall("circle")]
    assert all(LEFT <= x <= WIDTH - RIGHT for x in dots)
    assert [x for _, x in sorted(zip(values, dots, strict=True))] == sorted(dots)
    assert 2 <= len(svg.findall("line[@class='grid']")) <= 9


def test_without_a_value_there_is_no_plot() -> None:
    assert interval_plot(table(line(("m", "p", "none"), row(None, None, None)))) is None


def test_long_names_are_cut_in_the_middle_and_kept_as_a_title() -> None:
    name = "openai:Qwen/Qwen2.5-VL-72B-Instruct@somewhere/v1 <&>"
    svg = plot(line((name, "emotion/plain", "none"), row(0.5, None, None)))
    assert svg.find("text/title") is not None
    assert name in svg.findtext("text/title", "")


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(OUTCOMES)), st.integers(0, 10**6)))
def test_an_outcome_bar_is_filled_and_says_every_count(counts: dict[str, int]) -> None:
    svg = ET.fromstring(outcome_bar(counts, "<cell>"))
    widths = [float(part.get("width", "")) for part in svg.findall("rect")]
    assert sum(widths) == pytest.approx(560 if any(counts.values()) else 0, abs=0.1)
    for outcome, number in counts.items():
        assert (f"{number:,} {outcome}" in svg.get("aria-label", "")) == bool(number)


def test_outcomes_read_as_a_sentence() -> None:
    counts = {"failed": 1, "answered": 1200, "off-list": 2}
    assert outcome_text(counts) == "1,200 answered, 2 off-list and 1 failed"


def test_matrix_rows_sum_to_their_class_and_leave_baselines_out(view: RunView) -> None:
    sections = task_sections(view.scores, view.tasks["emotion/drawn"], view.manifest)
    found = [b for one in sections for b in one.blocks if isinstance(b, Matrix)]
    assert [m.caption.partition(" · ")[2] for m in found] == [
        "emotion/plain", "emotion/plain · blank", "emotion/cot", "emotion/cot · blank",
    ]  # fmt: skip
    assert [m.folded for m in found] == ["", "", *["2 more confusion matrices"] * 2]
    first = found[0]
    assert first.columns == (*first.rows, "no class")
    for place, counts in enumerate(first.counts):
        assert sum(counts) == 4
        cells = shades(counts, place, len(first.rows), paired=True)
        assert [cell.right for cell in cells].index(True) == place
        assert [cell.apart for cell in cells] == [*[False] * len(first.rows), True]


def test_the_summary_says_what_the_differences_to_the_baselines_say() -> None:
    key = ("m", "p", "none")
    lines = (
        line(("majority", "-", "none"), row(0.4, None, None)),
        line(key, row(0.5, 0.4, 0.6)),
        line(("m", "p", "blank"), row(0.2, None, None)),
    )
    against = {key: ("withheld", "fewer than 10 subjects")}
    (found,) = summary([replace(table(*lines), against=against)])
    assert (found.verdict, found.reason) == ("withheld", "fewer than 10 subjects")
    assert found.blank == ".200"
    (unknown,) = summary([table(*lines)])
    assert unknown.verdict == "" and "no interval" in unknown.reason


def test_a_task_of_many_fields_is_summed_up_by_its_first() -> None:
    lines = (line(("m", "p", "none"), row(0.5, 0.4, 0.6)),)
    many = [replace(table(*lines), field=f"f{i}", slice=f"part{i // 5}") for i in range(10)]
    assert [found.name for found in summary(many)] == ["f0 (part0)", "f5 (part1)"]
    assert len(summary(many[:8])) == 8
