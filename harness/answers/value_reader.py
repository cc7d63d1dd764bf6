"""The record returned by a kind's `reader`: how one field is read from replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.answers.loose_json import Loose, Node
from harness.answers.normal import NormalizedReply
from harness.answers.speech import Speech
from harness.answers.verdict import Form, lacking
from harness.core.answer import Answer
from harness.core.outcome import Outcome


def _not_quick(raw: str) -> Answer | None:
    return None


def _no_shares(reply: NormalizedReply, objects: Sequence[Node]) -> Answer:
    return lacking(Outcome.UNPARSED, "percentages/kind")


def _as_text(value: Loose) -> Answer | None:
    return None


@dataclass(frozen=True, slots=True)
class ValueReader:
    """Functions that never raise and take time linear in the reply's length."""

    read: Callable[[NormalizedReply, Form], Answer]
    """The verdict on a reply, or part of one, that is about this field alone. `verdict.wordless` and
    `verdict.nothing` say what becomes of replies without text, and without a value."""
    quick: Callable[[str], Answer | None] = _not_quick
    """The verdict on a plain one-word reply; None where the reply needs reading."""
    share: Callable[[NormalizedReply, Sequence[Node]], Answer] = _no_shares
    """The verdict on a reply of percentages and its JSON objects, which only one label out of several can have."""
    json: Callable[[Loose], Answer | None] = _as_text
    """The verdict on a JSON value; None where it is read as values are in general: text as a reply would be, an object
    or list by the one value it holds."""
    speech: Speech | None = None
    """The languages that texts inside JSON objects are read in; None: English."""
