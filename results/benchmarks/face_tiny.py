"""Measure similarity:tiny on drawn persons that it never saw: `python results/benchmarks/face_tiny.py [--weights FOLDER]`.

Two sets: the pictures of faces/emotion (280, 40 subjects), and 700 pictures of 100 other subjects. All pairs of pictures
are compared, whole and with everything but the inner face in grey. Look-alikes are impostors of the same hair style,
glasses and beard, skin tones at most a step apart. Intervals resample subjects.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from harness.affect_tiny.training.dataset_cache import DRAWN_AT
from harness.analyses.rows.verification import Pairs, whole
from harness.face_tiny import weights_folder
from harness.face_tiny.training.inner import masked
from harness.faces import BASIC_7, Face, Split, draw, face_at
from harness.faces.points import marks_of
from harness.faces.ranges import AGE_YEARS
from harness.similarity.tiny import TinyRecogniser

SETS: dict[str, tuple[int, int, Split]] = {
    "test": (40, 7, "test"),
    "val": (100, 5002, "validation"),
}


def faces_of(name: str) -> list[Face]:
    """The faces of a set, person by person."""
    persons, seed, split = SETS[name]
    return [face_at(n, seed=seed, split=split) for n in range(persons * len(BASIC_7))]


def compared(vectors: np.ndarray, faces: list[Face]) -> tuple[Pairs, np.ndarray]:
    """All pairs of pictures, and which of them are look-alikes or genuine."""
    names = {face.identity.subject: n for n, face in enumerate(faces)}
    who = np.array([names[face.identity.subject] for face in faces])
    one, other = np.triu_indices(len(faces), 1)
    scores = (vectors @ vectors.T)[one, other].astype(np.float64)
    genuine = who[one] == who[other]
    people = [face.identity for face in faces]
    looks = np.array([hash((p.hair_style, p.glasses, p.beard)) for p in people])
    tones = np.array([p.skin_tone for p in people])
    alike = (looks[one] == looks[other]) & (np.abs(tones[one] - tones[other]) <= 1)
    return Pairs(scores, genuine, who[one], who[other], len(faces)), genuine | alike


def told(pairs: Pairs) -> str:
    """AUROC with its interval, and TAR at FAR 1%."""
    found = whole(pairs, seed=0, draws=300)
    auroc = found["auroc"]
    return f"{auroc['value']:.3f} [{auroc['low']:.3f}, {auroc['high']:.3f}] | {found['tars'][1]['tar']:.2f}"


def ages(recogniser: TinyRecogniser, pictures: list[np.ndarray], faces: list[Face]) -> str:
    """Errors of the wrinkles in [0, 1] and of the years, against the median of the set, paired over subjects."""
    true = np.array([face.identity.age for face in faces])
    said = recogniser.wrinkles(pictures)
    error, median = np.abs(said - true), np.abs(np.median(true) - true)
    each = (error - median).reshape(-1, len(BASIC_7)).mean(1)
    rng = np.random.default_rng(0)
    drawn = each[rng.integers(0, each.size, (2000, each.size))].mean(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    years = np.interp(said, *AGE_YEARS) - np.array([face.identity.years for face in faces])
    r = np.corrcoef(said, true)[0, 1]
    return f"{error.mean():.3f} | {median.mean():.3f} | {each.mean():+.3f} [{low:+.3f}, {high:+.3f}] | {r:.2f} | {np.abs(years).mean():.1f}"


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", type=Path, default=weights_folder())
    args = parser.parse_args()
    recogniser = TinyRecogniser(args.weights)
    print(
        "| set | pictures | AUROC | TAR at FAR 1% | AUROC, look-alikes | TAR |\n|---|---|---|---|---|---|"
    )
    lines = []
    for name in SETS:
        faces = faces_of(name)
        drawn = [draw(face, size=DRAWN_AT).pixels for face in faces]
        marks = [marks_of(face, size=DRAWN_AT).points for face in faces]
        for part in (None, "face", "features"):
            shown = (
                drawn
                if part is None
                else [masked(p, m, part) for p, m in zip(drawn, marks, strict=True)]
            )
            pairs, alike = compared(recogniser.embed(shown), faces)
            print(
                f"| {name} | {part or 'whole'} | {told(pairs)} | {told(pairs.at(alike))} |",
                flush=True,
            )
        lines.append(f"| {name} | {ages(recogniser, drawn, faces)} |")
    print(
        "\n| set | MAE, wrinkles | of the median | difference, paired | r | MAE, years |\n|---|---|---|---|---|---|"
    )
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
