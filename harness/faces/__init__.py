"""Drawn, annotated faces: action units in, picture or clip and exact ground truth out."""

from __future__ import annotations

from harness.faces.annotate import annotate, annotate_clip
from harness.faces.clip import ClipSpec, clip_at, frame_at
from harness.faces.cues import CUE_VALUES
from harness.faces.export import export
from harness.faces.face import Face, Identity, Nuisance, Pose, Split
from harness.faces.paint import Drawing, draw
from harness.faces.prototypes import BASIC_7, BASIC_8, COARSE, MICRO_7, affect
from harness.faces.sampling import TEST_SEEDS, face_at, identity_at
from harness.faces.sensor import encode_png
from harness.faces.units import UNIT_TABLE, Unit, UnitName, both, present
from harness.faces.vqa import vqa_rows

__all__ = [
    "BASIC_7",
    "BASIC_8",
    "COARSE",
    "CUE_VALUES",
    "MICRO_7",
    "TEST_SEEDS",
    "UNIT_TABLE",
    "ClipSpec",
    "Drawing",
    "Face",
    "Identity",
    "Nuisance",
    "Pose",
    "Split",
    "Unit",
    "UnitName",
    "affect",
    "annotate",
    "annotate_clip",
    "both",
    "clip_at",
    "draw",
    "encode_png",
    "export",
    "face_at",
    "frame_at",
    "identity_at",
    "present",
    "vqa_rows",
]
