"""Helpers that build an Answer, and the handling of replies without content for every kind of field."""

from __future__ import annotations

from typing import Literal, TypeAlias

from harness.answers.normal import NormalizedReply
from harness.answers.refusals import find_declines, ruling
from harness.core.answer import Answer
from harness.core.outcome import Outcome
from harness.core.sample import Value

Form: TypeAlias = Literal["text", "final", "json", "percentages"]
"""Where a reply keeps its values: anywhere, behind a final-answer line, in a JSON object; or one JSON object of
labels and percentages."""


def answered(value: Value, rule: str, span: tuple[int, int] | None = None) -> Answer:
    """An answer."""
    return Answer(Outcome.ANSWERED, value, rule, span)


def lacking(outcome: Outcome, rule: str, span: tuple[int, int] | None = None) -> Answer:
    """A reason why there is none."""
    return Answer(outcome, None, rule, span)


def wordless(reply: NormalizedReply) -> Answer | None:
    """The verdict on a reply with no visible text; None where there is some."""
    if reply.text and not reply.text.isspace():
        return None
    if reply.unclosed:
        return lacking(Outcome.TRUNCATED if reply.truncated else Outcome.UNPARSED, "think/unclosed")
    if reply.reasoned:
        return lacking(
            Outcome.TRUNCATED if reply.truncated else Outcome.UNPARSED, "think/no-answer"
        )
    return lacking(Outcome.TRUNCATED if reply.truncated else Outcome.EMPTY, "empty")


def read_whole(answer: Answer, reply: NormalizedReply) -> Answer:
    """The verdict on a reply from what was read of it: of one that is too long to be read whole, only what stands behind
    a mark of the final answer counts, since anything else may be taken back before or said otherwise."""
    if not reply.cut or answer.rule.startswith("final-anchor/"):
        return answer
    return lacking(Outcome.TRUNCATED if reply.truncated else Outcome.UNPARSED, "too-long")


def nothing(reply: NormalizedReply, rule: str) -> Answer:
    """The verdict where no value was found: declined, cut off, or not to be parsed."""
    declined = ruling(find_declines(reply.text, reply.speech))
    if declined:
        return lacking(Outcome.REFUSED, declined)
    if reply.truncated:
        return lacking(Outcome.TRUNCATED, "truncated")
    return lacking(Outcome.UNPARSED, rule)
