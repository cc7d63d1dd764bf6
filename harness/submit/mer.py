"""MER2026, track 2 (fine-grained): emotions of each clip in free words, a table with the columns name and openset.

The list of clips (`track1_track2_candidate.csv`), the columns of the tables of true labels and the metric were read in
github.com/zeroQiaoba/MERTools in November 2026; the upload's own columns and names were not seen.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.answers.wheels import shipped_wheels
from harness.core.errors import HarnessError
from harness.core.text import counted, digest_file
from harness.metrics.wheels import wheel_f1, wheel_rows
from harness.sources.cells import is_blank, plain
from harness.sources.rows import open_table
from harness.submit.choice import Choice, Given
from harness.submit.findings import Findings, name_rows
from harness.submit.form import Answers, Asked, Draft, Options, no_labels_or_fill
from harness.submit.items import (
    answers_to,
    order_faults,
    read_each,
    refuse_missing,
    refuse_unnamed,
    refuse_unusable,
    the_only,
    used,
)
from harness.submit.local_score import LocalScore, figure_of
from harness.submit.text import decoded, table_of
from harness.submit.wheel_files import read_wheels

COLUMNS = ("name", "openset")
FIELDS = ("emotions", "emotion")
_PARTS = re.compile(r"['\",\[\]]")


@dataclass(frozen=True, slots=True)
class WordForm:
    """The challenge's one file."""

    name: str = "mer2026-fg"
    description: str = (
        "MER2026: emotions of each clip in free words; columns and names of the upload not seen"
    )
    files: tuple[str, ...] = field(default=())
    unconfirmed: str = "the file's name, its columns and the layout of the zip file are"

    def read(self, path: Path) -> Asked:
        """Read the list of clips, column `name`. Raises HarnessError for a blank or doubled name."""
        (names,) = _columns(path, "name")
        refuse_unnamed(path.name, names, what="clip", column="name")
        return Asked(path, digest_file(path), "predictions.csv", tuple(names), False)

    def answer(
        self, asked: Sequence[Asked], runs: Sequence[Path], choice: Choice, options: Options
    ) -> Answers:
        """The words of each clip, in the order of the list."""
        no_labels_or_fill(self.name, options)
        one = the_only(asked, self.name)
        given = answers_to(one.path.name, one.content, runs, choice)
        found = read_each(one.content, given, _words, FIELDS)
        refuse_missing(one.path.name, found.absent, fill="")
        refuse_unusable(one.path.name, found.lacking, fill="")
        words = found.values
        held = io.StringIO()
        rows = [(name, ", ".join(words[name])) for name in one.content]
        csv.writer(held, lineterminator="\n").writerows([COLUMNS, *rows])
        total = sum(map(len, words.values()))
        notes = (f"{counted(total, 'word')} for {counted(len(words), 'clip')}",)
        return Answers((Draft(one, held.getvalue().encode("utf-8", "replace"), used(given), {}, notes),))  # fmt: skip

    def check(self, data: bytes, asked: Asked, options: Options, *, name: str) -> Findings:
        """Columns, clips and words. Warns of words on no wheel of this package, which the challenge may know."""
        text = decoded(data)
        if text.unreadable:
            return Findings(name, 0, (text.unreadable,), ())
        body, unfit = table_of(text.text, COLUMNS)
        if unfit:
            return Findings(name, 0, (*text.faults, unfit), ())
        names = [row[0] if row else "" for row in body]
        faults = [*text.faults, *order_faults(names, asked.content, what="clip")]
        empty = [at for at, row in enumerate(body, start=1) if row and (len(row) != 2 or not words_of(row[1]))]  # fmt: skip
        if empty:
            faults.append(f"{name_rows(empty)}: no words")
        wheels = shipped_wheels()
        told = [word for row in body if len(row) == 2 for word in words_of(row[1])]
        off = sorted({word for word in told if not wheels.known(word)})
        warnings = list(text.warnings)
        if off:
            share = sum(not wheels.known(word) for word in told) / len(told)
            warnings.append(f"{share:.0%} of the words are on no wheel of this package, such as {', '.join(off[:5])[:120]}")  # fmt: skip
        return Findings(name, len(body), tuple(faults), tuple(warnings))

    def score(self, data: bytes, asked: Asked, truth: Path) -> LocalScore:
        """Mean F1 over wheels. `truth` is a table of name and openset, or a folder with one and the challenge's wheels.

        The folder holds `wheel1.xlsx` and so on, `synonym.xlsx` and `format.csv` as published, and one other CSV file.
        Raises HarnessError where none of the clips has true labels.
        """
        wheels, table, own = shipped_wheels(), truth, True
        if not truth.exists():
            raise HarnessError(
                f"no such file or folder: {truth}",
                hint="give a table of name and openset, or a folder with one and the challenge's wheels",
            )
        if truth.is_dir():
            wheels, own = read_wheels(truth), False
            tables = [path for path in sorted(truth.glob("*.csv")) if path.name != "format.csv"]
            if len(tables) != 1:
                raise HarnessError(f"{truth} holds {len(tables)} tables of true labels", hint="keep one CSV file with name and openset beside the wheels")  # fmt: skip
            (table,) = tables
        names, labels = _columns(table, "name", "openset")
        refuse_unnamed(table.name, names, what="clip", column="name")
        right = dict(zip(names, map(words_of, labels), strict=True))
        rows, _ = table_of(decoded(data).text, COLUMNS)
        said = {row[0]: words_of(row[1]) for row in rows if len(row) == 2}
        clips = [name for name in asked.content if right.get(name)]
        if not clips:
            raise HarnessError(f"{table.name} has no true labels of a clip of {asked.path.name}", hint="clips must be named alike in both files")  # fmt: skip
        counts = wheel_rows(
            [frozenset(right[clip]) for clip in clips],
            [frozenset(said.get(clip, ())) for clip in clips],
            wheels,
        )
        figure = figure_of(f"mean F1 over {len(wheels.wheels)} wheels", "wheel_f1", counts, clips, wheel_f1)  # fmt: skip
        notes = ["with the wheels of this package; the challenge's give another number: put them beside the true labels and name the folder"] if own else []  # fmt: skip
        if left := len(asked.content) - len(clips):
            notes.append(f"without a truth in {table.name} and left out: {counted(left, 'clip')}")
        told = [word for clip in clips for word in right[clip]]
        if off := [word for word in told if not wheels.known(word)]:
            notes.append(f"{len(off) / len(told):.0%} of the true words are on no wheel, such as {off[0][:60]!r}")  # fmt: skip
        return LocalScore((figure,), "clips", tuple(notes))


def words_of(cell: str) -> tuple[str, ...]:
    """`['happy', 'relieved']` or `happy, relieved`, in lower case."""
    return tuple(part.strip().lower() for part in _PARTS.split(cell) if part.strip())


def _words(given: Given) -> tuple[str, ...] | None:
    """The words of a reply; None without any."""
    told = next((given.answers[f].value for f in FIELDS if f in given.answers), None)
    if isinstance(told, str):
        return (told,)
    return tuple(map(str, told)) if isinstance(told, tuple) and told else None


def _columns(path: Path, *names: str) -> list[list[str]]:
    """Columns of a table as text, in one pass. Raises HarnessError for one that it lacks."""
    table = open_table(path)
    for name in names:
        if name not in table.columns:
            raise HarnessError(f"{path.name} has no column {name!r}", hint=f"columns: {', '.join(table.columns)}")  # fmt: skip
    found: list[list[str]] = [[] for _ in names]
    for row in table:
        for column, name in zip(found, names, strict=True):
            column.append("" if is_blank(row.cells[name]) else plain(row.cells[name]))
    return found


FINE_GRAINED = WordForm()
