"""A table of ratings in long form: one row an answer, as `harness rate` writes it and as other tools export it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.answers.twins import fold
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.kind import kind_of
from harness.core.sample import Scalar, Value
from harness.kinds.cells import finite, is_blank, plain
from harness.rating.form import FormField, form_of, written
from harness.rating.items import PLAIN, ItemKey
from harness.rating.journal import Rating, Ratings, Study
from harness.sources.cells import NO_VALUE, NO_VALUE_MARKS
from harness.sources.rows import TableRow, open_table

NEEDED = ("rater", "item", "field", "value")
KNOWN = (*NEEDED, "condition", "seconds")
"""Columns of the long form; further ones say something of the rater."""
MOST_ROWS = 500_000
MOST_OPTIONS = 35
"""Different values of a field that is taken for one of options."""
_UNSURE = (NO_VALUE - {"none"}) | NO_VALUE_MARKS | {
    "cannot tell", "can't tell", "cannot say", "don't know", "do not know", "not sure", "no answer",
}  # fmt: skip
"""How a table writes that a rater could not tell, besides an empty cell."""


@dataclass(frozen=True, slots=True)
class RatingTable:
    """Every rating of a table."""

    name: str
    """The file."""
    ratings: Ratings
    """Fields, conditions, and who rated what as what."""
    rows: Mapping[tuple[str, ItemKey, str], str]
    """(rater, item, field) -> where the row stands."""
    truths: Mapping[tuple[str, str], Value]
    """(sample, field) -> the true value, from a column of the table; empty without one."""
    mixed: Mapping[str, tuple[str, str]]
    """Further column of which a rater has two values -> (rater, where the second stands)."""
    notes: Sequence[str]
    """What was assumed."""

    @property
    def conditions(self) -> tuple[str, ...]:
        """In the order in which they first stand in the table."""
        return self.ratings.study.conditions

    @property
    def fields(self) -> tuple[FormField, ...]:
        """In the order in which they first stand in the table."""
        return self.ratings.study.fields


def read_ratings(
    path: Path,
    *,
    known: Mapping[str, FieldSpec],
    asked: Sequence[str] = (),
    truth: str | None = None,
) -> RatingTable:
    """Read ratings (CSV, TSV, JSON lines, Parquet, Arrow).

    Args:
        path: the table; columns rater, item, field, value, and where there is more than one condition `condition`.
        known: fields of a task; their answers are checked against it.
        asked: fields written out as `harness rate --field` takes them.
        truth: a column that holds the true value of each row.

    A field that is neither known nor asked is taken for a number where all its values are, else for one of the values
    that occur, among raters and truths; values that differ in letter case or spaces alone are one; a note says so. Raises
    HarnessError with the row: a missing column, an empty rater, item or field, a value that the field does not have, one
    answer given twice, two truths of one item.
    """
    table = open_table(path)
    missing = [n for n in (*NEEDED, *([truth] if truth else [])) if n not in table.columns]
    if missing:
        raise HarnessError(
            f"{path.name} has no column {missing[0]!r}",
            hint=f"ratings have one row an answer, with the columns {', '.join(NEEDED)} and `condition` where there is "
            "more than one; a table with a column for each rater or item is brought into this form by `melt` of pandas or "
            f"`pivot_longer` of R. Columns found: {', '.join(table.columns)}",
        )
    rows = _all_rows(path, table)
    if not rows:
        raise HarnessError(
            f"{path.name} has no rows", hint="one row an answer: rater, item, field, value"
        )
    _refuse_half_named(rows)
    own = [one.partition("=")[0].strip() for one in asked]
    rows, spelled = _one_spelling(rows, "field", (*own, *known))
    rows, spelled_too = _one_spelling(rows, "condition", ())
    names = list(dict.fromkeys(_name(row, "field") for row in rows))
    fields, notes = _fields(names, rows, known, asked, truth)
    notes = [*spelled, *spelled_too, *_twins(rows), *notes]
    ratings, places = _ratings(path, rows, fields)
    about, mixed = _about(rows, [name for name in table.columns if name not in {*KNOWN, truth}])
    ratings.about.update(about)
    truths = {} if truth is None else _truths(rows, fields, truth)
    return RatingTable(path.name, ratings, places, truths, mixed, (*table.notes, *notes))


def _all_rows(path: Path, table: Any) -> list[TableRow]:
    rows = []
    for row in table:
        rows.append(row)
        if len(rows) > MOST_ROWS:
            raise HarnessError(f"{path.name} has more than {MOST_ROWS:,} rows", hint="split it")
    return rows


def _refuse_half_named(rows: Sequence[TableRow]) -> None:
    """Raises HarnessError where some rows name a condition and others do not."""
    empty = [row for row in rows if is_blank(row.cells.get("condition"))]
    if empty and len(empty) < len(rows):
        raise HarnessError(
            f"{empty[0].where}: condition is empty, but other rows name one",
            hint=f"fill it in ({PLAIN}: shown as it is), or leave the column out",
        )


def _one_spelling(
    rows: Sequence[TableRow], column: str, known: Sequence[str]
) -> tuple[list[TableRow], list[str]]:
    """Names that differ in letter case or spaces alone as one, spelled as in `known`, else in small letters where one
    is, else as most rows have it; and the sentence that says so."""
    counts = Counter(text for row in rows if (text := _written(row, column)))
    usual = sorted(counts, key=lambda text: (text != text.lower(), -counts[text]))
    first = {fold(name): name for name in reversed(known)}
    called = {text: first.setdefault(fold(text), text) for text in usual}
    made = []
    for row in rows:
        text = _written(row, column)
        odd = bool(text) and called[text] != row.cells[column]
        made.append(replace(row, cells={**row.cells, column: called[text]}) if odd else row)
    joined = [f"{text} read as {name}" for text, name in called.items() if text != name]
    return made, [f"{column}: {', '.join(joined)}"] if joined else []


def _written(row: TableRow, column: str) -> str:
    """A cell of text without spaces at its ends; empty for anything else."""
    cell = row.cells.get(column)
    return plain(cell) if isinstance(cell, str) and not is_blank(cell) else ""


def _twins(rows: Sequence[TableRow]) -> list[str]:
    """A sentence about raters whose names differ in letter case, spaces or leading zeros alone."""
    spelled: dict[str, list[str]] = {}
    for name in dict.fromkeys(_name(row, "rater") for row in rows):
        key = fold(name)
        spelled.setdefault(key.lstrip("0") if key.isdigit() else key, []).append(name)
    alike = [names for names in spelled.values() if len(names) > 1]
    if not alike:
        return []
    return [
        f"raters {' and '.join(alike[0])} are counted as {len(alike[0])}, though their names differ in letter case, "
        "spaces or leading zeros alone; spell them alike if they are one"
    ]


def _name(row: TableRow, column: str) -> str:
    cell = row.cells.get(column)
    text = "" if is_blank(cell) else plain(cell)
    if not text or isinstance(cell, list | dict | bytes):
        raise HarnessError(
            f"{row.where}: {column} is {'empty' if not text else 'no text'}",
            hint="every row names a rater, an item and a field; an empty value says that the rater could not tell",
        )
    return text


def _unsure(cell: Any) -> bool:
    return is_blank(cell) or (isinstance(cell, str) and cell.strip().lower() in _UNSURE)


def _fields(
    names: Sequence[str],
    rows: Sequence[TableRow],
    known: Mapping[str, FieldSpec],
    asked: Sequence[str],
    truth: str | None,
) -> tuple[dict[str, FormField], list[str]]:
    own = {one.partition("=")[0].strip() for one in asked}
    if unknown := sorted(own - set(names)):
        raise HarnessError(
            f"--field {unknown[0]}: no row is about this field", hint=f"fields: {', '.join(names)}"
        )
    written_out = {
        field.name: field
        for one in asked
        for field in form_of([one], {} if "=" in one else dict(known))
    }
    found, notes = {}, []
    for name in names:
        if name in written_out:
            found[name] = written_out[name]
        elif name in known:
            found[name] = FormField(name, known[name])
        else:
            found[name], note = _guessed(name, rows, truth)
            notes.append(note)
    return found, notes


def _guessed(name: str, rows: Sequence[TableRow], truth: str | None) -> tuple[FormField, str]:
    """The field that the values of a name look like, and the sentence that says so."""
    own = [row for row in rows if _name(row, "field") == name]
    cells = [plain(c) for row in own if not _unsure(c := row.cells.get("value"))]
    true = [plain(c) for row in own if truth and not is_blank(c := row.cells.get(truth))]
    values = _numbers(cells)
    if values:
        low, high = min(values), max(values)
        if low == high:
            low, high = low - 1, high + 1
        spec = FieldSpec(kind="number", low=low, high=high)
        said = f"a number from {low:g} to {high:g}"
        hint = f"--field {name}=number:LOW,HIGH states its scale"
    else:
        _refuse_commas(own, cells)
        labels = _alike([*cells, *true])
        if len(labels) > MOST_OPTIONS:
            return FormField(name, FieldSpec(kind="text")), f"field {name} is taken for free text"
        if not cells:
            raise HarnessError(f"field {name} has no value in any row", hint="leave its rows out")
        _refuse_other_words(name, cells, true)
        spec = FieldSpec(kind="label", labels=labels)
        said = f"one of {len(labels)} values: {', '.join(labels[:8])}{', ...' * (len(labels) > 8)}"
        said = said if len(labels) > 1 else f"a label that is always {labels[0]}"
        hint = f"--field {name}=label:A,B states its options"
    return FormField(name, spec), f"field {name} is taken for {said}; {hint}"


def _alike(cells: Sequence[str]) -> tuple[str, ...]:
    """The values in order, those that differ in letter case or spaces alone as one, in small letters where one is."""
    counts = Counter(cells)
    usual = sorted(counts, key=lambda text: (text != text.lower(), -counts[text], text))
    first: dict[str, str] = {}
    for text in usual:
        first.setdefault(fold(text), text)
    return tuple(sorted(first.values()))


def _refuse_commas(rows: Sequence[TableRow], cells: Sequence[str]) -> None:
    """Raises HarnessError where all values are numbers, were it not for decimal commas."""
    if any("," in cell for cell in cells) and _numbers([c.replace(",", ".") for c in cells]):
        where = next(row.where for row in rows if "," in str(row.cells.get("value")))
        raise HarnessError(
            f"{where}: value has a decimal comma", hint="write decimals with a point: 3.5, not 3,5"
        )


def _refuse_other_words(name: str, cells: Sequence[str], true: Sequence[str]) -> None:
    """Raises HarnessError where most of what raters say is never true, and they never say most of what is: another language."""
    said, truths = {fold(c): c for c in cells}, {fold(c): c for c in true}
    never_true, unsaid = sorted(said.keys() - truths.keys()), sorted(truths.keys() - said.keys())
    if 2 * len(never_true) > len(said) and 2 * len(unsaid) > len(truths):
        raise HarnessError(
            f"raters answer {name} with {said[never_true[0]]!r}, which is never true, and never with {truths[unsaid[0]]!r}, which is",
            hint=f"write answers and truths in the same words, or state the options with --field {name}=label:A,B,...",
        )


def _numbers(cells: Sequence[str]) -> list[float]:
    """The cells as numbers; none where one of them is no number."""
    try:
        return [finite(cell) for cell in cells]
    except ValueError:
        return []


def _ratings(
    path: Path, rows: Sequence[TableRow], fields: Mapping[str, FormField]
) -> tuple[Ratings, dict[tuple[str, ItemKey, str], str]]:
    conditions = list(dict.fromkeys(_condition(row) for row in rows))
    study = Study(path.name, "", tuple(fields.values()), tuple(conditions), 0, 0)
    ratings = Ratings(study)
    places: dict[tuple[str, ItemKey, str], str] = {}
    for row in rows:
        rater, name = _name(row, "rater"), _name(row, "field")
        item = ItemKey(_name(row, "item"), _condition(row))
        key = (rater, item, name)
        if key in places:
            under = "" if item.condition == PLAIN else f" under {item.condition}"
            raise HarnessError(
                f"{row.where}: rater {rater} has rated {name} of {item.sample}{under} before, in {places[key]}",
                hint="keep one answer; repeats of one rater are conditions of their own, or other raters",
            )
        places[key] = row.where
        value = _value(row, fields[name])
        ratings.add(Rating(rater, item, name, value, 0.0, 0.0))
    return ratings, places


def _condition(row: TableRow) -> str:
    cell = row.cells.get("condition")
    return PLAIN if is_blank(cell) else plain(cell)


def _value(row: TableRow, field: FormField) -> str | None:
    cell = row.cells.get("value")
    if _unsure(cell) and not (field.options and plain(cell) in field.options):
        return None
    return written(_at(row, "value", field))


def _at(row: TableRow, column: str, field: FormField) -> Value:
    """A cell as a value of the field. Raises HarnessError with the row."""
    cell = row.cells.get(column)
    try:
        return _checked(cell, field)
    except ValueError as error:
        options = f"options of {field.name}: {', '.join(field.options)}" if field.options else ""
        raise HarnessError(
            f"{row.where}: {column} is {plain(cell)[:60]!r}: {error}",
            hint=options or f"correct the cell, or state the field with --field {field.name}=...",
        ) from None


def _checked(cell: Any, field: FormField) -> Value:
    """A cell as a value of the field; options in any letter case. Raises ValueError."""
    value = kind_of(field.spec).target(cell, field.spec)
    if not field.options:
        return value
    named = value if isinstance(value, tuple) else (written(value),)
    found = tuple(_option(one, field.options) for one in named)
    return tuple(sorted(found)) if isinstance(value, tuple) else found[0]


def _option(said: str, options: Sequence[str]) -> str:
    """The option that is written so; else the only one that differs in letter case or spaces. Raises ValueError."""
    if said in options:
        return said
    alike = [option for option in options if option.casefold() == said.casefold()]
    alike = alike or [option for option in options if fold(option) == fold(said)]
    if len(alike) != 1:
        raise ValueError(f"{said!r} is not one of its options")
    return alike[0]


def _about(
    rows: Sequence[TableRow], columns: Sequence[str]
) -> tuple[dict[str, dict[str, Scalar]], dict[str, tuple[str, str]]]:
    """What is known of each rater, from columns of which no rater has two values; and the other columns."""
    found: dict[str, dict[str, Scalar]] = {}
    mixed: dict[str, tuple[str, str]] = {}
    for row in rows:
        rater = _name(row, "rater")
        own = found.setdefault(rater, {})
        for name in columns:
            cell = row.cells.get(name)
            if not is_blank(cell) and own.setdefault(name, plain(cell)) != plain(cell):
                mixed.setdefault(name, (rater, row.where))
    kept = {
        rater: {name: value for name, value in own.items() if name not in mixed}
        for rater, own in found.items()
    }
    return kept, mixed


def _truths(
    rows: Sequence[TableRow], fields: Mapping[str, FormField], column: str
) -> dict[tuple[str, str], Value]:
    found: dict[tuple[str, str], Value] = {}
    first: dict[tuple[str, str], str] = {}
    for row in rows:
        cell = row.cells.get(column)
        if is_blank(cell):
            continue
        field = fields[_name(row, "field")]
        key = (_name(row, "item"), field.name)
        value = _at(row, column, field)
        if found.setdefault(key, value) != value:
            raise HarnessError(
                f"{row.where}: {key[0]} is truly {written(value)}, but {written(found[key])} in {first[key]}",
                hint=f"an item has one value in {column}, in all its rows",
            )
        first.setdefault(key, row.where)
    return found
