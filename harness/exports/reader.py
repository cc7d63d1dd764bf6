"""Read an export: records as scoring has them, under the export's pseudonyms."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.sample import Value
from harness.core.task import Task
from harness.exports.export import FILES, SAMPLES, SCHEMA
from harness.run.columns import read_table
from harness.run.folder import RunFolder
from harness.run.sample_columns import SampleColumns, gather
from harness.run.sample_file import PlannedSample
from harness.score.recorded import read_recorded
from harness.score.records import TaskRecords

LARGEST = 1 << 32
"""Bytes that an unpacked export may have."""


def is_zip(path: Path) -> bool:
    """Whether a file is a zip, as `harness export --out NAME.zip` writes it."""
    return path.is_file() and zipfile.is_zipfile(path)


def unpack(path: Path, into: Path) -> Path:
    """Unpack an export into the new folder `into`. Raises HarnessError for a zip that is none."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        strange = [m.filename for m in members if m.filename not in FILES]
        if strange or "manifest.json" not in archive.namelist():
            raise HarnessError(
                f"{path} is a zip file but not an export: "
                + (f"it contains {strange[0]!r}" if strange else "it has no manifest.json"),
                hint="use an export of `harness export`, a run folder, or a file of answers",
            )
        if sum(m.file_size for m in members) > LARGEST:
            raise HarnessError(
                f"{path} is larger than {LARGEST >> 30} GiB when unpacked",
                hint="unpack it yourself and name the folder",
            )
        into.mkdir(parents=True)
        try:
            for name in archive.namelist():
                (into / name).write_bytes(archive.read(name))
        except (OSError, zipfile.BadZipFile) as error:
            raise HarnessError(f"{path} cannot be unpacked: {error}") from None
    return into


def read_export(folder: RunFolder, manifest: Mapping[str, Any]) -> dict[str, TaskRecords]:
    """Task -> its samples and answers. Raises HarnessError where the export holds no samples or is broken."""
    about = manifest["export"]
    if about["schema"] != SCHEMA:
        raise HarnessError(
            f"{folder.path} is an export of schema {about['schema']}, this version reads {SCHEMA}",
            hint="export the run again",
        )
    if not about["samples"]:
        raise HarnessError(
            f"{folder.path} was exported without samples, so it cannot be compared",
            hint="export the run again without --no-samples",
        )
    try:
        records = {
            name: TaskRecords(
                Task.model_validate(entry["config"]), entry["cluster_unit"], _samples(folder, name)
            )
            for name, entry in manifest["tasks"].items()
        }
        read_recorded(folder, manifest, records, sure=True)
    except (OSError, ValueError, KeyError) as error:
        raise HarnessError(
            f"{folder.path}: cannot read the export: {error}", hint="export the run again"
        ) from None
    return records


def _samples(folder: RunFolder, task: str) -> SampleColumns:
    rows = read_table(folder.path / SAMPLES)
    return gather(_sample(row) for row in rows if row["task"] == task)


def _sample(row: Mapping[str, Any]) -> PlannedSample:
    return PlannedSample(
        sample=row["sample"],
        cluster=row["cluster"],
        question=None,
        asks=tuple(json.loads(row["asks"])),
        targets={name: _value(v) for name, v in json.loads(row["targets"]).items()},
        annotations=json.loads(row["annotations"]),
        media=(),
    )


def _value(value: Any) -> Value:
    return tuple(value) if isinstance(value, list) else value
