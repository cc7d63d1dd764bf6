"""Option letters: `B`, `(B)`, `B.`, `Option B`, `Answer: B`. The article "A" is never an option."""

from __future__ import annotations

import re

from harness.answers.mentions import find_mentions
from harness.answers.normal import NormalizedReply
from harness.answers.pattern import pattern
from harness.answers.table import OFF, LabelTable
from harness.answers.tokens import tokens_of
from harness.answers.verdict import answered, lacking
from harness.core.answer import Answer
from harness.core.outcome import Outcome

_WHOLE = pattern(r"\s*[(\[{<]?\s*(?:option\s+|choice\s+)?([a-z])\s*[)\]}>.:,!]*\s*")
_LEAD = pattern(
    r"\s*(?:[(\[]([a-z])[)\]]|([a-z])[).:](?=\s|$)|(?:option|choice)\s+\(?([a-z])\b\)?)"
)
_NAMED = pattern(
    r"(?:\\boxed {0,2}\{|<answer>|\b(?:answer|choice|option|letter)(?: is| would be)? ?[:=]?|\b(?:choose|select|pick|go with)(?: option)?) {0,4}"
    r"(?:\(([a-z])\)|([a-z])(?= {0,4}(?:[.):,;}<\n]|$)))"
)


def read_letter(reply: NormalizedReply, table: LabelTable) -> Answer | None:
    """The label of an option letter in answer position, or None. Letters follow the order of the
    labels. A letter that stands beside another label's name is ambiguous."""
    found: re.Match[str] | None = (
        _WHOLE.fullmatch(reply.text[:200]) if len(reply.text) < 200 else None
    )
    if found is None:
        found = max(_NAMED.finditer(reply.text), key=lambda m: m.start(), default=None)
    if found is None:
        found = _LEAD.match(reply.text)
    if found is None:
        return None
    group = next(number for number, text in enumerate(found.groups(), 1) if text)
    index = ord(found.group(group)) - ord("a")
    span = reply.span(found.start(group), found.end(group))
    if index >= len(table.labels):
        return lacking(Outcome.OFF_LIST, "letter/off-list", span)
    label = table.labels[index]
    line = reply.text[found.end() : found.end() + 200].lstrip(" .:)").split("\n", 1)[0]
    line = line.split(".", 1)[0]
    beside = [m for m in find_mentions(tokens_of(line), table) if m.status == "said"]
    named = {m.label for m in beside[:1] if m.label != OFF}
    if named and named != {label}:
        return lacking(Outcome.AMBIGUOUS, "letter/ambiguous", span)
    return answered(label, "letter/label", span)
