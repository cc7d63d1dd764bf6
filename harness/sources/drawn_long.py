"""Drawn long videos and blends of expressions as samples: kinds `long`, `windows` and `mixture` of `faces`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.core.field import FieldSpec
from harness.core.marks import Marks
from harness.core.medium import Medium, image
from harness.core.sample import Sample
from harness.core.text import canonical_json
from harness.faces import (
    MIXED,
    Drawing,
    LongSpec,
    Mixture,
    Split,
    annotate_long,
    annotate_mixture,
    draw,
    encode_png,
    long_at,
    long_frame_at,
    lvqa_rows,
    mixture_at,
)
from harness.faces.points import marks_of
from harness.sources.cells import target
from harness.sources.drawn_pictures import DrawnPicture, scalars
from harness.sources.megc_questions import ASKED, answers_of, question_kind
from harness.sources.windows import LongVideo


@dataclass(frozen=True, slots=True)
class LongFrame:
    """One frame of a drawn long video, drawn when it is read."""

    name: str
    spec: LongSpec
    frame: int
    size: int

    def read(self) -> bytes:
        return encode_png(draw(long_frame_at(self.spec, self.frame), size=self.size).pixels)

    def marks(self) -> Marks:
        """Its landmarks."""
        return marks_of(long_frame_at(self.spec, self.frame), size=self.size)


def long_spec(
    index: int, *, seed: int, split: Split, labels: tuple[str, ...], seconds: tuple[float, float]
) -> LongSpec:
    """Long video number `index`; without labels the events are of all seven emotions."""
    if labels:
        return long_at(index, seed=seed, split=split, labels=labels, seconds=seconds)
    return long_at(index, seed=seed, split=split, seconds=seconds)


def long_id(*, seed: int, split: Split, index: int) -> str:
    """The name of a long video."""
    return f"long_{split}_{seed}_{index:05d}"


def long_medium(spec: LongSpec, name: str, size: int) -> Medium:
    """All frames, none of them drawn yet."""
    numbers = tuple(range(spec.frames))
    frames = tuple(LongFrame(f"faces/{name}/{number}", spec, number, size) for number in numbers)
    return Medium(kind="clip", frames=frames, indices=numbers, fps=spec.fps)


def question_samples(
    spec: LongSpec, name: str, *, size: int, fields: Mapping[str, FieldSpec]
) -> Iterator[Sample | None]:
    """The six ME-LVQA questions about a video; None for one that asks for no field of the task."""
    medium = long_medium(spec, name, size)
    about = scalars(annotate_long(spec))
    for row in lvqa_rows(spec, name):
        kind = question_kind(row["question"])
        if kind is None:
            raise ValueError(f"a question of no known kind was drawn: {row['question']}")
        asks = tuple(field for field in ASKED[kind] if field in fields)
        if not asks:
            yield None
            continue
        answers = answers_of(kind, row["answer"])
        yield Sample(
            id=row["video_id"],
            medium=medium,
            targets={
                field: target(answers[field], fields[field], column=field, where=row["video_id"])
                for field in asks
            },
            question=row["question"],
            asks=asks,
            annotations={**about, "video": name, "question_kind": kind},
            cluster=spec.rest.identity.subject,
        )


def long_video(spec: LongSpec, name: str, *, size: int) -> LongVideo:
    """A video to be spotted in; the events are its micro-expressions."""
    truth = annotate_long(spec)
    events = tuple(e for e in truth["events"] if e["type"] == "micro-expression")
    medium = long_medium(spec, name, size)
    return LongVideo(name, truth["subject"], medium, events, scalars(truth))


def mixture_spec(index: int, *, seed: int, split: Split, labels: tuple[str, ...]) -> Mixture:
    """Blend number `index`; without labels of the six basic emotions."""
    return mixture_at(index, seed=seed, split=split, labels=labels or MIXED)


def mixture_truth(mixture: Mixture) -> dict[str, Any]:
    """What is known of a blend without drawing it; `share` is that of the greater emotion, its label."""
    none = np.zeros((0, 0, 3), dtype=np.uint8)
    undrawn = Drawing(pixels=none, cues={}, teeth=none[:, :, 0] > 0, landmarks={})
    truth = annotate_mixture(mixture, undrawn)
    first, second = mixture.emotions
    other = second if truth["emotion"] == first else first
    share = mixture.soft_label[truth["emotion"]]
    return {**truth, "other_emotion": other, "share": share}


def mixture_sample(
    mixture: Mixture, name: str, *, size: int, fields: Mapping[str, FieldSpec]
) -> Sample:
    """One picture of a blend."""
    truth = mixture_truth(mixture)
    return Sample(
        id=name,
        medium=image(DrawnPicture(f"faces/{name}", mixture.face, size)),
        targets={
            field: target(truth[field], spec, column=field, where=name)
            for field, spec in fields.items()
            if field in truth
        },
        annotations={**scalars(truth), "soft_label": canonical_json(truth["soft_label"])},
        cluster=mixture.face.identity.subject,
    )
