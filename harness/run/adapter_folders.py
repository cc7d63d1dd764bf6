"""Folders of adapters: which subjects each was trained on, and whether those it is asked about are among them."""

from __future__ import annotations

import re
from pathlib import Path

from harness.core.errors import HarnessError
from harness.core.task import SUBJECT
from harness.core.text import counted
from harness.core.training_folds import (
    FOLD,
    FOLDS,
    FoldNote,
    TrainedFold,
    TrainingFolds,
    read_fold_note,
    read_training_folds,
)
from harness.run.adapter_folds import MARK, few


def find_folds(
    pattern: str, given: Path | None, *, flag: str = "--adapter"
) -> tuple[TrainingFolds, str]:
    """The folds of a pattern of adapters and where they stand: in the file given, next to the adapters' folders, or in
    these.

    Raises HarnessError where nothing says which subjects an adapter was trained on.
    """
    if given is not None:
        return read_training_folds(given), str(given)
    parent = _parent(pattern)
    if parent is not None and (parent / FOLDS).is_file():
        return read_training_folds(parent / FOLDS), str(parent / FOLDS)
    notes = [] if parent is None else [read_fold_note(p) for p in sorted(parent.glob(f"*/{FOLD}"))]
    if notes and all(note.asked for note in notes):
        folds = {n.fold: TrainedFold(asked=n.asked, train=n.train, validation=n.validation) for n in notes}  # fmt: skip
        try:
            made = TrainingFolds(task=notes[0].task, by=SUBJECT, digest=notes[0].digest, folds=folds)  # fmt: skip
        except ValueError as error:
            raise HarnessError(
                f"{flag} {pattern}: the {FOLD} of the adapters contradict each other: {error}",
                hint=f"name the {FOLDS} of the export with --folds FILE",
            ) from None
        return made, f"{parent}/*/{FOLD}"
    raise HarnessError(
        f"{flag} {pattern}: nothing says which subjects each adapter was trained on",
        hint=f"copy the {FOLDS} of `harness export TASK --training` to {parent or 'the adapters'}, or name it with --folds FILE",
    )


def _parent(pattern: str) -> Path | None:
    """The folder that holds what differs by fold; None where the pattern is no path."""
    head = pattern.partition(MARK)[0]
    if "://" in pattern:
        return None
    return Path(head).expanduser() if head.endswith("/") else Path(head).expanduser().parent


def adapters_of(pattern: str, folds: TrainingFolds, *, flag: str = "--adapter") -> dict[str, str]:
    """Fold -> folder of its adapter. Raises HarnessError for folders that are missing, or that were trained on a subject
    they are asked about."""
    found = {name: pattern.replace(MARK, name) for name in folds.folds}
    missing = [name for name, place in found.items() if not Path(place).expanduser().is_dir()]
    if missing:
        raise HarnessError(
            f"{flag} {pattern}: there is no adapter for {counted(len(missing), 'fold')} of {len(found)}: {few(missing)}",
            hint=f"train them, or correct the pattern; {found[missing[0]]} was looked for",
        )
    for name, place in found.items():
        note = Path(place).expanduser() / FOLD
        if note.is_file():
            _refuse_leak(place, read_fold_note(note), name, folds)
    return found


def _refuse_leak(place: str, note: FoldNote, name: str, folds: TrainingFolds) -> None:
    """Raise HarnessError for an adapter that saw a subject it would be asked about, or is of another export."""
    fold = folds.folds[name]
    leaked = sorted(note.seen & set(fold.asked))
    if leaked:
        raise HarnessError(
            f"the adapter {place} was trained on {counted(len(leaked), 'subject')} that fold {name} asks it about: "
            f"{few(leaked)} ({FOLD} in its folder says so)",
            hint="put each adapter into the folder of its own fold, or train it again without these subjects",
        )
    if note.seen != {*fold.train, *fold.validation}:
        raise HarnessError(
            f"the adapter {place} was trained on other subjects than fold {name} of the folds has ({FOLD} in its folder)",
            hint=f"name the {FOLDS} of the export that it was trained on with --folds FILE",
        )


def note_of(adapter: str) -> FoldNote | None:
    """What the folder of one adapter says it was trained on, if it does."""
    path = Path(adapter).expanduser() / FOLD
    return read_fold_note(path) if path.is_file() else None


def refuse_folder_of_folds(adapter: str, *, flag: str) -> None:
    """Raise HarnessError for a folder that holds an adapter for each fold, named as if it were one, and for a placeholder
    that is spelled otherwise."""
    folder = Path(adapter).expanduser()
    odd = re.search(r"\{\w*\}?|\*", adapter)
    if odd and not folder.exists():
        raise HarnessError(
            f"{flag} {adapter}: {odd[0]} stands for nothing",
            hint=f"write {MARK} where the name of the fold stands",
        )
    if not (folder / "adapter_config.json").exists() and (
        (folder / FOLDS).is_file() or any(folder.glob(f"*/{FOLD}"))
    ):
        raise HarnessError(
            f"{flag} {adapter} holds an adapter for each fold",
            hint=f"write {flag} '{adapter.rstrip('/')}/{MARK}', so that each subject is asked of the one that never saw it",
        )
