"""A submission form: one label for each picture of a list, as a table of two columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.field import FieldSpec
from harness.core.text import digest_file
from harness.submit import Answers, Asked, Choice, Draft, Findings, Given, LocalScore, Options
from harness.submit.form import no_labels
from harness.submit.items import (
    answers_to,
    order_faults,
    read_each,
    refuse_missing,
    refuse_unusable,
    used,
)
from harness.submit.local_score import figures_of


@dataclass(frozen=True)
class ListForm:
    """The challenge of a class: `pictures.txt` names a picture a line, and `labels.csv` answers it."""

    name: str = "example-list"
    description: str = "one label for each picture of a list"
    files: tuple[str, ...] = ("pictures.txt",)
    unconfirmed: str = ""

    def read(self, path: Path) -> Asked:
        """The names, one a line."""
        names = tuple(path.read_text(encoding="utf-8").split())
        return Asked(path, digest_file(path), "labels.csv", names)

    def answer(
        self, asked: Sequence[Asked], runs: Sequence[Path], choice: Choice, options: Options
    ) -> Answers:
        """One row for each name, in their order; nothing is filled in."""
        no_labels(self.name, options)
        drafts = []
        for one in asked:
            given = answers_to(one.path.name, one.content, runs, choice)
            found = read_each(one.content, given, _label, ["mood"])
            refuse_missing(one.path.name, found.absent, fill="")
            refuse_unusable(one.path.name, found.lacking, fill="")
            rows = [(name, found.values[name]) for name in one.content]
            drafts.append(Draft(one, _table(rows), used(given)))
        return Answers(tuple(drafts))

    def check(self, data: bytes, asked: Asked, options: Options, *, name: str) -> Findings:
        """The names, in their order."""
        rows = _rows(data)
        faults = order_faults([row[0] for row in rows], asked.content, what="picture")
        return Findings(name, len(rows), tuple(faults), ())

    def score(self, data: bytes, asked: Asked, truth: Path) -> LocalScore:
        """UAR of the rows that `truth`, a table of the same form, has."""
        said, right = dict(_rows(data)), dict(_rows(truth.read_bytes()))
        names = [name for name in asked.content if name in right]
        labels = tuple(dict.fromkeys((*said.values(), *right.values())))
        figures = figures_of(
            FieldSpec(kind="label", labels=labels),
            [right[name] for name in names],
            [said.get(name) for name in names],
            names,
            [("uar", "UAR")],
        )
        return LocalScore(tuple(figures), "pictures")


def _label(given: Given) -> str | None:
    value = given.answers["mood"].value
    return None if value is None else str(value)


def _table(rows: Sequence[tuple[str, str]]) -> bytes:
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerows([("picture", "label"), *rows])
    return held.getvalue().encode()


def _rows(data: bytes) -> list[tuple[str, str]]:
    rows = list(csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline="")))
    return [(row[0], row[1]) for row in rows[1:] if len(row) == 2]


LIST = ListForm()
