"""Which subjects were trained on in each fold: `folds.json` of an export of training data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.core.errors import HarnessError
from harness.core.text import read_small

FOLDS = "folds.json"
FOLD = "fold.json"
"""What of it concerns one fold; it belongs into the folder of the adapter that is trained on that fold."""
MOST = 64 << 20
"""Bytes of a file of folds."""


class TrainedCell(BaseModel):
    """How the samples were asked about in training."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str
    prompt_digest: str
    """Hex SHA-256 of the prompt's file and what it takes from others."""
    condition: str
    """As tables spell it, with the order of labels and the size of pictures."""
    protocol: str
    rows: int
    digest: str
    """Hex SHA-256 over the conversations, the digests of their pictures, and the answers."""


class TrainedFold(BaseModel):
    """One fold. No subject is in two of its parts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    asked: tuple[str, ...] = Field(min_length=1)
    """Subjects that this fold's adapter never saw; it is asked about them and about no others."""
    train: tuple[str, ...] = Field(min_length=1)
    validation: tuple[str, ...] = ()
    rows: int = 0
    validation_rows: int = 0

    @model_validator(mode="after")
    def _is_apart(self) -> TrainedFold:
        seen = [*self.asked, *self.train, *self.validation]
        twice = sorted({one for one in seen if seen.count(one) > 1})
        if twice:
            raise ValueError(f"subject {twice[0]} is in two parts of one fold")
        return self


class FoldNote(BaseModel):
    """`fold.json`: the subjects that one adapter was trained on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = 1
    task: str
    digest: str = ""
    """That of the export."""
    fold: str
    asked: tuple[str, ...] = ()
    train: tuple[str, ...] = Field(min_length=1)
    validation: tuple[str, ...] = ()
    base: str = ""
    """Digest of the weights that the adapter was trained on, as `find_checkpoint` gives it; added by who trains."""

    @property
    def seen(self) -> frozenset[str]:
        """Subjects that had a part in training."""
        return frozenset((*self.train, *self.validation))


class TrainingFolds(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = 1
    task: str
    data: str = ""
    """Hex digest of the annotations of the task's source."""
    by: str
    """`subject`: each subject is a fold; or a number of groups of subjects."""
    seed: int = 0
    cells: tuple[TrainedCell, ...] = ()
    folds: Mapping[str, TrainedFold] = Field(min_length=1)
    """Name of a fold -> its subjects."""
    digest: str = ""
    """Hex SHA-256 over the digests of the cells and the subjects of the folds."""

    @model_validator(mode="after")
    def _each_is_asked_once(self) -> TrainingFolds:
        of: dict[str, str] = {}
        for name, fold in self.folds.items():
            for subject in fold.asked:
                if subject in of:
                    raise ValueError(
                        f"subject {subject} is asked in the folds {of[subject]} and {name}"
                    )
                of[subject] = name
        return self

    def note(self, name: str) -> FoldNote:
        """What the folder of an adapter holds of its fold."""
        fold = self.folds[name]
        return FoldNote(
            task=self.task, digest=self.digest, fold=name, asked=fold.asked, train=fold.train, validation=fold.validation
        )  # fmt: skip

    @property
    def fold_of(self) -> dict[str, str]:
        """Subject -> the fold whose adapter never saw it."""
        return {one: name for name, fold in self.folds.items() for one in fold.asked}


def read_training_folds(path: Path) -> TrainingFolds:
    """Read a file of folds. Raises HarnessError naming the file and what is wrong."""
    return _read(path, TrainingFolds, "a file of folds")


def read_fold_note(path: Path) -> FoldNote:
    """Read what the folder of an adapter says of its fold. Raises HarnessError as above."""
    return _read(path, FoldNote, "the file of a fold")


_Model = TypeVar("_Model", TrainingFolds, FoldNote)


def _read(path: Path, model: type[_Model], what: str) -> _Model:
    hint = f"use the {path.name} that `harness export TASK --training` wrote, unchanged"
    text = read_small(path, most=MOST, what=what)
    try:
        found = model.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise HarnessError(
            f"{path}: {place}: {first['msg'].removeprefix('Value error, ')}", hint=hint
        ) from None
    except (ValueError, RecursionError) as error:
        raise HarnessError(f"{path} is not JSON: {error}", hint=hint) from None
    if found.version != 1:
        raise HarnessError(
            f"{path} is of version {found.version}, which this version does not read",
            hint="update the package",
        )
    return found
