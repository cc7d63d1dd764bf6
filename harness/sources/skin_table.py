"""`harness data skin`: a side table of skin tones measured on the pictures of a task, as `source.sidecar` reads it.

One row a sample, in the order of the source. Columns:

    sample        its id
    finding       measured, or why not
    ita           the individual typology angle in degrees (`harness.media.skin`); greater is lighter
    ita_group     very-light, light, intermediate, tan, brown or dark
    skin_light    L* of the skin, 0 to 100
    skin_pixels   pixels of cheeks and forehead that were measured

Of a clip the first frame is measured.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness.core.errors import MediaError
from harness.core.picture import Remembered
from harness.core.sample import Sample
from harness.media.decode import open_picture
from harness.media.marks import marks_of
from harness.media.skin import SkinTone, skin_tone
from harness.media.video_file import opened

COLUMNS = ("sample", "finding", "ita", "ita_group", "skin_light", "skin_pixels")
MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class SkinTable:
    """The file, and what is told of it."""

    text: str
    """CSV; the same samples give the same text."""
    groups: Counter[str]
    """Group -> samples."""
    unmeasured: Counter[str]
    """Why not -> samples."""


def measure_samples(samples: Iterable[Sample]) -> SkinTable:
    """Measure every sample; one whose face has no known place, or that cannot be read, becomes a row that says so."""
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    writer.writerow(COLUMNS)
    groups: Counter[str] = Counter()
    unmeasured: Counter[str] = Counter()
    for sample in samples:
        try:
            found = _measured(sample)
        except MediaError as error:
            why = error.message.rpartition(": ")[2]
            unmeasured[why] += 1
            writer.writerow([sample.id, why, *[""] * (len(COLUMNS) - 2)])
            continue
        groups[found.group] += 1
        writer.writerow(
            [sample.id, MEASURED, f"{found.ita:.1f}", found.group, f"{found.lightness:.1f}", found.pixels]
        )  # fmt: skip
    return SkinTable(held.getvalue(), groups, unmeasured)


def _measured(sample: Sample) -> SkinTone:
    medium = opened(sample.medium)
    medium = replace(medium, frames=tuple(Remembered(frame) for frame in medium.frames[:1]), indices=medium.indices[:1])  # fmt: skip
    marks = marks_of(medium, wanted_by="a skin tone")
    return skin_tone(open_picture(medium.frames[0]), marks)
