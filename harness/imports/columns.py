"""Find the columns of a file of answers: by options, by a map file, or by usual names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from harness.core.errors import HarnessError
from harness.core.field import FROM_DATA
from harness.core.task import Task
from harness.imports.answer_rows import NOT_ANSWERS
from harness.imports.checkpoints import Checkpoint
from harness.imports.files import AnswerFile
from harness.run.yaml_file import read_yaml, validated

IDS = ("name", "id")
TRUTHS = ("gt", "truth")


class PredictionMap(BaseModel):
    """What was asked for; what is left out is found by the usual names (`name`, `gt`, the remaining column)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str | None = None
    """Column of sample ids."""
    truth: str | Mapping[str, str] | None = None
    """Column of true values, or field -> column. Given, it stands in place of the task's own source."""
    answer: str | Mapping[str, str] | None = None
    """Column of replies, or field -> column."""
    cluster: str | None = None
    """Column of what is resampled (the subject)."""
    annotations: tuple[str, ...] | None = None
    """Columns kept to slice by; default: those that the task slices, parts or clusters by."""
    fold: str | None = None
    """Column of the fold that a sample was tested in, of a model trained several times over."""
    training: str | None = None
    """Column that lists the subjects which the model of a row was trained on, parted by semicolons; or a table with the
    columns `fold` and `subject`. A row whose own subject is among them is refused."""
    checkpoint: Checkpoint | None = None
    """By what the checkpoint of each fold was chosen (`harness.imports.checkpoints`)."""
    epoch: str | None = None
    """Column of the chosen epoch, the same in all rows of a fold."""
    probabilities: str | Mapping[str, str] | None = None
    """What the columns of probabilities begin with (`p_` for `p_anger`, `p_fear`...), or label -> column: one for each
    label of the task's field, in place of `answer`."""
    ranked: bool | None = None
    """Whether answers are ranked lists of labels; default: found out from the answers."""


@dataclass(frozen=True, slots=True)
class PredictionColumns:
    """The columns of one file, all of them there."""

    id: str
    truth: Mapping[str, str]
    """Field -> column; empty where the task's own source has the truths."""
    answer: str | Mapping[str, str]
    cluster: str | None
    annotations: tuple[str, ...]
    ranked: bool | None
    probabilities: Mapping[str, str] = field(default_factory=dict)
    """Label -> column, in place of an answer."""


def read_map(path: Path) -> PredictionMap:
    """A map file: YAML with the keys of PredictionMap. Raises HarnessError naming the line."""
    data, place = read_yaml(path)
    return validated(PredictionMap, data, place, "map")


def has_truth(file: AnswerFile, asked: PredictionMap) -> bool:
    """Whether the file can give true values: a column was named, or one of the usual name is there."""
    return bool(asked.truth) or "truth" in file.defaults or bool(_usual(file, TRUTHS))


def choose_columns(
    file: AnswerFile, asked: PredictionMap, task: Task, *, with_truth: bool
) -> PredictionColumns:
    """The columns to read. Raises HarnessError where one is missing or several might be meant."""
    named = (asked.id, asked.truth, asked.answer, asked.cluster, asked.fold, asked.epoch)
    _check(file, (*named, *(asked.annotations or ())))
    found_id = asked.id or file.defaults.get("id") or _usual(file, IDS)
    if not found_id:
        raise _unclear(file, "sample ids", "--id COL")
    truth_column = asked.truth or file.defaults.get("truth") or _usual(file, TRUTHS)
    if with_truth and not truth_column:
        raise _unclear(file, "true values", "--truth COL")
    truth = _by_field(truth_column, task, "truth") if with_truth and truth_column else {}
    kept = _annotations(file, asked, task)
    if asked.probabilities is not None:
        name, shares = _probabilities(file, asked, task)
        return PredictionColumns(
            found_id, truth, {name: ", ".join(shares.values())}, asked.cluster, kept, None, shares
        )
    answer = asked.answer or file.defaults.get("answer")
    if not answer:
        answer = _only_other(file, asked, {found_id, *_names(truth_column)})
    if not isinstance(answer, str):
        answer = _by_field(answer, task, "answer")
    return PredictionColumns(found_id, truth, answer, asked.cluster, kept, asked.ranked)


def _probabilities(
    file: AnswerFile, asked: PredictionMap, task: Task
) -> tuple[str, Mapping[str, str]]:
    """The field that is answered, and its labels' columns. Raises HarnessError where one is missing or too many."""
    given = asked.probabilities
    if asked.answer is not None or asked.ranked:
        raise HarnessError(
            "probabilities are given in place of an answer, which is the likeliest label",
            hint="leave out --answer (and ranked), or --probabilities",
        )
    fields = [name for name, spec in task.fields.items() if spec.one_label]
    if len(task.fields) > 1 or not fields:
        raise HarnessError(
            f"task {task.name}: probabilities answer a task of one label field, and it has "
            f"{', '.join(task.fields)}",
            hint="name a task with one field of kind label",
        )
    spec = task.fields[fields[0]]
    labels = () if spec.labels == FROM_DATA else spec.classes
    if isinstance(given, Mapping):
        found = dict(given)
    else:
        found = {
            name.removeprefix(str(given)): name
            for name in file.columns
            if name.startswith(str(given)) and name != given
        }
    _check(file, [found])
    strange = [label for label in found if labels and label not in labels]
    missing = [label for label in labels if label not in found]
    if strange or missing or not found:
        what = (
            f"no label {strange[0]!r}"
            if strange
            else f"no column for {missing[0]!r}"
            if missing
            else "no column"
        )
        raise HarnessError(
            f"{file.path.name}: {'' if not strange else 'the task has '}{what} among the probabilities",
            hint=f"one column for each label of {fields[0]}: {', '.join(labels)}; columns: {_listed(file)}",
        )
    return fields[0], found


def _only_other(file: AnswerFile, asked: PredictionMap, known: set[str]) -> str:
    """The one column left beside those whose meaning is known. Raises HarnessError where there is not one."""
    taken = {*known, *TRUTHS, *NOT_ANSWERS, *_names(asked.cluster), *(asked.annotations or ())}
    taken |= {name for name in (asked.fold, asked.training, asked.epoch) if name}
    left = [c for c in file.columns if c not in taken]
    if len(left) != 1:
        raise _unclear(file, "answers", "--answer COL")
    return left[0]


def _annotations(file: AnswerFile, asked: PredictionMap, task: Task) -> tuple[str, ...]:
    """The columns kept with the samples: those asked for, else those that the task cuts its scores by."""
    kept = asked.annotations
    if kept is None:
        wanted = dict.fromkeys((*task.slices, task.parts, task.cluster))
        kept = tuple(name for name in wanted if name and name in file.columns)
    return tuple(dict.fromkeys((*kept, asked.fold))) if asked.fold else kept


def _usual(file: AnswerFile, names: Iterable[str]) -> str | None:
    return next((name for name in names if name in file.columns), None)


def _names(columns: str | Mapping[str, str] | None) -> tuple[str, ...]:
    if columns is None:
        return ()
    return (columns,) if isinstance(columns, str) else tuple(columns.values())


def _by_field(columns: str | Mapping[str, str], task: Task, what: str) -> Mapping[str, str]:
    """Field -> column. One column alone goes to the task's one field."""
    if isinstance(columns, str):
        if len(task.fields) > 1:
            raise HarnessError(
                f"task {task.name} has {len(task.fields)} fields, which one column of {what}s "
                "cannot fill",
                hint=f"use --map FILE.yaml with {what}: "
                f"{{{', '.join(f'{n}: COLUMN' for n in task.fields)}}}",
            )
        return dict.fromkeys(task.fields, columns)
    unknown = [name for name in columns if name not in task.fields]
    if unknown or not columns:
        raise HarnessError(
            f"{what}: task {task.name} has no field {unknown[0]!r}"
            if unknown
            else f"{what}: empty",
            hint=f"fields: {', '.join(task.fields)}",
        )
    return columns


def _check(file: AnswerFile, asked: Iterable[str | Mapping[str, str] | None]) -> None:
    """Raise HarnessError for a column asked for that is not there; a dotted path may lead into one that is."""
    for name in (name for columns in asked for name in _names(columns)):
        if name not in file.columns and name.partition(".")[0] not in file.columns:
            raise HarnessError(
                f"{file.path.name} has no column {name!r}", hint=f"it has: {_listed(file)}"
            )


def _unclear(file: AnswerFile, what: str, flag: str) -> HarnessError:
    return HarnessError(
        f"{file.path.name}: cannot tell which column holds the {what}; columns: {_listed(file)}",
        hint=f"name it with {flag} (default names: `name`, `gt` and one more column)",
    )


def _listed(file: AnswerFile) -> str:
    """Column names for an error, not too many."""
    shown = [name for name in file.columns if not name.startswith("@")][:20]
    return ", ".join(shown) + (", ..." if len(file.columns) > 20 else "")
