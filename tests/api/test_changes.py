"""Values of Python as changes of a task: what goes in comes out of the task."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness.api.changes import changes
from harness.run.task_files import _apply

CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
"""A task file holds no NUL character."""
TEXT = st.text(CHARACTERS, max_size=8).filter(lambda text: not text.startswith(("[", "{")))
PLAIN = st.recursive(
    st.text(CHARACTERS, max_size=8) | st.integers(-99, 99) | st.booleans() | st.floats(-9, 9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(CHARACTERS, max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.lists(PLAIN, max_size=3)
    | st.dictionaries(st.text(CHARACTERS, max_size=5), PLAIN, max_size=3)
)
def test_lists_and_mappings_come_through_exactly(value: object) -> None:
    (change,) = changes(source={"given": value})
    data: dict[str, object] = {}
    _apply(data, change)
    assert data == {"source": {"given": value}}


@given(TEXT)
def test_texts_come_through_exactly(value: str) -> None:
    (change,) = changes(fields={"emotion": {"labels": value}})
    data: dict[str, object] = {}
    _apply(data, change)
    assert data == {"fields": {"emotion": {"labels": value}}}


def test_paths_sets_tuples_and_numbers_of_numpy() -> None:
    made = changes(
        source={"file": Path("a/b.csv"), "n": np.int64(3)},
        set={"slices": ("a", "b"), "media.resize": 448, "public": True, "x": {"b", "a"}},
    )
    assert made == (
        "source.file=a/b.csv", "source.n=3", 'slices=[a, b]', "media.resize=448", "public=true", 'x=[a, b]',
    )  # fmt: skip
    task = harness.load_task(
        "table/emotion", set={"media.resize": 448, "public": True, "slices": ("a", "b")}
    )
    assert (task.media.resize, task.public, task.slices) == (448, True, ("a", "b"))


@pytest.mark.parametrize(
    "given",
    [
        {"source": {"a.b": 1}}, {"source": {"": 1}}, {"source": {"a=b": 1}}, {"source": 3}, {"set": {"a": object()}},
        {"set": {"a": None}}, {"set": {"a": "[x"}}, {"set": {"a": float("nan")}}, {"fields": {"emotion": "uar"}},
        {"set": {3: 1}},
    ],
)  # fmt: skip
def test_what_a_task_cannot_hold_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(harness.HarnessError) as told:
        changes(**given)  # type: ignore[arg-type]
    assert told.value.hint
