"""Convert cells of a file of answers to replies for the parser; ranked lists are kept separately."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.answers.table import LabelTable
from harness.answers.vocabulary import canonicaliser
from harness.core.task import Task
from harness.imports.answer_shares import stated_shares
from harness.imports.columns import PredictionColumns
from harness.imports.lines import PredictionLines
from harness.imports.rankings import are_ranked, ranking
from harness.sources.cells import is_blank, plain
from harness.sources.labels import code_key, label_names

Answers = Mapping[str, Any]
"""Field -> cell; under "" where one reply answers all fields."""


@dataclass(frozen=True, slots=True)
class ReplyMaker:
    """Turns the cells of one row into (reply text, field -> ranked items)."""

    form: Literal["text", "json", "percentages"]
    """`json` where each field has a column of its own: the reply is then one object; `percentages` where each label
    has one."""
    tables: Mapping[str, LabelTable]
    """Key of the answers -> labels, for ranked columns."""
    fields: Mapping[str, str]
    """Key of a ranked column -> its field."""
    names: Mapping[str, Mapping[str, str | None]]
    """Key of the answers -> code -> label, as `source.labels` names them."""
    notes: tuple[str, ...] = ()

    @property
    def ranked(self) -> tuple[str, ...]:
        """The fields whose answers are ranked lists."""
        return tuple(self.fields.values())

    def __call__(self, answers: Answers) -> tuple[str, Mapping[str, tuple[str, ...]]]:
        """The first of a ranked list is the answer; other cells are the reply as they stand."""
        if self.form == "percentages":
            return stated_shares(answers), {}
        texts: dict[str, Any] = {}
        rankings: dict[str, tuple[str, ...]] = {}
        for key, given in answers.items():
            cell = _named(given, self.names[key]) if key in self.names else given
            table = self.tables.get(key)
            items = None if table is None or is_blank(cell) else ranking(cell, table)
            if items is not None:
                rankings[self.fields[key]] = items
                texts[key] = items[0] if items else ""
            else:
                texts[key] = _text(cell) if self.form == "text" else _member(cell)
        if self.form == "text":
            return str(texts[""]), rankings
        filled = {name: value for name, value in texts.items() if value is not None}
        return json.dumps(filled, ensure_ascii=False) if filled else "", rankings


def reply_maker(task: Task, columns: PredictionColumns, lines: PredictionLines) -> ReplyMaker:
    """A maker for one file; whether a column is ranked is asked for, or seen from its cells."""
    if columns.probabilities:
        return ReplyMaker("percentages", {}, {}, {})
    whole = isinstance(columns.answer, str)
    fields = {"": next(iter(task.fields))} if whole else {name: name for name in columns.answer}
    written = task.source.get("labels")
    by_field = {} if written is None else label_names(written, task.fields)
    names = {key: by_field[name] for key, name in fields.items() if name in by_field}
    tables: dict[str, LabelTable] = {}
    for key, name in fields.items():
        spec = task.fields[name]
        if not spec.one_label or (whole and len(task.fields) > 1):
            continue
        table = canonicaliser(spec.classes, spec.synonyms)
        ranked = columns.ranked
        if ranked is None:
            cells = (
                (_named(said.answers.get(key), names.get(key, {})), times)
                for said, times in lines.contents()
            )
            ranked = are_ranked(cells, table)
        if ranked:
            tables[key] = table
    found = {key: fields[key] for key in tables}
    notes = tuple(
        f"{name}: answers are ranked lists; the first label is the answer"
        for name in found.values()
    )
    return ReplyMaker("text" if whole else "json", tables, found, names, notes)


def _named(cell: Any, names: Mapping[str, str | None]) -> Any:
    """A cell, or each of its items, by the label that its code stands for."""
    if not names:
        return cell
    if isinstance(cell, list):
        return [_named(item, names) for item in cell]
    if isinstance(cell, str | int | float) and not is_blank(cell):
        return names.get(code_key(plain(cell))) or cell
    return cell


def _text(cell: Any) -> str:
    """A cell as a reply: text untouched, so that the parser sees what the model said."""
    if isinstance(cell, str):
        return cell
    if is_blank(cell):
        return ""
    if isinstance(cell, list | tuple) and all(isinstance(item, str) for item in cell):
        return ", ".join(cell)
    if isinstance(cell, list | tuple | dict):
        return json.dumps(cell, ensure_ascii=False, default=str)
    return plain(cell)


def _member(cell: Any) -> Any:
    """A cell as a member of the reply's object; None where there is no answer."""
    if is_blank(cell):
        return None
    if isinstance(cell, list | tuple) and all(isinstance(item, str) for item in cell):
        return list(cell)
    return _text(cell)
