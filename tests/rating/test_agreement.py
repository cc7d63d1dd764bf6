"""Agreement of raters: against krippendorff and scikit-learn, the intervals by simulation, and what is agreed on."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from harness.core.field import FieldSpec
from harness.rating.agreed import verdicts
from harness.rating.agreement import agreement_of
from harness.rating.form import FormField
from harness.rating.items import ItemKey
from harness.rating.journal import Rating, Ratings, Study

LABEL = FormField("emotion", FieldSpec(kind="label", labels=("anger", "joy", "none")))
SET = FormField("units", FieldSpec(kind="set", labels=("AU1", "AU4", "AU12")))
NUMBER = FormField("valence", FieldSpec(kind="number"))
TEXT = FormField("words", FieldSpec(kind="text"))


def ratings_of(field: FormField, table: Mapping[str, Sequence[str | None]]) -> Ratings:
    """Rater -> answers to items 0, 1, ...; `-` is no answer, None `cannot tell`."""
    count = max(map(len, table.values()))
    found = Ratings(Study("mine", "d", (field,), ("none",), 0, count))
    for rater, answers in table.items():
        for at, value in enumerate(answers):
            if value != "-":
                found.add(Rating(rater, ItemKey(f"s{at:03d}", "none"), field.name, value, 1.0, 0.0))
    return found


def measured(ratings: Ratings) -> dict[str, float]:
    return {one.name: one.value for one in agreement_of(ratings) if not one.option}


def drawn(raters: int, items: int, *, seed: int, right: float = 0.7) -> dict[str, list[str]]:
    draw = random.Random(seed)
    truth = [draw.choice(LABEL.options) for _ in range(items)]
    return {
        f"r{k}": [t if draw.random() < right else draw.choice(LABEL.options) for t in truth]
        for k in range(raters)
    }


def test_two_raters_as_scikit_learn_has_them() -> None:
    table = drawn(2, 60, seed=1)
    found = measured(ratings_of(LABEL, table))
    assert found["Cohen's kappa"] == pytest.approx(cohen_kappa_score(*table.values()))
    alpha = krippendorff.alpha(
        reliability_data=np.array(
            [[LABEL.options.index(v) for v in row] for row in table.values()]
        ),
        level_of_measurement="nominal",
    )
    assert found["Krippendorff's alpha, nominal"] == pytest.approx(alpha)


@pytest.mark.parametrize("scale", ["ordinal", "interval"])
def test_numbers_with_gaps_as_krippendorff_has_them(scale: str) -> None:
    draw = random.Random(5)
    truth = [draw.randint(-4, 4) / 4 for _ in range(50)]
    table = {
        f"r{k}": [
            "-" if draw.random() < 0.2 else str(max(-1, min(1, t + draw.randint(-1, 1) / 4)))
            for t in truth
        ]
        for k in range(4)
    }
    data = np.array([[math.nan if v == "-" else float(v) for v in row] for row in table.values()])
    wanted = krippendorff.alpha(reliability_data=data, level_of_measurement=scale)
    ratings = ratings_of(NUMBER, table)
    (found,) = [m for m in agreement_of(ratings) if m.name == f"Krippendorff's alpha, {scale}"]
    assert found.value == pytest.approx(wanted)
    assert found.interval is not None and found.interval.low < wanted < found.interval.high


@pytest.mark.parametrize(
    "name", ["Cohen's kappa", "Fleiss' kappa", "Krippendorff's alpha, nominal"]
)
def test_intervals_hold_what_many_items_show(name: str) -> None:
    raters = 2 if name.startswith("Cohen") else 3
    wanted = measured(ratings_of(LABEL, drawn(raters, 4000, seed=0)))[name]
    covered = 0
    for seed in range(1, 41):
        found = agreement_of(ratings_of(LABEL, drawn(raters, 50, seed=seed)))
        (interval,) = [m.interval for m in found if m.name == name]
        assert interval is not None
        covered += interval.low <= wanted <= interval.high
    assert covered >= 34  # 38 of 40 expected; 33 or fewer once in 100 such studies


def test_numbers_differ_by_so_much() -> None:
    found = measured(ratings_of(NUMBER, {"a": ["0", "0.5", "1"], "b": ["0.5", "0.5", "-"]}))
    assert found["mean difference of two raters, absolute"] == pytest.approx(0.25)


def test_sets_are_measured_option_by_option() -> None:
    table = {"a": ["AU1", "AU1; AU4", "none", "AU4"], "b": ["AU1", "AU1", "none", "AU4"]}
    found = agreement_of(ratings_of(SET, table))
    assert {m.option for m in found} == {"", "AU1", "AU4"}  # nobody ever chose AU12
    one = {m.option: m.value for m in found if m.name == "Cohen's kappa"}
    assert one["AU1"] == 1.0 and one["AU4"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("field", "answers", "standing", "value"),
    [
        (LABEL, ["joy", "joy", "anger"], "agreed", "joy"),
        (LABEL, ["joy", "anger"], "disputed", None),
        (LABEL, ["joy", "anger", "none", "joy"], "agreed", "joy"),
        (LABEL, ["joy", None], "agreed", "joy"),
        (LABEL, [None, None], "cannot tell", None),
        (LABEL, ["joy", "-"], "single", None),
        (SET, ["AU1; AU4", "AU1", "AU1; AU4"], "agreed", "AU1; AU4"),
        (SET, ["AU1", "AU1; AU4", "AU12"], "agreed", "AU1"),
        (SET, ["AU1; AU4", "AU1"], "disputed", None),
        (SET, ["AU1", "AU4", "AU12"], "agreed", "none"),
        (NUMBER, ["0.5", "0.6", "-0.9"], "agreed", "0.5"),
        (NUMBER, ["0.1", "0.6"], "agreed", "0.35"),
        (NUMBER, ["0", "0.9"], "disputed", None),
        (NUMBER, ["-1", "0", "1"], "disputed", None),
        (TEXT, ["A  smile", "a smile", "frown"], "agreed", "A  smile"),
        (TEXT, ["smile", "frown"], "disputed", None),
    ],
)
def test_what_is_agreed_on(field: FormField, answers: list[str | None], standing: str, value: str | None) -> None:  # fmt: skip
    # a last item keeps every rater among the raters
    table = {f"r{k}": [a, answers[0]] for k, a in enumerate(answers)}
    found = verdicts(ratings_of(field, table))
    assert (found[0].standing, found[0].value) == (standing, value)
