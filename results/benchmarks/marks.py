"""Boxes and landmarks of `harness data marks` on photographs, beside dlib's; makes the figures of marks.md.

    harness data marks table/emotion --set source.file=labels.csv --set media.root=images --out marks.csv
    python results/benchmarks/marks.py marks.csv images
    harness data marks faces/emotion --out drawn.csv
    python results/benchmarks/marks.py drawn.csv --drawn faces/emotion

The second line needs dlib-bin and face-recognition-models, and nothing of harness. dlib
looks at each picture with a quarter of its longer side around it, the edge repeated, and takes its most certain face.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

TEN = (36, 39, 42, 45, 30, 33, 48, 54, 51, 57)
"""Corners of the eyes, tip and root of the nose, corners of the mouth, middle of the upper and of the lower lip."""
BORDER = 0.25


def of_dlib(folder: Path) -> dict[str, np.ndarray]:
    """File name -> 68 points, where dlib finds a face."""
    import dlib

    place = importlib.util.find_spec("face_recognition_models").submodule_search_locations[0]
    model = Path(place) / "models" / "shape_predictor_68_face_landmarks.dat"
    read, look = dlib.shape_predictor(str(model)), dlib.get_frontal_face_detector()
    found = {}
    for file in sorted(folder.iterdir()):
        picture = np.array(Image.open(file).convert("RGB"))
        border = int(BORDER * max(picture.shape[:2]))
        padded = np.pad(picture, ((border, border), (border, border), (0, 0)), mode="edge")
        faces, scores, _ = look.run(padded, 1, 0.0)
        if len(faces):
            best = max(range(len(faces)), key=lambda i, scores=scores: scores[i])
            parts = read(padded, faces[best]).parts()
            found[file.name] = np.array([[p.x - border, p.y - border] for p in parts], float)
    return found


def drawn(rows: dict[str, dict[str, str]], task: str) -> None:
    """Print how boxes and landmarks lie on drawn faces, whose own are exact."""
    from harness.media.parts import face_box, frame_of
    from harness.run.task_files import load_task
    from harness.run.workspace import open_workspace
    from harness.sources import open_source

    place = open_workspace(Path.cwd())
    spec = load_task(task, place)
    overlaps, errors = [], []
    for sample in open_source(spec.source, fields=spec.fields, base=place.here):
        row, picture = rows[sample.id], sample.medium.frames[0]
        truth = getattr(picture, "origin", picture).marks()
        if row["face_box"]:
            overlaps.append(overlap(row["face_box"], face_box(truth)))
        if row["landmarks"]:
            own = np.array(row["landmarks"].split(), float).reshape(68, 2)[list(TEN)]
            apart = np.linalg.norm(own - np.array(truth.points)[list(TEN)], axis=1)
            errors.append(apart.mean() / frame_of(truth.points).unit)
    print(f"boxes of {len(overlaps)}, intersection over union: least {min(overlaps):.3f}, median "
          f"{np.median(overlaps):.3f}, {np.mean(np.array(overlaps) >= 0.6):.1%} at least .6")  # fmt: skip
    print(f"ten points, n {len(errors)}, in distances of the middles of the eyes: median "
          f"{np.median(errors):.3f}")  # fmt: skip


def overlap(cell: str, truth: tuple[float, float, float, float]) -> float:
    """Intersection over union of a written box and a true one."""
    x, y, width, height = map(float, cell.split())
    across = max(0.0, min(x + width, truth[2]) - max(x, truth[0]))
    down = max(0.0, min(y + height, truth[3]) - max(y, truth[1]))
    area = (truth[2] - truth[0]) * (truth[3] - truth[1])
    return across * down / (width * height + area - across * down)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("marks", type=Path)
    parser.add_argument("images", type=Path, nargs="?")
    parser.add_argument("--drawn", metavar="TASK", help="the table is that of drawn faces")
    parser.add_argument("--dlib", type=Path, help="keep dlib's points in this JSON file")
    args = parser.parse_args()
    with args.marks.open(newline="", encoding="utf-8") as file:
        rows = {row["sample"]: row for row in csv.DictReader(file)}
    if args.drawn:
        drawn(rows, args.drawn)
        return
    if args.dlib and args.dlib.exists():
        known = {n: np.array(p) for n, p in json.loads(args.dlib.read_text()).items()}
    else:
        known = of_dlib(args.images)
    if args.dlib:
        args.dlib.write_text(json.dumps({n: p.tolist() for n, p in known.items()}))
    print(f"{len(rows)} pictures: {dict(Counter(row['finding'] for row in rows.values()))}")
    print(f"boxes: {sum(bool(row['face_box']) for row in rows.values())}")
    print(f"dlib finds {len(known)}")
    errors = {"outer corners of the eyes": [], "middles of the eyes": []}
    each = []
    for name, points in known.items():
        cells = rows[name]["landmarks"].split()
        if not cells:
            continue
        own = np.array(cells, float).reshape(68, 2)
        apart = np.linalg.norm(own - points, axis=1)
        outer = np.linalg.norm(points[45] - points[36])
        inner = np.linalg.norm(points[42:48].mean(0) - points[36:42].mean(0))
        errors["outer corners of the eyes"].append(apart[list(TEN)].mean() / outer)
        errors["middles of the eyes"].append(apart[list(TEN)].mean() / inner)
        each.append(apart / outer)
    for name, values in errors.items():
        low, mid, high = np.percentile(values, [25, 50, 90])
        print(f"ten points, n {len(values)}, in distances of the {name}: median {mid:.4f} "
              f"(quarter {low:.4f}, p90 {high:.4f})")  # fmt: skip
    medians = np.median(each, axis=0)
    for part, (first, last) in {
        "jaw": (0, 17), "brows": (17, 27), "nose": (27, 36), "eyes": (36, 48), "outer lips": (48, 60),
        "inner lips": (60, 68),
    }.items():  # fmt: skip
        print(f"  {part}: {medians[first:last].mean():.3f}")


if __name__ == "__main__":
    main()
