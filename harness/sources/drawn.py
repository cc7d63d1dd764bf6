"""The family `faces`: drawn faces and clips, made on demand, with their exact ground truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.medium import Medium, image
from harness.core.sample import Sample, Value
from harness.core.source import Skipped, Source
from harness.core.text import canonical_json, digest_json
from harness.faces import (
    BASIC_7,
    CUE_VALUES,
    MICRO_7,
    ClipMixture,
    ClipSpec,
    Drawing,
    Face,
    FacePair,
    LongSpec,
    Mixture,
    Scene,
    Split,
    annotate,
    annotate_clip,
    clip_at,
    clip_mixture_at,
    face_at,
    pair_at,
    scene_at,
    vqa_rows,
)
from harness.sources.cells import target
from harness.sources.drawn_long import (
    long_id,
    long_spec,
    long_video,
    mixture_sample,
    mixture_spec,
    mixture_truth,
    question_samples,
)
from harness.sources.drawn_pairs import pair_sample
from harness.sources.drawn_pictures import DrawnFrame, DrawnPicture, DrawnValues, scalars
from harness.sources.drawn_scene import scene_sample
from harness.sources.drawn_sound import DrawnSound
from harness.sources.mapper import NOT_ASKED
from harness.sources.megc_questions import ASKED, answers_of, question_kind, unit_of
from harness.sources.options import Options, read_options
from harness.sources.windows import LongVideo, no_windows, windows

_DIGEST_SPECS = 16
"""Specifications that enter the digest, so that a change of the sampler shows in it."""


class DrawnOptions(Options):
    """Options of drawn faces."""

    kind: Literal[
        "image", "clip", "vqa", "long", "windows", "mixture", "clip-mixture", "scene", "pairs"
    ] = "image"
    """Pictures; clips of micro-expressions; those clips with six ME-VQA questions each; long videos with
    their ME-LVQA questions; windows over long videos; pictures and clips that blend two emotions; scenes in which the face that is
    asked about takes a share of the picture; pairs of pictures of one person or two."""
    n: PositiveInt
    """Number of pictures, clips or videos (each may hold several samples: questions, windows)."""
    seed: NonNegativeInt = 0
    """The same seed gives the same faces."""
    split: Split = "test"
    """Faces of one split never show the people of another."""
    labels: tuple[str, ...] = ()
    """Emotions drawn; empty means the basic seven, for clips the seven micro-expressions."""
    size: int = Field(default=224, ge=32, le=2048)
    """Side of a picture in pixels."""
    seconds: tuple[float, float] = (10.0, 60.0)
    """Least and greatest length of long videos."""
    share: tuple[float, float] = (0.25, 1.0)
    """Least and greatest share of a scene's side that the asked face takes."""
    window: float = Field(default=0.5, gt=0.0, le=5.0)
    """Length of a window over a long video, in seconds."""
    sound: bool = False
    """For pictures and clips: a tone beside each, whose pitch follows the emotion (conditions `audio`, `both`)."""
    cues: bool | None = None
    """Whether annotations hold the cues, for which every picture is drawn when the task is planned;
    None: where the task asks for one. Slices by a cue need `true`."""


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
            asked = list(self._samples(index))
            left_out += sum(sample is None for sample in asked)
            yield from (sample for sample in asked if sample is not None)
        self._skipped = (Skipped(NOT_ASKED, left_out),) if left_out else ()

    def digest(self) -> str:
        """Over the options and the first specifications."""
        at = partial(_spec, self._options)
        specs = [at(index).to_dict() for index in range(min(self._options.n, _DIGEST_SPECS))]
        # An option that came later enters where it counts, so that digests of before stay.
        left_out = set() if self._options.kind == "scene" else {"share"}
        left_out |= set() if self._options.sound else {"sound"}
        options = self._options.model_dump(mode="json", exclude=left_out)
        return digest_json({"options": options, "specs": specs})

    def skipped(self) -> tuple[Skipped, ...]:
        return self._skipped

    def long_videos(self) -> Iterator[LongVideo]:
        """Those that the windows lie over. Raises HarnessError for another kind."""
        o = self._options
        if o.kind != "windows":
            raise no_windows(f"drawn faces of kind {o.kind!r}")
        for index in range(o.n):
            name = long_id(seed=o.seed, split=o.split, index=index)
            yield long_video(_long_spec(o, index), name, size=o.size)

    def _samples(self, index: int) -> Iterator[Sample | None]:
        """All samples of one picture, clip or video; None for a question that asks no field of the task."""
        o = self._options
        if o.kind == "image":
            yield self._picture(index)
        elif o.kind == "clip":
            yield self._clip(index)
        elif o.kind == "vqa":
            yield from self._questions(index)
        elif o.kind == "mixture":
            mixture = _mixture_spec(o, index)
            name = f"mixture-{picture_id(o, index)}"
            yield mixture_sample(mixture, name, size=o.size, fields=self._fields)
        elif o.kind == "clip-mixture":
            yield self._clip_mixture(index)
        elif o.kind == "scene":
            yield self._scene(index)
        elif o.kind == "pairs":
            name = f"pair-{picture_id(o, index)}"
            yield pair_sample(_pair(o, index), name, size=o.size, fields=self._fields)
        else:
            spec, name = _long_spec(o, index), long_id(seed=o.seed, split=o.split, index=index)
            if o.kind == "long":
                yield from question_samples(spec, name, size=o.size, fields=self._fields)
            else:
                (field,) = self._fields
                video = long_video(spec, name, size=o.size)
                yield from windows(video, field=field, seconds=o.window)

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
            medium=self._heard(
                image(DrawnPicture(f"faces/{sample_id}", face, size)), sample_id, truth
            ),
            targets=DrawnValues(targets, asked, face=face, size=size) if asked else targets,
            annotations=DrawnValues(scalars(truth), noted, face=face, size=size),
            cluster=face.identity.subject,
        )

    def _scene(self, index: int) -> Sample:
        o = self._options
        scene = _scene_spec(o, index)
        truth = face_truth(scene.asked.face)
        return scene_sample(
            scene, f"scene-{picture_id(o, index)}", size=o.size, fields=self._fields, truth=truth,
            annotations=scalars(truth),
        )  # fmt: skip

    def _clip(self, index: int) -> Sample:
        return self._clip_of(_clip_spec(self._options, index), clip_id(self._options, index))

    def _clip_mixture(self, index: int) -> Sample:
        mixture = _clip_mixture_spec(self._options, index)
        sample = self._clip_of(mixture.clip, f"mixture-{clip_id(self._options, index)}")
        soft = canonical_json(mixture.soft_label)
        return replace(sample, annotations={**sample.annotations, "soft_label": soft})

    def _clip_of(self, clip: ClipSpec, sample_id: str) -> Sample:
        truth = clip_truth(clip)
        return Sample(
            id=sample_id,
            medium=self._heard(self._medium(clip, sample_id), sample_id, truth),
            targets=self._targets({f: truth[f] for f in self._fields if f in truth}, sample_id),
            annotations=scalars(truth),
            cluster=clip.rest.identity.subject,
        )

    def _heard(self, medium: Medium, sample_id: str, truth: Mapping[str, Any]) -> Medium:
        """The medium with its tone, where tones are asked for."""
        if not self._options.sound:
            return medium
        return replace(medium, sound=DrawnSound(f"faces/{sample_id}.wav", str(truth["emotion"])))

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
            unit = unit_of(row["question"])
            yield Sample(
                id=row["id"],
                medium=medium,
                targets=self._targets({field: answers[field] for field in asks}, row["id"]),
                question=row["question"],
                asks=asks,
                annotations={
                    **scalars(clip_truth(clip)),
                    "question_kind": kind,
                    **({"unit": unit} if unit else {}),
                },
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
    if asked.sound and asked.kind not in {"image", "clip"}:
        raise HarnessError(
            f"source.sound: drawn faces of kind {asked.kind!r} have no sound",
            hint="use kind image or clip",
        )
    _spec(asked, 0)  # unknown labels and the like are told now
    known = known_fields(asked)
    if not known & set(fields):
        raise HarnessError(
            f"source.kind: drawn faces of kind {asked.kind!r} have none of the task's fields "
            f"({', '.join(fields)})",
            hint=f"use fields from: {', '.join(sorted(known))}",
        )
    return DrawnSource(asked, fields)


def known_fields(options: DrawnOptions) -> set[str]:
    """Names under which this kind has ground truth."""
    if options.kind in {"vqa", "long"}:
        return {field for asked in ASKED.values() for field in asked}
    if options.kind in {"windows", "pairs"}:
        return {"emotion"} if options.kind == "windows" else {"same"}
    if options.kind == "mixture":
        return set(mixture_truth(_mixture_spec(options, 0)))
    if options.kind == "scene":
        return set(face_truth(_face(options, 0)))
    if options.kind in {"clip", "clip-mixture"}:
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


def picture_id(options: DrawnOptions, index: int) -> str:
    """The name of a picture, the one that an export of drawn faces gives it."""
    return f"{options.split}-{options.seed}-{index:07d}"


def clip_id(options: DrawnOptions, index: int) -> str:
    """The name of a clip, the one that an export of drawn clips gives it."""
    return f"drawn_{options.split}_{options.seed}_{index:05d}"


_Spec: TypeAlias = Face | ClipSpec | LongSpec | Mixture | ClipMixture | Scene | FacePair


def _spec(options: DrawnOptions, index: int) -> _Spec:
    kinds: Mapping[str, Callable[[DrawnOptions, int], _Spec]] = {
        "image": _face, "long": _long_spec, "windows": _long_spec, "mixture": _mixture_spec,
        "clip-mixture": _clip_mixture_spec, "scene": _scene_spec, "pairs": _pair,
    }  # fmt: skip
    return kinds.get(options.kind, _clip_spec)(options, index)


def _long_spec(options: DrawnOptions, index: int) -> LongSpec:
    return long_spec(
        index,
        seed=options.seed,
        split=options.split,
        labels=options.labels,
        seconds=options.seconds,
    )


def _mixture_spec(options: DrawnOptions, index: int) -> Mixture:
    return mixture_spec(index, seed=options.seed, split=options.split, labels=options.labels)


def _clip_mixture_spec(options: DrawnOptions, index: int) -> ClipMixture:
    labels = options.labels or MICRO_7
    return clip_mixture_at(index, seed=options.seed, split=options.split, labels=labels)


def _scene_spec(options: DrawnOptions, index: int) -> Scene:
    return scene_at(
        index,
        seed=options.seed,
        split=options.split,
        labels=options.labels or BASIC_7,
        share=options.share,
    )


def _pair(options: DrawnOptions, index: int) -> FacePair:
    return pair_at(index, n=options.n, seed=options.seed, split=options.split)


def _face(options: DrawnOptions, index: int) -> Face:
    return face_at(index, seed=options.seed, split=options.split, labels=options.labels or BASIC_7)


def _clip_spec(options: DrawnOptions, index: int) -> ClipSpec:
    return clip_at(index, seed=options.seed, split=options.split, labels=options.labels or MICRO_7)
