"""Make one run of the shards of a run (`harness run --shard I/N`), each of which lies in a folder of its own."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.run.basis import accepted_bases
from harness.run.columns import opened, read_table
from harness.run.digests import KEY, Digests, digest, short_key
from harness.run.enhanced_pictures import keep_counts
from harness.run.finished import FinishedTrials
from harness.run.folder import RunFolder, open_run, write_error
from harness.run.log import AppendLog, read_log
from harness.run.manifest import read_manifest, write_manifest
from harness.run.numbering import Shard, read_shard
from harness.run.unfinished import working_folder


@dataclass(frozen=True, slots=True)
class Part:
    """One shard."""

    folder: RunFolder
    shard: Shard
    manifest: Mapping[str, Any]


OWN_WORK = ("notes.json", "again.jsonl", "private/scoring")
"""What people and later commands add to a run folder and no shard holds."""


def merge(paths: Sequence[Path], out: Path, *, overwrite: bool = False) -> RunFolder:
    """Write the run that the shards in `paths` are parts of to a new folder `out`; the shards stay as they are.

    `overwrite`: to the place of what an earlier merge wrote, if nothing was added since. Raises HarnessError where one is
    missing, named twice or not finished, where they are not of the same run, and where `out` is there already. Nothing is
    written then.
    """
    _refuse_existing(out, overwrite=overwrite)
    parts = _parts(paths)
    _refuse_unlike(parts)
    trials = _trials(parts)
    for task in parts[0].manifest["tasks"]:
        with opened(parts[0].folder.samples(task)):
            pass
    _refuse_open(parts, trials)
    owners = _owners(parts, trials)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with working_folder(out.parent, out.name) as work:
            made = work / "run"
            made.mkdir()
            _write(RunFolder(made), parts, owners)
            _put(made, out, aside=work / "before")
    except OSError as error:
        raise write_error(out, error) from None
    return RunFolder(out)


def _put(made: Path, out: Path, *, aside: Path) -> None:
    """Move a new folder to where it belongs, and one that is there aside; where that fails, all is as it was."""
    if not out.exists():
        made.rename(out)
        return
    out.rename(aside)
    try:
        made.rename(out)
    except BaseException:
        aside.rename(out)
        raise


def _refuse_existing(out: Path, *, overwrite: bool) -> None:
    """Raises HarnessError for a folder that is there and may not be replaced."""
    if not out.exists():
        return
    if not overwrite:
        raise HarnessError(
            f"--out {out} is there already",
            hint="name a new folder, or replace what an earlier merge wrote with --overwrite",
        )
    folder = open_run(out)
    if "merged" not in read_manifest(folder):
        raise HarnessError(
            f"--out {out} was not written by harness merge, or was continued since",
            hint="name a new folder",
        )
    added = [name for name in OWN_WORK if (out / name).exists()]
    if added:
        raise HarnessError(
            f"--out {out} holds {added[0]}, which is in no shard", hint="name a new folder"
        )


def _parts(paths: Sequence[Path]) -> list[Part]:
    """All shards of one run in their order. Raises HarnessError for one that is missing, or there twice."""
    found: dict[int, Part] = {}
    count = 0
    for path in paths:
        folder = open_run(path)
        manifest = read_manifest(folder)
        if "shard" not in manifest:
            raise HarnessError(
                f"{path} is not a shard", hint="name folders written by `harness run --shard I/N`"
            )
        shard = read_shard(str(manifest["shard"]))
        count = count or shard.count
        if shard.count != count:
            raise HarnessError(
                f"{path} is shard {shard}, and {paths[0]} is one of {count}",
                hint="name shards of one run",
            )
        if shard.number in found:
            raise HarnessError(
                f"{found[shard.number].folder.path} and {path} are both shard {shard}",
                hint="name each shard once",
            )
        found[shard.number] = Part(folder, shard, manifest)
    missing = [f"{number}/{count}" for number in range(1, count + 1) if number not in found]
    if missing:
        shown = ", ".join(missing[:8]) + (", ..." if len(missing) > 8 else "")
        raise HarnessError(
            f"missing of {count} shards: {shown}", hint="run them, and name all folders"
        )
    return [found[number] for number in sorted(found)]


def _told(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What of a manifest says which requests are made of which samples, and how they are answered."""
    axes = ("task", "model", "prompt", "condition")
    cells = {
        f"{' · '.join(str(entry[axis]) for axis in axes)} ({entry['id']})": entry["basis"]
        for entry in manifest["cells"]
    }
    models = {name: entry["identity"] for name, entry in manifest["models"].items()}
    tasks = {
        name: (entry["digest"], entry["data_digest"]) for name, entry in manifest["tasks"].items()
    }
    return {"cells": cells, "models": models, "tasks": tasks}


def _refuse_unlike(parts: Sequence[Part]) -> None:
    """Raises HarnessError where shards are not of the same run."""
    first = _told(parts[0].manifest)
    for part in parts[1:]:
        told = _told(part.manifest)
        for kind, values in first.items():
            names = [n for n in {**values, **told[kind]} if values.get(n) != told[kind].get(n)]
            if names:
                raise HarnessError(
                    f"{parts[0].folder.path} and {part.folder.path} are not parts of one run: they differ in the "
                    f"{kind[:-1]} {names[0]}",
                    hint="run all shards with the same options, data, prompts and versions",
                )


def _trials(parts: Sequence[Part]) -> Digests:
    """The trials of the plan in their order, without those of other cells. Raises HarnessError where shards were planned
    over other samples or with other repeats."""
    trials = Digests(0)
    planned: list[bytes] = []
    for part in parts:
        told = hashlib.blake2b(digest_size=KEY)
        for row in read_table(part.folder.plan, ("trial",)):
            name = digest(row["trial"])
            told.update(name)
            if not planned:
                trials.put(name, b"")
        planned.append(told.digest())
        if planned[-1] != planned[0]:
            raise HarnessError(
                f"{parts[0].folder.path} and {part.folder.path} are not parts of one run: they were planned with other samples "
                "or repeats",
                hint="run all shards with the same options, such as --limit and --repeats",
            )
    return trials


def _refuse_open(parts: Sequence[Part], trials: Digests) -> None:
    """Raises HarnessError where not every trial of the plan is finished with its replies, naming a shard that lacks
    some."""
    done = 0
    short = []
    for part in parts:
        bases = accepted_bases(part.manifest)
        finished = FinishedTrials(part.folder.trials)
        replies = Digests(0)
        for _, record in read_log(part.folder.generations):
            replies.put(short_key(record["key"]), b"")
        said = {
            record["trial"]: all(replies.get(short_key(k)) is not None for k in record["keys"])
            for _, record in read_log(part.folder.trials)
            if finished.finished(record["trial"], bases.get(record["trial"].partition("/")[0], ()))
        }
        own = {trial for trial, whole in said.items() if whole}
        done += sum(trials.get(digest(trial)) is not None for trial in own)
        if len(own) < int(part.manifest.get("shard_trials", 0)):
            short.append(part)
    if short or done != len(trials):
        names = ", ".join(f"{part.folder.path} ({part.shard})" for part in short[:4])
        raise HarnessError(
            f"{len(trials) - done:,} of {len(trials):,} trials are not finished"
            + (f": in {names}" if names else ""),
            hint="run the same commands again; only missing requests are sent",
        )


def _owners(parts: Sequence[Part], trials: Digests) -> dict[bytes, int]:
    """Key -> number of the shard whose reply counts, of the keys that several have: as in one run, that of the trial
    that comes first in the plan."""
    first: dict[bytes, tuple[int, int]] = {}
    shared: set[bytes] = set()
    for number, part in enumerate(parts):
        for _, record in read_log(part.folder.trials):
            name = digest(record["trial"])
            if trials.get(name) is None:
                continue
            place = (trials.number(name), number)
            for key in map(short_key, record["keys"]):
                before = first.setdefault(key, place)
                if before[1] != number:
                    shared.add(key)
                first[key] = min(before, place)
    return {key: first[key][1] for key in shared}


def _write(folder: RunFolder, parts: Sequence[Part], owners: Mapping[bytes, int]) -> None:
    first = parts[0]
    shutil.copyfile(first.folder.plan, folder.plan)
    shutil.copytree(first.folder.path / "private" / "samples", folder.path / "private" / "samples")
    for name in ("private/gone.json", "private/fit_on.json"):
        if (first.folder.path / name).is_file():
            shutil.copyfile(first.folder.path / name, folder.path / name)
    _copy_enhanced(folder, parts)
    logs = [AppendLog(one) for one in (folder.generations, folder.conversations, folder.trials)]
    try:
        for record in _replies(parts, owners):
            logs[0].append(record)
        for record in _conversations(parts):
            logs[1].append(record)
        for part in parts:
            for _, record in read_log(part.folder.trials):
                logs[2].append(record)
    finally:
        for log in logs:
            log.close()
    history = (part.folder.path / "history.jsonl" for part in parts)
    (folder.path / "history.jsonl").write_bytes(
        b"".join(one.read_bytes() for one in history if one.is_file())
    )
    left = {k: v for k, v in first.manifest.items() if k not in {"shard", "shard_trials"}}
    merged = [str(part.manifest["shard"]) for part in parts]
    write_manifest(folder, json.loads(json.dumps({**left, "merged": merged})))
    keep_counts(folder)


def _copy_enhanced(folder: RunFolder, parts: Sequence[Part]) -> None:
    """The pictures that endpoints gave back; of one that several shards have, that of the first."""
    for part in parts:
        for path in sorted(part.folder.enhanced.rglob("*")):
            place = folder.enhanced / path.relative_to(part.folder.enhanced)
            place.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".jsonl":
                with place.open("ab") as file:
                    file.write(path.read_bytes())
            elif path.is_file() and not place.exists():
                shutil.copyfile(path, place)


def _replies(parts: Sequence[Part], owners: Mapping[bytes, int]) -> Iterator[dict[str, Any]]:
    """Each reply once."""
    for number, part in enumerate(parts):
        for _, record in read_log(part.folder.generations):
            if owners.get(short_key(record["key"]), number) == number:
                yield record


def _conversations(parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    said = Digests(0)
    for part in parts:
        for _, record in read_log(part.folder.conversations):
            if said.put(digest(record["id"]), b""):
                yield record
