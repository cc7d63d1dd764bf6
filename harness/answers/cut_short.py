"""Read replies that were cut off at the token limit.

Something named on the way may have been taken back in what is missing. So an answer counts where it was marked as one
(a final-answer line, the whole text, a line of its own, JSON) or stands in the first sentence; what a later sentence
states, or asks, does not.
"""

from __future__ import annotations

import re
from dataclasses import replace

from harness.answers.normal import NormalizedReply
from harness.core.answer import Answer
from harness.core.outcome import Outcome

_LOOSE = ("statement", "mention", "last-sentence", "after")
_SENTENCE = re.compile(r"[.!?](?=\s|$)|\n")


def settled(answer: Answer, reply: NormalizedReply) -> Answer:
    """The answer of a reply that was cut off; truncated where its end might have said otherwise."""
    if answer.outcome is not Outcome.ANSWERED or not answer.rule.startswith(_LOOSE):
        return answer
    begin = len(reply.text) - len(reply.text.lstrip())
    first, _ = reply.span(begin, begin + 1)
    place = answer.span[1] if answer.span is not None else len(reply.raw)
    end = _SENTENCE.search(reply.raw, max(first, 0))
    if end is not None and place <= end.end() and end.group() != "?":
        return answer
    return replace(answer, outcome=Outcome.TRUNCATED, value=None, rule="truncated", span=None)
