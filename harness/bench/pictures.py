"""Pictures for the benchmark: drawn faces as different 224 x 224 JPEG files, with a table of their labels."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from harness.bench.server import WORDS

SIDE = 224
_QUALITY, _GRAIN = 85, 7


def write_pictures(folder: Path, count: int) -> Path:
    """Write `count` files and `labels.csv` (image, emotion); returns the table.

    A few faces with a photograph's grain are drawn, about 15 kB each; each file is one of them with its number
    in a comment segment, which makes its bytes its own and costs no drawing.
    """
    (folder / "faces").mkdir(parents=True, exist_ok=True)
    drawn = [drawn_face(number) for number in range(2 * len(WORDS))]
    table = folder / "labels.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "emotion"])
        for number in range(count):
            name = f"faces/{number:06}.jpg"
            (folder / name).write_bytes(_numbered(drawn[number % len(drawn)], number))
            writer.writerow([name, WORDS[number % len(WORDS)]])
    return table


def _numbered(jpeg: bytes, number: int) -> bytes:
    """The file with a comment segment (ITU-T T.81, section B.2.4.5) after its start marker."""
    comment = b"%08d" % number
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def drawn_face(number: int) -> bytes:
    """A drawn face with a photograph's grain, as a JPEG file."""
    import numpy as np
    from PIL import Image

    from harness.faces import draw, face_at

    pixels = draw(face_at(number, seed=0), size=SIDE).pixels
    grain = np.random.default_rng(number).normal(0, _GRAIN, (SIDE, SIDE, 1))
    out = io.BytesIO()
    Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8)).save(
        out, "JPEG", quality=_QUALITY
    )
    return out.getvalue()
