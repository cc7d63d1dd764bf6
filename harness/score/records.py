"""Records: one row for each trial and field, with what was read from the reply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.answers import Reader
from harness.core.answer import Answer
from harness.core.cell import Cell, trial_id
from harness.core.field import FieldSpec
from harness.core.outcome import Outcome
from harness.core.prompt import PromptHead
from harness.core.sample import Value
from harness.core.task import Task
from harness.core.text import canonical_json
from harness.run.columns import Row, read_table, write_table
from harness.run.folder import RunFolder
from harness.run.sample_file import PlannedSample, read_lean_samples
from harness.score.replies import Replies, Reply

COLUMNS = (
    "trial", "task", "model", "prompt", "condition", "protocol", "sample", "cluster", "part", "field",
    "outcome", "value", "target", "rule", "text", "failure", "conversation",
)  # fmt: skip

KNOWN_REPLIES = 4096
"""Distinct replies whose reading is remembered: most replies are one of a few words."""

FAILED = Answer(Outcome.FAILED, None, "failed")


@dataclass(slots=True)
class TaskRecords:
    """All samples of a task with the answers of every cell, position by position."""

    task: Task
    cluster_unit: str
    samples: list[PlannedSample] = field(default_factory=list)
    answers: dict[tuple[Cell, str], dict[int, Answer]] = field(default_factory=dict)
    """(cell, field) -> position of the sample -> answer; pending trials are absent."""
    pending: dict[Cell, int] = field(default_factory=dict)

    def part(self, sample: PlannedSample) -> str | None:
        """The part of the task that a sample belongs to, where the task has parts."""
        if self.task.parts is None:
            return None
        return str(sample.annotations.get(self.task.parts, ""))


def load_samples(folder: RunFolder, task: Task, *, cluster_unit: str) -> TaskRecords:
    """The samples of a task, with no answers yet."""
    wanted = {*task.slices, *((task.parts,) if task.parts else ())}
    samples = list(read_lean_samples(folder.samples(task.name), wanted))
    return TaskRecords(task, cluster_unit, samples)


def read_cell(
    records: TaskRecords, cell: Cell, head: PromptHead, replies: Replies
) -> Iterator[Row]:
    """Read the answers of one cell into `records`, giving its record rows in order as it goes."""
    parser = _Parser(records.task, head)
    samples = records.samples
    for position in sorted(range(len(samples)), key=lambda p: samples[p].sample):
        sample = samples[position]
        asks = head.fills(sample.asks)
        if not asks:
            continue
        trial = trial_id(cell, sample.sample)
        reply = replies.of(trial)
        if reply is None:
            records.pending[cell] = records.pending.get(cell, 0) + 1
            continue
        shared = _shared_columns(trial, cell, sample, reply)
        shared["part"] = records.part(sample)
        for name, answer in sorted(parser.answers(reply, asks).items()):
            records.answers.setdefault((cell, name), {})[position] = answer
            yield shared | {
                "field": name,
                "outcome": answer.outcome.value,
                "value": _json(answer.value),
                "target": _json(sample.targets.get(name)),
                "rule": answer.rule,
            }


class _Parser:
    """Replies to one prompt of a task; the same reply to the same fields is parsed once."""

    def __init__(self, task: Task, head: PromptHead) -> None:
        self._task = task
        self._head = head
        self._readers: dict[tuple[str, ...], Reader] = {}
        self._known: dict[tuple[str, tuple[str, ...], bool], Mapping[str, Answer]] = {}

    def answers(self, reply: Reply, asks: tuple[str, ...]) -> Mapping[str, Answer]:
        if reply.generation is None:
            return dict.fromkeys(asks, FAILED)
        question = (reply.generation.text, asks, reply.generation.finish == "length")
        answers = self._known.get(question)
        if answers is None:
            answers = self._parse(*question)
            if len(self._known) < KNOWN_REPLIES:
                self._known[question] = answers
        return {n: _off_list(a) for n, a in answers.items()} if reply.listed else answers

    def _parse(self, text: str, asks: tuple[str, ...], truncated: bool) -> Mapping[str, Answer]:
        reader = self._readers.get(asks)
        if reader is None:
            fields: dict[str, FieldSpec] = {name: self._task.fields[name] for name in asks}
            reader = self._readers[asks] = Reader.build(fields, form=self._head.answer)
        return reader(text, truncated=truncated)


def _off_list(answer: Answer) -> Answer:
    """An item of a ranked list that is no label of the task is off-list, whatever word it is."""
    if answer.outcome is Outcome.UNPARSED:
        return Answer(Outcome.OFF_LIST, None, "ranked/off-list")
    return answer


def _shared_columns(
    trial: str, cell: Cell, sample: PlannedSample, reply: Reply
) -> dict[str, str | None]:
    """What the rows of one trial have in common."""
    return {
        "trial": trial,
        "task": cell.task,
        "model": cell.model,
        "prompt": cell.prompt,
        "condition": cell.condition,
        "protocol": cell.protocol,
        "sample": sample.sample,
        "cluster": sample.cluster,
        "text": reply.generation.text if reply.generation else "",
        "failure": f"{reply.failure.kind}: {reply.failure.detail}" if reply.failure else "",
        "conversation": reply.conversation,
    }


def _json(value: Value | None) -> str | None:
    return None if value is None else canonical_json(value)


def write_records(folder: RunFolder, rows: Iterable[Row]) -> None:
    """Write records.parquet; rows come sorted by trial and field, and the same give the same bytes."""
    write_table(folder.records, COLUMNS, rows)


def read_records(folder: RunFolder) -> list[dict[str, Any]]:
    """The rows of records.parquet. Raises OSError where the run was never scored."""
    return list(read_table(folder.records))
