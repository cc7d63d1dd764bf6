"""The outcome of a trial: an answer, or exactly one reason why there is none."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """`ANSWERED`, or one of seven reasons. None is dropped and none is guessed."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """The model declined to judge."""
    UNPARSED = "unparsed"
    """There is text, and no value of the field's kind in it."""
    OFF_LIST = "off-list"
    """A value of the right kind that is not among those allowed (another emotion, 7 on a 0-1 scale)."""
    AMBIGUOUS = "ambiguous"
    """Several different values, none of them marked as final."""
    TRUNCATED = "truncated"
    """The reply stopped at the token limit before a value was complete."""
    EMPTY = "empty"
    """The reply holds nothing but white space."""
    FAILED = "failed"
    """No reply: the picture could not be read or the request failed."""
