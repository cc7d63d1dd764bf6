"""By what the checkpoints of an imported model were chosen, and what a page must say of it.

Two published ways differ in exactly this: one keeps for each fold the epoch that is best on the tested subject, the
other the last epoch. Both are called leave-one-subject-out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, get_args

Checkpoint: TypeAlias = Literal["last", "fixed", "train", "validation", "test-subject", "unknown"]
"""By what the checkpoint of each fold was chosen."""

CHECKPOINTS: Mapping[Checkpoint, str] = {
    "last": "the last epoch of each fold",
    "fixed": "an epoch that was fixed before training",
    "train": "the best epoch on the training subjects of each fold",
    "validation": "the best epoch on subjects that were neither trained on nor tested",
    "test-subject": "the best epoch on the very subject that the fold tests",
    "unknown": "not known",
}
"""Each choice in words."""

SELECTED = (
    "{model}: the checkpoint of each fold was chosen on the subject that it is tested on. These scores are the best "
    "that was reached at any epoch, not what a model reaches on a person it has not seen, and are too high by an unknown "
    "amount. Do not rank them beside models whose checkpoint was fixed beforehand or chosen on other subjects."
)
NOT_STATED = (
    "{model}: it is not known by what the checkpoint of each fold was chosen. If it was the best epoch on the tested "
    "subject, these scores are too high; say which with --checkpoint when the answers are imported."
)


def checkpoint_names() -> tuple[str, ...]:
    """The choices of `--checkpoint`."""
    return get_args(Checkpoint)


def selection_notice(model: str, details: Mapping[str, Any]) -> str:
    """What a page must say of how the checkpoints of an imported model were chosen; empty where nothing needs saying."""
    if "folds" not in details:
        return ""
    chosen = details.get("checkpoint")
    if chosen == CHECKPOINTS["test-subject"]:
        return SELECTED.format(model=model)
    return NOT_STATED.format(model=model) if chosen in {None, CHECKPOINTS["unknown"]} else ""
