"""Find the final answer of a reply that corrects itself ("Anger. No, scratch that, fear")."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.answers.mentions import Mention
from harness.answers.speech import Speech

_MOST = 16


def last_word(
    text: str, mentions: Sequence[Mention], speech: Speech, free: Callable[[Mention], bool]
) -> int:
    """Where the part of the text begins that counts: behind the last correction that names
    something, at 0 where there is none. `free` tells whether a mention is claimed at all."""
    if len({m.label for m in mentions}) < 2:
        return 0
    marks = sorted({m.end() for known in speech.lexicons for m in known.corrections.finditer(text)})
    earliest = mentions[0].start
    for mark in reversed(marks[-_MOST:]):
        if mark <= earliest:
            return 0
        after = [m for m in mentions if m.start >= mark and free(m)]
        if any(m.status == "said" for m in after) or (after and marks[-1] == mark):
            return mark
    return 0
