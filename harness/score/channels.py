"""Additional results of the channels `choice` and `logprob`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from harness.answers.constraints import Unfit, constraint_for, obeys, object_keys
from harness.core.answer import Answer
from harness.core.cell import Cell
from harness.core.field import FieldSpec
from harness.core.generation import Generation, LabelScores
from harness.core.outcome import Outcome
from harness.core.prompt import PromptHead
from harness.core.text import canonical_json

RULE = "logprob"
"""The rule of an answer that no parser read."""
EXPECTATION = "logprob/expectation"
"""The same of a number, of whose words the probabilities are known."""
EXPECTED = (
    "each answer is the expectation of the words' values under their probabilities, renormalised"
)
"""What score rows say of such numbers."""


def scored_answer(scores: LabelScores, spec: FieldSpec) -> Answer:
    """The likeliest label; of a number with words sum(p_w v_w) / sum(p_w), with six decimals.

    p_w is the probability of the word w as the whole reply and v_w its value. Unlike the likeliest word's value it
    moves with every change of the probabilities, so that a scale of five words gives more than five answers.
    """
    if not (spec.numeric and spec.words):
        return likeliest(scores)
    top = max(scores.logprobs)
    shares = [math.exp(value - top) for value in scores.logprobs]
    values = [spec.words[word] for word in scores.labels]
    total = sum(share * value for share, value in zip(shares, values, strict=True))
    return Answer(Outcome.ANSWERED, round(total / sum(shares), 6) + 0.0, EXPECTATION)


def likeliest(scores: LabelScores) -> Answer:
    """The label of the greatest probability, the first of equals."""
    return Answer(Outcome.ANSWERED, scores.labels[_first_best(scores.logprobs)], RULE)


def length_normalised(scores: LabelScores) -> str:
    """The label of the greatest log-probability a token: an estimator of its own, without probabilities."""
    means = [total / count for total, count in zip(scores.logprobs, scores.tokens, strict=True)]
    return scores.labels[_first_best(means)]


def _first_best(values: tuple[float, ...] | list[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


def stated(answer: Answer) -> LabelScores | None:
    """The shares that a reply gives its labels in words, as scores of labels; None for other replies."""
    if not answer.shares:
        return None
    return LabelScores(
        labels=tuple(label for label, _ in answer.shares),
        logprobs=tuple(math.log(share) if share else -math.inf for _, share in answer.shares),
        tokens=(1,) * len(answer.shares),
        estimator="stated",
    )


def probability_columns(scores: LabelScores | None) -> dict[str, str | None]:
    """The columns of records.parquet that only probabilities fill, with six decimals."""
    if scores is None:
        return dict.fromkeys(("estimator", "probabilities", "captured_mass", "length_normalised"))
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
    generation: Generation | None,
    cell: Cell,
    head: PromptHead,
    fields: Mapping[str, FieldSpec],
    asks: Sequence[str],
) -> bool:
    """Whether a whole reply on the channel `choice` is not what it was to be held to.

    `fields` are all of the task, `asks` those that the trial asks for. A JSON object may hold every key that its
    prompt fills: which of them the conversation named is not looked up again.
    """
    if cell.channel != "choice" or generation is None or generation.finish != "stop":
        return False
    try:
        if head.answer != "json":
            return not obeys(
                generation.text, constraint_for({n: fields[n] for n in asks}, head.answer)
            )
        keys = object_keys(generation.text)
        lacking = [
            name
            for name in head.read_from(None, asks)
            if name not in keys and fields[name].member_of not in keys
        ]
        if lacking or not set(keys) <= set(head.fills(fields)):
            return True
        return not obeys(generation.text, constraint_for({n: fields[n] for n in keys}, "json"))
    except Unfit:
        return False
