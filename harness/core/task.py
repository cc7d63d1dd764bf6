"""A task: samples, prompts, fields, scores. The YAML file users write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from harness.core.cell import FREE, Channel
from harness.core.field import FieldSpec
from harness.core.languages import known_languages

SUBJECT = "subject"
"""`folds: subject` leaves one subject out."""


class AtMost(BaseModel):
    """A size that larger pictures are scaled down to; smaller ones are sent as they are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_most: PositiveInt
    """Longer side in pixels."""


class MediaSpec(BaseModel):
    """What is done to every picture before any condition."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frames: str = "all"
    """Frame policy for clips: `all`, `apex`, `onset-apex-offset`, `uniform-N`."""
    resize: PositiveInt | AtMost | None = None
    """Longer side in pixels: a number scales every picture to it, up or down; `{at_most: 448}` scales larger ones down
    and leaves smaller ones as they are. None sends the file's own bytes."""
    fps: PositiveFloat | None = None
    """Frames per second of every clip whose source tells none, as they were recorded; only videos need it."""


class GivenSpots(BaseModel):
    """Where the intervals come from that were spotted before the run (`--spots`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    origin: str
    """The table or the run they were read from; `truth` for the true ones."""
    digest: str
    """Of the intervals, which are part of the basis of every cell."""
    perfect: bool = False
    """Whether they are the true intervals."""


class SpottingSpec(BaseModel):
    """How answers to windows over long videos become spotted intervals (see harness.analyses.rows.spotting)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str = "emotion"
    """The label field that the windows are asked for."""
    rest: str = "none"
    """Its label for a window in which nothing passes."""
    length: PositiveFloat = 0.35
    """Seconds of a spotted interval: no model says where a movement begins and ends."""
    longest: PositiveFloat = 1.25
    """Seconds. One answer held for longer is a macro-expression, or what the face looks like at rest."""
    prompts: tuple[str, ...] = ()
    """Prompts for intervals that were spotted before the run (`--spots`), in place of those for windows; the first runs
    unless others are asked for. Empty: the task's own."""
    given: GivenSpots | None = None
    """Set by `--spots`: the samples are the intervals of a spotter, of which the emotion is asked. Not for task files."""

    @model_serializer(mode="wrap")
    def _without_younger_keys(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A key that is younger than digests of tasks only where it says something."""
        written: dict[str, Any] = handler(self)
        for name in ("prompts", "given"):
            if not getattr(self, name):
                written.pop(name, None)
        return written


class Task(BaseModel):
    """A task as its file describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    """`family/name`, from the file's place."""
    description: str = ""
    """One line for lists and reports."""
    source: Mapping[str, Any]
    """`family:` and that source family's own options."""
    media: MediaSpec = MediaSpec()
    """What is done to every picture before any condition; `media.root` is the folder of the pictures."""
    fields: Mapping[str, FieldSpec] = Field(min_length=1)
    """Name of a field -> what kind of value fills it and how it is scored; one at least."""
    prompts: tuple[str, ...] = Field(min_length=1)
    """Prompts that suit; the first runs unless others are asked for."""
    shots: NonNegativeInt = 0
    """Few-shot examples shown before each sample, where the command names no `--shots` and the prompt shows any."""
    exemplars: Mapping[str, Any] = {}
    """Where few-shot examples come from: source options in place of the task's own (`split: train`), or a source with
    its `family:`. Empty: from the samples themselves, never from the subject that is asked about."""
    parts: str | None = None
    """An annotation that splits the samples into parts scored separately (the question kind of ME-VQA)."""
    slices: tuple[str, ...] = ()
    """Annotations by which scores are broken down; or fields, by their true values."""
    confidence: str | None = None
    """A number field in which the model says how sure it is of its other answers: the curve of risk against coverage
    sorts samples by it."""
    folds: str | None = None
    """`subject`: leave one subject out, each subject is a fold of its own, and the source must name the subjects
    (CASME II, SAMM, SMIC). Otherwise the annotation that holds the fold each sample is tested in (DFEW). Mean and
    deviation over the folds stand beside the pooled scores."""
    cluster: str = "auto"
    """Unit of resampling: `auto` (the subject where the source knows one, else the medium), `image`
    (the medium), or the name of an annotation."""
    max_tokens: PositiveInt = 256
    """Longest reply, in tokens; a prompt may ask for another limit."""
    channel: Channel = FREE
    """How answers are taken where the command names no channel."""
    unconstrained: Literal["stop", "free"] = "stop"
    """What is done where a model cannot be held to an answer on the channel `choice`: stop, or go on in
    free text, which is then said everywhere."""
    languages: tuple[str, ...] = ()
    """Codes of the languages that replies are read in besides English and the languages of the labels (`[de, fr]`)."""
    sentences: Literal["megc"] | None = None
    """`megc`: answers are put into the challenge's sentences as well and scored as texts."""
    spotting: SpottingSpec | None = None
    """The samples are windows over long videos, and their answers are joined into spotted intervals."""
    public: bool = False
    """The samples are a published set: every report says that a model may have been trained on them."""
    people_at: Literal["work", "education"] | None = None
    """The people are judged there: every report says what the law of the European Union has against that."""
    notice: str = ""
    """A further sentence that every report of this task carries."""

    @field_validator("folds")
    @classmethod
    def _is_a_name(cls, folds: str | None) -> str | None:
        if folds is not None and (not folds or folds != folds.strip()):
            raise ValueError(
                f"{folds!r} is not the name of an annotation: write `subject` or the annotation that holds the fold"
            )
        return folds

    @field_validator("languages")
    @classmethod
    def _are_known(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        return known_languages(languages)

    @model_serializer(mode="wrap")
    def _without_younger_keys(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A key that is younger than digests of tasks only where it says something."""
        written: dict[str, Any] = handler(self)
        for name in ("languages", "confidence"):
            if not getattr(self, name):
                written.pop(name, None)
        return written

    @model_validator(mode="after")
    def _confidence_is_a_number(self) -> Task:
        name = self.confidence
        if name is not None and name not in self.fields:
            raise ValueError(f"confidence: the task has no field {name!r}")
        if name is not None and not self.fields[name].numeric:
            raise ValueError(f"confidence: field {name!r} is not of kind number")
        return self

    @field_validator("source")
    @classmethod
    def _has_family(cls, source: Mapping[str, Any]) -> Mapping[str, Any]:
        if "family" not in source:
            raise ValueError("family is missing, such as `family: table`")
        return source
