"""Whether an export may go onto a public board: whole, unchanged, finished, and without labels that are not ours to give."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.exports.export import FILES, PAGES, README, SAMPLES, SCHEMA
from harness.exports.manifest import paths_in
from harness.run.columns import read_table
from harness.run.folder import RunFolder
from harness.run.manifest import read_manifest
from harness.score.scores import Scores, read_scores

OWN = frozenset({"faces"})
"""Families of sources whose true values anybody may have: they are drawn."""
_MEDIA = re.compile(rb"data:(?:image|video)/(?!svg)|\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP|ftyp(?:isom|mp4|avif|heic)")  # fmt: skip
_PRIVATE = frozenset({"target", "question", "media", "path"})
"""Columns of records that no export has."""


def faults(folder: RunFolder, *, public: bool) -> list[str]:
    """What is wrong with an export, in sentences; empty where nothing is. `public`: whether it is to be shown to all, so
    that it may hold no true values of a data set.

    Raises HarnessError for a folder that is no export.
    """
    manifest = read_manifest(folder)
    if "export" not in manifest:
        raise HarnessError(
            f"{folder.path} is a run folder, not an export",
            hint=f"make one: harness export {folder.path} --no-samples",
        )
    found = [*_files(folder, manifest)]
    if found:
        return found  # what follows reads these files
    scores = read_scores(folder)
    found += _media(folder)
    found += _labels(folder, manifest, public=public)
    found += _counts(folder, manifest, scores)
    told = json.dumps([manifest["models"], manifest["cells"], manifest["tasks"]], ensure_ascii=False)  # fmt: skip
    if paths := [p for p in paths_in(told) if p.count("/") > 1]:
        found.append(f"manifest.json names a path: {paths[0][:60]}")
    return found


def _files(folder: RunFolder, manifest: Mapping[str, Any]) -> Iterator[str]:
    about = manifest["export"]
    if about.get("schema") != SCHEMA:
        yield f"it is an export of schema {about.get('schema')}, this version reads {SCHEMA}: export the run again"
        return
    for path in sorted(folder.path.iterdir()):
        if path.name not in FILES or not path.is_file() or path.is_symlink():
            yield f"it holds {path.name}, which no export has"
    digests = about.get("digests")
    if not isinstance(digests, dict):
        yield "it has no digests of its files: export the run again with this version"
        return
    for name in ("scores.json", "records.parquet"):
        if name not in digests:
            yield f"it has no digest of {name}: export the run again"
    for name, digest in digests.items():
        path = folder.path / str(name)
        if name not in FILES or not path.is_file():
            yield f"{name} is missing"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            yield f"{name} was changed after it was exported"
    checked = {*digests, "manifest.json", README, *PAGES}
    for name in FILES:
        if name not in checked and (folder.path / name).is_file():
            yield f"{name} was added after the export"


def _media(folder: RunFolder) -> Iterator[str]:
    """Pages of drawn faces are embedded nowhere in an export, so any picture in it is one too many."""
    for path in sorted(folder.path.iterdir()):
        if path.suffix != ".parquet" and _MEDIA.search(path.read_bytes()):
            yield f"{path.name} holds a picture or a video"


def _labels(folder: RunFolder, manifest: Mapping[str, Any], *, public: bool) -> Iterator[str]:
    first = next(iter(read_table(folder.records)), {})
    if private := sorted(_PRIVATE & set(first)):
        yield f"records.parquet has the column {private[0]}, which no export has"
    licensed = [
        name
        for name, entry in manifest["tasks"].items()
        if entry["config"]["source"].get("family") not in OWN
    ]
    if public and licensed and (folder.path / SAMPLES).is_file():
        yield (
            f"{SAMPLES} holds true values of {', '.join(licensed)}, whose licence may forbid that: harness export "
            "RUN --no-samples"
        )
    if public and licensed and folder.conversations.is_file():
        yield "conversations.jsonl may quote the data set: export without --with-prompts"


def _counts(folder: RunFolder, manifest: Mapping[str, Any], scores: Scores) -> Iterator[str]:
    """Whether the outcomes that scores.json counts are those of records.parquet, and every trial is there."""
    cells = {entry["id"]: entry for entry in manifest["cells"]}
    counted: dict[tuple[str, str], Counter[str]] = {}
    trials: dict[str, set[str]] = {}
    for row in read_table(folder.records):
        cell = str(row["trial"]).partition("/")[0]
        counted.setdefault((cell, row["field"]), Counter())[row["outcome"]] += 1
        trials.setdefault(cell, set()).add(row["trial"])
    for name in sorted(set(trials) - set(cells)):
        yield f"records.parquet has trials of a cell {name} that manifest.json does not name"
    for name, entry in cells.items():
        done = len(trials.get(name, ()))
        if done < int(entry["trials"]):
            yield f"{entry['model']} {entry['prompt']}: {done:,} of {int(entry['trials']):,} trials are finished"
    held = sum(sum(counts.values()) for counts in counted.values())
    said = sum(sum(entry["counts"].values()) for entry in scores.outcomes)
    if held != said:
        yield f"scores.json counts {said:,} outcomes, records.parquet holds {held:,}"


def place_of(path: Path) -> str:
    """How an export is named on a board: its last part, which names no machine."""
    return path.resolve().name.removesuffix(".zip").removesuffix("-export")
