from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analyses.words import (
    OUTCOMES,
    interval,
    listed,
    main_metric,
    metric_name,
    number,
    percent,
    table_metrics,
    visible,
)
from harness.core.field import FieldSpec

LABEL = FieldSpec(kind="label", labels=("a", "b"))


@pytest.mark.parametrize(
    ("value", "digits", "told"),
    [
        (0.8123, 3, ".812"), (0.0, 3, ".000"), (1.0, 3, "1.000"), (-0.05, 2, "-.05"),
        (-0.0001, 3, ".000"), (12.345, 2, "12.35"), (-1.5, 1, "-1.5"), (0.9999, 2, "1.00"),
        (None, 3, "–"),
    ],
)  # fmt: skip
def test_numbers_are_written_without_a_leading_zero(
    value: float | None, digits: int, told: str
) -> None:
    assert number(value, digits) == told


@settings(deadline=None)
@given(st.floats(-100, 100))
def test_a_written_number_reads_back_within_its_rounding(value: float) -> None:
    assert float(number(value)) == pytest.approx(value, abs=0.00051)


def test_an_interval_needs_both_bounds() -> None:
    assert interval(0.77, 0.849) == "[.77, .85]"
    assert interval(None, 0.5) == interval(0.5, None) == ""


@pytest.mark.parametrize(
    ("share", "told"),
    [(1.0, "100%"), (0.0, "0%"), (0.86, "86%"), (0.9967, "99.7%"), (0.003, "0.3%"), (None, "–")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(share: float | None, told: str) -> None:
    assert percent(share) == told


def test_metrics_have_the_names_people_write() -> None:
    written = {
        m: metric_name(m)
        for m in ("uar", "war", "macro_f1", "uf1", "ccc", "recall[a b]", "uar_answered", "own")
    }
    assert written == {
        "uar": "UAR", "war": "WAR", "macro_f1": "macro-F1", "uf1": "UF1", "ccc": "CCC",
        "recall[a b]": "recall of a b", "uar_answered": "UAR", "own": "own",
    }  # fmt: skip


def test_twins_share_a_column_for_labels_only() -> None:
    assert table_metrics(LABEL) == (
        ("uar", "UAR"), ("accuracy", "Accuracy = WAR"), ("macro_f1", "macro-F1 = UF1"),
    )  # fmt: skip
    only_war = FieldSpec(kind="label", labels=("a",), metrics=("war", "uar"))
    assert table_metrics(only_war) == (("war", "WAR"), ("uar", "UAR"))
    assert [m for m, _ in table_metrics(FieldSpec(kind="set", labels=("a",)))][:3] == [
        "set_f1", "micro_f1", "macro_f1",
    ]  # fmt: skip


def test_the_main_metric_is_the_tasks_first_or_the_kinds_own() -> None:
    assert main_metric(LABEL) == "uar"
    assert main_metric(FieldSpec(kind="label", labels=("a",), metrics=("uf1", "uar"))) == "uf1"
    assert main_metric(FieldSpec(kind="number")) == "ccc"


def test_unseen_characters_are_spelled_out_and_others_kept() -> None:
    assert visible("a\x00b\u202ec\ufeff\ud800") == "a⟨U+0000⟩b⟨U+202E⟩c⟨U+FEFF⟩⟨U+D800⟩"
    assert visible("خوشی\tüber\n😀") == "خوشی\tüber\n😀"


@settings(deadline=None)
@given(st.text(st.characters()))
def test_visible_text_can_always_be_written_and_is_stable(text: str) -> None:
    seen = visible(text)
    seen.encode("utf-8")
    assert visible(seen) == seen


def test_lists_read_as_sentences() -> None:
    assert [listed(x) for x in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def _luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_counts_on_outcome_bars_have_contrast_and_fills_differ() -> None:
    assert len(OUTCOMES) == 8 == len({fill for fill, _, _ in OUTCOMES.values()})
    for fill, ink, _ in OUTCOMES.values():
        light, dark = sorted((_luminance(fill), _luminance(ink)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5
