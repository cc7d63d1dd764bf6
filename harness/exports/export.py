"""A run as others may have it: scores, outcomes and values under names that only holders of the data can make.

Left out are `private/`, the journal, the report page, pictures, paths, ids, the rows of analyses that other packages
bring (which may quote anything), and, unless asked for, replies and conversations (which may quote a data set's questions, and answers of few-shot examples). What pairing needs is in
`samples.parquet`: for each sample under its made-up name its cluster under a made-up name, the annotations that slices
are cut by, and its true values, from which every metric's contribution follows. Rows are in the order of the made-up
names, so that no place in a list gives an id away.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.exports.manifest import (
    export_manifest,
    model_names,
    renamed,
    without_paths,
)
from harness.exports.pseudonyms import Pseudonyms
from harness.run.cell_entry import version_names
from harness.run.columns import read_table, write_table
from harness.run.folder import RunFolder, write_atomically, write_error
from harness.run.log import read_log
from harness.run.manifest import refuse_export
from harness.run.sample_file import PlannedSample, read_lean_samples
from harness.run.scoring import scored_manifest
from harness.run.unfinished import clear_dead, working_folder
from harness.score.folder import score_run
from harness.score.records import record_columns

SCHEMA = 1
SAMPLES = "samples.parquet"
README = "README.md"
PAGE = "report.html"
PAGES = (PAGE, "report.md", "report.json")
"""What `harness report` makes of an export, in its folder."""
FILES = (
    "manifest.json", "scores.json", "records.parquet", SAMPLES, "conversations.jsonl", *PAGES, README,
)  # fmt: skip
"""All that an export may hold."""
SAMPLE_COLUMNS = ("task", "sample", "cluster", "asks", "annotations", "targets")
NEVER = frozenset({"target", "calls"})
WORDS = frozenset({"text", "reasoning"})
"""Columns of records that hold what a model wrote."""
VALUES = frozenset({"value", "probabilities", "length_normalised"})
"""Columns of records that hold what was answered to a sample."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every member of a zip, so that the same run gives the same bytes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What an export holds beyond scores, outcomes and values."""

    samples: bool = True
    """What pairing needs; without it an export cannot be compared."""
    replies: bool = False
    """The models' words."""
    prompts: bool = False
    """Templates and conversations, which may quote the data set's own questions, and the answers of few-shot examples."""


def write_export(
    run: RunFolder,
    out: Path,
    *,
    secret: str | None,
    kept: Kept,
    page: Callable[[RunFolder], bytes] | None = None,
) -> tuple[str, ...]:
    """Score `run` anew and write its export into the folder `out`, or into a file where that ends in .zip.

    `page` makes a page of what is exported, from nothing else. `secret` is what a key file holds, or None for each task's data digest. Returns the names of the files.
    Raises HarnessError where `out` is there and no export, or cannot be written.
    """
    manifest = scored_manifest(run)
    refuse_export(manifest, run.path)
    zipped = out.suffix == ".zip"
    if zipped:
        _refuse_another(out)
    else:
        _prepare(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with working_folder(out.parent, out.name) as scratch:
            scored = run.writing_to(
                scratch / "scored"
            )  # the run itself may be where nothing can be written
            scores = json.loads(score_run(scored).to_json().decode("utf-8", "surrogatepass"))
            # What other packages write there may hold ids and words of samples.
            scores.pop("analyses", None)
            gone = _leave_out_versions(manifest, scores)
            folder = RunFolder(scratch / "export")
            folder.path.mkdir()
            written = _write(scored, manifest, scores, folder, secret=secret, kept=kept, gone=gone)
            if page is not None:
                write_atomically(folder.path / PAGE, page(folder))
                written = (*written, PAGE)
            if zipped:
                _zip(folder.path, out, written)
            else:
                _replace(out, folder.path, written)
    except OSError as error:
        raise write_error(out, error) from None
    return written


def _replace(out: Path, made: Path, names: Sequence[str]) -> None:
    """Put the files of a new export into the folder `out`, in place of an earlier one's."""
    for path in out.iterdir():
        path.unlink()
    for name in names:
        (made / name).replace(out / name)


def _leave_out_versions(manifest: dict[str, Any], scores: dict[str, Any]) -> frozenset[str]:
    """An export holds the cells that stand, without the earlier versions of edited prompts, whose names are returned."""
    gone = version_names(manifest)
    for name in gone:
        del manifest["prompts"][name]
    manifest["cells"] = [entry for entry in manifest["cells"] if not entry.get("asked_as")]
    for name, rows in scores.items():
        if isinstance(rows, list):
            scores[name] = [row for row in rows if row.get("prompt") not in gone]
    for state in scores["tasks"]:
        for name, rows in state.items():
            if isinstance(rows, list):
                state[name] = [
                    row for row in rows if not (isinstance(row, dict) and row.get("prompt") in gone)
                ]
    return gone


def _write(
    run: RunFolder,
    manifest: Mapping[str, Any],
    scores: Mapping[str, Any],
    folder: RunFolder,
    *,
    secret: str | None,
    kept: Kept,
    gone: frozenset[str],
) -> tuple[str, ...]:
    names = model_names(manifest)
    keys = {n: Pseudonyms(secret or entry["data_digest"]) for n, entry in manifest["tasks"].items()}
    body = export_manifest(manifest, names, prompts=kept.prompts)
    body["export"] = {
        "schema": SCHEMA,
        "key": "data digest" if secret is None else "key file",
        "checks": {name: key.check for name, key in keys.items()},
        "samples": kept.samples,
    }
    _write_json(folder.scores, without_paths(renamed(scores, names)))
    thinking = any(entry.get("thinking") for entry in manifest["cells"])
    tools = any(entry.get("tools") for entry in manifest["cells"])
    _write_records(run, folder, keys, names, kept, gone=gone, thinking=thinking, tools=tools)
    if kept.samples:
        write_table(folder.path / SAMPLES, SAMPLE_COLUMNS, _samples(run, manifest, keys))
    if kept.prompts and run.conversations.is_file():
        _write_conversations(run, folder)
    body["export"]["digests"] = {
        name: hashlib.sha256((folder.path / name).read_bytes()).hexdigest()
        for name in FILES
        if (folder.path / name).is_file()
    }
    _write_json(folder.manifest, body)
    write_atomically(folder.path / README, _readme(body, kept).encode())
    return tuple(name for name in FILES if (folder.path / name).is_file())


def _prepare(folder: Path) -> None:
    """An empty folder, or an earlier export to be replaced, whole or not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clear_dead(folder)
        there = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise write_error(folder, error) from None
    if there and not (set(there) <= set(FILES)):
        stray = next(name for name in there if name not in FILES)
        raise HarnessError(
            f"{folder} already exists and is not an export: it contains {stray}",
            hint="choose another folder with --out",
        )


def _refuse_another(out: Path) -> None:
    """Raise HarnessError where a zip to be written would take the place of what is not an export."""
    if not out.exists():
        return
    names: set[str] = set()
    if zipfile.is_zipfile(out):
        with zipfile.ZipFile(out) as archive:
            names = set(archive.namelist())
    if "manifest.json" not in names or not names <= set(FILES):
        raise HarnessError(
            f"{out} already exists and is not an export", hint="choose another name with --out"
        )


def _write_json(path: Path, body: Any) -> None:
    text = json.dumps(body, ensure_ascii=False, indent=1) + "\n"
    write_atomically(path, text.encode("utf-8", "surrogatepass"))


def _samples(
    run: RunFolder, manifest: Mapping[str, Any], keys: Mapping[str, Pseudonyms]
) -> Iterator[dict[str, str | None]]:
    for name, entry in manifest["tasks"].items():
        task = Task.model_validate(entry["config"])
        wanted = {*task.slices, *((task.parts,) if task.parts else ())}
        rows = read_lean_samples(run.scored_samples(name), wanted)
        yield from sorted(
            (_sample(row, task, keys[name]) for row in rows), key=lambda row: row["sample"] or ""
        )


def _sample(row: PlannedSample, task: Task, names: Pseudonyms) -> dict[str, str | None]:
    scored = {n: v for n, v in row.targets.items() if n in task.fields and task.fields[n].scored}
    return {
        "task": task.name,
        "sample": names.sample(row.sample),
        "cluster": names.cluster(row.cluster),
        "asks": json.dumps(row.asks),
        "annotations": json.dumps(dict(row.annotations), ensure_ascii=False, default=str),
        "targets": json.dumps(scored, ensure_ascii=False, sort_keys=True),
    }


def _write_records(
    run: RunFolder,
    folder: RunFolder,
    keys: Mapping[str, Pseudonyms],
    names: Mapping[str, str],
    kept: Kept,
    *,
    gone: frozenset[str],
    thinking: bool,
    tools: bool,
) -> None:
    """The records in the order of their new trials, a cell at a time in memory."""
    left_out = NEVER | (WORDS if not kept.replies else set())
    left_out |= VALUES if not kept.samples else set()
    left_out |= {"conversation"} if not kept.prompts else set()
    columns = [
        name for name in record_columns(thinking=thinking, tools=tools) if name not in left_out
    ]

    def rows() -> Iterator[dict[str, Any]]:
        cell: list[dict[str, Any]] = []
        for row in read_table(run.records, columns):
            if row["prompt"] in gone:
                continue
            if cell and _cell_of(row) != _cell_of(cell[0]):
                yield from _in_order(cell, keys, names)
                cell = []
            cell.append(row)
        yield from _in_order(cell, keys, names)

    write_table(folder.records, columns, rows())


def _cell_of(row: Mapping[str, Any]) -> str:
    return str(row["trial"]).partition("/")[0]


def _in_order(
    rows: Sequence[dict[str, Any]], keys: Mapping[str, Pseudonyms], names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The rows of one cell under their new names: cell, repeat and sample of a trial."""
    changed = []
    for row in rows:
        key = keys[row["task"]]
        cell, repeat, sample = row["trial"].split("/", 2)
        changed.append(
            row
            | {
                "trial": f"{cell}/{repeat}/{key.sample(sample)}",
                "sample": key.sample(row["sample"]),
                "cluster": key.cluster(row["cluster"]),
                "model": names.get(row["model"], row["model"]),
                "failure": row["failure"].partition(":")[0],  # the rest may name a picture
            }
        )
    return sorted(changed, key=lambda row: (row["trial"], row["field"]))


def _write_conversations(run: RunFolder, folder: RunFolder) -> None:
    """In the order of their names: that in which they were put is the order of the samples."""
    found = sorted((record for _, record in read_log(run.conversations)), key=lambda r: r["id"])
    lines = (json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in found)
    write_atomically(
        folder.conversations, "".join(f"{x}\n" for x in lines).encode("utf-8", "surrogatepass")
    )


def _zip(folder: Path, out: Path, names: Sequence[str]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), (folder / name).read_bytes())
    write_atomically(out, packed.getvalue())


def _readme(manifest: Mapping[str, Any], kept: Kept) -> str:
    key = manifest["export"]["key"]
    held = [
        "- `scores.json`: every score with its interval, outcome counts, confusion counts",
        f"- `records.parquet`: outcome, {'value ' if kept.samples else ''}and parser rule of each trial and field"
        + (", with the reply's words" if kept.replies else ""),
        "- `manifest.json`: tasks, prompts, models, sampling, versions; without paths",
        f"- `{PAGE}`: the scores as a page, without samples and pictures",
    ]
    if kept.samples:
        held.append(
            f"- `{SAMPLES}`: what a paired comparison needs of each sample: cluster, slices, true values"
        )
    if kept.prompts:
        held.append("- `conversations.jsonl`: the conversations as put, pictures as `[image N]`")
    return f"""\
# Export of a run

{chr(10).join(held)}

Compare it with another: `harness compare THIS OTHER`.

Samples and clusters stand under names made with HMAC-SHA-256 from their ids and the {key}: those who hold the
same data can match their own exports, others learn no id. There is no picture, no path and no id in here. Who may
have the values of `{SAMPLES}` is for the data set's licence to say; `harness export --no-samples` leaves them out.
"""
