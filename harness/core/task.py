"""A task: samples, prompts, fields, scores. The YAML file users write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator

from harness.core.field import FieldSpec


class MediaSpec(BaseModel):
    """What is done to every picture before any condition."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frames: str = "all"
    """Frame policy for clips: `all`, `apex`, `onset-apex-offset`, `uniform-N`."""
    resize: PositiveInt | None = None
    """Longer side in pixels; None sends the file's own bytes."""


class Task(BaseModel):
    """A task as its file describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    """`family/name`, from the file's place."""
    description: str = ""
    source: Mapping[str, Any]
    """`family:` and that source family's own options."""
    media: MediaSpec = MediaSpec()
    fields: Mapping[str, FieldSpec] = Field(min_length=1)
    prompts: tuple[str, ...] = Field(min_length=1)
    """Prompts that suit; the first runs unless others are asked for."""
    parts: str | None = None
    """An annotation that splits the samples into parts scored separately (the question kind of ME-VQA)."""
    slices: tuple[str, ...] = ()
    """Annotations by which scores are broken down."""
    cluster: str = "auto"
    """Unit of resampling: `auto` (the subject where the source knows one, else the medium), `image`
    (the medium), or the name of an annotation."""
    max_tokens: PositiveInt = 256
    """Longest reply, in tokens; a prompt may ask for another limit."""
    notice: str = ""
    """A sentence that every report of this task carries."""

    @field_validator("source")
    @classmethod
    def _has_family(cls, source: Mapping[str, Any]) -> Mapping[str, Any]:
        if "family" not in source:
            raise ValueError("needs a family, such as `family: table`")
        return source
