"""Which samples of a task have something left to ask, found from the samples file and without the source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson

from harness.core.cell import Cell, trial_id
from harness.run.columns import BATCH, opened
from harness.run.digests import KEY
from harness.run.stamps import Stamps, bare_stamps, told_of_file

MOST = 0.25
"""Share of the samples above which all are read from the source."""


def left_open(
    path: Path,
    cells: Sequence[tuple[Cell, Sequence[str]]],
    stamps: Stamps,
    *,
    repeats: int,
    count: int,
    now: float,
) -> frozenset[str] | None:
    """The ids of those of `count` samples of which not every trial is finished on one of its cell's bases with the stamp of
    the sample; None where they are more than MOST of them.

    `path` is a samples file of which each sample shows one picture without notes and asks every field. `now` is as in
    `stamp_of`. Raises HarnessError where it is broken.
    """
    left: list[str] = []
    with opened(path, coded=["media"]) as file:
        for batch in file.iter_batches(
            batch_size=BATCH, columns=["sample", "question", "media"], use_threads=False
        ):
            samples, questions = (batch.column(n).to_pylist() for n in ("sample", "question"))
            media = batch.column("media")
            told = [_told(text, now) for text in media.dictionary.to_pylist()]
            codes = media.indices.to_pylist()
            made = bare_stamps(questions, [told[code] for code in codes])
            same = np.array([stamp is not None for stamp in made])
            shown = [stamp or bytes(KEY) for stamp in made]
            for cell, bases in cells:
                for repeat in range(repeats):
                    start = trial_id(cell, "", repeat)
                    same &= stamps.hold([start + sample for sample in samples], bases, shown)
            left += [samples[place] for place in np.flatnonzero(~same).tolist()]
            if len(left) > MOST * count:
                return None
    return frozenset(left)


def _told(media: str, now: float) -> str | None:
    """What a stamp says of a picture, written out; None where it cannot tell."""
    (name,) = orjson.loads(media)
    told = told_of_file(name, now)
    return None if told is None else repr(told)
