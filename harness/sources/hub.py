"""The family `hf`: a Hugging Face data set, from the hub or from a folder in its layout."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError, MediaError
from harness.core.field import FieldSpec
from harness.core.source import Source
from harness.core.text import canonical_json, digest_json
from harness.media.decode import LFS_POINTER
from harness.sources.arrow_rows import named
from harness.sources.cells import annotation
from harness.sources.columns import NOT_IN_DIGEST, ColumnOptions, find_columns
from harness.sources.mapper import Mapper, RowSource
from harness.sources.options import read_options
from harness.sources.pictures import picture_of
from harness.sources.places import folders
from harness.sources.rows import TableRow

_BATCH_ROWS = 1000


class HubOptions(ColumnOptions):
    """Options of a Hugging Face data set."""

    path: str
    """Name on the hub, or a folder relative to the current folder."""
    name: str | None = None
    """The data set's configuration."""
    split: str = "test"
    """The split of the data set that is read."""
    revision: str | None = None
    """Commit or tag on the hub; give one for a result that others can repeat."""
    streaming: bool = False
    """Read over the network row by row; pictures then stay in memory with their samples."""


@dataclass(frozen=True, slots=True)
class HubPicture:
    """A picture of a data set on disk, read from its row when asked."""

    name: str
    data: Any
    """The data set."""
    row: int
    column: str
    place: int | None
    """Position in a list of pictures; None where the cell is one picture."""
    inside: tuple[str, ...] = ()
    """Folders that a path in the cell may lie in; none: anywhere."""

    def read(self) -> bytes:
        cell = self.data[self.row][self.column]
        if self.place is not None:
            cell = cell[self.place]
        if not isinstance(cell, Mapping) or set(cell.values()) <= {None}:
            raise MediaError(f"no picture in {self.name}", kind="missing")
        try:
            return picture_of(
                cell, root=Path(), name=self.name, where=self.name, inside=self.inside
            ).read()
        except MediaError:
            raise
        except HarnessError as error:  # a path outside: found only when the row is read
            raise MediaError(error.message, kind="missing", hint=error.hint) from None


def open_hub_source(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over a Hugging Face data set. Raises HarnessError."""
    asked = read_options(HubOptions, options, family="hf")
    data = undecoded(load(asked, base))
    title = f"{asked.path}[{asked.split}]"
    columns = find_columns(asked, tuple(data.features), fields, table=title)
    inside = () if asked.allow_outside else _allowed(base / asked.path)
    mapper = Mapper(options=asked, columns=columns, fields=fields, root=base, inside=inside)
    media = picture_columns(data.features)

    def rows() -> Iterable[TableRow]:
        found = streamed(data, title) if asked.streaming else stored(data, media, title, inside)
        return named_classes(found, data.features)

    def digest() -> str:
        return _digest(asked, data, media)

    return RowSource(rows, mapper, name=title, digest=digest)


def _allowed(local: Path) -> tuple[str, ...]:
    """The data set's own folder, and those that Hugging Face's packages keep their downloads in."""
    from datasets import config

    caches = (config.HF_CACHE_HOME, config.HF_DATASETS_CACHE, config.DOWNLOADED_DATASETS_PATH)
    return folders(local, *map(Path, caches))


def load(options: HubOptions, base: Path) -> Any:
    """The data set's split. Raises HarnessError for whatever keeps it from loading."""
    import datasets

    local = base / options.path
    try:
        return datasets.load_dataset(
            str(local) if local.is_dir() else options.path,
            name=options.name,
            split=options.split,
            revision=options.revision,
            streaming=options.streaming,
        )
    except (
        OSError,
        ValueError,
        RuntimeError,
        KeyError,
        datasets.exceptions.DatasetsError,
    ) as error:
        pointer = _pointer_below(local) if local.is_dir() else None
        if pointer is not None:
            raise HarnessError(f"{pointer} is a Git LFS pointer in place of the file", hint="run `git lfs pull` in its folder") from None  # fmt: skip
        raise HarnessError(
            f"source.path: the data set {options.path!r} cannot be loaded: {error}",
            hint="check path, name, split and revision, and the network connection if it is "
            "on the hub",
        ) from None


def _pointer_below(folder: Path) -> Path | None:
    """The first Parquet or Arrow file that Git LFS has not fetched."""
    for path in sorted((*folder.rglob("*.parquet"), *folder.rglob("*.arrow"))):
        with suppress(OSError), path.open("rb") as file:  # a folder may be called so, too
            if file.read(len(LFS_POINTER)) == LFS_POINTER:
                return path
    return None


def picture_columns(features: Mapping[str, Any]) -> tuple[str, ...]:
    """Columns that hold a picture or a list of pictures."""
    import datasets

    def is_picture(feature: Any) -> bool:
        return isinstance(getattr(feature, "feature", feature), datasets.Image)

    return tuple(name for name, feature in features.items() if is_picture(feature))


def undecoded(data: Any) -> Any:
    """The data set with pictures as {bytes, path}, so that they are opened here, with limits."""
    import datasets

    plain = datasets.Image(decode=False)
    for column in picture_columns(data.features):
        is_one = isinstance(data.features[column], datasets.Image)
        data = data.cast_column(column, plain if is_one else datasets.List(plain))
    return data


def stored(
    data: Any, media: tuple[str, ...], title: str, inside: tuple[str, ...] = ()
) -> Iterator[TableRow]:
    """Rows of a data set on disk; pictures as handles, annotations without touching the pixels."""
    kept = data.select_columns([name for name in data.features if name not in media])
    lists = {name for name in media if hasattr(data.features[name], "feature")}
    lengths = data.select_columns(sorted(lists)) if lists else None
    for index, cells in enumerate(_cells(kept, len(data))):
        for column in media:
            name = f"{title}/{index}/{column}"
            if lengths is not None and column in lists:
                cells[column] = [
                    HubPicture(f"{name}/{place}", data, index, column, place, inside)
                    for place in range(len(lengths[index][column] or ()))
                ]
            else:
                cells[column] = HubPicture(name, data, index, column, None, inside)
        yield TableRow(index + 1, f"{title}, row {index + 1}", cells)


def _cells(data: Any, length: int) -> Iterator[dict[str, Any]]:
    if not data.features:
        yield from ({} for _ in range(length))
        return
    for batch in data.iter(batch_size=_BATCH_ROWS):
        for values in zip(*batch.values(), strict=True):
            yield dict(zip(batch, values, strict=True))


def streamed(data: Any, title: str) -> Iterator[TableRow]:
    """Rows as they come."""
    for number, cells in enumerate(data, start=1):
        yield TableRow(number, f"{title}, row {number}", cells)


def named_classes(rows: Iterable[TableRow], features: Mapping[str, Any]) -> Iterator[TableRow]:
    """Rows with class numbers replaced by class names; -1, the hub's "no label", by None."""
    import datasets

    names: dict[str, tuple[str, ...]] = {}
    for column, feature in features.items():
        inner = getattr(feature, "feature", feature)
        if isinstance(inner, datasets.ClassLabel):
            names[column] = tuple(inner.names)
    for row in rows:
        yield TableRow(row.number, row.where, {**row.cells, **_named(row.cells, names)})


def _named(cells: Mapping[str, Any], names: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    return {column: named(cells[column], known) for column, known in names.items()}


def _digest(options: HubOptions, data: Any, media: tuple[str, ...]) -> str:
    """Over the options and, of a data set on disk, every annotation; not over where it lies."""
    written = options.model_dump(mode="json", exclude={"path", *NOT_IN_DIGEST})
    if options.streaming:
        return digest_json({"options": written, "path": options.path})
    summary = hashlib.sha256()
    kept = data.select_columns([name for name in data.features if name not in media])
    for row in _cells(kept, len(data)):
        cells = {name: annotation(cell) for name, cell in row.items()}
        summary.update(canonical_json(cells).encode("utf-8", "surrogatepass") + b"\n")
    return digest_json({"options": written, "rows": summary.hexdigest(), "count": len(data)})
