"""Records: one row for each trial and field, with the answer read from the reply."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from harness.answers import Reader, majority
from harness.answers.majority import vote_share
from harness.conditions.label_order import in_order
from harness.core.answer import Answer
from harness.core.cell import Cell, trial_id
from harness.core.field import FieldSpec
from harness.core.generation import Failure, Generation, LabelScores, Refusal
from harness.core.outcome import Outcome
from harness.core.prompt import PromptHead
from harness.core.sample import Value
from harness.core.task import Task
from harness.core.text import canonical_json
from harness.run.columns import Row, read_table, write_table
from harness.run.dictionary_encoding import Coded, Placed
from harness.run.folder import RunFolder
from harness.run.sample_columns import SampleColumns, gather
from harness.run.sample_file import PlannedSample, read_lean_samples
from harness.score.answer_column import AnswerColumn, ScoreColumn, answer_column, bare, column_of
from harness.score.channels import breaks, probability_columns, scored_answer, stated
from harness.score.members import UNIT, membership, sets_behind
from harness.score.replies import Replies, TrialReply
from harness.sources.windows import WINDOW

COLUMN_LINES: Mapping[str, str] = MappingProxyType(
    {
        "trial": "Id of the trial: one cell, one sample, one repeat.",
        "task": "Name of the task.",
        "model": "Name of the model.",
        "prompt": "Name of the prompt; of an earlier version with its date.",
        "condition": "What the pictures are shown as, with few-shot examples and label order.",
        "protocol": "How the sample becomes an answer.",
        "channel": "How the answer is taken.",
        "sample": "Id of the sample.",
        "cluster": "The unit of resampling: the subject where the source knows one.",
        "part": "The part of the task that the sample is in; empty where the task has none.",
        "field": "The field that is answered.",
        "outcome": "`answered`, or one of seven reasons why there is no answer.",
        "value": "The answer as JSON; null where there is none.",
        "target": "The true value as JSON; null where it is not known.",
        "rule": "The rule that read the answer or decided that there is none.",
        "text": "The reply.",
        "reasoning": "What the model wrote before its answer, where that can be told apart.",
        "failure": "Kind and details of a failed request; else empty.",
        "conversation": "Digest under which conversations.jsonl holds what was asked.",
        "fallback": "Fallbacks that fired, such as `contact-sheet`.",
        "estimator": "How labels were scored, on the channel `logprob`.",
        "probabilities": "Label -> share as JSON, where labels were scored or percentages stated.",
        "captured_mass": "Probability that the reply is one of the labels, 0 to 1, before renormalising.",
        "length_normalised": "The label that is likeliest by mean log-probability of its tokens.",
    }
)
"""Column of records.parquet -> what it holds."""
COLUMNS = tuple(COLUMN_LINES)

THINKING = "thinking"
TOOLS = "tools"
CALLS = "calls"
"""Further columns behind `channel`, where a cell of the run asks for them; `calls` is JSON, as in trials.jsonl."""

NEEDED = (
    "trial",
    "task",
    "sample",
    "cluster",
    "model",
    "prompt",
    "condition",
    "field",
    "outcome",
    "value",
    "target",
)
"""Columns that records of every version have."""

KNOWN_REPLIES = 4096
"""Distinct replies whose reading is remembered: most replies are one of a few words."""

BY_PLATFORM = "refused/platform"
"""The rule of an answer that a filter before or behind the model withheld. Other refusals are the model's."""

FAILED = "failed/"
"""Before the kind of a failure, in the rule of an answer that there is none of."""


@dataclass(slots=True)
class TaskRecords:
    """All samples of a task with the answers of every cell, position by position."""

    task: Task
    cluster_unit: str
    samples: SampleColumns
    answers: dict[tuple[Cell, str], AnswerColumn] = field(default_factory=dict)
    """(cell, field) -> position of the sample -> answer; pending trials are absent."""
    again: list[dict[tuple[Cell, str], AnswerColumn]] = field(default_factory=list)
    """The same for each further repeat."""
    repeats: dict[Cell, int] = field(default_factory=dict)
    """Cell -> how often it asked about each sample, where that is known of the cell itself."""
    fallbacks: dict[Cell, Counter[str]] = field(default_factory=dict)
    """Cell -> fallback (`harness.run.fallback`) -> trials in which it fired; cells without one are absent."""
    pending: dict[Cell, int] = field(default_factory=dict)
    """Cell -> trials of all samples that are not finished."""
    trials: dict[Cell, int] = field(default_factory=dict)
    """Cell -> trials of all samples."""
    scored: dict[tuple[Cell, str], ScoreColumn] = field(default_factory=dict)
    """(cell, field) -> position of the sample -> log-probabilities of the labels, where they were asked for or stated."""
    agreed: dict[tuple[Cell, str], Placed[float]] = field(default_factory=dict)
    """(cell, field) -> position of the sample -> share of the votes for its answer; cells without votes are absent."""
    limits: dict[str, int] = field(default_factory=dict)
    """Cell id -> most tokens of a reply that were asked for, where the manifest says so."""
    cut: dict[Cell, Counter[bool]] = field(default_factory=dict)
    """Cell -> replies that ended at the token limit (True) and all others (False)."""
    silent: dict[Cell, int] = field(default_factory=dict)
    """Cell -> replies that ended by themselves without a text, with reasoning."""
    broken: dict[Cell, int] = field(default_factory=dict)
    """Cell -> replies that are not what they were held to; cells that are held to nothing are absent."""

    def put(self, cell: Cell, name: str, position: int, answer: Answer, *, repeat: int = 0) -> None:
        """Keep an answer of one repeat."""
        while len(self.again) < repeat:
            self.again.append({})
        answers = self.again[repeat - 1] if repeat else self.answers
        made = partial(answer_column, len(self.samples))
        column_of(answers, (cell, name), made)[position] = bare(answer)

    def put_scores(self, cell: Cell, name: str, position: int, scores: LabelScores) -> None:
        """Keep the log-probabilities behind an answer of the first repeat."""
        made = partial(ScoreColumn, len(self.samples))
        column_of(self.scored, (cell, name), made)[position] = scores

    def put_share(self, cell: Cell, name: str, position: int, share: float) -> None:
        """Keep the share of the votes for an answer of the first repeat."""
        made = partial(Placed[float], len(self.samples))
        column_of(self.agreed, (cell, name), made)[position] = share

    def of_repeats(self, cell: Cell, name: str) -> list[AnswerColumn]:
        """The answers of each repeat; an empty column where there are none."""
        empty = answer_column(len(self.samples))
        asked = (self.answers, *self.again)[: self.repeats.get(cell)]
        return [answers.get((cell, name), empty) for answers in asked]

    def given(self, cell: Cell, name: str) -> AnswerColumn:
        """The answers of the first repeat."""
        return self.of_repeats(cell, name)[0]

    def scores_of(self, cell: Cell, name: str) -> Mapping[int, LabelScores]:
        """Position -> log-probabilities of the labels, where there are any."""
        return self.scored.get((cell, name), {})

    @property
    def parts(self) -> Coded[str | None]:
        """The part of each sample; None where the task has no parts."""
        name = self.task.parts
        if name is None:
            return self.samples.annotations.turned(lambda found: None)
        return self.samples.annotations.turned(lambda found: str(found.get(name, "")))

    def part(self, sample: PlannedSample) -> str | None:
        """The part of the task that a sample belongs to, where the task has parts."""
        if self.task.parts is None:
            return None
        return str(sample.annotations.get(self.task.parts, ""))


def load_samples(
    folder: RunFolder, task: Task, *, cluster_unit: str, also: Iterable[str] = ()
) -> TaskRecords:
    """The samples of a task, with no answers yet; `also` names further annotations that are kept."""
    wanted = {*also, *task.slices, *(name for name in (task.parts, task.folds) if name)}
    if any(spec.member_of for spec in task.fields.values()):
        wanted.add(UNIT)
    if task.spotting is not None:
        wanted |= WINDOW
    samples = gather(read_lean_samples(folder.scored_samples(task.name), wanted))
    return TaskRecords(task, cluster_unit, samples)


def read_cell(
    records: TaskRecords, cell: Cell, head: PromptHead, replies: Replies, *, repeats: int = 1
) -> Iterator[Row]:
    """Read the answers of one cell into `records`, giving its record rows in order as it goes."""
    parser = AnswerParser(
        in_order(records.task, cell.label_order), head, unopened=cell.id in replies.unopened
    )
    samples = records.samples
    records.repeats[cell] = repeats
    for repeat, position in _trials(repeats, samples):
        sample = samples[position]
        asks = head.fills(sample.asks)
        if not asks:
            continue
        trial = trial_id(cell, sample.sample, repeat)
        records.trials[cell] = records.trials.get(cell, 0) + 1
        reply = replies.of(trial)
        if reply is None:
            records.pending[cell] = records.pending.get(cell, 0) + 1
            continue
        if reply.rules:
            records.fallbacks.setdefault(cell, Counter()).update(reply.rules)
        if reply.generation is not None:
            records.cut.setdefault(cell, Counter())[reply.generation.finish == "length"] += 1
            records.silent[cell] = records.silent.get(cell, 0) + _is_silent(reply.generation)
        fields = records.task.fields
        if any(breaks(one.generation, cell, head, fields, asks) for one in reply.each):
            records.broken[cell] = records.broken.get(cell, 0) + 1
        shared = _shared_columns(trial, cell, sample, reply)
        shared["part"] = records.part(sample)
        scores = None if reply.generation is None or reply.votes else reply.generation.scores
        for name, answer in sorted(parser.of(sample, reply, asks).items()):
            told = scores or stated(answer)
            if told is not None and repeat == 0:
                records.put_scores(cell, name, position, told)
            if repeat == 0 and (share := vote_share(answer)) is not None:
                records.put_share(cell, name, position, share)
            records.put(cell, name, position, answer, repeat=repeat)
            yield shared | {
                "field": name,
                "outcome": answer.outcome.value,
                "value": _json(answer.value),
                "target": _json(sample.targets.get(name)),
                "rule": answer.rule + _tally(answer),
                **probability_columns(told),
            }


def _trials(repeats: int, samples: SampleColumns) -> Iterator[tuple[int, int]]:
    """(repeat, position) in the order of trial ids."""
    for repeat in sorted(range(repeats), key=str):
        for position in samples.order:
            yield repeat, position


def repeated_answers(
    records: TaskRecords, cell: Cell, name: str
) -> tuple[Sequence[int], list[Coded[Value | None]]]:
    """Positions of the samples of known truth whose every repeat is finished, and their answers repeat by repeat."""
    found = records.of_repeats(cell, name)
    known = records.samples.known(name)
    places = np.flatnonzero(np.logical_and.reduce([known, *(column.there for column in found)]))
    answers = [column.at(places).turned(lambda answer: answer.value) for column in found]
    return array("q", places.tobytes()), answers


def repeated_outcomes(
    records: TaskRecords, cell: Cell, name: str, places: Sequence[int]
) -> list[Coded[Outcome]]:
    """The outcomes of the same samples, repeat by repeat."""
    at = np.asarray(places, dtype=np.int64)
    found = records.of_repeats(cell, name)
    return [column.at(at).turned(lambda answer: answer.outcome) for column in found]


class AnswerParser:
    """Replies to one prompt of a task; the same reply to the same fields is parsed once."""

    def __init__(self, task: Task, head: PromptHead, *, unopened: bool = False) -> None:
        """`unopened`: some replies close reasoning that they never opened, so one that was cut off before it closed
        any holds nothing else."""
        self._task = task
        self._head = head
        self._unopened = unopened
        self._sets = sets_behind(task, head)
        self._readers: dict[tuple[str, ...], Reader] = {}
        self._known: dict[tuple[str, tuple[str, ...], bool], Mapping[str, Answer]] = {}

    def of(
        self, sample: PlannedSample, reply: TrialReply, asks: tuple[str, ...]
    ) -> Mapping[str, Answer]:
        """The answers to what a sample asks, those that a set holds included; of a vote, what most replies say."""
        if reply.votes:
            read = [self.of(sample, one, asks) for one in reply.votes]
            return {name: majority([answers[name] for answers in read]) for name in read[0]}
        answers = self.answers(reply, asks)
        unit = sample.annotations.get(UNIT)
        for name, behind in self._sets.items() if unit else ():
            if name in answers and answers[name].outcome is Outcome.UNPARSED:
                found = self.answers(reply, (behind,))[behind]
                member = membership(found, str(unit), self._task.fields[behind])
                answers = {**answers, name: member}
        return answers

    def answers(self, reply: TrialReply, asks: tuple[str, ...]) -> Mapping[str, Answer]:
        if reply.generation is None:
            return dict.fromkeys(asks, _failed(reply.failure))
        answers = self._read(reply.generation, self._head.read_from(None, asks))
        for name, generation in zip(self._head.replies, reply.earlier, strict=False):
            answers = {**answers, **self._read(generation, self._head.read_from(name, asks))}
        return {n: _off_list(a) for n, a in answers.items()} if reply.listed else answers

    def _read(self, generation: Generation, asks: tuple[str, ...]) -> Mapping[str, Answer]:
        """What one reply says of the fields that are read from it."""
        if not asks:
            return {}
        if generation.refusal is not None or generation.finish == "filtered":
            return dict.fromkeys(asks, refused(generation.refusal or Refusal("platform")))
        if generation.scores is not None:
            fields, scores = self._task.fields, generation.scores
            return {name: scored_answer(scores, fields[name]) for name in asks}
        cut = generation.finish == "length"
        if cut and self._unopened and not generation.reasoning:
            return dict.fromkeys(asks, Answer(Outcome.TRUNCATED, None, "think/unopened"))
        question = (generation.text, asks, cut)
        answers = self._known.get(question)
        if answers is None:
            answers = self._parse(*question)
            if len(self._known) < KNOWN_REPLIES:
                self._known[question] = answers
        return answers

    def _parse(self, text: str, asks: tuple[str, ...], truncated: bool) -> Mapping[str, Answer]:
        reader = self._readers.get(asks)
        if reader is None:
            fields: dict[str, FieldSpec] = {name: self._task.fields[name] for name in asks}
            languages = (*self._task.languages, *self._head.languages)
            reader = Reader.build(fields, form=self._head.answer, languages=languages)
            self._readers[asks] = reader
        return reader(text, truncated=truncated)


def refused(refusal: Refusal) -> Answer:
    """The answer where a field or status of the reply says who declined."""
    return Answer(
        Outcome.REFUSED, None, BY_PLATFORM if refusal.by == "platform" else "refusal/field"
    )


def _is_silent(generation: Generation) -> bool:
    """Whether a reply came to its end without a text, while there is reasoning."""
    ended = generation.finish == "stop" and generation.scores is None
    return ended and not generation.text.strip() and bool(generation.reasoning.strip())


def _failed(failure: Failure | None) -> Answer:
    return Answer(Outcome.FAILED, None, FAILED + (failure.kind if failure else "bad-reply"))


def _off_list(answer: Answer) -> Answer:
    """An item of a ranked list that is no label of the task is off-list, whatever word it is."""
    if answer.outcome is Outcome.UNPARSED:
        return Answer(Outcome.OFF_LIST, None, "ranked/off-list")
    return answer


def _shared_columns(
    trial: str, cell: Cell, sample: PlannedSample, reply: TrialReply
) -> dict[str, str | None]:
    """What the rows of one trial have in common."""
    return {
        "trial": trial,
        "task": cell.task,
        "model": cell.model,
        "prompt": cell.prompt,
        "condition": cell.shown_condition,
        "protocol": cell.protocol,
        "channel": cell.taken,
        THINKING: cell.thinking,
        TOOLS: cell.tools,
        CALLS: json.dumps(reply.calls, ensure_ascii=False) if reply.calls else "",
        "sample": sample.sample,
        "cluster": sample.cluster,
        "text": _text(reply),
        "reasoning": reply.generation.reasoning if reply.generation else "",
        "failure": f"{reply.failure.kind}: {reply.failure.detail}" if reply.failure else "",
        "conversation": reply.conversation,
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


def record_columns(*, thinking: bool, tools: bool = False) -> tuple[str, ...]:
    """The columns of a run's records; `thinking` and `tools` say that a cell asks for these."""
    place = COLUMNS.index("channel") + 1
    asked = ([THINKING] if thinking else []) + ([TOOLS, CALLS] if tools else [])
    return (*COLUMNS[:place], *asked, *COLUMNS[place:])


def write_records(
    path: Path, rows: Iterable[Row], *, thinking: bool = False, tools: bool = False
) -> None:
    """Write a table of records; rows come sorted by trial and field, and the same give the same bytes."""
    write_table(path, record_columns(thinking=thinking, tools=tools), rows)


def read_records(folder: RunFolder) -> list[dict[str, Any]]:
    """The rows of records.parquet. Raises HarnessError where the run was never scored, or the file is broken."""
    return list(read_table(folder.records, needs=NEEDED))
