"""Requests of a task as they would be sent, each with the true answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.core.cell import Cell, sample_of
from harness.core.errors import HarnessError
from harness.core.message import Image, Message
from harness.core.protocol import Done, UsingTools
from harness.core.sample import Value
from harness.core.task import Task
from harness.core.text import digest_json
from harness.exports.training_set.answers import fault_of, is_rounded, written
from harness.prompting.library import Library
from harness.protocols.registry import load_protocol
from harness.run.adapter_folds import subject_of
from harness.run.plan import Plan
from harness.run.planned_task import PlannedTask
from harness.run.prepare import Prepared, prepare
from harness.run.samples import Planner
from harness.score.votes import distribution_of

_MOST_STEPS = 100
"""Requests of one sample; a protocol that makes more never ends."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of a sample."""

    subject: str | None
    values: Mapping[str, Value]
    shares: Mapping[str, float]
    """Label -> votes or share, where they are known."""
    beside: Mapping[str, Value]
    """Field -> true value, of all samples that show the same pictures: what a prompt asks for besides its question."""


@dataclass(frozen=True, slots=True)
class Example:
    """One request and its answer."""

    cell: Cell
    sample: str
    subject: str
    messages: tuple[Message, ...]
    answer: str
    labels: tuple[str, ...]
    """`emotion=happiness` for each field with labels, to be counted."""


@dataclass(slots=True)
class Passed:
    """What was not written, and what was written otherwise than the truth has it."""

    left_out: Counter[str] = field(default_factory=Counter)
    """Reason -> samples times prompts."""
    first: dict[str, str] = field(default_factory=dict)
    """Reason -> the first sample, with what is wrong."""
    without: Counter[str] = field(default_factory=Counter)
    """Field that is asked and has no truth -> answers without it."""
    rounded: int = 0
    """Answers in which a number became the nearest word of its scale."""

    def leave(self, reason: str, detail: str) -> None:
        self.left_out[reason] += 1
        self.first.setdefault(reason, detail)


class _Unwritable(Exception):
    """A sample has no answer to write: a reason, and what of this sample."""


def read_truths(planned: PlannedTask) -> dict[str, Truth]:
    """Sample -> what is known of it, in the spelling of the task."""
    planner, chosen = Planner(planned.task), planned.summary.chosen
    found = {}
    shown: dict[str, dict[str, Value]] = {}
    for sample in planned.source:
        if sample.second is not None:
            raise HarnessError(
                f"task {planned.task.name}: sample {sample.id} shows two pictures, perhaps of two people, so folds by "
                "subject cannot keep people apart",
                hint="export a task whose samples show one person each",
            )
        values = planner.targets(sample)
        beside = shown.setdefault(digest_json([f.name for f in sample.medium.frames]), {})
        beside.update(values)
        if chosen is None or sample.id in chosen:
            subject = subject_of(sample, planned.task)
            shares = distribution_of(sample.annotations)[0]
            found[sample.id] = Truth(subject, values, shares, beside)
    return found


def examples_of(
    planned: PlannedTask,
    plan: Plan,
    library: Library,
    truths: Mapping[str, Truth],
    passed: Passed,
) -> Iterator[Example]:
    """Every request of the plan with its true answer. What cannot be written is counted in `passed`.

    Raises HarnessError for a prompt whose replies no truth can stand for.
    """
    for trials in prepare(planned, plan.cells, plan, library):
        for trial in trials:
            name = sample_of(trial.trial)
            try:
                if trial.failure is not None:
                    raise _Unwritable("its picture cannot be shown", trial.failure.detail)
                yield from _of_trial(trial, planned.task, name, truths[name], passed)
            except _Unwritable as why:
                passed.leave(why.args[0], f"{name}: {why.args[1]}")


def _of_trial(
    trial: Prepared, task: Task, name: str, truth: Truth, passed: Passed
) -> Iterator[Example]:
    protocol = load_protocol(trial.cell.protocol)
    replies: list[str] = []
    made: dict[tuple[tuple[Message, ...], str], Example] = {}
    for _ in range(_MOST_STEPS):
        step = protocol.step(trial.render, replies)
        if isinstance(step, Done):
            break
        answer, values = _answer(trial, task, step.reply, step.messages, truth=truth, passed=passed)
        labels = tuple(f"{n}={v}" for n, v in values.items() if task.fields[n].categorical)
        example = Example(trial.cell, name, str(truth.subject), step.messages, answer, labels)
        made.setdefault((step.messages, answer), example)  # replies that vote are the same request
        replies.append(answer)
    yield from made.values()


def _answer(
    trial: Prepared,
    task: Task,
    reply: str | None,
    messages: Sequence[Message],
    *,
    truth: Truth,
    passed: Passed,
) -> tuple[str, Mapping[str, Value]]:
    """The true reply to a request, and the values in it. Raises _Unwritable, HarnessError."""
    head, asked = trial.prompt.head, messages[-1].text
    _check_parts(messages)
    names, wanted = _wanted(trial, task, reply, asked)
    known = {**truth.beside, **truth.values}
    values = {n: known[n] for n in wanted if n in known}
    if not any(n in values for n in names):
        raise _Unwritable("it has no true value for what is asked", ", ".join(names))
    if head.answer == "percentages" and truth.shares:
        _check_shares(task, names[0], truth.shares)
    shares = truth.shares or None
    text = written(values, task.fields, head, asked=asked, shares=shares)
    fault = fault_of(text, values, task, head, asks=wanted, shares=shares)
    if fault:
        raise _Unwritable("its answer would be read as another value", fault)
    passed.without.update(n for n in wanted if n not in values)
    passed.rounded += is_rounded(text, values, task, head)
    return text, {n: values[n] for n in trial.asks if n in values}


def _wanted(
    trial: Prepared, task: Task, reply: str | None, asked: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields that the reply is asked for, and all that it is to hold.

    A JSON reply holds every key that the turn names; a yes or no that follows from a set stands in the set.
    """
    head = trial.prompt.head
    names = head.read_from(reply, trial.asks)
    if reply is not None and not names:
        if reply not in task.fields:
            raise HarnessError(
                f"prompt {trial.prompt.name}: its reply {reply!r} is free words, and no true value says what they should be",
                hint="choose a prompt whose replies hold fields of the task (harness list prompts)",
            )
        return (reply,), (reply,)
    if head.answer != "json":
        return names, names
    filled = head.read_from(reply, head.fills(task.fields))
    told = tuple(name for name in filled if f'"{name}"' in asked)
    named = tuple(
        name if name in told or task.fields[name].member_of not in told else task.fields[name].member_of
        for name in names
    )  # fmt: skip
    return named, tuple(dict.fromkeys((*named, *told)))


def _check_shares(task: Task, name: str, shares: Mapping[str, float]) -> None:
    outside = sorted(set(shares) - set(task.fields[name].classes))
    if len(outside) == len(shares):
        raise _Unwritable("its votes are all for other labels", ", ".join(outside))


def _check_parts(messages: Sequence[Message]) -> None:
    for message in messages:
        for part in message.parts:
            if not hasattr(part, "text") and not isinstance(part, Image):
                raise HarnessError(
                    "videos and sounds cannot be written as training data, only pictures",
                    hint="use a condition that shows frames, such as --condition apex",
                )


def refuse_tools(cells: Sequence[Cell]) -> None:
    """Raise HarnessError for a protocol whose requests depend on tools."""
    for cell in cells:
        if isinstance(load_protocol(cell.protocol), UsingTools):
            raise HarnessError(
                f"prompt {cell.prompt}: protocol {cell.protocol} depends on what tools show, so there is no one true reply",
                hint="use a prompt with the protocol single",
            )
