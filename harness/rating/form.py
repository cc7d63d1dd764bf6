"""The rating form: one control per field, and the check of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from harness.answers.vocabulary import resolve_labels
from harness.core.errors import HarnessError
from harness.core.field import FROM_DATA, FieldSpec
from harness.core.kind import kind_of
from harness.core.sample import Value
from harness.kinds.cells import is_blank

Control = Literal["one", "several", "number", "text"]
"""One of the options, any number of them, a number on a scale, or free text."""

MOST_OPTIONS = 35
"""Options of a field that a key can stand for: 1 to 9, then a to z."""
LONGEST_TEXT = 10_000
"""Characters of a written answer."""
NONE = "none"
"""How an answer of no option at all is written."""
FORM = "NAME, NAME=yes-no, NAME=label:A,B,C, NAME=set:A,B,C, NAME=number:LOW,HIGH or NAME=text"


@dataclass(frozen=True, slots=True)
class FormField:
    """One question about an item."""

    name: str
    spec: FieldSpec

    @property
    def options(self) -> tuple[str, ...]:
        """What may be chosen; empty for numbers and text."""
        kind = kind_of(self.spec)
        return () if kind.numeric else tuple(kind.classes(self.spec))

    @property
    def control(self) -> Control:
        """How the page asks it."""
        kind = kind_of(self.spec)
        if kind.numeric:
            return "number"
        if not self.options:
            return "text"
        return "one" if kind.categorical else "several"

    def checked(self, given: Any) -> str:
        """An answer as the page sends it (text, a number, or a list of options) as text that tables hold.

        Raises ValueError saying what is wrong with it.
        """
        if isinstance(given, list):
            if self.control != "several" or not all(isinstance(one, str) for one in given):
                raise ValueError("a list is not an answer to this field")
            self._refuse_unknown(given)
            return written(tuple(given))
        if isinstance(given, bool) or not isinstance(given, str | int | float) or is_blank(given):
            raise ValueError("no answer")
        if isinstance(given, str) and len(given) > LONGEST_TEXT:
            raise ValueError(f"longer than {LONGEST_TEXT:,} characters")
        value = kind_of(self.spec).target(given, self.spec)
        if self.options:
            self._refuse_unknown(value if isinstance(value, tuple) else [str(value)])
        return written(value)

    def value(self, text: str) -> Value:
        """A text that `checked` gave as a value. Raises ValueError."""
        return kind_of(self.spec).target(text, self.spec)

    def _refuse_unknown(self, given: Sequence[str]) -> None:
        unknown = [one for one in given if one not in self.options]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is not one of the options")


def written(value: Value) -> str:
    """A value as text: members of a set parted by `; `, `none` where there are none."""
    if isinstance(value, tuple):
        return "; ".join(sorted(value)) or NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def form_of(asked: Sequence[str], known: Mapping[str, FieldSpec]) -> tuple[FormField, ...]:
    """The fields named by `--field`: those of the task (`known`), or new ones written out (`FORM`).

    Raises HarnessError for one that is neither, twice there, or has too many options.
    """
    fields = [_field(one, known) for one in (asked or list(known))]
    names = [field.name for field in fields]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise HarnessError(f"--field {twice} is named twice", hint="name each field once")
    for field in fields:
        if len(field.options) > MOST_OPTIONS:
            raise HarnessError(
                f"--field {field.name}: {len(field.options)} options are too many to choose from",
                hint=f"a page shows at most {MOST_OPTIONS}; write the ones to rate: "
                f"--field {field.name}=label:A,B,C",
            )
    return tuple(fields)


def _field(asked: str, known: Mapping[str, FieldSpec]) -> FormField:
    name, sign, form = (part.strip() for part in asked.partition("="))
    if not sign:
        if name not in known:
            raise HarnessError(
                f"--field {name}: the task has no such field",
                hint=f"fields: {', '.join(known)}; a new one is written out: {FORM}",
            )
        return FormField(name, known[name])
    if not name or name in known:
        raise HarnessError(
            f"--field {asked}: " + (f"the task has a field {name} already" if name else "no name"),
            hint=f"--field {name}" if name else FORM,
        )
    return FormField(name, _written_out(asked, form))


def _written_out(asked: str, form: str) -> FieldSpec:
    kind, _, rest = (part.strip() for part in form.partition(":"))
    parts = [part.strip() for part in rest.split(",") if part.strip()]
    given: dict[str, Any] = {"kind": kind}
    try:
        if kind == "number":
            given["low"], given["high"] = (float(part) for part in parts or ("-1", "1"))
        elif parts:
            given["labels"] = tuple(parts) if len(parts) > 1 else parts[0]
        spec = FieldSpec(**given)
        if kind_of(spec).labelled:
            if spec.labels == FROM_DATA:
                raise ValueError("name its options")
            spec = spec.model_copy(update={"labels": resolve_labels(spec.labels)})
        elif parts and kind != "number":
            raise ValueError(f"a {kind} field has no options to name")
    except ValidationError as error:
        raise _bad(asked, str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from None
    except (ValueError, HarnessError) as error:
        raise _bad(
            asked, error.message if isinstance(error, HarnessError) else str(error)
        ) from None
    return spec


def _bad(asked: str, why: str) -> HarnessError:
    return HarnessError(f"--field {asked}: {why}", hint=f"write {FORM}")
