"""A named slot of an answer: what kind of value fills it, and how it is scored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

FieldKind: TypeAlias = Literal["label", "set", "number", "yes-no", "text"]

FROM_DATA = "from-data"
"""Written in place of labels: the classes are those that occur in the source's label column."""

_BRIEF: Mapping[FieldKind, tuple[str, ...]] = {
    "label": ("accuracy", "uar", "war", "macro_f1", "uf1"),
    "yes-no": ("accuracy", "uar", "war", "macro_f1", "uf1"),
    "set": ("set_f1", "micro_f1", "macro_f1", "exact_match"),
    "number": ("ccc", "rmse", "mae", "pcc", "sagr"),
    "text": ("exact_match",),
}


class FieldSpec(BaseModel):
    """One field of a task, as its YAML file writes it and as answers are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FieldKind
    labels: Annotated[str | tuple[str, ...], Field(union_mode="left_to_right")] = FROM_DATA
    """For label and set: the name of a vocabulary (`basic-7`), a list, or `from-data`.
    After planning always a list."""
    low: float = -1.0
    """For number: the least value of the scale."""
    high: float = 1.0
    """For number: the greatest value of the scale."""
    words: Mapping[str, float] = {}
    """For number: words that stand for a number (`very pleasant`: 1), for prompts that offer words."""
    member_of: str = ""
    """For yes-no: a set field of the task. Where a JSON reply holds that set and no key of this field's,
    the answer is yes if the set has the member that the sample's annotation `unit` names."""
    synonyms: Mapping[str, tuple[str, ...]] = {}
    """Label -> further words that mean it in this task."""
    definitions: Mapping[str, str] = {}
    """Label -> what it means, for prompts that explain the labels."""
    metrics: tuple[str, ...] = ()
    """Scores shown; empty means the kind's own."""
    scored: bool = True
    """False: read from the reply and recorded, not scored."""

    @model_validator(mode="after")
    def _check(self) -> FieldSpec:
        if self.kind == "number" and not self.low < self.high:
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        for word, value in self.words.items():
            if not self.low <= value <= self.high:
                raise ValueError(f"words: {word} ({value}) lies outside {self.low} to {self.high}")
        if isinstance(self.labels, tuple) and len(set(self.labels)) != len(self.labels):
            raise ValueError("labels holds the same label twice")
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels as a list. Raises ValueError before planning has fixed them."""
        if self.kind == "yes-no":
            return ("yes", "no")
        if isinstance(self.labels, str):
            raise ValueError(f"labels are still a name: {self.labels}")
        return self.labels

    @property
    def shown_metrics(self) -> tuple[str, ...]:
        """The metrics this field is scored by."""
        return self.metrics or _BRIEF[self.kind]
