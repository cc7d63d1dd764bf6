"""The expectation of a number over the probabilities of its words, against sums by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.answers.constraints import Unfit, candidates_for
from harness.core.constraint import Need
from harness.core.field import FieldSpec
from harness.core.generation import Generation, LabelScores
from harness.core.request import Request
from harness.score.channels import EXPECTATION, EXPECTED, scored_answer
from harness.score.folder import score_run
from harness.score.records import read_records
from tests.run.bench import make_world
from tests.run.test_channels import AbleModel, run

SAM = {"very unpleasant": -1.0, "unpleasant": -0.5, "neutral": 0.0, "pleasant": 0.5, "very pleasant": 1.0}  # fmt: skip
VALENCE = FieldSpec(kind="number", low=-1, high=1, words=SAM)
SHARES = (0.1, 0.2, 0.3, 0.15, 0.05)  # a fifth of the mass lies elsewhere


def scores(shares: tuple[float, ...]) -> LabelScores:
    logs = tuple(math.log(share) for share in shares)
    return LabelScores(tuple(SAM), logs, (2,) * len(shares), "continuation")


def test_the_expectation_is_renormalised_over_the_words() -> None:
    answer = scored_answer(scores(SHARES), VALENCE)
    by_hand = (0.1 * -1 + 0.2 * -0.5 + 0.15 * 0.5 + 0.05 * 1) / 0.8
    assert answer.value == pytest.approx(by_hand, abs=1e-6)
    assert answer.rule == EXPECTATION


@given(st.lists(st.floats(-300, 0), min_size=5, max_size=5))
def test_it_agrees_with_numpy_and_stays_on_the_scale(logs: list[float]) -> None:
    found = scored_answer(LabelScores(tuple(SAM), tuple(logs), (2,) * 5, "continuation"), VALENCE)
    shares = np.exp(np.array(logs) - max(logs))
    assert found.value == pytest.approx(
        float(np.average([*SAM.values()], weights=shares)), abs=1e-6
    )
    assert isinstance(found.value, float)
    assert -1 <= found.value <= 1


def test_labels_have_no_expectation() -> None:
    spec = FieldSpec(kind="label", labels=tuple(SAM))
    assert scored_answer(scores(SHARES), spec).value == "neutral"


def test_only_numbers_with_words_are_scored_as_words() -> None:
    assert candidates_for({"valence": VALENCE}, "text") == tuple(SAM)
    with pytest.raises(Unfit, match="list of labels or words"):
        candidates_for({"age": FieldSpec(kind="number", low=0, high=99)}, "text")
    with pytest.raises(Unfit, match="more than the label"):
        candidates_for({"valence": VALENCE}, "json")


TASK = """\
source: {family: table, file: labels.csv, image: image, targets: {valence: number}, subject: person}
fields:
  valence: {kind: number, low: -1, high: 1, words: {low: -1, mid: 0, high: 1}}
prompts: [affect/valence-word]
"""


class Gauge(AbleModel):
    """Gives the words of one scale probabilities that hang on the picture's number."""

    async def reply(self, request: Request) -> Generation:
        found = await super().reply(request)
        picture = next(p for m in request.messages for p in m.parts if hasattr(p, "name"))
        share = (1 + int(Path(picture.name).stem[1:])) / 40
        logs = tuple(math.log(0.9 * p) for p in (0.6 - share, 0.4, share))
        return replace(
            found, scores=LabelScores(request.candidates, logs, (1, 1, 1), "first-token")
        )


def test_a_run_is_scored_by_the_expectations(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=12, task=TASK)
    head, *rest = (tmp_path / "labels.csv").read_text().splitlines()
    numbered = [f"{row},{i / 20 - 0.3:.3f}" for i, row in enumerate(rest)]
    (tmp_path / "labels.csv").write_text("\n".join([f"{head},number", *numbered]))
    holds: frozenset[Need] = frozenset({"logprob"})
    run(world, Gauge(holds=holds), "logprob")
    found = score_run(world.folder)
    said = {r["sample"]: float(r["value"]) for r in read_records(world.folder)}
    expected = [2 * (1 + i) / 40 - 0.6 for i in range(12)]
    assert [said[f"p{i}.png"] for i in range(12)] == pytest.approx(expected, abs=1e-6)
    (mae,) = [r for r in found.scores if r.model == "rule" and r.metric == "mae"]
    truth = [round(i / 20 - 0.3, 3) for i in range(12)]
    assert mae.value == pytest.approx(
        np.mean([abs(a - b) for a, b in zip(truth, expected, strict=True)]), abs=1e-6
    )
    assert EXPECTED in mae.estimator
    assert not [r for r in found.scores if r.metric == "brier"]
