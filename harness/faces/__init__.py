"""Drawn, annotated faces: action units in, picture or clip and exact ground truth out."""

from __future__ import annotations

from harness.faces.annotate import annotate, annotate_clip, annotate_long, annotate_mixture
from harness.faces.change import with_cue
from harness.faces.clip import ClipSpec, clip_at, frame_at
from harness.faces.cues import CUE_VALUES
from harness.faces.export import export
from harness.faces.face import Face, Identity, Nuisance, Pose, Split
from harness.faces.intervention import INTERVENTIONS, REFUSED, Intervention
from harness.faces.long import Event, LongSpec, long_frame_at
from harness.faces.long_sampling import long_at
from harness.faces.lvqa import lvqa_rows, str_rows
from harness.faces.measure import measure
from harness.faces.mixture import MIXED, ClipMixture, Mixture, blend, clip_mixture_at, mixture_at
from harness.faces.paint import Drawing, draw
from harness.faces.pairs import FacePair, annotate_pair, pair_at
from harness.faces.prototypes import BASIC_7, BASIC_8, COARSE, MICRO_7, affect
from harness.faces.region import region_of
from harness.faces.sampling import TEST_SEEDS, face_at, identity_at
from harness.faces.scene import Scene, draw_scene, scene_at
from harness.faces.sensor import encode_png
from harness.faces.units import UNIT_TABLE, Unit, UnitName, both, present
from harness.faces.vqa import vqa_rows

__all__ = [
    "BASIC_7",
    "BASIC_8",
    "COARSE",
    "CUE_VALUES",
    "INTERVENTIONS",
    "MICRO_7",
    "MIXED",
    "REFUSED",
    "TEST_SEEDS",
    "UNIT_TABLE",
    "ClipMixture",
    "ClipSpec",
    "Drawing",
    "Event",
    "Face",
    "FacePair",
    "Identity",
    "Intervention",
    "LongSpec",
    "Mixture",
    "Nuisance",
    "Pose",
    "Scene",
    "Split",
    "Unit",
    "UnitName",
    "affect",
    "annotate",
    "annotate_clip",
    "annotate_long",
    "annotate_mixture",
    "annotate_pair",
    "blend",
    "both",
    "clip_at",
    "clip_mixture_at",
    "draw",
    "draw_scene",
    "encode_png",
    "export",
    "face_at",
    "frame_at",
    "identity_at",
    "long_at",
    "long_frame_at",
    "lvqa_rows",
    "measure",
    "mixture_at",
    "pair_at",
    "present",
    "region_of",
    "scene_at",
    "str_rows",
    "vqa_rows",
    "with_cue",
]
