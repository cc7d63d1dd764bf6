"""FERBench: four sets of photographs as questions, each with its own prompt (arXiv 2511.00389).

Read are the question files of the repository zfkarl/UniFER (`eval_rafdb/data/rafdb_qa.json` and three others: an array
of objects with image_path, true_label, prompt and candidate_labels; counted: 3,068, 3,573, 4,000 and 431). The repository
has no licence, so that its prompt is read from your copy, word for word, and is not part of this project. The pictures
are those of RAF-DB, FERPlus, AffectNet and SFEW, under the paths that the files name, below `source.pictures`.
The tags that the prompt asks for (`<answer>`) stand in a question as data may hold them (`‹answer›`); the prompt
ferbench/question puts them back, so that a model is sent the prompt word for word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from harness.answers.vocabulary import VOCABULARIES, canonicaliser
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.source import Source
from harness.prompting.controls import neutralise
from harness.sources.cells import is_blank, plain
from harness.sources.dataset import (
    DatasetEntry,
    DatasetOptions,
    DatasetSource,
    Found,
    Published,
    first_existing,
)
from harness.sources.options import read_options
from harness.sources.row import TableRow
from harness.sources.rows import open_table

Part: TypeAlias = Literal["rafdb", "ferplus", "affectnet", "sfew_2.0"]
COUNTS: Mapping[str, int] = MappingProxyType(
    {"rafdb": 3068, "ferplus": 3573, "affectnet": 4000, "sfew_2.0": 431}
)
KEYS = ("image_path", "true_label", "prompt", "candidate_labels")
"""What every question has."""


class FerBenchOptions(DatasetOptions):
    """Options of FERBench."""

    part: Part = "rafdb"
    """The set that is read."""
    pictures: str = ""
    """Folder that the paths of the question file start at, such as `/RAF-DB/aligned/test_0001_aligned.jpg`; relative
    to the current folder. Empty: the root."""


def open_ferbench(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over one question file. Raises HarnessError where it is not there, or has another layout."""
    asked = read_options(FerBenchOptions, options, family="ferbench")
    root = base / asked.root
    name = f"{asked.part}_qa.json"
    table = first_existing(
        [root / f"eval_{asked.part}" / "data" / name, root / name],
        hint="set source.root to your copy of the repository zfkarl/UniFER",
    )
    pictures = base / asked.pictures if asked.pictures else root
    return DatasetSource(
        lambda: _entries(table, pictures), asked, fields, offers=("answer",), files=[table],
        published=[Published(asked.part, "answer", {"": COUNTS[asked.part]}, "the repository's own file")],
    )  # fmt: skip


def question_of(row: TableRow) -> tuple[str, str, str, tuple[str, ...]]:
    """Path, true label, prompt and candidate labels of one question. Raises HarnessError naming the row."""
    for key in KEYS:
        if is_blank(row.cells.get(key)):
            raise HarnessError(f"{row.where}: no {key}", hint="use the file as published")
    labels = row.cells["candidate_labels"]
    if not isinstance(labels, list) or not all(isinstance(one, str) for one in labels):
        raise HarnessError(
            f"{row.where}: candidate_labels is no list", hint="use the file as published"
        )
    path, true, prompt = (plain(row.cells[key]) for key in KEYS[:3])
    if true not in labels:
        raise HarnessError(
            f"{row.where}: true_label {true!r} is none of candidate_labels",
            hint="use the file as published",
        )
    return path, true, prompt, tuple(labels)


def _entries(table: Path, pictures: Path) -> Iterator[Found]:
    names = canonicaliser(VOCABULARIES["basic-8"])
    for row in open_table(table):
        path, true, prompt, _ = question_of(row)
        place = Path(path.lstrip("/"))
        if ".." in place.parts:
            raise HarnessError(
                f"{row.where}: image_path leads outside", hint="use the file as published"
            )
        yield DatasetEntry(
            path.lstrip("/"), pictures / place, {"answer": names.label(true) or true},
            {"set_label": true}, question=neutralise(prompt),
        )  # fmt: skip
