"""Which samples the page shows, and what it says about each."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal

from harness.analyses.keys import RowKey, row_key
from harness.analyses.words import visible_all
from harness.core.field import FieldSpec
from harness.core.kind import kind_named
from harness.report.inputs import RunView
from harness.run.columns import read_table
from harness.run.folder import RunFolder
from harness.score.records import NEEDED

EMBEDDED = 400
"""Samples embedded in a page."""
LONGEST_TEXT = 6000
"""Characters of a reply or a turn that are embedded."""

Standing = Literal["unanswered", "wrong", "right", "unjudged"]
"""unjudged: answered, and right or wrong does not apply (a number, no known truth)."""

_TURN: tuple[Standing, ...] = ("unanswered", "wrong", "unanswered", "wrong", "unjudged", "right")
"""The order in which a cell's samples are taken: mistakes before the rest, but never alone."""
_ORDER: Mapping[str, int] = {"unanswered": 0, "wrong": 1, "unjudged": 2, "right": 3}


@dataclass(frozen=True, slots=True)
class SampleEntry:
    """One trial as the browser shows it."""

    task: str
    key: RowKey
    """Model, prompt, condition."""
    sample: str
    part: str
    standing: Standing
    text: str
    failure: str
    conversation: str
    reasoning: str
    answers: tuple[Mapping[str, Any], ...]
    """field, outcome, value, rule, target, right (true, false, or null where it does not apply)."""

    def to_json(self, pictures: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """The entry as embedded; `pictures` are (caption, name of the picture)."""
        model, prompt, condition = self.key
        return {
            "task": self.task, "model": model, "prompt": prompt, "condition": condition,
            "sample": self.sample, "part": self.part, "standing": self.standing,
            "text": cut(self.text), "failure": self.failure, "conversation": self.conversation,
            **({"reasoning": cut(self.reasoning)} if self.reasoning else {}),
            "answers": list(self.answers), "pictures": [list(picture) for picture in pictures],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShownSamples:
    """The entries shown, and how many there are."""

    entries: tuple[SampleEntry, ...]
    total: int


@dataclass(slots=True)
class _Kept:
    """The entries of one cell and standing that come first by the hash of their sample."""

    heap: list[tuple[int, str, int, SampleEntry]] = field(default_factory=list)
    seen: int = 0

    def add(self, entry: SampleEntry, most: int) -> None:
        digest = hashlib.sha256(entry.sample.encode("utf-8", "surrogatepass")).digest()
        # The sample alone decides, so that every cell shows the same samples.
        # Repeats of a sample come in their order; entries themselves have none.
        item = (-int.from_bytes(digest[:8], "big"), entry.sample, -self.seen, entry)
        self.seen += 1
        if len(self.heap) < most:
            heapq.heappush(self.heap, item)
        elif item[:2] > self.heap[0][:2]:
            heapq.heapreplace(self.heap, item)

    def in_order(self) -> list[SampleEntry]:
        return [entry for *_, entry in sorted(self.heap, key=lambda item: item[:3], reverse=True)]


def choose(view: RunView, *, most: int = EMBEDDED) -> ShownSamples:
    """Up to `most` entries spread evenly over cells, wrong and unanswered ones first.

    The choice depends on the records alone: it is the same each time.
    """
    queues: dict[tuple[str, RowKey], dict[Standing, _Kept]] = {}
    for cell in view.manifest["cells"]:
        queues[cell["task"], row_key(cell)] = {}
    total = 0
    for entry in read_entries(view):
        total += 1
        cell_queue = queues.setdefault((entry.task, entry.key), {})
        cell_queue.setdefault(entry.standing, _Kept()).add(entry, most)
    order = list(queues)
    taken = _spread([list(_taking_turns(queues[name])) for name in order], most)
    place = {name: position for position, name in enumerate(order)}
    taken.sort(key=lambda e: (place[e.task, e.key], _ORDER[e.standing], e.part, e.sample))
    return ShownSamples(tuple(taken), total)


def _spread(queues: list[list[SampleEntry]], most: int) -> list[SampleEntry]:
    """One from each queue in turn until there are `most`."""
    longest = max(map(len, queues), default=0)
    in_turn = (q[i] for i in range(longest) for q in queues if i < len(q))
    return [entry for entry, _ in zip(in_turn, range(most), strict=False)]


def _taking_turns(kept: Mapping[Standing, _Kept]) -> Iterator[SampleEntry]:
    waiting = {name: some.in_order()[::-1] for name, some in kept.items()}
    while any(waiting.values()):
        for standing in _TURN:
            if waiting.get(standing):
                yield waiting[standing].pop()


def read_entries(view: RunView) -> Iterator[SampleEntry]:
    """Every trial of records.parquet, a batch of rows at a time."""
    for _, rows in groupby(_rows(view.folder), key=lambda row: row["trial"]):
        fields = list(rows)
        first = fields[0]
        specs = view.tasks[first["task"]].fields
        by_field = {row["field"]: row for row in fields}
        answers = tuple(_answer(by_field[n], spec) for n, spec in specs.items() if n in by_field)
        yield SampleEntry(
            task=first["task"],
            key=row_key(first),
            sample=first["sample"],
            part=first["part"] or "",
            standing=_standing(answers),
            text=first["text"],
            failure=first["failure"],
            conversation=first["conversation"],
            reasoning=first.get("reasoning") or "",
            answers=answers,
        )


def _rows(folder: RunFolder) -> Iterator[dict[str, Any]]:
    return read_table(folder.records, needs=NEEDED)


def _answer(row: Mapping[str, Any], spec: FieldSpec) -> dict[str, Any]:
    value = None if row["value"] is None else json.loads(row["value"])
    target = None if row["target"] is None else json.loads(row["target"])
    return {
        "field": row["field"],
        "outcome": row["outcome"],
        "value": told(value),
        "target": told(target),
        "rule": row["rule"],
        "right": is_right(spec.kind, value, target),
    }


def is_right(kind: str, value: Any, target: Any) -> bool | None:
    """Whether an answer says what the truth does; None for numbers and where either is missing."""
    return None if value is None or target is None else kind_named(kind).same(value, target)


def told(value: Any) -> str | None:
    """An answer or a true value in words; None where there is none."""
    if value is None:
        return None
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "(none)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _standing(answers: Iterable[Mapping[str, Any]]) -> Standing:
    known = list(answers)
    if any(a["outcome"] != "answered" for a in known):
        return "unanswered"
    judged = {a["right"] for a in known}
    if False in judged:
        return "wrong"
    return "right" if True in judged else "unjudged"


def cut(text: str) -> str:
    """`text`, or its beginning and how much was left out."""
    left = len(text) - LONGEST_TEXT
    return (
        text
        if left <= 0
        else f"{text[:LONGEST_TEXT]}… ({left:,} more characters in the run folder)"
    )


def embedded_json(value: Any) -> str:
    """JSON that can stand inside a script element: no `<`, `>` or `&`, no unseen character.

    Escaped so, neither `</script>` nor `<!--` can end or open anything.
    """
    text = json.dumps(visible_all(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
