"""ME-STR: a table of the intervals spotted in a challenge's videos, from runs over windows, and its check.

The columns are those of the challenge's metric (subject, video, onset, offset, emotion); that its upload wants
this very table was not seen confirmed.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.analyses.rows.spotting import UNANSWERED, spots_of, videos_of
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.prompt import PromptHead
from harness.core.task import Task
from harness.core.text import digest_file
from harness.imports.spot_tables import COLUMNS
from harness.metrics.spots import Spot
from harness.run.cell_entry import cell_of
from harness.run.folder import open_run
from harness.run.sample_columns import gather
from harness.run.sample_file import read_samples
from harness.run.scoring import scored_manifest
from harness.score.cell_records import read_cell
from harness.score.records import TaskRecords
from harness.score.replies import Replies
from harness.sources.cells import is_blank, plain
from harness.sources.rows import open_table
from harness.submit.choice import Choice
from harness.submit.findings import Findings, name_rows
from harness.submit.megc.labels import Labels, answer_name, labels_for
from harness.submit.text import decoded, table_of, whole_number

EMOTION = "emotion"
"""The column, and the field of `--labels`, of the intervals' emotions."""
Video = tuple[str, str]
"""Subject and video."""


@dataclass(frozen=True, slots=True)
class Videos:
    """The videos of a test set."""

    path: Path
    digest: str
    videos: tuple[Video, ...]

    @property
    def answers_to(self) -> str:
        """The name of the table of intervals."""
        return answer_name(self.path.name)


@dataclass(frozen=True, slots=True)
class Spotted:
    """What one cell of a run spotted."""

    run: Path
    cell: Cell
    videos: tuple[Video, ...]
    """The videos whose windows were asked."""
    spots: tuple[Spot, ...]


def read_videos(path: Path) -> Videos:
    """Read a table of videos, columns subject and video, one row each.

    Raises HarnessError: a name without `_to_answer`, a column missing, a blank cell, a video twice.
    """
    if answer_name(path.name) == path.name or path.suffix != ".csv":
        raise HarnessError(
            f"{path.name}: the table of videos must be named NAME_to_answer.csv",
            hint="rename it; the table of intervals is then NAME_pred.csv",
        )
    table = open_table(path)
    for column in ("subject", "video"):
        if column not in table.columns:
            raise HarnessError(
                f"{path.name} has no column {column!r}",
                hint="give subject and video, one row per video",
            )
    seen: dict[Video, int] = {}
    for row in table:
        if is_blank(row.cells["subject"]) or is_blank(row.cells["video"]):
            raise HarnessError(
                f"{row.where}: no subject or video", hint="fill in the row, or remove it"
            )
        video = (plain(row.cells["subject"]), plain(row.cells["video"]))
        if video in seen:
            raise HarnessError(
                f"{path.name}, rows {seen[video]} and {row.number}: the same video {' '.join(video)!r}",
                hint="list each video once",
            )
        seen[video] = row.number
    if not seen:
        raise HarnessError(f"{path.name} has no rows", hint="name the videos of the test set")
    return Videos(path, digest_file(path), tuple(seen))


def read_spotted(runs: Sequence[Path], choice: Choice) -> list[Spotted]:
    """What the cells chosen spotted, of tasks with `spotting`. Raises HarnessError where windows are unfinished."""
    found = []
    for run in runs:
        folder = open_run(run)
        manifest = scored_manifest(folder)
        standing = Replies.of_run(folder, manifest)
        for name, entry in manifest["tasks"].items():
            task = Task.model_validate(entry["config"])
            if task.spotting is None:
                continue
            samples = list(read_samples(folder.scored_samples(name)))
            for one in manifest["cells"]:
                cell = cell_of(one)
                if cell.task != name or not choice.means(one):
                    continue
                replies = Replies.of_version(folder, manifest, one) if cell.asked_as else standing
                records = TaskRecords(task, entry["cluster_unit"], gather(samples))
                head = PromptHead.model_validate(manifest["prompts"][cell.prompt]["head"])
                for _ in read_cell(records, cell, head, replies):
                    pass
                if records.pending.get(cell):
                    raise HarnessError(
                        f"{run}: {records.pending[cell]:,} windows of {cell.model} {cell.prompt} are not finished",
                        hint="run the same command again until the run is done",
                    )
                videos = tuple(videos_of(records).places)  # those without an interval too
                spots = tuple(spots_of(records, cell))
                found.append(Spotted(run, cell, videos, spots))
    return found


def spots_for(asked: Videos, spotted: Sequence[Spotted]) -> tuple[list[Spot], list[Spotted]]:
    """The intervals of the videos asked, in their order, and the cells they come from.

    Raises HarnessError for videos that no cell, or more than one, looked at.
    """
    by_video: dict[Video, list[Spotted]] = {video: [] for video in asked.videos}
    for one in spotted:
        for video in one.videos:
            if video in by_video:
                by_video[video].append(one)
    absent = [" ".join(video) for video, found in by_video.items() if not found]
    if absent:
        raise HarnessError(
            f"{asked.path.name}: {len(absent)} of {len(by_video)} videos are missing in these "
            f"runs, such as {absent[0]!r}",
            hint="add the run over their windows; both must spell subject and video alike",
        )
    if any(len(found) > 1 for found in by_video.values()):
        cells = dict.fromkeys(
            f"{one.run} {one.cell.model} {one.cell.prompt} {one.cell.shown_condition} {one.cell.taken}"
            for found in by_video.values()
            for one in found
        )
        raise HarnessError(
            f"{asked.path.name}: several cells cover the same videos: " + "; ".join(cells),
            hint="choose one with --task, --model, --prompt, --condition or --channel (in quotes, as it stands last)",
        )
    used = {id(one): one for found in by_video.values() for one in found}
    spots = [
        spot
        for video, found in by_video.items()
        for spot in found[0].spots
        if (spot.subject, spot.video) == video
    ]
    return spots, list(used.values())


def with_emotions(spots: Sequence[Spot], fill: str) -> tuple[list[Spot], list[int]]:
    """The intervals, with `fill` where the emotion of a given one was not answered, and the rows (from 1) it stands in.

    Raises HarnessError naming an interval without an answer where nothing is to be filled in.
    """
    empty = [at for at, spot in enumerate(spots) if spot.emotion == UNANSWERED]
    if empty and not fill:
        first = spots[empty[0]]
        raise HarnessError(
            f"{len(empty)} of {len(spots)} intervals have no usable answer, such as {first.video} {first.onset}-{first.offset}",
            hint="name the emotion that is sent for them: --fill happiness",
        )
    named = [replace(spot, emotion=spot.emotion or fill) for spot in spots]
    return named, [at + 1 for at in empty]


def emotions_for(file: str, given: Labels | None = None) -> tuple[str, ...]:
    """The emotions of one table of videos: those `given` for the field `emotion`, else the fine labels of its set, of
    which CAS(ME)^3 has six and SAMM has contempt too. The challenge's own lists were not seen.

    Raises HarnessError for labels of another field.
    """
    for name in given or {}:
        if name != EMOTION:
            raise HarnessError(
                f"tables of intervals have no labels for {name!r}",
                hint=f"name those of the intervals: --labels {EMOTION}=A,B",
            )
    return (given or {}).get(EMOTION) or labels_for(file)["fine"]


def spot_bytes(spots: Sequence[Spot]) -> bytes:
    """The table as CSV."""
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((s.subject, s.video, s.onset, s.offset, s.emotion) for s in spots)
    return held.getvalue().encode("utf-8", "replace")


def check_spots(data: bytes, asked: Videos, labels: Labels | None = None, *, name: str) -> Findings:
    """Check the bytes of a table of intervals; `labels` (`emotion` -> labels) stand in place of the built-in ones."""
    known = emotions_for(asked.path.name, labels)
    text = decoded(data)
    if text.unreadable:
        return Findings(name, 0, (text.unreadable,), ())
    rows, unfit = table_of(text.text, COLUMNS)
    if unfit:
        return Findings(name, 0, (*text.faults, unfit), ())
    faults: dict[str, list[int]] = {}
    spots: list[tuple[int, Spot]] = []
    for number, cells in enumerate(rows, start=1):
        fault, spot = _spot(cells, set(asked.videos))
        if fault:
            faults.setdefault(fault, []).append(number)
        elif spot is not None:
            spots.append((number, spot))
    found = [*text.faults, *(f"{name_rows(at)}: {what}" for what, at in faults.items())]
    first: dict[Spot, int] = {}
    for number, spot in spots:
        if first.setdefault(spot, number) != number:
            found.append(f"rows {first[spot]} and {number}: the same interval")
    warned = _warnings(spots, asked, known)
    outside = {} if {spot.emotion for _, spot in spots} <= set(known) else {EMOTION: known}
    return Findings(name, len(rows), tuple(found), (*text.warnings, *warned), outside)


def _spot(cells: Sequence[str], videos: set[Video]) -> tuple[str, Spot | None]:
    """A fault, or the interval."""
    if len(cells) != len(COLUMNS):
        return f"not {len(COLUMNS)} cells" if cells else "blank", None
    if not all(cell.strip() for cell in cells):
        return "an empty cell", None
    subject, video, onset, offset, emotion = cells
    first, last = whole_number(onset), whole_number(offset)
    if first is None or last is None:
        return "onset or offset is not a whole number", None
    if first > last:
        return "the onset is after the offset", None
    if (subject, video) not in videos:
        return "a video that is not in the list", None
    return "", Spot(subject, video, first, last, emotion)


def _warnings(
    spots: Sequence[tuple[int, Spot]], asked: Videos, labels: Collection[str]
) -> Iterator[str]:
    strange: dict[str, list[int]] = {}
    last: dict[Video, int] = {}
    overlaps = []
    for number, spot in sorted(
        spots, key=lambda item: (item[1].subject, item[1].video, item[1].onset)
    ):
        if spot.emotion not in labels:
            strange.setdefault(spot.emotion[:60], []).append(number)
        video = (spot.subject, spot.video)
        if spot.onset <= last.get(video, -1):
            overlaps.append(number)
        last[video] = max(spot.offset, last.get(video, -1))
    for emotion, numbers in strange.items():
        yield f"{name_rows(sorted(numbers))}: not one of the known labels: {emotion!r}"
    if overlaps:
        yield f"{name_rows(sorted(overlaps))}: overlaps another interval of the same video"
    idle = len(asked.videos) - len(last)
    if idle:
        yield f"{idle} of {len(asked.videos)} videos without an interval"
    counted = Counter(spot.emotion for _, spot in spots).most_common(1)
    if len(spots) >= 5 and counted[0][1] >= 0.9 * len(spots):
        yield f"the same emotion in {counted[0][1]} of {len(spots)} intervals: {counted[0][0]!r}"
