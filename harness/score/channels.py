"""What the channels `choice` and `logprob` bring besides an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping

from harness.answers.constraints import Unfit, constraint_for, obeys
from harness.core.answer import Answer
from harness.core.cell import Cell
from harness.core.field import FieldSpec
from harness.core.generation import Generation, LabelScores
from harness.core.outcome import Outcome
from harness.core.prompt import PromptHead
from harness.core.text import canonical_json

RULE = "logprob"
"""The rule of an answer that no parser read."""


def likeliest(scores: LabelScores) -> Answer:
    """The label of the greatest probability, the first of equals."""
    return Answer(Outcome.ANSWERED, scores.labels[_first_best(scores.logprobs)], RULE)


def length_normalised(scores: LabelScores) -> str:
    """The label of the greatest log-probability a token: an estimator of its own, without probabilities."""
    means = [total / count for total, count in zip(scores.logprobs, scores.tokens, strict=True)]
    return scores.labels[_first_best(means)]


def _first_best(values: tuple[float, ...] | list[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


def probability_columns(generation: Generation | None) -> dict[str, str | None]:
    """The columns of records.parquet that only a scored reply fills: probabilities with six decimals."""
    if generation is None or generation.scores is None:
        return dict.fromkeys(("estimator", "probabilities", "captured_mass", "length_normalised"))
    scores = generation.scores
    top = max(scores.logprobs)
    shares = [math.exp(value - top) for value in scores.logprobs]
    mass = min(math.exp(top) * sum(shares), 1.0)
    told = {
        label: round(share / sum(shares), 6)
        for label, share in zip(scores.labels, shares, strict=True)
    }
    return {
        "estimator": scores.estimator,
        "probabilities": canonical_json(told),
        "captured_mass": f"{mass:.6f}",
        "length_normalised": (
            length_normalised(scores) if scores.estimator == "continuation" else None
        ),
    }


def breaks(
    generation: Generation | None, cell: Cell, head: PromptHead, fields: Mapping[str, FieldSpec]
) -> bool:
    """Whether a whole reply on the channel `choice` is not what it was to be held to."""
    if cell.channel != "choice" or generation is None or generation.finish != "stop":
        return False
    try:
        return not obeys(generation.text, constraint_for(fields, head.answer))
    except Unfit:
        return False
