"""Agreement of a model's answers between channels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analyses.keys import has_scores, heading, named, who
from harness.analyses.rows.agreement import agreement
from harness.analyses.words import count, number, percent
from harness.core.blocks import Block, Lines, Number, Place, Share, Table
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    return agreement(answers.records, answers.groups, answers.cells)


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    if not rows:
        return
    yield Lines(lines=tuple(map(_line, rows)), room="little")
    found: dict[Place, list[Mapping[str, Any]]] = {}
    for entry in rows:
        found.setdefault(Place(entry["field"], entry["slice"]), []).append(entry)
    for at, entries in found.items():
        yield Table(
            at=at,
            room="much",
            title="Agreement of channels",
            caption="The same samples answered on two channels. Equal: share with the same "
            "answer; a missing answer equals nothing. κ: samples answered on both channels",
            columns=(
                "",
                "Channels",
                "n",
                "Equal",
                "Cohen’s κ",
                "UAR of the first",
                "UAR of the second",
            ),
            rows=tuple(
                (
                    who((entry["model"], entry["prompt"], entry["condition"])),
                    ", ".join(entry["channels"]),
                    entry["n"],
                    Share(entry["equal"]),
                    Number(entry["kappa"]),
                    Number(entry["uar"][0]),
                    Number(entry["uar"][1]),
                )
                for entry in entries
            ),
        )


def _line(entry: Mapping[str, Any]) -> str:
    told = " ".join(heading((entry["model"], entry["prompt"], entry["condition"])))
    a, b = entry["channels"]
    return (
        f"{told}, {named(entry['field'], entry['slice'])}: {a} and {b} give the same answer to "
        f"{percent(entry['equal'])} of {count(entry['n'])} (no answer is like no other); where both answered, kappa "
        f"{number(entry['kappa'])}; UAR {number(entry['uar'][0])} and "
        f"{number(entry['uar'][1])}"
    )


ANALYSIS = ShippedAnalysis(
    name="agreement",
    title="Agreement of channels",
    about="cells run on several channels: share of equal answers, Cohen's kappa, UAR of each",
    applies=has_scores,
    compute=_compute,
    blocks=_blocks,
    key="agreement",
    order=52,
)
