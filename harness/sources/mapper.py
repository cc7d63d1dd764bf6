"""Rows of any table turned into Samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.core.errors import HarnessError, MediaError
from harness.core.field import FieldSpec
from harness.core.medium import Medium
from harness.core.picture import FilePicture
from harness.core.sample import Sample, Scalar, Value
from harness.core.source import Skipped
from harness.media.marks import with_notes
from harness.media.video_file import VideoFile
from harness.sources.cells import annotation, frame_number, frame_rate, is_blank, plain, target
from harness.sources.columns import ColumnOptions, SourceColumns
from harness.sources.encoded import content_id, decoded, is_encoded
from harness.sources.ids import IdCheck, SeenIds, check_id, fault_of
from harness.sources.pictures import NoFrames, frame_numbers, frames_of, picture_of
from harness.sources.places import place_of, tidy
from harness.sources.references import INDEX, References
from harness.sources.rows import TableRow

UNLABELLED = "no label in any target column"
NO_PICTURE = "no picture given"
NOT_ASKED = "asks for none of the task's fields"

_MOMENTS = ("onset", "apex", "offset")


@dataclass(frozen=True, slots=True)
class Mapper:
    """How the rows of one table become Samples."""

    options: ColumnOptions
    columns: SourceColumns
    fields: Mapping[str, FieldSpec]
    root: Path
    """Folder that relative paths start at."""
    inside: tuple[str, ...] = ()
    """Absolute folders that pictures may lie in; none: anywhere."""
    references: References | None = None
    """Where pictures may be named by the index of their row."""

    def sample(self, row: TableRow, sample_id: str) -> Sample | str:
        """The row's Sample, or the reason why it is left out. Raises HarnessError naming the row."""
        cells, columns = row.cells, self.columns
        media = columns.medium.of(cells)
        second = None if columns.second is None else columns.second.of(cells)
        if _is_nothing(media) or (columns.second is not None and _is_nothing(second)):
            return NO_PICTURE
        question = self._question(row)
        notes: dict[str, Scalar] = {
            name: annotation(cell) for name, cell in cells.items() if name not in columns.used
        }
        targets, untold = self._truths(row)
        notes |= untold
        other = self.options.other_subject
        if other is not None and not is_blank(cells.get(other)):
            notes["other_subject"] = plain(cells[other])
        asks = self._asks(row)
        if not targets and self.options.unlabelled == "skip":
            return UNLABELLED
        return Sample(
            id=sample_id,
            medium=with_notes(self._medium(media, row, sample_id), notes),
            targets=targets,
            question=question,
            asks=asks,
            annotations=notes,
            second=None if second is None else self._second(second, row, sample_id),
            cluster=self._cluster(cells),
        )

    def targets(self, row: TableRow) -> Mapping[str, Value]:
        """The row's true values; none where it is left out for want of a picture. Raises HarnessError as `sample`."""
        columns = [self.columns.medium, *([self.columns.second] if self.columns.second else [])]
        if any(_is_nothing(column.of(row.cells)) for column in columns):
            return {}
        return self._truths(row)[0]

    def own_id(self, row: TableRow) -> str | None:
        """The id in the row's id column, checked; None where the table has no such column."""
        if self.options.id is None:
            return None
        cell = row.cells.get(self.options.id)
        found = "" if is_blank(cell) else str(plain(cell))
        check_id(found, where=row.where)
        return found

    def given_id(self, row: TableRow) -> str:
        """An id for a row that has none: its picture's path in one spelling, else its number.

        A picture in a cell is called by its column `index`, as VLMEvalKit's tables have it, else by its content, as
        is a picture outside the folders of the table.
        """
        cell = self.columns.medium.of(row.cells)
        if not isinstance(cell, str) and isinstance(cell, Mapping):
            cell = cell.get("path")
        if not isinstance(cell, str) or not cell.strip():
            return str(row.number)
        text = cell.strip()
        index = row.cells.get(INDEX)
        if is_encoded(text):
            found = content_id(decoded(text)) if is_blank(index) else plain(index)
        elif self.references is not None and not is_blank(index):
            found = plain(index)
        elif self.options.ids == "as-written":
            found = text if fault_of(text) is None else Path(text).name
        else:
            found = tidy(text, self.inside) or self._outside_id(text, row)
        return found if fault_of(found) is None else str(row.number)

    def _outside_id(self, text: str, row: TableRow) -> str:
        """By the content of a picture, which does not depend on where it lies; else by its name."""
        place = place_of(text, self.root, (), row.where)
        try:
            return content_id(FilePicture(place).read()) if isinstance(place, str) else ""
        except MediaError:
            return Path(text.replace("\\", "/")).name

    def _question(self, row: TableRow) -> str | None:
        if self.columns.question is None:
            return self.options.ask
        cell = row.cells.get(self.columns.question)
        if is_blank(cell):
            raise HarnessError(
                f"{row.where}: no question in column {self.columns.question!r}",
                hint="fill in the cell, or use source.ask to ask one question for every row",
            )
        return plain(cell)

    def _truths(self, row: TableRow) -> tuple[dict[str, Value], dict[str, Scalar]]:
        """The row's true values, and field -> what its column says in place of one (`unsure`), for slices by that field."""
        truths: dict[str, Value] = {}
        untold: dict[str, Scalar] = {}
        for field, column in self.columns.targets.items():
            cell = row.cells.get(column)
            if is_blank(cell):
                continue
            if self.options.blank and plain(cell) in self.options.blank:
                untold[field] = annotation(cell)
            else:
                truths[field] = target(cell, self.fields[field], column=column, where=row.where)
        return truths, untold

    def _asks(self, row: TableRow) -> tuple[str, ...]:
        if self.options.asks is None or is_blank(row.cells.get(self.options.asks)):
            return ()
        cell = row.cells[self.options.asks]
        parts = cell if isinstance(cell, list) else plain(cell).split(",")
        asked = tuple(part for part in map(plain, parts) if part)
        unknown = [field for field in asked if field not in self.fields]
        if unknown:
            raise HarnessError(
                f"{row.where}, column {self.options.asks!r}: the task has no field {unknown[0]!r}",
                hint=f"fields: {', '.join(self.fields)}",
            )
        return asked

    def _cluster(self, cells: Mapping[str, Any]) -> str | None:
        if self.options.subject is None or is_blank(cells.get(self.options.subject)):
            return None
        return plain(cells[self.options.subject])

    def _medium(self, media: Any, row: TableRow, sample_id: str) -> Medium:
        where = row.where
        if self.columns.kind == "image":
            named = self.references and self.references.picture(row.cells, sample_id)
            picture = named or picture_of(
                media, root=self.root, name=sample_id, where=where, inside=self.inside
            )
            return Medium(kind="image", frames=(picture,))
        frames = frames_of(media, root=self.root, name=sample_id, where=where, inside=self.inside)
        onset, apex, offset = (self._frame(part, row) for part in _MOMENTS)
        indices = frame_numbers(frames, self.options.numbering, where=where)
        if not isinstance(frames[0], NoFrames | VideoFile):
            _check_inside((onset, apex, offset), indices, where=where)
        return Medium(
            kind="clip",
            frames=frames,
            indices=indices,
            fps=self._fps(row),
            onset=onset,
            apex=apex,
            offset=offset,
        )

    def _second(self, media: Any, row: TableRow, sample_id: str) -> Medium:
        """The other picture of a pair."""
        picture = picture_of(
            media, root=self.root, name=f"{sample_id}/2", where=row.where, inside=self.inside
        )
        return Medium(kind="image", frames=(picture,))

    def _frame(self, part: str, row: TableRow) -> int | None:
        column = getattr(self.options, part)
        if column is None:
            return None
        return frame_number(row.cells.get(column), column=column, where=row.where)

    def _fps(self, row: TableRow) -> float | None:
        fps = self.options.fps
        if isinstance(fps, str):
            return frame_rate(row.cells.get(fps), column=fps, where=row.where)
        return fps


class RowReader(Protocol):
    """Turns rows into Samples."""

    def own_id(self, row: TableRow) -> str | None: ...

    def given_id(self, row: TableRow) -> str: ...

    def sample(self, row: TableRow, sample_id: str) -> Sample | str: ...


class RowSource:
    """A Source over rows: ids made or checked, rows left out counted."""

    __slots__ = (
        "_digest", "_folder", "_ids", "_mapper", "_name", "_notes", "_rows", "_skipped",
    )  # fmt: skip

    def __init__(
        self,
        rows: Callable[[], Iterable[TableRow]],
        mapper: RowReader,
        *,
        name: str,
        digest: Callable[[], str],
        notes: tuple[str, ...] = (),
        folder: Path | None = None,
    ) -> None:
        """`folder` is that of the pictures, where the rows follow from what `digest` reads and from the options alone."""
        self._rows = rows
        self._mapper = mapper
        self._name = name
        self._digest = digest
        self._notes = notes
        self._folder = folder
        self._skipped: tuple[Skipped, ...] = ()
        self._ids = IdCheck()

    def __iter__(self) -> Iterator[Sample]:
        seen, left_out, any_row = self._ids.begin(), Counter[str](), False
        for row in self._rows():
            any_row = True
            made = self._mapper.sample(row, self._id(row, seen))
            if isinstance(made, str):
                left_out[made] += 1
            else:
                yield made
        if not any_row:
            raise HarnessError(f"{self._name} has no rows", hint="add at least one row")
        self._ids.end(seen)
        self._skipped = tuple(Skipped(why, n) for why, n in sorted(left_out.items()))

    def digest(self) -> str:
        return self._digest()

    def skipped(self) -> tuple[Skipped, ...]:
        return self._skipped

    def some(self, ids: Collection[str]) -> Iterator[Sample]:
        """As in `Choosing`; no row behind the last of them is read."""
        seen, left = self._ids.begin(), set(ids)
        for row in self._rows() if left else ():
            found = self._mapper.own_id(row)
            name = self._id(row, seen) if found is None else found
            if name in left:
                left.discard(name)
                made = self._mapper.sample(row, name)
                if not isinstance(made, str):
                    yield made
                if not left:
                    return

    def folder(self) -> Path | None:
        """As in `OfFiles`."""
        return self._folder

    def truths(self) -> Iterator[Mapping[str, Value]]:
        """The true values of each row, without its picture."""
        if isinstance(self._mapper, Mapper):
            yield from map(self._mapper.targets, self._rows())
        else:
            yield from (sample.targets for sample in self)

    def notes(self) -> tuple[str, ...]:
        """How the table was read, where that is not plain."""
        return self._notes

    def _id(self, row: TableRow, seen: SeenIds | None) -> str:
        own = self._mapper.own_id(row)
        if own is not None:
            if seen is not None and seen.add(own):
                self._refuse_repeat(row, own)
            return own
        given = candidate = self._mapper.given_id(row)
        repeat = 1
        while seen is not None and seen.add(candidate):
            repeat += 1
            candidate = f"{given}#{repeat}"
        return candidate

    def _refuse_repeat(self, row: TableRow, sample_id: str) -> None:
        """Find the earlier row of the same id; without one, two hashes merely met."""
        for earlier in self._rows():
            if earlier.number >= row.number:
                return
            if self._mapper.own_id(earlier) == sample_id:
                raise HarnessError(
                    f"{row.where}: the id {sample_id!r} is already in {earlier.where}",
                    hint="give each row its own id, or leave out source.id",
                )


def _is_nothing(media: Any) -> bool:
    """Whether a cell names no picture."""
    if isinstance(media, str):  # as most are: to ask for a Mapping takes longer than all the rest
        return not media.strip()
    return is_blank(media) or (isinstance(media, Mapping) and set(media.values()) <= {None})


def _check_inside(numbers: Iterable[int | None], indices: tuple[int, ...], *, where: str) -> None:
    for moment, number in zip(_MOMENTS, numbers, strict=True):
        if number is not None and not indices[0] <= number <= indices[-1]:
            raise HarnessError(
                f"{where}: {moment} {number} is outside its frames {indices[0]} to {indices[-1]}",
                hint="set source.numbering (from-zero, from-one, file-names), or correct the cell",
            )
