"""`--spots FILE|RUN|truth`: the intervals of any spotter, as the samples of a spotting task.

A table has the columns video, onset and offset, and may have subject, apex and score; others are left alone, so that the
table of ME-STR (subject, video, onset, offset, emotion), which `harness baseline flow` writes too, is one. Of a run of a
model over windows its joined intervals are taken. Frames are checked against the videos when these are read
(`harness.sources.spotted`), before anything is asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from harness.core.cell_pattern import read_pattern
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.task import GivenSpots, Task
from harness.sources.cells import is_blank, plain
from harness.sources.rows import TableRow, open_table
from harness.sources.spotted import GivenInterval, SpotsOptions, refuse_rows, spots_digest

TRUTH = "truth"
"""In place of a file: the true intervals."""
SPOTS = "spots.csv"
"""The table that `harness baseline flow` writes into its folder."""
NEEDED = ("video", "onset", "offset")


class _Fault(Exception):
    """What is wrong with a row."""


def with_given_spots(tasks: Sequence[Task], written: str | None) -> list[Task]:
    """The tasks over the intervals that `--spots` names; as they are where it names none. Raises HarnessError."""
    if written is None:
        return list(tasks)
    spots = read_given_spots(written)
    return [over_spots(task, spots) for task in tasks]


def refuse_own_run(written: str | None, out: Path) -> None:
    """Raise HarnessError where `--spots` names the very run that is to be written."""
    if written is not None and run_of_spots(written) == out.resolve():
        raise HarnessError(
            f"--spots {written} and the run folder are the same run",
            hint="write to another folder (--out): the answers about windows would be left out of this one",
        )


def over_spots(task: Task, spots: SpotsOptions) -> Task:
    """The task over these intervals: the label of rest is not offered, and the prompts are those for intervals.

    Raises HarnessError for a task that is not a spotting task.
    """
    spec = task.spotting
    if spec is None:
        raise HarnessError(
            f"--spots has no effect on {task.name}, which is not a spotting task",
            hint="use a task with `spotting`, such as faces/me-str or megc/me-str",
        )
    given = GivenSpots(origin=spots.origin, digest=spots_digest(spots), perfect=spots.truth)
    changed = {
        "source": {**task.source, "spots": spots.model_dump(mode="json", exclude_defaults=True)},
        "fields": {**task.fields, spec.field: _without(task.fields[spec.field], spec.rest)},
        "prompts": spec.prompts or task.prompts,
        "spotting": spec.model_copy(update={"given": given}),
    }
    return task.model_copy(update=changed)


def _without(field: FieldSpec, label: str) -> FieldSpec:
    if not isinstance(field.labels, tuple):
        return field
    return field.model_copy(
        update={
            "labels": tuple(one for one in field.labels if one != label),
            "synonyms": {k: v for k, v in field.synonyms.items() if k != label},
            "definitions": {k: v for k, v in field.definitions.items() if k != label},
        }
    )


def read_given_spots(written: str) -> SpotsOptions:
    """The intervals of a table, of a run (`RUN`, `RUN@prompt=NAME` where several cells spotted), or `truth`.

    Raises HarnessError naming rows, and what is wrong with a file or a run.
    """
    if written == TRUTH:
        return SpotsOptions(origin="true intervals", truth=True)
    path, wanted = _split(written)
    if path.is_dir():
        return _of_folder(path, wanted)
    if not path.exists():
        raise HarnessError(
            f"--spots: not found: {written}",
            hint="name a table of intervals, a run folder, or truth for the true intervals",
        )
    return _of_table(path, origin=path.name)


def run_of_spots(written: str) -> Path | None:
    """The folder that `RUN` or `RUN@...` names; None for a table and for `truth`."""
    path, _ = _split(written)
    return path.resolve() if path.is_dir() else None


def _split(written: str) -> tuple[Path, str]:
    path = Path(written)
    if not path.exists() and "@" in written:
        before, _, after = written.rpartition("@")
        if Path(before).is_dir():
            return Path(before), after
    return path, ""


def _of_folder(path: Path, wanted: str) -> SpotsOptions:
    from harness.submit.choice import Choice
    from harness.submit.megc.spots import Spotted, read_spotted

    if not (path / "manifest.json").is_file() and (path / SPOTS).is_file():
        return _of_table(path / SPOTS, origin=f"{path.name}/{SPOTS}")
    found: Sequence[Spotted] = read_spotted([path], Choice())
    if wanted:
        pattern = read_pattern(wanted, option="--spots RUN@")
        found = [one for one in found if pattern.fits(one.cell)]
    if len(found) != 1:
        told = "; ".join(f"{one.cell.model} {one.cell.prompt}" for one in found)
        raise HarnessError(
            f"--spots: {path} has {len(found)} cells that spotted intervals"
            + (f": {told}" if told else ""),
            hint="name one of them: --spots RUN@model=NAME,prompt=NAME"
            if told or wanted
            else "name a run of a spotting task, such as faces/me-str, that a model has answered",
        )
    (one,) = found
    rows = tuple(
        GivenInterval(
            row=number, subject=spot.subject, video=spot.video, onset=spot.onset, offset=spot.offset
        )
        for number, spot in enumerate(one.spots, 1)
    )
    origin = f"{path.name} ({one.cell.model} {one.cell.prompt})"
    if not rows:
        raise _empty(origin)
    return SpotsOptions(origin=origin, rows=rows)


def _empty(origin: str) -> HarnessError:
    return HarnessError(
        f"--spots: {origin} has no intervals, so there is nothing to recognise",
        hint="check the spotter; a spotter that finds nothing scores an F1 of 0",
    )


def _of_table(path: Path, *, origin: str) -> SpotsOptions:
    table = open_table(path)
    names = {name.strip().lower(): name for name in table.columns}
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise HarnessError(
            f"--spots: {path.name} has no column {missing[0]!r}",
            hint=f"a table of intervals needs video, onset, offset, and may have subject, apex, score; "
            f"its columns: {', '.join(table.columns)}",
        )
    rows: list[GivenInterval] = []
    faults: list[tuple[str, str]] = []
    for row in table:
        place = row.where.removeprefix(f"{path.name}, ")
        try:
            rows.append(_interval(row, names, place))
        except _Fault as fault:
            faults.append((place, str(fault)))
    refuse_rows(
        origin, faults,
        hint="correct the rows; onset and offset are numbers of frames, not seconds, and both belong to the interval",
    )  # fmt: skip
    if not rows:
        raise _empty(origin)
    return SpotsOptions(origin=origin, rows=tuple(rows))


def _interval(row: TableRow, names: dict[str, str], place: str) -> GivenInterval:
    def cell(name: str) -> str:
        found = row.cells.get(names.get(name, ""))
        return "" if is_blank(found) else plain(found).strip()

    for name in NEEDED:
        if not cell(name):
            raise _Fault(f"no {name}")
    onset, offset = _frame(cell("onset"), "onset"), _frame(cell("offset"), "offset")
    if onset > offset:
        raise _Fault(f"onset {onset} is after offset {offset}")
    apex = _frame(cell("apex"), "apex") if cell("apex") else None
    if apex is not None and not onset <= apex <= offset:
        raise _Fault(f"apex {apex} is outside {onset} to {offset}")
    return GivenInterval(
        row=row.number, at=place, video=cell("video"), subject=cell("subject"), onset=onset, offset=offset, apex=apex,
        score=_score(cell("score")) if cell("score") else None,
    )  # fmt: skip


def _frame(text: str, column: str) -> int:
    number = _number(text, column)
    if not number.is_integer():
        raise _Fault(f"{column} {text[:40]} is not a whole number (seconds in place of frames?)")
    return int(number)


def _score(text: str) -> float:
    return _number(text, "score")


def _number(text: str, column: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise _Fault(f"{column} {text[:40]!r} is not a number") from None
    if not math.isfinite(number):
        raise _Fault(f"{column} {text[:40]!r} is not a number")
    return number
