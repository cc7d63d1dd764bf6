"""A few samples with the answers of all cells, for a first look at prompts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any

from harness.analyses.keys import is_blank
from harness.core.blocks import Column, MarkedText, Row, Table
from harness.core.cell import FREE
from harness.core.field import FieldSpec
from harness.report.grid import is_right, plain, told_of
from harness.report.writers.terminal import open_console, print_tables
from harness.run.cell_entry import cell_of, is_kept
from harness.run.columns import read_table
from harness.run.folder import RunFolder

LONGEST = 38
"""Characters of a reply that are shown, so that it stands beside its cell and answer."""
COLUMNS = ("trial", "task", "sample", "field", "outcome", "value", "target", "text")


def print_side_by_side(
    folder: RunFolder, manifest: Mapping[str, Any], *, most: int, file: IO[str]
) -> None:
    """Print `most` samples of each task: what is true, and what every cell answered. Reads records.parquet."""
    print_tables(open_console(file), side_by_side(folder, manifest, most=most))


def side_by_side(folder: RunFolder, manifest: Mapping[str, Any], *, most: int) -> Iterator[Table]:
    """A table for each task, `most` of its samples in the order of their ids, one row an answer.

    Cells stand in the order of the plan, those that were shown a blank picture last.
    """
    specs = {
        (name, field): FieldSpec.model_validate(spec)
        for name, task in manifest["tasks"].items()
        for field, spec in task["config"]["fields"].items()
    }
    cells = {e["id"]: cell_of(e) for e in manifest["cells"] if not is_kept(e)}
    order = sorted(cells, key=lambda name: is_blank(cells[name].condition))
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in read_table(folder.records, COLUMNS):
        asked, repeat, _ = str(row["trial"]).split("/", 2)
        if asked in cells and repeat == "0":
            samples = found.setdefault(row["task"], {})
            if row["sample"] in samples or len(samples) < most:
                samples.setdefault(row["sample"], []).append({**row, "cell": asked})
    for task, samples in found.items():
        rows: list[Row] = []
        several = len({answer["field"] for answers in samples.values() for answer in answers}) > 1
        for sample, answers in samples.items():
            rows.append(Row((f"{sample}: {_truth(answers, specs)}",), role="heading"))
            for answer in sorted(answers, key=lambda one: order.index(one["cell"])):
                cell = cells[answer["cell"]]
                who = " ".join(
                    [cell.model, cell.prompt]
                    + [cell.shown_condition] * (cell.shown_condition != "none")
                    + [cell.taken] * (cell.taken != FREE)
                )
                rows.append(
                    Row(
                        (
                            who,
                            *((answer["field"],) if several else ()),
                            _answer(answer, specs[task, answer["field"]]),
                            _short(answer["text"]),
                        )
                    )
                )
        columns = (
            Column(""),
            *((Column("field"),) if several else ()),
            Column("answer"),
            Column("reply"),
        )
        yield Table(
            title=f"{task}: {len(samples)} samples side by side", columns=columns, rows=tuple(rows)
        )


def _truth(answers: list[Mapping[str, Any]], specs: Mapping[tuple[str, str], FieldSpec]) -> str:
    known = {
        row["field"]: _said(row["target"], specs[row["task"], row["field"]])
        for row in answers
        if row["target"] is not None
    }
    return ", ".join(f"{field} is {value}" for field, value in known.items()) or "no known truth"


def _answer(row: Mapping[str, Any], spec: FieldSpec) -> MarkedText | str:
    if row["outcome"] != "answered":
        return str(row["outcome"])
    said = _said(row["value"], spec)
    right = is_right(spec.kind, plain(row["value"]), plain(row["target"]))
    return said if right is None else MarkedText(said, "right" if right else "wrong")


def _said(value: str, spec: FieldSpec) -> str:
    return told_of(spec, plain(value)) or ""


def _short(text: Any) -> str:
    words = " ".join(str(text or "").split())
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
