"""What is known of how the answers of a trained model came about: training subjects and chosen checkpoints.

A model that saw a subject in training must not be scored on that subject. The file of answers says for each row, or a
table beside it for each fold, which subjects the model was trained on; a row whose own subject is among them is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import HarnessError
from harness.core.text import counted
from harness.imports.checkpoints import CHECKPOINTS
from harness.imports.columns import PredictionColumns, PredictionMap
from harness.imports.files import AnswerFile, cell_of
from harness.run.sample_file import PlannedSample
from harness.sources.cells import is_blank, plain
from harness.sources.row import TableRow
from harness.sources.rows import open_table

_SPLIT = re.compile(r"\s*[;,|]\s*")
_NUMBERED = re.compile(r"(?:sub|spno\.|s)?0*(\d+)")
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class _Subjects:
    """The subjects of a task, and how others may spell them."""

    of_sample: Mapping[str, str]
    """Sample -> its subject."""
    spelt: Mapping[str, frozenset[str]]
    """A spelling -> the subjects that it may stand for."""

    def named(self, text: str, *, where: str) -> str | None:
        """The subject that a training list means; None for one that the task does not have.

        Raises HarnessError where two subjects may be meant."""
        for key in (text, *_spellings(text)):
            found = self.spelt.get(key, frozenset())
            if len(found) > 1:
                both = " or ".join(sorted(found)[:MOST_NAMED])
                raise HarnessError(
                    f"{where}: the training subject {text[:40]!r} may be {both}",
                    hint="write subjects with the name of their set, such as casme2/sub01",
                )
            if found:
                return next(iter(found))
        return None


def _spellings(text: str) -> Iterator[str]:
    """Other ways to write a subject: `casme2/sub01` without its set, then as its number."""
    yield text.casefold()
    bare = text.casefold().rpartition("/")[2]
    yield bare
    found = _NUMBERED.fullmatch(bare)
    if found:
        yield f"#{found[1]}"


def _subjects(rows: Iterable[PlannedSample]) -> _Subjects:
    of_sample: dict[str, str] = {}
    spelt: dict[str, set[str]] = {}
    for row in rows:
        of_sample[row.sample] = row.cluster
        for text in {row.cluster, str(row.annotations.get("subject") or row.cluster)}:
            for key in (text, *_spellings(text)):
                spelt.setdefault(key, set()).add(row.cluster)
    return _Subjects(of_sample, {key: frozenset(found) for key, found in spelt.items()})


@dataclass(frozen=True, slots=True)
class _Fold:
    """What the rows of one fold, or one row where there are no folds, say of training."""

    trained: frozenset[str]
    """Subjects of the task."""
    strangers: int
    """Names of the list that are no subjects of the task."""


def training_details(
    file: AnswerFile,
    columns: PredictionColumns,
    asked: PredictionMap,
    rows: Iterable[PlannedSample],
    *,
    unit: str,
    place: Path,
) -> dict[str, str]:
    """What the card of the imported model says of training, checked against the rows of the file.

    `rows` are the task's samples, `unit` what their clusters are, `place` the folder that a file of training subjects is
    looked up in, after that of the answers. Raises HarnessError naming the row of a tested subject that its model was
    trained on, of a missing list, or of two lists or epochs in one fold.
    """
    details: dict[str, str] = {}
    if asked.training is not None:
        if unit == "image":
            raise HarnessError(
                "training subjects cannot be checked: the subjects are not known",
                hint="name the column of subjects (cluster: COLUMN in --map), or leave out --training",
            )
        lists = _lists_of(file, asked, place)
        details["training"] = _said(_checked(file, columns, asked, _subjects(rows), lists))
    if asked.epoch is not None:
        details["epochs"] = _epochs(file, asked)
    if asked.checkpoint is not None:
        details["checkpoint"] = CHECKPOINTS[asked.checkpoint]
    return details


def _lists_of(
    file: AnswerFile, asked: PredictionMap, place: Path
) -> Mapping[str, tuple[str, ...]] | None:
    """Fold -> subjects from a table beside the answers; None where a column of the answers holds them."""
    named = str(asked.training)
    if named in file.columns:
        return None
    paths = [file.path.parent / named, place / named]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise HarnessError(
            f"--training: {file.path.name} has no column {named!r}, and there is no file of that name",
            hint="name a column that lists the training subjects of each row, or a table with the columns fold and subject",
        )
    if asked.fold is None:
        raise HarnessError(
            f"--training {named}: a table of training subjects goes by folds",
            hint="name the column of folds with --fold COLUMN",
        )
    table = open_table(path)
    if not {"fold", "subject"} <= set(table.columns):
        raise HarnessError(
            f"{path.name} has no columns fold and subject",
            hint="write one row for each fold and training subject; columns: "
            + ", ".join(table.columns[:20]),
        )
    found: dict[str, list[str]] = {}
    for row in table:
        if is_blank(row.cells.get("fold")) or is_blank(row.cells.get("subject")):
            raise HarnessError(f"{row.where}: fold or subject is blank", hint="fill in both")
        found.setdefault(plain(row.cells["fold"]), []).append(plain(row.cells["subject"]))
    return {fold: tuple(names) for fold, names in found.items()}


def _checked(
    file: AnswerFile,
    columns: PredictionColumns,
    asked: PredictionMap,
    subjects: _Subjects,
    lists: Mapping[str, tuple[str, ...]] | None,
) -> dict[str, _Fold]:
    """Fold -> its training subjects. Raises HarnessError as `training_details` says."""
    found: dict[str, _Fold] = {}
    resolved: dict[tuple[str, ...], _Fold] = {}
    for row in file:
        sample = cell_of(row, columns.id)
        if is_blank(sample):
            continue
        names, fold = _row_list(row, asked, lists)
        one = resolved.get(names)
        if one is None:
            known = {name: subjects.named(name, where=row.where) for name in names}
            trained = frozenset(name for name in known.values() if name is not None)
            if not trained:
                raise HarnessError(
                    f"{row.where}: none of its {counted(len(known), 'training subject')} is a subject of the task, "
                    f"such as {names[0][:40]!r}",
                    hint=f"write subjects as the task does, such as {min(subjects.of_sample.values())}",
                )
            one = resolved[names] = _Fold(trained, sum(name is None for name in known.values()))
        subject = _tested(row, plain(sample), asked, subjects)
        if subject in one.trained:
            of = f" (fold {fold})" if asked.fold else ""
            raise HarnessError(
                f"{row.where}: the subject {subject!r} is tested and among the subjects that its model was trained on{of}",
                hint="score each subject by a model that never saw it; correct the list if it is wrong",
            )
        if found.setdefault(fold, one).trained != one.trained:
            raise HarnessError(
                f"{row.where}: fold {fold!r} has other training subjects here than in an earlier row",
                hint="a fold is one trained model: give models names of their own, or correct the list",
            )
    return found


def _row_list(
    row: TableRow, asked: PredictionMap, lists: Mapping[str, tuple[str, ...]] | None
) -> tuple[tuple[str, ...], str]:
    """The training subjects of a row as they are written, and its fold (or its own number)."""
    cell = cell_of(row, asked.fold) if asked.fold else None
    fold = f"row {row.number}" if is_blank(cell) else plain(cell)
    if lists is not None:
        if fold not in lists:
            raise HarnessError(
                f"{row.where}: the table of training subjects has no fold {fold[:40]!r}",
                hint=f"folds there: {', '.join(list(lists)[:20])}",
            )
        return lists[fold], fold
    listed = cell_of(row, str(asked.training))
    names: list[str] = (
        [plain(one) for one in listed]
        if isinstance(listed, list | tuple)
        else [name for name in _SPLIT.split(plain(listed).strip("[] ")) if name]
        if not is_blank(listed)
        else []
    )
    if not names:
        raise HarnessError(
            f"{row.where}: no training subjects",
            hint="list them, parted by semicolons, or leave out --training",
        )
    return tuple(dict.fromkeys(name.strip("\"' ") for name in names)), fold


def _tested(row: TableRow, sample: str, asked: PredictionMap, subjects: _Subjects) -> str | None:
    """The subject that a row tests."""
    if sample in subjects.of_sample:
        return subjects.of_sample[sample]
    cell = cell_of(row, asked.cluster) if asked.cluster else None
    return None if is_blank(cell) else plain(cell)


def _said(found: Mapping[str, _Fold]) -> str:
    sizes = sorted(len(fold.trained) for fold in found.values())
    strangers = max((fold.strangers for fold in found.values()), default=0)
    count = f"{sizes[0]} to {sizes[-1]}" if sizes[0] < sizes[-1] else f"{sizes[0]}"
    told = f"{count} subjects of the task in each fold"
    more = f", and up to {strangers} of other data" if strangers else ""
    return f"{told}{more}; no tested subject is among those of its fold"


def _epochs(file: AnswerFile, asked: PredictionMap) -> str:
    """The chosen epochs in words. Raises HarnessError for a cell that is no whole number, and for two in one fold."""
    found: dict[str, int] = {}
    for row in file:
        cell = cell_of(row, str(asked.epoch))
        text = "" if is_blank(cell) else plain(cell).removesuffix(".0")
        if not re.fullmatch(r"\d{1,9}", text):
            raise HarnessError(
                f"{row.where}: the epoch is {text[:40]!r}, which is no whole number",
                hint="fill in the epoch of the checkpoint that gave the answer, or leave out epoch",
            )
        fold = cell_of(row, asked.fold) if asked.fold else None
        name = f"row {row.number}" if is_blank(fold) else plain(fold)
        if found.setdefault(name, int(text)) != int(text):
            raise HarnessError(
                f"{row.where}: fold {name!r} has epoch {text} here and {found[name]} in an earlier row",
                hint="a fold is one trained model with one chosen epoch",
            )
    low, high = min(found.values()), max(found.values())
    return f"{low}" if low == high else f"{low} to {high} over {len(found)} folds"
