"""Answers in the challenge's sentences, scored as texts: BLEU and ROUGE-1, with the scores of perfect answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import is_baseline, prompt_on, who
from harness.analyses.rows.sentences import FIELD, sentence_columns
from harness.analyses.words import number
from harness.core.blocks import Block, Cell, Number, Preformatted, Row, Table
from harness.core.task import Task
from harness.metrics import titled
from harness.metrics.text import CEILING, NEEDS
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.table import ScoreRow, score_column

_SHOWN = titled(
    ("exact_match", "sacrebleu1", "sacrebleu4", "nltk_bleu4", "rouge1_f1", "rouge1_recall"), NEEDS
)

_By = Mapping[tuple[str, str, str, str], Mapping[str, ScoreRow]]
"""Model, prompt, condition, channel -> metric -> row."""


def _applies(task: Task) -> bool:
    return task.sentences is not None


def _compute(answers: TaskAnswers) -> Iterator[ScoreRow]:
    columns = sentence_columns(
        answers.records, answers.groups, answers.cells, answers.fits, seed=answers.seed
    )
    for column in columns:
        yield from score_column(column, seed=answers.seed)


def _found(rows: Sequence[ScoreRow], task: str) -> _By:
    found: dict[tuple[str, str, str, str], dict[str, ScoreRow]] = {}
    for row in rows:
        if row.task == task and row.field == FIELD and row.slice == "all":
            key = (row.model, row.prompt, row.condition, row.channel)
            found.setdefault(key, {})[row.metric] = row
    return found


def _perfect(found: _By) -> Iterator[float | None]:
    """What a perfect answer reaches, metric by metric."""
    for name, _ in _SHOWN:
        ceiling = next(iter(found.values())).get(name + CEILING)
        yield 1.0 if ceiling is None else ceiling.value


def text_lines(rows: Sequence[ScoreRow], task: str) -> Iterator[str]:
    """A line for each baseline and cell over the whole task, then what a perfect answer reaches."""
    found = _found(rows, task)
    if not found:
        return
    yield ""
    yield f"{task}: answers in the challenge's sentences, scored as text (not an official score)"
    yield f"{'':28}" + "".join(f"{heading:>12}" for _, heading in _SHOWN)
    for who_said, metrics in found.items():
        idle = {"-", "none", "free"}
        told = " ".join(word for word in who_said if word not in idle)
        shown = "".join(f"{number(metrics[name].value):>12}" for name, _ in _SHOWN)
        yield f"{told[:28]:28}{shown}"
    yield f"{'a perfect answer':28}" + "".join(f"{number(v):>12}" for v in _perfect(found))


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    found = _found(beside.scores, beside.task.name)
    if not found:
        return
    yield Preformatted(lines=tuple(text_lines(beside.scores, beside.task.name)), room="little")
    yield Table(
        room="much",
        caption="Answers written in the challenge's sentences and compared with the true ones as "
        "text; not an official score",
        columns=("", "n", *(heading for _, heading in _SHOWN)),
        rows=(
            *(_row(key, metrics) for key, metrics in found.items()),
            Row(
                ("a perfect answer", None, *(Number(value) for value in _perfect(found))), "ceiling"
            ),
        ),
    )


def _row(key: tuple[str, str, str, str], metrics: Mapping[str, ScoreRow]) -> Row:
    told = (key[0], prompt_on(key[1], key[3]), key[2])
    numbers: list[Cell] = [
        Number(row.value, row.low, row.high) for row in (metrics[name] for name, _ in _SHOWN)
    ]
    cells = (who(told), metrics[_SHOWN[0][0]].n, *numbers)
    return Row(cells, "baseline" if is_baseline(told) else "model")


ANALYSIS = ShippedAnalysis(
    name="sentences",
    title="Answers as texts",
    about="tasks with `sentences`: BLEU and ROUGE-1 of answers in the challenge's sentences",
    applies=_applies,
    compute=_compute,
    blocks=_blocks,
    order=70,
)
