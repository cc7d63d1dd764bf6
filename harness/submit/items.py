"""Challenges that want one answer for each named item (a clip, a frame): answers matched, faults of rows named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.outcome import Outcome
from harness.core.text import counted as number_of
from harness.submit.choice import Choice, Given, item_key, read_items
from harness.submit.findings import name_rows
from harness.submit.form import Asked

T = TypeVar("T")
ANNOTATIONS = ("image", "video", "video_id", "file", "filename")
"""Annotations of a sample that may name the item, beside its id."""
SHOWN = 100
"""Characters of a reply that are quoted."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """An item whose reply holds no usable answer."""

    row: int
    item: str
    why: str
    said: str


@dataclass(frozen=True, slots=True)
class Readings(Generic[T]):
    """What the replies to some items hold."""

    values: dict[str, T]
    """Item -> its usable answer."""
    absent: list[int]
    """Rows that were not asked."""
    lacking: list[Unusable]


def read_each(
    items: Sequence[str],
    given: Mapping[str, Given],
    read: Callable[[Given], T | None],
    fields: Sequence[str],
) -> Readings[T]:
    """Read the answer to each item; `read` gives None where a reply holds none in these fields."""
    found: Readings[T] = Readings({}, [], [])
    for row, item in enumerate(items, start=1):
        if item not in given:
            found.absent.append(row)
            continue
        value = read(given[item])
        if value is None:
            why = outcome_of(given[item], fields)
            found.lacking.append(Unusable(row, item, why, given[item].text))
        else:
            found.values[item] = value
    return found


def the_only(asked: Sequence[Asked], form: str) -> Asked:
    """The one file asked. Raises HarnessError where there are more."""
    if len(asked) > 1:
        raise HarnessError(
            f"{form} answers one file, and {len(asked)} are given", hint="give one --to-answer FILE"
        )
    return asked[0]


def refuse_unnamed(file: str, items: Sequence[str], *, what: str, column: str) -> None:
    """Raises HarnessError, naming rows, for a blank name and for one that appears twice, and without any."""
    first: dict[str, int] = {}
    for row, item in enumerate(items, start=1):
        if not item:
            raise HarnessError(f"{file}, row {row}: no {column}", hint="use the file as published")
        if first.setdefault(item, row) != row:
            raise HarnessError(
                f"{file}, rows {first[item]} and {row}: the same {what} {item!r}",
                hint=f"use the file as published; there, each {what} has one row",
            )
    if not items:
        raise HarnessError(f"{file} has no rows", hint="use the file as published")


def answers_to(
    file: str, items: Sequence[str], runs: Sequence[Path], choice: Choice
) -> dict[str, Given]:
    """Item -> what the chosen cell said; see :func:`read_items`."""
    return read_items(runs, items, item_key(items, *ANNOTATIONS), choice, file=file)


def outcome_of(given: Given, fields: Sequence[str]) -> str:
    """Why there is no usable answer among these fields, in a few words."""
    told = [
        f"{name} is none that the challenge takes"
        if given.answers[name].value is not None
        else f"{name} {given.answers[name].outcome.value}"
        for name in fields
        if name in given.answers
    ]
    return ", ".join(told) or (
        f"no field named {' or '.join(fields)}, which this form takes; asked: {', '.join(given.answers)}"
    )


def refuse_missing(file: str, rows: Sequence[int], *, fill: str) -> None:
    """Raises HarnessError where rows were not asked. `fill` says what could stand there."""
    if rows:
        raise HarnessError(
            f"{file}: not answered in these runs: {name_rows(rows)}",
            hint=f"finish the run (run the same command again), add the run that asked them{fill}",
        )


def refuse_unusable(file: str, found: Sequence[Unusable], *, fill: str) -> None:
    """Raises HarnessError where replies hold no usable answer, grouped by the reason."""
    if not found:
        return
    grouped: dict[str, list[Unusable]] = {}
    for one in found:
        grouped.setdefault(one.why, []).append(one)
    told = "\n  ".join(
        f"{name_rows([one.row for one in same])}: {why} (the first said {same[0].said[:SHOWN]!r})"
        for why, same in grouped.items()
    )
    raise HarnessError(
        f"{file}: {number_of(len(found), 'reply', 'replies')} without a usable answer\n  {told}",
        hint=f"{ask_again(grouped)}the challenge wants every row answered, and nothing is guessed for you{fill}",
    )


def ask_again(reasons: Iterable[str]) -> str:
    """What to do first where a request failed, which is no reply; empty where none did."""
    failed = any(reason.endswith(Outcome.FAILED.value) for reason in reasons)
    return "the run's own command asks again what failed; " if failed else ""


def used(given: Mapping[str, Given]) -> dict[tuple[Path, Cell], int]:
    """Run and cell -> how many items it answers."""
    counted: dict[tuple[Path, Cell], int] = {}
    for one in given.values():
        counted[one.run, one.cell] = counted.get((one.run, one.cell), 0) + 1
    return counted


def order_faults(found: Sequence[str], wanted: Sequence[str], *, what: str) -> list[str]:
    """Rows missing, added, doubled or moved, by the names of their items."""
    place = {name: at for at, name in enumerate(wanted)}
    first: dict[str, int] = {}
    faults: list[str] = []
    unknown: list[int] = []
    blank: list[int] = []
    moved: list[int] = []
    last = -1
    for row, name in enumerate(found, start=1):
        if not name:
            blank.append(row)
        elif name not in place:
            unknown.append(row)
        elif name in first:
            faults.append(f"rows {first[name]} and {row}: the same {what} {name[:SHOWN]!r}")
        else:
            first[name] = row
            if place[name] < last:
                moved.append(row)
            last = max(last, place[name])
    if blank:
        faults.append(f"{name_rows(blank)}: no {what}")
    if unknown:
        faults.append(f"{name_rows(unknown)}: a {what} that was not asked")
    missing = [at for at, name in enumerate(wanted, start=1) if name not in first]
    if missing:
        faults.append(f"missing: {name_rows(missing)} of the file to be answered")
    if moved:
        faults.append(f"{name_rows(moved)}: not in the order of the file to be answered")
    return faults


def read_text(path: Path, option: str) -> str:
    """A text file, without a byte order mark. Raises HarnessError where it cannot be read or is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise HarnessError(f"{path} cannot be read: {error.strerror}", hint=f"check {option} FILE") from None  # fmt: skip
    except UnicodeDecodeError:
        raise HarnessError(f"{path.name} is not UTF-8", hint="use the file as published") from None
