"""Pictures of samples on a page: drawn faces always, own pictures only if requested.

Own pictures are read from where the table of samples of the run says that they lie, and from nowhere else: a page names
a sample and a frame by their numbers, never a path.
"""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from harness.core.errors import HarnessError
from harness.core.picture import FilePicture
from harness.media.decode import open_picture
from harness.report.inputs import RunView
from harness.report.pictures import DRAWN, collect
from harness.run.columns import opened
from harness.run.folder import RunFolder

SIDE = 160
"""Longer side of a picture, in pixels."""
SIDES = (32, 1024)
"""Least and greatest that may be asked for."""
MOST_FRAMES = 3
"""Of a clip: the first, the middle and the last."""
HELD = 400
"""Drawn thumbnails that are kept, the latest."""


class OwnPictures:
    """The pictures of one task of a run, by the place of their sample in its table."""

    def __init__(self, folder: RunFolder, task: str) -> None:
        """Read the ids. Raises HarnessError where the table of samples is missing or broken."""
        self._path = folder.samples(task)
        with opened(self._path) as file:
            self._ids = file.read(columns=["sample"], use_threads=False).column(0)
            self._groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]

    def places(self, samples: Sequence[str]) -> dict[str, int]:
        """Sample -> its place in the table; those that are not in it are left out."""
        import pyarrow as pa
        import pyarrow.compute as pc

        found = pc.index_in(pa.array(samples), value_set=self._ids.combine_chunks())
        return {
            sample: place
            for sample, place in zip(samples, found.to_pylist(), strict=True)
            if place is not None
        }

    def names(self, place: int) -> list[str]:
        """The names of a sample's pictures; of a clip three frames. Raises IndexError."""
        row, group = place, 0
        while row >= self._groups[group]:
            row -= self._groups[group]
            group += 1
        with opened(self._path) as file:
            table = file.read_row_group(group, columns=["media"], use_threads=False)
        names = [str(name) for name in json.loads(table.column(0)[row].as_py() or "[]")]
        if len(names) > MOST_FRAMES:
            return [names[0], names[len(names) // 2], names[-1]]
        return names

    def captions(self, place: int) -> list[str]:
        """What stands under each of a sample's pictures: which of two it is, as in a pair. Raises IndexError."""
        names = self.names(place)
        return ["first", "second"] if len(names) == 2 else [""] * len(names)

    def jpeg(self, place: int, frame: int, *, side: int = SIDE) -> bytes:
        """One picture, made smaller. Raises MediaError where it cannot be read, IndexError where there is none."""
        from PIL import Image

        image = open_picture(FilePicture(Path(self.names(place)[frame]))).convert("RGB")
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        image.save(out, "JPEG", quality=85)
        return out.getvalue()


class DrawnPictures:
    """Thumbnails of drawn faces, as reports show them; drawn again from the task's own options."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str, str, str], list[list[str]]] = OrderedDict()

    def of(
        self, view: RunView, task: str, condition: str, samples: Sequence[str]
    ) -> dict[str, list[list[str]]]:
        """Sample -> (caption, data URL) of its pictures; nothing for a task whose faces are not drawn."""
        if view.tasks[task].source.get("family") != DRAWN:
            return {}
        name = str(view.folder.path)
        open_ones = [s for s in samples if (name, task, condition, s) not in self._held]
        if open_ones:
            try:
                album = collect(view, [(task, condition, sample) for sample in open_ones])
            except HarnessError:  # they cannot be drawn by this version: the page goes without
                return {}
            for sample in open_ones:
                shown = album.shown.get((task, condition, sample), ())
                self._held[name, task, condition, sample] = [
                    [caption, album.urls[picture]] for caption, picture in shown if picture
                ]
        found = {s: self._held[name, task, condition, s] for s in samples}
        while len(self._held) > HELD:
            self._held.popitem(last=False)
        return found
