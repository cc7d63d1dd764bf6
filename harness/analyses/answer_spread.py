"""Distribution of each cell's answers over the labels, with a warning if most are equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.analyses.keys import RowKey, has_scores, is_blank, measured, row_key, who
from harness.analyses.rows.answer_spread import TOPK, answer_spread, ranking_line
from harness.analyses.top_k import topk_on_whole
from harness.analyses.words import count, percent
from harness.core.blocks import Block, Cell, Lines, Note, Table
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.naming import who_answered
from harness.score.table import ScoreRow

_ABOUT = (
    "Entropy is 0 if every answer is the same and 100% if all labels are answered equally "
    "often. A model that gives one answer, or one ranking, to most pictures does not look at "
    "them, whatever its score."
)


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    yield from answer_spread(answers.records, answers.cells, answers.rankings)


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    if not rows:
        return
    yield Note(text=_ABOUT, room="much")
    for entry in rows:
        if entry.get("rankings"):
            yield Lines(lines=(ranking_line(entry),), room="little")
        if entry["collapsed"] and not is_blank(entry["condition"]):  # to one picture, one answer
            said = f"{who_answered(entry)}: {entry['collapsed']}"
            yield Note(text=said, title="Collapse", warning=True)
    yield from _unseeing(rows)
    by_field: dict[str, list[Mapping[str, Any]]] = {}
    for entry in rows:
        by_field.setdefault(entry["field"], []).append(entry)
    for field, entries in by_field.items():
        yield _table(field, entries, beside)
        orderings = tuple(_orderings(entries))
        if orderings:
            yield Lines(lines=orderings, room="much")


def _unseeing(rows: Sequence[Mapping[str, Any]]) -> Iterator[Note]:
    """Of blank pictures one answer is what is to be expected: a note, not a warning for each cell."""
    blank = [entry for entry in rows if is_blank(entry["condition"])]
    alike = sum(bool(entry["collapsed"]) for entry in blank)
    if alike:
        yield Note(
            text=f"Shown a blank picture, {alike} of {len(blank)} cells give one answer almost always, as is to be expected."
        )


def _table(field: str, entries: Sequence[Mapping[str, Any]], beside: ScoredTask) -> Table:
    rows = {
        (*row_key(asdict(row)), row.metric.removeprefix(TOPK)): row
        for row in topk_on_whole(beside)
        if row.field == field
    }
    ks = sorted({key[3] for key in rows}, key=int)
    ranked = any(entry.get("rankings") for entry in entries)
    top = "; top-k is the share with the true label among the first k of the ranked answer"
    return Table(
        room="much",
        caption=f"{field}: answers over the labels{top if ks else ''}",
        columns=(
            "", "Answers", "Entropy", "Most common answer", *(f"Top-{k}" for k in ks), *(["Rankings"] if ranked else []),
        ),
        rows=tuple(_row(entry, rows, ks, ranked) for entry in entries),
    )  # fmt: skip


def _row(
    entry: Mapping[str, Any],
    rows: Mapping[tuple[str, str, str, str], ScoreRow],
    ks: Sequence[str],
    ranked: bool,
) -> tuple[Cell, ...]:
    key: RowKey = row_key(entry)
    orderings: list[Cell] = [entry.get("orderings")] if ranked else []
    return (
        who(key),
        entry["n"],
        f"{entry['entropy_bits']:.2f} bits, {percent(entry['entropy_normalised'])}",
        f"{entry['top_answer']} {percent(entry['top_share'])}" if entry["n"] else None,
        *(measured(rows.get((*key, k))) for k in ks),
        *orderings,
    )


def _orderings(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        if entry.get("rankings"):
            often = f"{count(entry['top_ordering_n'])} of {count(entry['rankings'])}"
            yield (
                f"Most common ranking of {entry['model']}: "
                f"{', '.join(entry['top_ordering'])}: {percent(entry['top_ordering_share'])} "
                f"({often})"
            )


ANALYSIS = ShippedAnalysis(
    name="answer-spread",
    title="Distribution of answers",
    about="label fields: entropy of the answers, the most common answer, and a warning if "
    "answers collapse",
    applies=has_scores,
    compute=_compute,
    blocks=_blocks,
    key="answers",
    in_task=True,
    in_json=False,
    order=14,
)
