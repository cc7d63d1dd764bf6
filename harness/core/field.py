"""A named part of an answer: its kind of value, and how it is scored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from harness.core.errors import HarnessError
from harness.core.kind import kind_named, kind_of

FROM_DATA = "from-data"
"""Used instead of labels: the classes are those in the source's label column."""


class FieldSpec(BaseModel):
    """One field of a task, as its YAML file writes it and as answers are read."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    kind: str
    """`label`, `yes-no`, `set`, `number`, `age`, `pairs`, `text`, or a kind of another package (`harness list kinds`)."""
    labels: Annotated[str | tuple[str, ...], Field(union_mode="left_to_right")] = FROM_DATA
    """For label and set: the name of a vocabulary (`basic-7`), a list, or `from-data`.
    After planning always a list."""
    low: float = -1.0
    """For number, age and pairs: the lowest value of the scale, of an age in years."""
    high: float = 1.0
    """For number, age and pairs: the highest value of the scale, of an age in years."""
    words: Mapping[str, float] = {}
    """For number and pairs: words that stand for a number (`very pleasant`: 1), for prompts that offer words."""
    member_of: str = ""
    """For yes-no: a set field of the task. Where a JSON reply holds that set and no key of this field's,
    the answer is yes if the set has the member that the sample's annotation `unit` names."""
    synonyms: Mapping[str, tuple[str, ...]] = {}
    """Label -> further words for it in this task."""
    definitions: Mapping[str, str] = {}
    """Label -> its definition, for prompts that explain the labels."""
    tolerance: NonNegativeFloat = 0.0
    """For number: how far from the truth an answer may lie and still be right for the metric `within`, in units of
    the scale."""
    metrics: tuple[str, ...] = ()
    """Metrics shown; empty: those of the kind."""
    scored: bool = True
    """False: the answer is recorded but not scored."""
    options: Mapping[str, Any] = {}
    """For kinds of other packages: options of their own, which the kind checks."""

    _languages: tuple[str, ...] = PrivateAttr(default=())

    @field_validator("kind")
    @classmethod
    def _is_known(cls, kind: str) -> str:
        try:
            return kind_named(kind).name
        except HarnessError as error:
            raise ValueError(f"{error.message}; {error.hint}") from None

    @model_validator(mode="after")
    def _check(self) -> FieldSpec:
        kind_of(self).check(self)
        if self.tolerance and not kind_of(self).numeric:
            raise ValueError(f"tolerance has no effect on a field of kind {self.kind}")
        for word, value in self.words.items():
            if not self.low <= value <= self.high:
                raise ValueError(f"words: {word} ({value}) is outside {self.low} to {self.high}")
        if isinstance(self.labels, tuple) and len(set(self.labels)) != len(self.labels):
            raise ValueError("labels contains the same label twice")
        return self

    @model_serializer(mode="wrap")
    def _without_younger_keys(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Keys that are younger than hashes of fields only where they say something."""
        written: dict[str, Any] = handler(self)
        for name in ("options", "tolerance"):
            if not getattr(self, name):
                written.pop(name, None)
        return written

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that replies to this field are read in besides English."""
        return self._languages

    def read_in(self, languages: Iterable[str]) -> FieldSpec:
        """The field as it is read in some languages; as it is written it stays the same."""
        found = self.model_copy()
        found._languages = tuple(languages)
        return found

    @property
    def classes(self) -> tuple[str, ...]:
        """The names that an answer may hold; none where they are not listed. Raises ValueError before planning has
        fixed them."""
        return kind_of(self).classes(self)

    @property
    def shown_metrics(self) -> tuple[str, ...]:
        """The metrics this field is scored by."""
        return self.metrics or kind_of(self).metrics

    @property
    def categorical(self) -> bool:
        """Whether an answer is one of `classes`."""
        return kind_of(self).categorical

    @property
    def labelled(self) -> bool:
        """Whether `labels` apply."""
        return kind_of(self).labelled

    @property
    def one_label(self) -> bool:
        """Whether an answer is one label of the task's own list: what has spellings, an order, votes and mixtures."""
        return self.categorical and self.labelled

    @property
    def numeric(self) -> bool:
        """Whether values are numbers on a scale."""
        return kind_of(self).numeric
