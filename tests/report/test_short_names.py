"""Long names in the first tables stay apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.report.short_names import MOST, short_names

MODEL = "transformers:Qwen/Qwen2.5-VL-3B-Instruct"


def test_the_part_in_which_names_differ_is_kept() -> None:
    assert short_names(["affect-tiny", "affect-tiny (adapter of-fold-3)"]) == {
        "affect-tiny": "affect-tiny",
        "affect-tiny (adapter of-fold-3)": "affect-tiny…of-fold-3)",
    }
    names = [f"{MODEL} (adapter {kind}-of-all-folds)" for kind in ("plain", "defined")]
    short = list(short_names(names).values())
    assert "plain" in short[0] and "defined" in short[1]
    assert all(len(one) <= MOST and one.startswith("tr") and one.endswith("s)") for one in short)
    (base, _) = short_names([MODEL, f"{MODEL.replace('3B', '7B')}"]).values()
    assert "3B" in base


def test_names_that_differ_in_too_much_are_written_out() -> None:
    names = [f"{'x' * 20}{one * 30}{'y' * 20}" for one in "AB"]
    assert list(short_names(names).values()) == names


@given(st.lists(st.text("ab…", max_size=40), unique=True, max_size=6), st.integers(4, 24))
def test_no_two_names_look_alike(names: list[str], most: int) -> None:
    short = short_names(names, most)
    assert list(short) == names and len(set(short.values())) == len(names)
