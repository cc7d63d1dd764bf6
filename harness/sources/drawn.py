"""The family `faces`: drawn faces and clips, made on demand, with their exact ground truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.medium import Medium, image
from harness.core.sample import Sample, Scalar, Value
from harness.core.source import Skipped, Source
from harness.core.text import digest_json
from harness.faces import (
    BASIC_7,
    CUE_VALUES,
    MICRO_7,
    ClipSpec,
    Drawing,
    Face,
    Split,
    annotate,
    annotate_clip,
    clip_at,
    draw,
    encode_png,
    face_at,
    frame_at,
    vqa_rows,
)
from harness.sources.cells import target
from harness.sources.mapper import NOT_ASKED
from harness.sources.megc_questions import ASKED, answers_of, question_kind
from harness.sources.options import Options, read_options

_DIGEST_SPECS = 16
"""Specifications that enter the digest, so that a change of the sampler shows in it."""


class DrawnOptions(Options):
    """Options of drawn faces."""

    kind: Literal["image", "clip", "vqa"] = "image"
    """Pictures; clips of micro-expressions; those clips with six ME-VQA questions each."""
    n: PositiveInt
    """Number of pictures or clips (with `vqa`, samples are six times as many)."""
    seed: NonNegativeInt = 0
    split: Split = "test"
    labels: tuple[str, ...] = ()
    """Emotions drawn; empty means the basic seven, for clips the seven micro-expressions."""
    size: int = Field(default=224, ge=32, le=2048)
    """Side of a picture in pixels."""
    cues: bool | None = None
    """Whether annotations hold the cues, for which every picture is drawn when the task is planned;
    None: where the task asks for one. Slices by a cue need `true`."""


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """A picture that is drawn, and encoded as PNG, when it is read."""

    name: str
    face: Face
    size: int

    def read(self) -> bytes:
        return encode_png(draw(self.face, size=self.size).pixels)


@dataclass(frozen=True, slots=True)
class DrawnFrame:
    """One frame of a drawn clip."""

    name: str
    clip: ClipSpec
    frame: int
    size: int

    def read(self) -> bytes:
        return encode_png(draw(frame_at(self.clip, self.frame), size=self.size).pixels)


class Measured(Mapping[str, Any]):
    """Known values, and cues of a face that is drawn, once, when the first of them is read."""

    __slots__ = ("_cues", "_face", "_found", "_known", "_size")

    def __init__(
        self, known: Mapping[str, Any], cues: Sequence[str], *, face: Face, size: int
    ) -> None:
        self._known = known
        self._cues = cues
        self._face = face
        self._size = size
        self._found: Mapping[str, Any] | None = None

    def __getitem__(self, key: str) -> Any:
        if key not in self._cues:
            return self._known[key]
        if self._found is None:
            self._found = draw(self._face, size=self._size).cues
        return self._found[key]

    def __contains__(self, key: object) -> bool:
        return key in self._known or key in self._cues

    def __iter__(self) -> Iterator[str]:
        yield from self._known
        yield from self._cues

    def __len__(self) -> int:
        return len(self._known) + len(self._cues)


class DrawnSource:
    """A Source that draws nothing before it is needed."""

    __slots__ = ("_fields", "_options", "_skipped")

    def __init__(self, options: DrawnOptions, fields: Mapping[str, FieldSpec]) -> None:
        self._options = options
        self._fields = fields
        self._skipped: tuple[Skipped, ...] = ()

    def __iter__(self) -> Iterator[Sample]:
        left_out = 0
        for index in range(self._options.n):
            if self._options.kind == "image":
                yield self._picture(index)
            elif self._options.kind == "clip":
                yield self._clip(index)
            else:
                asked = list(self._questions(index))
                left_out += sum(sample is None for sample in asked)
                yield from (sample for sample in asked if sample is not None)
        self._skipped = (Skipped(NOT_ASKED, left_out),) if left_out else ()

    def digest(self) -> str:
        """Over the options and the first specifications."""
        at = partial(_spec, self._options)
        specs = [at(index).to_dict() for index in range(min(self._options.n, _DIGEST_SPECS))]
        return digest_json({"options": self._options.model_dump(mode="json"), "specs": specs})

    def skipped(self) -> tuple[Skipped, ...]:
        return self._skipped

    def _picture(self, index: int) -> Sample:
        face, size = _face(self._options, index), self._options.size
        sample_id = picture_id(self._options, index)
        truth = face_truth(face)
        targets = self._targets({f: truth[f] for f in self._fields if f in truth}, sample_id)
        asked = [cue for cue in CUE_VALUES if cue in self._fields]
        wanted = bool(asked) if self._options.cues is None else self._options.cues
        noted = list(CUE_VALUES) if wanted else []
        return Sample(
            id=sample_id,
            medium=image(DrawnPicture(f"faces/{sample_id}", face, size)),
            targets=Measured(targets, asked, face=face, size=size) if asked else targets,
            annotations=Measured(scalars(truth), noted, face=face, size=size),
            cluster=face.identity.subject,
        )

    def _clip(self, index: int) -> Sample:
        clip = _clip_spec(self._options, index)
        sample_id = clip_id(self._options, index)
        truth = clip_truth(clip)
        return Sample(
            id=sample_id,
            medium=self._medium(clip, sample_id),
            targets=self._targets({f: truth[f] for f in self._fields if f in truth}, sample_id),
            annotations=scalars(truth),
            cluster=clip.rest.identity.subject,
        )

    def _questions(self, index: int) -> Iterator[Sample | None]:
        """The clip's questions; None for one that asks for no field of the task."""
        clip = _clip_spec(self._options, index)
        medium = self._medium(clip, clip_id(self._options, index))
        for row in vqa_rows(clip, clip_id(self._options, index)):
            kind = question_kind(row["question"])
            if kind is None:
                raise ValueError(f"a question of no known kind was drawn: {row['question']}")
            asks = tuple(field for field in ASKED[kind] if field in self._fields)
            if not asks:
                yield None
                continue
            answers = answers_of(kind, row["answer"])
            yield Sample(
                id=row["id"],
                medium=medium,
                targets=self._targets({field: answers[field] for field in asks}, row["id"]),
                question=row["question"],
                asks=asks,
                annotations={**scalars(clip_truth(clip)), "question_kind": kind},
                cluster=row["subject"],
            )

    def _medium(self, clip: ClipSpec, name: str) -> Medium:
        size = self._options.size
        numbers = tuple(range(clip.frames))
        return Medium(
            kind="clip",
            frames=tuple(DrawnFrame(f"faces/{name}/{i}", clip, i, size) for i in numbers),
            indices=numbers,
            fps=clip.fps,
            onset=clip.onset,
            apex=clip.apex,
            offset=clip.offset,
        )

    def _targets(self, known: Mapping[str, Any], sample_id: str) -> dict[str, Value]:
        return {
            field: target(value, self._fields[field], column=field, where=sample_id)
            for field, value in known.items()
        }


def open_drawn_source(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source of drawn faces. Raises HarnessError; `base` is not needed, nothing is read."""
    asked = read_options(DrawnOptions, options, family="faces")
    _spec(asked, 0)  # unknown labels and the like are told now
    known = known_fields(asked)
    if not known & set(fields):
        raise HarnessError(
            f"source.kind: drawn faces of kind {asked.kind!r} know none of the task's fields "
            f"({', '.join(fields)})",
            mend=f"name fields among: {', '.join(sorted(known))}",
        )
    return DrawnSource(asked, fields)


def known_fields(options: DrawnOptions) -> set[str]:
    """Names under which this kind has ground truth."""
    if options.kind == "vqa":
        return {field for asked in ASKED.values() for field in asked}
    if options.kind == "clip":
        return set(clip_truth(_clip_spec(options, 0)))
    return {*face_truth(_face(options, 0)), *CUE_VALUES}


def face_truth(face: Face) -> dict[str, Any]:
    """What `annotate` knows of a face without drawing it: everything but the cues."""
    none = np.zeros((0, 0, 3), dtype=np.uint8)
    undrawn = Drawing(pixels=none, cues={}, teeth=none[:, :, 0] > 0, landmarks={})
    return annotate(face, undrawn)


def clip_truth(clip: ClipSpec) -> dict[str, Any]:
    """What `annotate_clip` knows, with the emotion under its ME-VQA name `fine` as well."""
    truth = annotate_clip(clip)
    return {**truth, "fine": truth["emotion"]}


def scalars(truth: Mapping[str, Any]) -> dict[str, Scalar]:
    """The entries that are single values."""
    return {k: v for k, v in truth.items() if v is None or isinstance(v, str | float | int | bool)}


def picture_id(options: DrawnOptions, index: int) -> str:
    """The name of a picture, the one that an export of drawn faces gives it."""
    return f"{options.split}-{options.seed}-{index:07d}"


def clip_id(options: DrawnOptions, index: int) -> str:
    """The name of a clip, the one that an export of drawn clips gives it."""
    return f"drawn_{options.split}_{options.seed}_{index:05d}"


def _spec(options: DrawnOptions, index: int) -> Face | ClipSpec:
    return _face(options, index) if options.kind == "image" else _clip_spec(options, index)


def _face(options: DrawnOptions, index: int) -> Face:
    return face_at(index, seed=options.seed, split=options.split, labels=options.labels or BASIC_7)


def _clip_spec(options: DrawnOptions, index: int) -> ClipSpec:
    return clip_at(index, seed=options.seed, split=options.split, labels=options.labels or MICRO_7)
