"""The answers of one cell, and its rows of records.parquet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from harness.answers.majority import vote_share
from harness.conditions.label_order import in_order
from harness.core.answer import Answer
from harness.core.cell import Cell, trial_id
from harness.core.generation import Generation, LabelScores
from harness.core.prompt import PromptHead
from harness.core.sample import Scalar, Value
from harness.core.text import canonical_json
from harness.run.adapter_folds import ANNOTATION
from harness.run.columns import AlikeRow, Row
from harness.run.dictionary_encoding import distinct
from harness.score.answer_column import AnswerColumn, bare
from harness.score.answer_parser import AnswerParser
from harness.score.channels import breaks, probability_columns, stated
from harness.score.records import CALLS, FOLD, THINKING, TOOLS, TaskRecords
from harness.score.replies import PENDING, Replies, TrialReply

KNOWN = 4096
"""Distinct replies to like samples whose rows are remembered: most replies are one of a few words."""
_AT_ONCE = 1024
"""Trials looked up together."""


def read_cell(
    records: TaskRecords,
    cell: Cell,
    head: PromptHead,
    replies: Replies,
    *,
    repeats: int = 1,
    folded: bool = False,
) -> Iterator[AlikeRow]:
    """Read the answers of one cell into `records`, giving its record rows in order as it goes: the columns `OWN`, and the
    others. `folded`: its model has an adapter for each fold, which the rows name."""
    records.repeats[cell] = repeats
    reading = _Reading(records, cell, head, replies, folded=folded)
    for repeat in sorted(range(repeats), key=str):  # the order of trial ids
        positions = iter(records.samples.order)
        while some := list(islice(positions, _AT_ONCE)):
            yield from reading.rows(some, repeat)


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What a reply says of one field of samples that are alike."""

    field: str
    answer: Answer
    scores: LabelScores | None
    share: float | None
    """Of the votes for the answer."""
    row: Row
    """Its record but for the columns `OWN`."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What a reply says of samples that are alike."""

    told: Sequence[_Told]
    broken: bool
    """The reply is not what it was held to."""
    known: bool
    """It is remembered."""


class _Reading:
    """Reads the replies of one cell; the same plain reply to samples that are alike is read once."""

    def __init__(
        self,
        records: TaskRecords,
        cell: Cell,
        head: PromptHead,
        replies: Replies,
        *,
        folded: bool = False,
    ) -> None:
        self._folded = folded
        self._records, self._cell, self._head, self._replies = records, cell, head, replies
        self._parser = AnswerParser(
            in_order(records.task, cell.label_order), head, unopened=cell.id in replies.unopened
        )
        samples = records.samples
        columns = [samples.asks, records.parts, *samples.targets.values()]
        if folded:
            columns.append(samples.annotations.turned(_fold_of))
        alike, first = distinct(columns)
        self._alike = alike
        """Of each sample a number; samples of one number ask the same, and have the same part and true values."""
        self._asks = [head.fills(samples.asks[place]) for place in first]
        """By that number."""
        self._known: dict[tuple[str, str, int], _Read] = {}
        self._codes: dict[_Told, tuple[AnswerColumn, int]] = {}
        """Of what is known, the column of the answer in this repeat and its code there."""
        self._repeat = 0
        self._ends, self._silent = Counter[bool](), 0
        """Replies of these rows by whether they ended at the token limit, and those that are silent."""

    def rows(self, positions: Sequence[int], repeat: int) -> Iterator[AlikeRow]:
        """The rows of these samples in one repeat; those that do not ask what the cell fills have none."""
        if repeat != self._repeat:
            self._repeat = repeat
            self._codes.clear()
        alike = self._alike[positions].tolist()
        asked = [
            (place, kind) for place, kind in zip(positions, alike, strict=True) if self._asks[kind]
        ]
        samples, records, cell = self._records.samples, self._records, self._cell
        ids = [samples.ids[place] for place, _ in asked]
        trials = [trial_id(cell, name, repeat) for name in ids]
        if asked:
            records.trials[cell] = records.trials.get(cell, 0) + len(asked)
        places = self._replies.places(trials).tolist()
        number, cluster, pending, broken = -1, "", 0, 0
        for (position, kind), name, trial, place in zip(asked, ids, trials, places, strict=True):
            if place == PENDING or (found := self._read(position, kind, place)) is None:
                pending += 1
                continue
            read, text, conversation = found
            broken += read.broken
            if samples.clusters[position] != number:
                number = samples.clusters[position]
                cluster = samples.cluster_names[int(number)]
            own = (trial, name, cluster, text, conversation)
            for told in read.told:
                known = self._codes.get(told)
                if known is not None:
                    known[0].put(position, known[1])
                else:
                    self._keep(told, position, repeat, again=read.known)
                yield own, told.row
        self._count(pending, broken)

    def _count(self, pending: int, broken: int) -> None:
        """Add what became of some trials to the counts of the cell."""
        records, cell = self._records, self._cell
        for counts, more in ((records.pending, pending), (records.broken, broken)):
            if more:
                counts[cell] = counts.get(cell, 0) + more
        if self._ends:
            records.cut.setdefault(cell, Counter()).update(self._ends)
            records.silent[cell] = records.silent.get(cell, 0) + self._silent
        self._ends, self._silent = Counter(), 0

    def _keep(self, told: _Told, position: int, repeat: int, *, again: bool) -> None:
        """Put an answer into the records; `again`: it will come for other samples too."""
        records, cell = self._records, self._cell
        if repeat == 0 and told.scores is not None:
            records.put_scores(cell, told.field, position, told.scores)
        if repeat == 0 and told.share is not None:
            records.put_share(cell, told.field, position, told.share)
        column = records.column(cell, told.field, repeat)
        code = column.code(bare(told.answer))
        column.put(position, code)
        if again and told.scores is None and told.share is None:
            self._codes[told] = column, code

    def _read(self, position: int, kind: int, place: int) -> tuple[_Read, str, str] | None:
        """What became of one trial, its text, and the name of its conversation; None where it is pending."""
        plain = None if self._parser.by_sample else self._replies.plain(place)
        if plain is not None:
            key = (plain["text"], plain["finish"], kind)
            read = self._known.get(key)
            if read is not None:
                self._ends[plain["finish"] == "length"] += 1
                return read, key[0], plain["conversation"]
        reply = self._replies.at(place, cell=self._cell.id)
        if reply is None:
            return None
        known = plain is not None and len(self._known) < KNOWN
        read = self._fresh(reply, position, self._asks[kind], known=known)
        if known:
            self._known[key] = read
        if reply.rules:
            self._records.fallbacks.setdefault(self._cell, Counter()).update(reply.rules)
        if reply.generation is not None:
            self._ends[reply.generation.finish == "length"] += 1
            self._silent += _is_silent(reply.generation)
        return read, _text(reply), reply.conversation

    def _fresh(
        self, reply: TrialReply, position: int, asks: tuple[str, ...], *, known: bool
    ) -> _Read:
        """What a reply to a sample says, read anew."""
        records, cell, head = self._records, self._cell, self._head
        sample, fields = records.samples[position], records.task.fields
        shared = {**_shared_columns(cell, reply), "part": records.part(sample)}
        shared |= {FOLD: _fold_of(sample.annotations) if self._folded else ""}
        scores = None if reply.generation is None or reply.votes else reply.generation.scores
        told = []
        for name, answer in sorted(self._parser.of(sample, reply, asks).items()):
            said = scores or stated(answer)
            row = shared | {
                "field": name,
                "outcome": answer.outcome.value,
                "value": _json(answer.value),
                "target": _json(sample.targets.get(name)),
                "rule": answer.rule + _tally(answer),
                **probability_columns(said),
            }
            told.append(_Told(name, answer, said, vote_share(answer), row))
        broken = any(breaks(one.generation, cell, head, fields, asks) for one in reply.each)
        return _Read(told, broken, known)


def _fold_of(annotations: Mapping[str, Scalar]) -> str:
    """The fold whose adapter was asked about a sample."""
    return str(annotations.get(ANNOTATION, ""))


def _is_silent(generation: Generation) -> bool:
    """Whether a reply came to its end without a text, while there is reasoning."""
    ended = generation.finish == "stop" and generation.scores is None
    return ended and not generation.text.strip() and bool(generation.reasoning.strip())


def _shared_columns(cell: Cell, reply: TrialReply) -> dict[str, str | None]:
    """What the rows of one trial have in common, but for the columns `OWN`."""
    return {
        "task": cell.task,
        "model": cell.model,
        "prompt": cell.prompt,
        "condition": cell.shown_condition,
        "protocol": cell.protocol,
        "channel": cell.taken,
        THINKING: cell.thinking,
        TOOLS: cell.tools,
        CALLS: json.dumps(reply.calls, ensure_ascii=False) if reply.calls else "",
        "reasoning": reply.generation.reasoning if reply.generation else "",
        "failure": f"{reply.failure.kind}: {reply.failure.detail}" if reply.failure else "",
        "fallback": ", ".join(reply.rules),
    }


def _text(reply: TrialReply) -> str:
    """The reply; of a vote each by its number."""
    if not reply.votes:
        return reply.generation.text if reply.generation else ""
    texts = [one.generation.text if one.generation else "" for one in reply.votes]
    return "\n".join(f"({number}) {text}" for number, text in enumerate(texts, 1))


def _tally(answer: Answer) -> str:
    """How the replies voted: ` (happiness 3, anger 2)`; empty where none did."""
    votes = ", ".join(f"{told} {times}" for told, times in answer.votes)
    return f" ({votes})" if votes else ""


def _json(value: Value | None) -> str | None:
    return None if value is None else canonical_json(value)
