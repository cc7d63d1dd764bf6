"""Check that labels named in a task exist."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec


def check_label_words(
    fields: Mapping[str, FieldSpec], where: Callable[[Sequence[str | int]], str]
) -> None:
    """Raises HarnessError for a synonym or a definition of a label that its field does not have.

    Of fields whose labels are fixed, and of the words of numbers; `where` names the place of a key path of the task.
    """
    for name, field in fields.items():
        known = tuple(field.words)
        if field.labelled:
            known = field.labels if isinstance(field.labels, tuple) else ()
        for option in ("synonyms", "definitions") if known else ():
            for label in getattr(field, option):
                if label not in known:
                    raise _unknown(label, known, name, option, where)


def _unknown(
    label: str,
    known: Sequence[str],
    name: str,
    option: str,
    where: Callable[[Sequence[str | int]], str],
) -> HarnessError:
    near = difflib.get_close_matches(label, known, n=2)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return HarnessError(
        f"{where(['fields', name, option, label])}: fields.{name}.{option}: the field has no label {label!r}",
        hint=f"{hint}choose from: {', '.join(known)}",
    )
