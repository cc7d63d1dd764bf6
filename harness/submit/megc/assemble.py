"""Write answers in the challenge's wording, one per question, or list questions without an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.answers.megc_sentences import sentence_for
from harness.core.errors import HarnessError
from harness.core.sample import Value
from harness.core.text import counted
from harness.sources.megc_questions import ASKED
from harness.submit.choice import Given, refuse_several
from harness.submit.findings import name_rows
from harness.submit.items import ask_again
from harness.submit.megc.questions import Question, Questions

SHOWN = 100
"""Characters of a reply that are quoted where it holds no answer."""


@dataclass(frozen=True, slots=True)
class Fill:
    """What to write where a model gave no usable answer. Nothing is filled unless it was asked for."""

    words: bool = False
    """The reply's own words, on one line."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Field -> a value in its place."""


@dataclass(frozen=True, slots=True)
class Filled:
    """One answer that is not, or not wholly, what was read from the model's reply."""

    row: int
    video_id: str
    outcomes: Mapping[str, str]
    """Field -> why there was no value."""
    wrote: str


@dataclass(frozen=True, slots=True)
class Assembled:
    """The answers to one file of questions, in its order."""

    questions: Questions
    answers: tuple[str, ...]
    given: tuple[Given, ...]
    filled: tuple[Filled, ...]


def assemble(questions: Questions, given: Mapping[str, Sequence[Given]], fill: Fill) -> Assembled:
    """One answer a question.

    Raises HarnessError, naming rows, where questions were answered by several cells or by none, where a
    reply holds no usable answer and `fill` gives nothing in its place, and for a wording never seen.
    """
    refuse_several(questions.path.name, {q.row: given[q.video_id] for q in questions.rows})
    absent = [q.row for q in questions.rows if not given[q.video_id]]
    if absent:
        raise HarnessError(
            f"{questions.path.name}: not answered in these runs: {name_rows(absent)}",
            hint="finish the run (run the same command again), or add the run that asked them",
        )
    unknown = [q.row for q in questions.rows if q.kind is None]
    if unknown and not fill.words:
        raise HarnessError(
            f"{questions.path.name}, {name_rows(unknown)}: a question in an unknown wording",
            hint="use --fill words to submit the replies as they are",
        )
    answers: list[str] = []
    filled: list[Filled] = []
    open_rows: dict[str, list[int]] = {}
    said: dict[str, str] = {}
    for question in questions.rows:
        (one,) = given[question.video_id]
        answer, outcomes = _answer(question, one, fill)
        if outcomes:
            filled.append(Filled(question.row, question.video_id, outcomes, answer))
        if not answer:
            why = ", ".join(f"{name} {outcome}" for name, outcome in outcomes.items())
            open_rows.setdefault(why, []).append(question.row)
            said.setdefault(why, _words(one))
        answers.append(answer)
    if open_rows:
        raise _without_answer(questions, open_rows, said)
    first = tuple(given[question.video_id][0] for question in questions.rows)
    return Assembled(questions, tuple(answers), first, tuple(filled))


def _answer(question: Question, given: Given, fill: Fill) -> tuple[str, dict[str, str]]:
    """The answer's text (empty where there is none) and, by field, why a value was lacking."""
    if question.kind is None:
        return _words(given), {"question": "unknown wording"}
    values: dict[str, Value] = {}
    lacking: dict[str, str] = {}
    for name in ASKED[question.kind]:
        answer = given.answers.get(name)
        value = None if answer is None else answer.value
        if value is not None and value != ():
            values[name] = value
            continue
        lacking[name] = "not asked" if answer is None else str(answer.outcome.value)
        if value == ():
            lacking[name] = "none named"  # "no action unit" cannot be said in the challenge's words
        if name in fill.values:
            values[name] = fill.values[name]
    if len(values) == len(ASKED[question.kind]):
        return sentence_for(question.kind, values, question=question.question), lacking
    return (_words(given) if fill.words else ""), lacking


def _quoted(reply: str) -> str:
    """The beginning of a reply, on one line and without what a terminal would obey."""
    if not reply:
        return ""
    shown = reply if len(reply) <= SHOWN else f"{reply[: SHOWN - 3]}..."
    return f" (the first said {shown!r})"


def _words(given: Given) -> str:
    return " ".join(given.text.split())


def _without_answer(
    questions: Questions, open_rows: Mapping[str, Sequence[int]], said: Mapping[str, str]
) -> HarnessError:
    told = "\n  ".join(
        f"{name_rows(rows)}: {why}{_quoted(said[why])}" for why, rows in open_rows.items()
    )
    return HarnessError(
        f"{questions.path.name}: {counted(sum(map(len, open_rows.values())), 'reply', 'replies')} without a usable "
        f"answer\n  {told}",
        hint=f"{ask_again(open_rows)}the challenge wants every row answered, and nothing is guessed for you: --fill words sends a "
        "reply's own words, --fill coarse=negative (fine, action_units, au_shown, ...) sends what you name; "
        "both are listed in the receipt",
    )


def rows_of(part: Assembled) -> bytes:
    """JSON lines: the questions' rows, fields in their order, with the answers filled in."""
    lines = []
    for question, answer in zip(part.questions.rows, part.answers, strict=True):
        row = {**question.cells, "answer": answer}
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    return "".join(lines).encode("utf-8", "replace")
