"""Drawn samples for tests of tools."""

from __future__ import annotations

from pathlib import Path

from harness.core.field import FieldSpec
from harness.core.sample import Sample
from harness.sources import open_source
from harness.tools.frames import MediumFrames


def samples(count: int = 6, kind: str = "image", size: int = 96) -> list[Sample]:
    labels = ("anger", "happiness") if kind == "image" else ()
    field = {"emotion": FieldSpec(kind="label", labels="from-data")}
    options = {"family": "faces", "kind": kind, "n": count, "size": size, "labels": labels}
    return list(open_source(options, fields=field, base=Path()))


def frames(sample: Sample) -> MediumFrames:
    return MediumFrames(sample.medium)
