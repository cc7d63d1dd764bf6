from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.field import FieldSpec
from harness.faces import CUE_VALUES
from harness.report.browser import LONGEST_TEXT, choose, cut, embedded_json, is_right, read_entries
from harness.report.inputs import RunView, read_run

from .runs import emotion_task, make_run


def test_everything_is_shown_where_it_fits(view: RunView) -> None:
    chosen = choose(view)
    assert len(chosen.entries) == chosen.total == 152
    assert {(e.task, e.key, e.sample) for e in chosen.entries} == {
        (e.task, e.key, e.sample) for e in read_entries(view)
    }


def test_a_choice_is_spread_over_cells_with_misses_first_but_not_alone(view: RunView) -> None:
    chosen = choose(view, most=50)
    assert (len(chosen.entries), chosen.total) == (50, 152)
    cells = Counter((e.task, e.key) for e in chosen.entries)
    assert set(cells.values()) == {10}
    plain = [e.standing for e in chosen.entries if e.key[1:] == ("emotion/plain", "none")]
    every = [e.standing for e in read_entries(view) if e.key[1:] == ("emotion/plain", "none")]
    assert plain.count("unanswered") == every.count("unanswered") == 4
    assert plain.count("wrong") > plain.count("right") > 0
    assert plain == sorted(plain, key=["unanswered", "wrong", "unjudged", "right"].index)


def test_cells_show_the_same_samples(view: RunView) -> None:
    chosen = choose(view, most=20).entries
    shown = {
        key: {e.sample for e in chosen if e.key == key and e.task == "emotion/drawn"}
        for key in {e.key for e in chosen if e.task == "emotion/drawn" and e.key[2] == "none"}
    }
    assert len(shown) == 2 and len(set(map(frozenset, shown.values()))) == 1


def test_numbers_are_neither_right_nor_wrong(view: RunView) -> None:
    standings = {e.standing for e in read_entries(view) if e.part == "valence"}
    assert standings == {"unjudged", "unanswered"}


@pytest.mark.parametrize(
    ("kind", "value", "target", "right"),
    [
        ("label", "anger", "anger", True), ("label", "fear", "anger", False),
        ("label", None, "anger", None), ("label", "anger", None, None),
        ("yes-no", True, "yes", True), ("yes-no", "no", False, True), ("yes-no", "yes", False, False),
        ("set", ["b", "a"], ["a", "b"], True), ("set", [], [], True), ("set", ["a"], [], False),
        ("number", 0.5, 0.5, None), ("text", "A  Café", "a cafe\u0301", True), ("text", "a", "b", False),
    ],
)  # fmt: skip
def test_right_and_wrong(kind: str, value: Any, target: Any, right: bool | None) -> None:
    assert is_right(kind, value, target) is right


def test_long_text_is_cut_and_says_by_how_much() -> None:
    assert cut("x" * LONGEST_TEXT) == "x" * LONGEST_TEXT
    assert cut("x" * (LONGEST_TEXT + 1234)).endswith("… (1,234 more characters in the run folder)")


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.text(st.characters())))
def test_embedded_json_reads_back_and_cannot_leave_its_element(value: dict[str, str]) -> None:
    text = embedded_json({"k": value, "</script>": "<!--"})
    assert not set("<>&") & set(text)
    text.encode("utf-8")
    assert json.loads(text)["</script>"] == "<!--"


def test_fields_stand_in_the_tasks_order(tmp_path: Path) -> None:
    task = emotion_task(n=7)
    spec = task.fields["emotion"]
    mouth = FieldSpec(kind="label", labels=CUE_VALUES["mouth"])
    both = task.model_copy(
        update={"fields": {"mouth": mouth, "emotion": spec}, "prompts": ("emotion/both",)}
    )
    folder = make_run(
        tmp_path / "run", tasks=[both], conditions=("none",), reply=lambda c, s, n: "anger"
    )
    entry = next(read_entries(read_run(folder)))
    assert [answer["field"] for answer in entry.answers] == ["mouth", "emotion"]
