from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.faces import (
    MIXED,
    Unit,
    affect,
    annotate_mixture,
    blend,
    both,
    draw,
    mixture_at,
)


@given(index=st.integers(0, 10**5), share=st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_shares_add_up_and_the_greater_names_the_face(index: int, share: float) -> None:
    mixture = mixture_at(index, seed=3, share=share)
    label = mixture.soft_label
    assert len(label) == 2 and set(label) <= set(MIXED)
    assert sum(label.values()) == pytest.approx(1.0)
    assert label[mixture.face.emotion] == max(label.values())
    json.dumps(mixture.to_dict())


def test_nothing_but_the_blend_depends_on_the_share() -> None:
    one, half, none = (mixture_at(4, seed=3, share=s) for s in (1.0, 0.5, 0.0))
    assert one.face.with_units() != one.face
    assert one.units == half.units == none.units
    assert one.face.units == one.units[0] and none.face.units == none.units[1]
    assert one.face.identity == none.face.identity and one.face.nuisance == none.face.nuisance


def test_units_are_blended_side_by_side() -> None:
    a, b = (Unit(12, 0.8, 0.4),), (both(4, 1.0), Unit(12, 0.0, 0.2))
    assert blend(a, b, 0.75) == (both(4, 0.25), Unit(12, 0.6, 0.35))
    assert blend(a, b, 1.0) == a
    with pytest.raises(HarnessError, match="share"):
        blend(a, b, 1.5)


def test_truth_lies_between_the_two() -> None:
    mixture = mixture_at(2, seed=8, share=0.3)
    truth = annotate_mixture(mixture, draw(mixture.face, size=64))
    ends = [affect(n, u) for n, u in zip(mixture.emotions, mixture.units, strict=True)]
    assert truth["valence"] == pytest.approx(0.3 * ends[0][0] + 0.7 * ends[1][0], abs=1e-3)
    assert truth["arousal"] == pytest.approx(0.3 * ends[0][1] + 0.7 * ends[1][1], abs=1e-3)
    assert truth["soft_label"] == {mixture.emotions[0]: 0.3, mixture.emotions[1]: 0.7}
    assert truth["emotion"] == mixture.emotions[1]


def test_pairs_and_shares_vary() -> None:
    mixtures = [mixture_at(index, seed=0) for index in range(90)]
    assert len({frozenset(m.emotions) for m in mixtures}) == 15
    shares = [m.share for m in mixtures]
    assert min(shares) < 0.1 and max(shares) > 0.9
    assert 0.4 < sum(shares) / len(shares) < 0.6


@pytest.mark.parametrize("labels", [("fear",), ("fear", "fear"), ("fear", "boredom")])
def test_labels_that_cannot_be_blended_are_refused(labels: tuple[str, ...]) -> None:
    with pytest.raises(HarnessError, match="blended"):
        mixture_at(0, seed=0, labels=labels)
