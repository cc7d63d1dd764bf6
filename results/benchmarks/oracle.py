"""The ceiling of each task on drawn faces: a simple classifier that is told the true action units.

    python results/benchmarks/oracle.py > results/benchmarks/oracle.md

It reads the left and right intensity of every unit, idle movement included, and nothing that is
drawn: what it gets wrong, faces of two emotions share. The rows with an error show how far a
reader falls who sees each side of each unit only to within a normal deviate. A micro-expression is
read at its apex frame, at the clip's own intensities; clips hold no idle movement. The position of
the brows is a stated rule on what was drawn beside the same face at rest, which no reader sees: its
row reads 28 landmarks of the drawing, in eye distances from between the eyes, each with a normal
error of .01. It learns on subjects of the train split, seed 1000, and is scored on subjects of the
test split, seed 0, the seed of the shipped tasks.
Intervals are 95% percentile bootstraps over subjects, 1,000 resamples, seed 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from harness.affect_tiny.training.landmarks import points_of
from harness.faces import (
    BASIC_7,
    BASIC_8,
    COARSE,
    MICRO_7,
    UNIT_TABLE,
    Unit,
    affect,
    annotate,
    clip_at,
    draw,
    face_at,
    frame_at,
)
from harness.faces.units import PRESENT_FLOOR

TRAIN_SEED, TEST_SEED = 1000, 0
TRAIN_SUBJECTS, TEST_SUBJECTS = 1500, 300
BROW_SUBJECTS, BROW_TEST_SUBJECTS = 700, 200
"""Fewer, since their faces are drawn."""
SIDE, LANDMARK_ERROR = 112, 0.01
RESAMPLES = 1000

Vector = NDArray[np.float64]
Labels = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Rows:
    """Faces as numbers."""

    units: Vector
    """Shape (n, 38): left and right intensity of each unit."""
    labels: NDArray[np.str_]
    subjects: NDArray[np.str_]
    affect: Vector
    """Shape (n, 2): valence and arousal."""


def intensities(units: Sequence[Unit]) -> list[float]:
    found = {u.number: (u.left, u.right) for u in units}
    return [side for number in UNIT_TABLE for side in found.get(number, (0.0, 0.0))]


def pictures(labels: tuple[str, ...], split: str, seed: int, subjects: int) -> Rows:
    faces = [
        face_at(i, seed=seed, split=split, labels=labels) for i in range(subjects * len(labels))
    ]
    return Rows(
        units=np.array([intensities(f.units) for f in faces]),
        labels=np.array([f.emotion for f in faces]),
        subjects=np.array([f.identity.subject for f in faces]),
        affect=np.array([affect(f.emotion, f.units) for f in faces]),
    )


def apexes(split: str, seed: int, subjects: int) -> Rows:
    clips = [clip_at(i, seed=seed, split=split) for i in range(subjects * len(MICRO_7))]
    faces = [frame_at(clip, clip.apex) for clip in clips]
    return Rows(
        units=np.array([intensities(f.units) for f in faces]),
        labels=np.array([f.emotion for f in faces]),
        subjects=np.array([f.identity.subject for f in faces]),
        affect=np.zeros((len(faces), 2)),
    )


def coarse(rows: Rows) -> Rows:
    named = np.array([COARSE[name] for name in rows.labels])
    return Rows(rows.units, named, rows.subjects, rows.affect)


def presence(units: Vector) -> Vector:
    """Which units are annotated, sides apart: what a set of action unit names tells and no more."""
    peaks = units.reshape(len(units), -1, 2).max(axis=2)
    return (peaks >= PRESENT_FLOOR).astype(float)


def interval(score: Callable[[NDArray[np.int_]], float], subjects: NDArray[np.str_]) -> str:
    """The score of all rows with its interval over subjects."""
    rng = np.random.default_rng(0)
    names = np.unique(subjects)
    members = {name: np.flatnonzero(subjects == name) for name in names}
    draws = [
        score(np.concatenate([members[name] for name in rng.choice(names, len(names))]))
        for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(draws, [2.5, 97.5])
    return f"{score(np.arange(len(subjects))):.3f} [{low:.3f}, {high:.3f}]"


def uar(truth: NDArray[np.int_], given: NDArray[np.int_], classes: int) -> float:
    """Mean recall over the classes that occur; tested against scikit-learn at the call."""
    seen = np.bincount(truth, minlength=classes)
    hit = np.bincount(truth[truth == given], minlength=classes)
    return float((hit[seen > 0] / seen[seen > 0]).mean())


def blurred(spread: float, seed: int) -> Callable[[Vector], Vector]:
    """Intensities as a coder reads them who errs by a normal deviate of this spread."""

    def view(units: Vector) -> Vector:
        error = np.random.default_rng([seed, len(units)]).normal(0.0, spread, units.shape)
        return np.clip(units + error, 0.0, 1.0)

    return view


def classified(task: str, train: Rows, test: Rows) -> list[str]:
    names = np.unique(train.labels)
    truth = np.searchsorted(names, test.labels)
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    trees = HistGradientBoostingClassifier(max_iter=100, random_state=0)
    rows = (
        ("intensities", "logistic regression", lambda x: x, logistic),
        ("intensities", "boosted trees", lambda x: x, trees),
        ("unit names", "logistic regression", presence, logistic),
        ("intensities, error 0.1", "logistic regression", blurred(0.1, 1), logistic),
        ("intensities, error 0.2", "logistic regression", blurred(0.2, 2), logistic),
        ("intensities, error 0.3", "logistic regression", blurred(0.3, 3), logistic),
    )
    lines = []
    for reads, name, view, model in rows:
        given = model.fit(view(train.units), train.labels).predict(view(test.units))
        code = np.searchsorted(names, given)
        whole = recall_score(test.labels, given, average="macro", zero_division=0)
        assert abs(uar(truth, code, len(names)) - whole) < 1e-9
        value = interval(lambda at, c=code: uar(truth[at], c[at], len(names)), test.subjects)
        uf1 = float(f1_score(test.labels, given, average="macro"))
        lines.append(f"| {task} | {reads} | {name} | {len(given)} | {value} | {uf1:.3f} |")
    return lines


def ccc(truth: Vector, given: Vector) -> float:
    """Lin's concordance correlation with population moments."""
    spread = truth.var() + given.var() + (truth.mean() - given.mean()) ** 2
    return float(2 * ((truth - truth.mean()) * (given - given.mean())).mean() / spread)


def regressed(train: Rows, test: Rows) -> list[str]:
    lines = []
    for column, name in enumerate(("valence", "arousal")):
        truth = test.affect[:, column]
        model = HistGradientBoostingRegressor(max_iter=200, random_state=0)
        given = model.fit(train.units, train.affect[:, column]).predict(test.units)
        value = interval(lambda at, t=truth, g=given: ccc(t[at], g[at]), test.subjects)
        lines.append(f"| {name} | intensities | boosted trees | {len(given)} | {value} |")
    return lines


def brows(split: str, seed: int, subjects: int) -> tuple[Vector, Labels, Labels]:
    """Landmarks (n, 56) with their error, brow positions and subjects of drawn faces."""
    points, labels, names = [], [], []
    for i in range(subjects * len(BASIC_7)):
        face = face_at(i, seed=seed, split=split, labels=BASIC_7)
        drawing = draw(face, size=SIDE)
        found = np.array(points_of(drawing.landmarks, SIDE))
        right, left = found[0:4].mean(0), found[4:8].mean(0)  # the corners and lids of each eye
        points.append(((found - (right + left) / 2) / np.hypot(*(left - right))).ravel())
        labels.append(annotate(face, drawing)["eyebrows"])
        names.append(face.identity.subject)
    seen = np.array(points)
    error = np.random.default_rng([4, len(seen)]).normal(0.0, LANDMARK_ERROR, seen.shape)
    return seen + error, np.array(labels), np.array(names)


def brow_row() -> str:
    """How well landmarks tell the position of the brows."""
    points, labels, _ = brows("train", TRAIN_SEED, BROW_SUBJECTS)
    held, truth, subjects = brows("test", TEST_SEED, BROW_TEST_SUBJECTS)
    given = HistGradientBoostingClassifier(random_state=0).fit(points, labels).predict(held)
    names = np.unique(labels)
    code, right = np.searchsorted(names, given), np.searchsorted(names, truth)
    value = interval(lambda at: uar(right[at], code[at], len(names)), subjects)
    uf1 = float(f1_score(truth, given, average="macro"))
    reads = f"landmarks, error {LANDMARK_ERROR}"
    return f"| eyebrows | {reads} | boosted trees | {len(given)} | {value} | {uf1:.3f} |"


def hardest(train: Rows, test: Rows) -> list[str]:
    """The commonest confusions of the boosted trees on intensities."""
    model = HistGradientBoostingClassifier(max_iter=100, random_state=0)
    given = model.fit(train.units, train.labels).predict(test.units)
    pairs, counts = np.unique(
        [f"{t} read as {g}" for t, g in zip(test.labels, given, strict=True) if t != g],
        return_counts=True,
    )
    order = np.argsort(-counts, kind="stable")[:5]
    return [f"{pairs[i]} ({counts[i]})" for i in order]


def main() -> None:
    seven = [
        pictures(BASIC_7, "train", TRAIN_SEED, TRAIN_SUBJECTS),
        pictures(BASIC_7, "test", TEST_SEED, TEST_SUBJECTS),
    ]
    eight = [
        pictures(BASIC_8, "train", TRAIN_SEED, TRAIN_SUBJECTS),
        pictures(BASIC_8, "test", TEST_SEED, TEST_SUBJECTS),
    ]
    fine = [
        apexes("train", TRAIN_SEED, TRAIN_SUBJECTS),
        apexes("test", TEST_SEED, TEST_SUBJECTS),
    ]
    print("# Ceilings of the tasks on drawn faces\n")
    print("Made by `python results/benchmarks/oracle.py`; see its docstring for the method.\n")
    print("| task | reads | classifier | n | UAR | UF1 |\n|---|---|---|---|---|---|")
    lines = classified("emotion, 7 classes", *seven) + classified("emotion, 8 classes", *eight)
    lines += classified("micro-expression, fine, apex frame", *fine)
    lines += classified("micro-expression, coarse, apex frame", *(coarse(r) for r in fine))
    print("\n".join([*lines, brow_row()]))
    print("\n| value | reads | model | n | CCC |\n|---|---|---|---|---|")
    print("\n".join(regressed(*seven)))
    print("\nMost common confusions of the boosted trees on intensities:\n")
    print(f"- emotion, 7 classes: {'; '.join(hardest(*seven)) or 'none'}")
    print(f"- emotion, 8 classes: {'; '.join(hardest(*eight)) or 'none'}")
    print(f"- micro-expression, fine: {'; '.join(hardest(*fine)) or 'none'}")


if __name__ == "__main__":
    main()
