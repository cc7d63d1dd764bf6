"""Settings of a training run, their command-line options, and the data pools they need."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.affect_tiny.training.architecture import Sizes
from harness.affect_tiny.training.dataset_cache import DatasetSpec

ABOUT = "Trains affect-tiny from nothing on drawn faces."
VALIDATION = 256
"""Validation faces, and half as many clips."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """Everything that decides the outcome."""

    seed: int = 1
    pool_seed: int = 5000
    faces: int = 20480
    clips: int = 2560
    windows: int = 1024
    """Windows over long videos, most of them at rest."""
    sheets: int = 2048
    """Contact sheets, of other clips than those shown frame by frame."""
    see_steps: int = 1300
    see_faces: int = 56
    see_clips: int = 8
    see_rate: float = 1e-3
    matrix_rate: float = 0.025
    """Muon's rate for the matrices inside blocks."""
    talk_steps: int = 700
    talk_faces: int = 40
    """Faces that the tower sees in a step; the heads learn from all of them."""
    talk_rows: int = 22
    """Faces among them that are talked about: words cost more than pictures."""
    talk_clips: int = 7
    talk_windows: int = 1
    talk_rate: float = 1.5e-3
    talk_vision: float = 0.4
    """Share of the rates of stage one at which the tower goes on while the model learns to talk."""
    choose_steps: int = 300
    choose_faces: int = 16
    """Faces asked for choices in a step of the third stage."""
    settle_steps: int = 1000
    settle_choices: int = 4
    """Faces among those talked about that are asked for choices in the last stage."""
    settle_sheets: int = 4
    """Contact sheets talked about in a step of the last stage."""
    settle: float = 0.7
    """Share of the rates of the second stage at which the last one begins."""
    aux: float = 0.3
    """Weight of the vision heads' loss while the model learns to talk."""
    blank: float = 0.04
    """Share of pictures that are blank while the model learns to talk."""
    mix: float = 0.0
    """Alpha of Beta(alpha, alpha), from which the share is drawn in which two clips are mixed: all frames, and what
    is true of them (MIDAS, arXiv 2506.20867); 0: no clips are mixed."""


def pool_specs(settings: TrainingSettings, sizes: Sizes) -> dict[str, DatasetSpec]:
    """The pools by the names of their folders."""
    s, side = settings, sizes.picture
    return {
        "faces": DatasetSpec("face", s.faces, s.pool_seed, "train", side),
        "clips": DatasetSpec("clip", s.clips, s.pool_seed, "train", side),
        "faces-validation": DatasetSpec("face", VALIDATION, s.pool_seed, "validation", side),
        "clips-validation": DatasetSpec("clip", VALIDATION // 2, s.pool_seed, "validation", side),
        "windows": DatasetSpec("window", s.windows, s.pool_seed, "train", side),
        "sheets": DatasetSpec("sheet", s.sheets, s.pool_seed + 1, "train", side),
    }


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.affect_tiny.training.train", description=ABOUT
    )
    parser.add_argument("--work", type=Path, required=True, help="pictures and checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished checkpoint")
    parser.add_argument(
        "--threads", type=int, default=1, help="more than 1 only on an idle machine"
    )
    parser.add_argument("--processes", type=int, default=1, help="processes that train together")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw pictures")
    parser.add_argument("--resume", action="store_true", help="go on where the last run stopped")
    parser.add_argument("--see-from", type=Path, help="start the vision tower from a see.pt")
    for name, kind in TrainingSettings.__annotations__.items():
        default = getattr(TrainingSettings(), name)
        parser.add_argument(
            "--" + name.replace("_", "-"), type={"int": int, "float": float}[kind], default=default
        )
    return parser.parse_args(argv)
