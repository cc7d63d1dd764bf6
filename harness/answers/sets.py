"""Read a set of names, such as action units.

A list (commas, semicolons, "and", "+", bullets, a JSON array) behind the last lead-in ("the action
units present are:") or as the whole reply. Names that the label set does not hold stay in the
value as they are written, in lower case, so that they count against precision; where no name at
all is known the answer is off-list. "None" is the empty set. Prose is read for the names in it
that are not denied; a name outside the set cannot be told from other words there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.answers.anchors import own_anchors
from harness.answers.languages import language_of
from harness.answers.mentions import find_mentions
from harness.answers.normal import NormalizedReply
from harness.answers.pattern import blanks, pattern
from harness.answers.refusals import find_declines, ruling
from harness.answers.speech import Speech
from harness.answers.table import OFF, LabelTable
from harness.answers.tokens import in_english, tokens_of
from harness.answers.verdict import answered, lacking, nothing, wordless
from harness.core.answer import Answer
from harness.core.outcome import Outcome

_MOST = 4000
"""Characters of a list that are read."""
_SPLIT = pattern(r"[,;+\n\[\]&]|(?<=\s)and(?=\s)|(?<=\w)\s?/\s?(?=\w)|(?<=\s)-(?=\s)")
_LEAD = pattern(
    r"(?:(?:the )?(?:\w{1,20} ){0,4}?(?:action units?|aus?|units?|labels?|cues?|answer|list)(?: \w{1,20}){0,6}? ?"
    r"(?:are|is|include|includes|:)(?: the following| as follows)? ?:?) ?"
)
_CODE = pattern(r"\b(?:au|action unit) ?#?:? ?\d{1,2}\b")
_BULLET = pattern(r"^\W*(?:\d{1,2}[.)]\s|[-\u2022]\s)?\s*|\W+$")
_NO_UNITS = pattern(r"\b(?:no|without|none of the) (?:\w{1,14} ){0,2}(?:action units?|aus?)\b")
_ITEM = pattern(r"(?m)^ {0,8}\(?\d{1,2}[.)](?= )")
_FIRST = pattern(r"\(?1[.)] ")
_RUN_ON = pattern(r"[ \n]\(?\d{1,2}[.)](?= )")
"""A number before an item of "1. fear 2. anger"."""
_NOTE = pattern(r"\([^()\n]{0,80}\)")
_NONE = frozenset(
    """none|no|nothing|no action units|no action unit|none of them|none visible|no aus|no au|no units
    |none present|neutral|no visible action units|empty|not any|no action units are present
    |no action units present|none are present|no action units visible|no action units are visible
    |no action unit is present|there are none|none detected|no action units detected|no cues""".replace(
        "\n    ", ""
    ).split("|")
)
_STATED = pattern(
    r"\b(?:is|are|was|were|not|no|isn't|aren't|absent|inactive|active|activated|without|neither|nor|off|on|present)\b"
    r"|[:=] {0,2}(?:0(?:\.0+)?|false|none|n)\b"
)
"""In an item: it says whether the unit is shown, so that this is prose and no list."""
_CLAUSE = pattern(
    r"\b(?:i|he|she|they|it|we|you|this|that|there|who|looks?|seems?|appears?|feels?|shows?|says?|has|have|because|could|may"
    r"|might|his|her|their|its|my)\b"
)
"""In an item of a list of free words: it is a clause."""
_STOP = pattern(
    r"\. (?!\d)|\.$|\.\n|\n\s*\n|\btherefore\b|\bthus\b|\bhence\b|\bbased on (?:this|these|them)\b"
)


def read_set(
    reply: NormalizedReply,
    table: LabelTable,
    *,
    keys: re.Pattern[str] | None = None,
    closed: bool = True,
) -> Answer:
    """Read a sorted tuple of names. Never raises; linear in the reply's length.

    `closed`: a list without a name of the table is off-list; else its items are the answer as they are written.
    """
    quiet = wordless(reply)
    if quiet is not None:
        return quiet
    text = reply.text
    starts = [a.end for a in own_anchors(text, keys, reply.speech)]
    lead = _LEAD.match(text.lstrip()[:200])
    if lead:
        starts.append(lead.end() + len(text) - len(text.lstrip()))
    for start in [*sorted(set(starts), reverse=True)[:16], 0]:
        decided = _listed(reply, table, start, closed)
        if decided is not None:
            return decided
    return read_prose(reply, table)


def names_in(
    items: Sequence[str], table: LabelTable, *, closed: bool = True
) -> tuple[tuple[str, ...], int]:
    """The sorted set of names for written items, and how many of them the table knows; where the set is not closed, those
    that are a word of the table in another form as they are written."""
    values: set[str] = set()
    known: set[str] = set()
    for item in items:
        label = table.label(item) or table.label(_NOTE.sub(" ", item)) or _inside_note(item, table)
        if label is None or not closed:
            values.add(" ".join(item.lower().split()))
        else:
            values.add(label)
        known |= set() if label is None else {label}
    return tuple(sorted(values)), len(known)


def _inside_note(item: str, table: LabelTable) -> str | None:
    """ "AU12 (lip corner puller)", "lip corner puller - AU12", "AU12: lip corner puller"."""
    for part in re.split(r"[():=]| - ", item):
        label = table.label(part.strip()) if part.strip() else None
        if label is not None:
            return label
    stripped = re.sub(
        r"^(?:(?:au|action unit) ?\d{1,2}\b|(?:the|a|an|slight|mild|strong|left|right|bilateral|unilateral)\b)\W*",
        "",
        item,
    )
    return table.label(stripped) if stripped != item and stripped else None


def _listed(  # noqa: PLR0911
    reply: NormalizedReply, table: LabelTable, start: int, closed: bool
) -> Answer | None:
    """Read a list that begins at a position; None where what stands there is no list."""
    rest = reply.text[start : start + _MOST]
    if len(reply.text) > start + _MOST:  # the last item may be cut
        rest = rest[: max(rest.rfind(","), rest.rfind("\n"), 0)]
    begin = len(rest) - len(rest.lstrip(" \n:=<["))
    rest = rest[begin:].split("</", 1)[0]
    if _FIRST.match(rest):
        rest = _RUN_ON.sub(lambda m: "\n" + " " * (len(m.group()) - 1), rest)
    rest = _ITEM.sub(blanks, rest)
    stop = _STOP.search(rest)
    if stop:
        rest = rest[: stop.start()]
    plain = " ".join(rest.strip(" .,!'[]\n").split())
    if (
        not plain
        and "[" in reply.text[start : start + begin]
        and "]" in reply.text[start : start + begin + 3]
    ):
        return answered((), "list/none")
    if plain in _NONE and table.label(plain) is None:  # neutral may be a name of the list
        return answered((), "list/none")
    noted = _NOTE.sub(lambda m: m.group().replace(",", " "), rest)
    items = [_BULLET.sub("", part) for part in _SPLIT.split(noted)]
    items = [item for item in items if item]
    if not items or any(len(_NOTE.sub("", item).split()) > 5 for item in items):
        return None
    if any(_STATED.search(_english(item, table, reply.speech)) for item in items):
        return None
    if not closed and any(_CLAUSE.search(_NOTE.sub(" ", item)) for item in items):
        return None
    names, known = names_in(items, table, closed=closed)
    if ruling(find_declines(rest, reply.speech)) and not known:
        return None
    if reply.truncated and not stop:
        return lacking(Outcome.TRUNCATED, "list/truncated")
    if not known and not _plausible(items):
        return None
    if not known and closed:
        return lacking(Outcome.OFF_LIST, "list/off-list")
    rule = "list/names" if known >= len(names) else "list/unlisted-names"
    return answered(
        names, rule, reply.span(start + begin, start + begin + max(1, len(rest.rstrip())))
    )


def _english(item: str, table: LabelTable, speech: Speech) -> str:
    """The item with the function words of other languages in English."""
    if len(speech.languages) == 1:
        return item
    return " ".join(t.word for t in in_english(tokens_of(item, table, speech), table, speech))


def _plausible(items: Sequence[str]) -> bool:
    """Short Latin phrases: names of something, though of nothing in the set."""
    return all(re.fullmatch(r"[a-z0-9 ()'/-]+", item) and len(item.split()) <= 4 for item in items)


def read_prose(reply: NormalizedReply, table: LabelTable) -> Answer:
    """The names that running text mentions and does not deny. Never raises; linear in the reply's length."""
    speech = reply.speech
    tokens = tokens_of(reply.text, table, speech)
    told = language_of(reply.text, (t.word for t in tokens), speech.languages)
    tokens = in_english(tokens, table, speech)
    found = find_mentions(tokens, table, follows=speech.denial_follows)
    free = [m for m in found if m.label != OFF and m.status not in ("denied", "supposed")]
    said = {m.label for m in free}
    denied = {m.label for m in found if m.status == "denied"}
    if table.units:
        codes = {label for code in _CODE.findall(reply.text) if (label := table.label(code))}
        said |= codes - {m.label for m in found}
        said -= denied
    declined = ruling(find_declines(reply.text, speech))
    if declined and not said:
        return lacking(Outcome.REFUSED, declined)
    if told is not None and told not in speech.languages:
        return nothing(reply, f"language/{told}")
    if said and not reply.truncated:
        return answered(tuple(sorted(said)), "mention/names")
    if not said and _NO_UNITS.search(reply.text):
        return answered((), "mention/none")
    return nothing(reply, "denied" if any(m.label != OFF for m in found) else "none")
