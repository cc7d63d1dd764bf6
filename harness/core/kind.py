"""Field kinds: how values of a field are read, constrained, compared, scored and shown.

A kind is one record of functions. Everything outside `harness.kinds` asks the kind of a field and tells none apart by
name, so that a package adds a kind with a record and an entry point::

    [project.entry-points."harness.kinds"]
    interval = "my_package.interval:INTERVAL"

`harness.kinds` holds the kinds of this package; `tests/example_package` has one from outside.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from harness.core.errors import HarnessError
from harness.core.registry import Listed, Registry

if TYPE_CHECKING:
    from harness.core.field import FieldSpec
    from harness.core.sample import Value


def no_options(spec: FieldSpec) -> None:
    """The check of a kind without options of its own. Raises ValueError."""
    if spec.options:
        raise ValueError(f"options: a field of kind {spec.kind} has no such option "
            f"({', '.join(spec.options)})")  # fmt: skip


def no_classes(spec: FieldSpec) -> tuple[str, ...]:
    """The classes of a kind that has none."""
    return ()


def no_candidates(spec: FieldSpec) -> tuple[str, ...]:
    """For a kind whose answers cannot be listed."""
    return ()


def no_pattern(spec: FieldSpec) -> str | None:
    """For a kind whose answers are free text."""
    return None


def text_schema(spec: FieldSpec) -> dict[str, Any]:
    """The schema of any text."""
    return {"type": "string"}


def shown_to_prompts(spec: FieldSpec) -> dict[str, Any]:
    """A field as templates see it under `fields`; whole numbers lose their `.0`. `options` stand there where it has
    any."""
    own = {"options": dict(spec.options)} if spec.options else {}
    return {
        "kind": spec.kind,
        "labels": list(spec.classes),
        "low": plain_number(spec.low),
        "high": plain_number(spec.high),
        "words": list(spec.words),
        **own,
    }


def same_value(a: Value, b: Value) -> bool | None:
    """Whether two answers are equal."""
    return a == b


def as_it_is(value: Value) -> Value:
    """The value."""
    return value


def no_words(spec: FieldSpec, value: Value) -> str:
    """For a kind whose values need no words beside them."""
    return ""


def most_common(values: Sequence[Value], counts: Sequence[int]) -> Value:
    """The value with the highest count; the first one of ties."""
    return values[max(range(len(counts)), key=counts.__getitem__)]


def plain_number(number: float) -> float | int:
    """2.0 as 2."""
    return int(number) if float(number).is_integer() else number


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of field. `spec` is the field as the task writes it, its labels already a list where it has labels.

    A value (a truth or an answer) is a text, a number, yes or no, or a tuple of names. A kind whose values have more
    parts writes each in one spelling as text (`26-31`), so that equal values are equal texts.
    """

    name: str
    """Name in task files."""
    title: str
    """One line: what an answer is."""
    family_name: str
    """The metric family that scores it: the `needs` of :class:`harness.metrics.Metric`."""
    metrics: tuple[str, ...]
    """Metrics shown if the task names none."""
    family: Callable[[FieldSpec, Sequence[Value], Sequence[Value | None]], Any]
    """(spec, truths (n), answers (n), None for no answer) -> a :class:`harness.metrics.Family` of that name.

    Raises HarnessError for a truth that is no value of the kind, naming the sample's position."""
    reader: Callable[[str, FieldSpec, bool], Any]
    """(name of the field, spec, whether the prompt offers labels as letters) -> a
    :class:`harness.answers.ValueReader`. Raises HarnessError where labels are still a name."""
    target: Callable[[Any, FieldSpec], Value]
    """(a cell of a table, not blank; spec) -> the true value. Raises ValueError saying what is wrong with it."""
    example: Callable[[FieldSpec], Any]
    """A made-up value, for prompts that are tried without data."""

    main: str = ""
    """The one of `metrics` that stands for the field where its task names none; the first where this is empty."""
    categorical: bool = False
    """An answer is one of `classes`: it has a confusion table, class scores, kappa, and power by its classes."""
    labelled: bool = False
    """`labels` of the field apply: a vocabulary, a list, or those that occur in the data."""
    numeric: bool = False
    """Values are numbers on a scale: their mean and deviation say something, equality does not."""

    unused: tuple[str, ...] = ()
    """What a task file may write of a field and this kind makes nothing of: refused where a task is read."""
    check: Callable[[FieldSpec], None] = no_options
    """Raises ValueError where the field's options do not fit; a kind with `options` of its own checks them here."""
    classes: Callable[[FieldSpec], tuple[str, ...]] = no_classes
    """All names that an answer may hold, in their order; none where they are not listed. ValueError before they are
    known."""
    candidates: Callable[[FieldSpec], tuple[str, ...]] = no_candidates
    """All whole replies that are answers, for the channel `logprob`; none where they cannot be listed."""
    pattern: Callable[[FieldSpec], str | None] = no_pattern
    """A regular expression of all answers in plain text, for the channel `choice`; None for free text."""
    schema: Callable[[FieldSpec], dict[str, Any]] = text_schema
    """A JSON schema of all answers inside a JSON object (`harness.answers.constraints` says which words it may use)."""
    variables: Callable[[FieldSpec], Mapping[str, Any]] = shown_to_prompts
    """What a prompt sees of the field under `fields`."""
    same: Callable[[Value, Value], bool | None] = same_value
    """Whether two answers say the same; None where that cannot be told from equality (numbers)."""
    baseline: Callable[[Sequence[Value], Sequence[int]], Value] = most_common
    """(values, how often each occurs) -> the best answer that looks at no picture."""
    baselines: Mapping[str, tuple[str, Callable[[Sequence[Value], Sequence[int]], Value]]] = field(
        default_factory=dict
    )
    """Metric -> in a word, and how, the best answer for that metric where another than `baseline` is: the median for
    an absolute error."""
    baseline_word: str = ""
    """What `baseline` gives, in a word, where metrics differ in what is best: the mean."""

    in_words: Callable[[FieldSpec, Value], str] = no_words
    """What a value means, where it does not say so itself: shown beside it wherever samples are shown. Empty for none."""

    python: Callable[[Value], Any] = as_it_is
    """A value as tables of Python hold it: yes and no as bool, a number as float."""

    def __post_init__(self) -> None:
        if not self.metrics:
            raise ValueError(f"field kind {self.name}: metrics are required")


KINDS = Registry(
    "field kind",
    "harness.kinds",
    {
        "label": "harness.kinds.label:LABEL",
        "yes-no": "harness.kinds.yes_no:YES_NO",
        "set": "harness.kinds.sets:SET",
        "number": "harness.kinds.number:NUMBER",
        "age": "harness.kinds.age:AGE",
        "pairs": "harness.kinds.pairs:PAIRS",
        "open-labels": "harness.kinds.open_labels:OPEN_LABELS",
        "text": "harness.kinds.text:TEXT",
    },
    expects=(Kind,),
)
"""Name -> a Kind. Found by name, so that the lowest rooms can ask for what stands above them."""


def kind_named(name: str) -> Kind:
    """The kind with this name. Raises HarnessError that lists the known kinds, or names a broken package."""
    return _loaded(name, () if name in KINDS.builtin else tuple(sys.path))


@cache
def _loaded(name: str, path: tuple[str, ...]) -> Kind:
    """`path`: where packages are, on which hangs what is there."""
    if name not in KINDS.builtin and name not in KINDS.names():
        raise unknown_kind(name)
    found: Kind = KINDS.load(name)
    return found


def kind_of(spec: FieldSpec) -> Kind:
    """The kind of a field."""
    return kind_named(spec.kind)


def alike(spec: FieldSpec, a: Value | None, b: Value | None) -> bool:
    """Whether two answers to a field agree: both are there and say the same, numbers where they are equal."""
    if a is None or b is None:
        return False
    said = kind_of(spec).same(a, b)
    return a == b if said is None else said


def useless(spec: FieldSpec) -> tuple[str, ...]:
    """What a task file writes of a field without effect, its kind having no use for it."""
    plain = type(spec).model_fields
    return tuple(
        name
        for name in kind_of(spec).unused
        if name in spec.model_fields_set
        and getattr(spec, name) != plain[name].get_default(call_default_factory=True)
    )


def describe_kinds() -> Iterator[Listed]:
    """Every kind with its description and metrics; for a broken package its error."""
    return KINDS.listed(lambda name, kind: f"{kind.title} [metrics: {', '.join(kind.metrics)}]")


def unknown_kind(name: str) -> HarnessError:
    """The error for an unknown kind."""
    names = KINDS.names()
    near = difflib.get_close_matches(name, names, n=2)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return HarnessError(
        f"unknown field kind {name!r}",
        hint=f"{hint}choose one of: {', '.join(names)}; or install the package that provides it",
    )
