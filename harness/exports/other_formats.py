"""An export in the form of other tools: a folder that `datasets` loads, or logs of inspect-ai."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.kind import kind_of
from harness.core.task import Task
from harness.exports.export import SAMPLES, Kept, write_export
from harness.run.columns import read_table
from harness.run.folder import RunFolder, write_atomically, write_error
from harness.run.log import read_log
from harness.run.manifest import read_manifest
from harness.run.unfinished import working_folder
from harness.score.scores import read_scores

_CARD = "README.md"
_UNSAID = "(not exported)"
_SLUG = re.compile(r"[^\w.+-]+")


def write_as(
    form: str, run: RunFolder, out: Path, *, secret: str | None, kept: Kept
) -> tuple[str, ...]:
    """Write `run` into the folder `out` as `datasets` or `inspect`; returns the names of the files.

    Ids are the made-up names of an export, and nothing is in it that an export with `kept` would not hold. Raises
    HarnessError where `out` holds anything, and for an inspect log without replies.
    """
    refuse_unless_new(out, form)
    if form == "inspect" and not kept.replies:
        raise HarnessError("a log of inspect-ai holds the replies", hint="add --with-replies")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with working_folder(out.parent, out.name) as scratch:
            export = RunFolder(scratch / "plain")
            write_export(run, export.path, secret=secret, kept=kept)
            made = scratch / "made"
            made.mkdir()
            (_datasets if form == "datasets" else _inspect)(export, made, kept)
            out.mkdir(exist_ok=True)
            names = sorted(path.name for path in made.iterdir())
            for name in names:
                (made / name).replace(out / name)
    except OSError as error:
        raise write_error(out, error) from None
    return tuple(names)


def refuse_unless_new(out: Path, form: str) -> None:
    """Raise HarnessError where `out` is a file, a zip, or a folder that holds anything."""
    if out.suffix == ".zip" or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise HarnessError(
            f"{out}: --format {form} writes a new folder", hint="name an empty or new folder"
        )


def _datasets(export: RunFolder, made: Path, kept: Kept) -> None:
    """Parquet files with a card that names them as configurations."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = {"answers": export.records.name}
    (made / "answers.parquet").write_bytes(export.records.read_bytes())
    scores = pa.Table.from_pylist([asdict(row) for row in read_scores(export).scores])
    pq.write_table(scores, made / "scores.parquet")
    tables["scores"] = "scores.parquet"
    if kept.samples:
        (made / "samples.parquet").write_bytes((export.path / SAMPLES).read_bytes())
        tables["samples"] = SAMPLES
    write_atomically(made / _CARD, _card(read_manifest(export), tuple(tables)).encode())


def _card(manifest: Mapping[str, Any], tables: Sequence[str]) -> str:
    """The card: a head that `datasets` reads, and what the tables hold."""
    head = "\n".join(
        f"- config_name: {name}\n  data_files: {name}.parquet"
        + ("\n  default: true" if name == "answers" else "")
        for name in tables
    )
    models = "\n".join(f"- `{_quiet(name)}`" for name in manifest["models"])
    tasks = "\n".join(
        f"- `{_quiet(name)}`: {entry['samples']:,} samples"
        for name, entry in manifest["tasks"].items()
    )
    values = ", with the value" if "samples" in tables else ""
    samples = (
        "- `samples`: for each sample its cluster, slices and true values. Who may have these is for the licence of the "
        "data set to say\n"
        if "samples" in tables
        else ""
    )
    return f"""\
---
configs:
{head}
tags:
- affect-harness
- evaluation
---
# Answers of vision-language models

Run of {str(manifest["started"])[:10]}, by affect-harness. Samples stand under made-up names; there are no pictures, no ids and
no paths.

- `answers`: outcome and parser rule of each trial and field{values}
- `scores`: every score with its interval, n, coverage and estimator
{samples}
## Models

{models}

## Tasks

{tasks}

No licence is given here: add one that the data set's own permits.
"""


def _quiet(text: str) -> str:
    return re.sub(r"[`\r\n]", " ", text)


def _inspect(export: RunFolder, made: Path, kept: Kept) -> None:
    """A log for each cell and field."""
    manifest = read_manifest(export)
    asked: dict[str, str] = {}
    if kept.prompts and export.conversations.is_file():
        asked = {
            record["id"]: "\n\n".join(f"{role}: {text}" for role, text in record["turns"])
            for _, record in read_log(export.conversations)
        }
    targets: dict[tuple[str, str], Mapping[str, Any]] = {}
    if kept.samples:
        for row in read_table(export.path / SAMPLES):
            targets[row["task"], row["sample"]] = json.loads(row["targets"])
    cells = {entry["id"]: entry for entry in manifest["cells"]}
    told = read_table(export.records)
    for number, (cell, group) in enumerate(groupby(told, key=_cell_of), start=1):
        entry, rows = cells[cell], list(group)
        task = Task.model_validate(manifest["tasks"][entry["task"]]["config"])
        for field, spec in task.fields.items():
            samples = [_sample(r, spec, targets, asked) for r in rows if r["field"] == field]
            if samples:
                log = _log(manifest, entry, field, samples)
                name = _SLUG.sub(
                    "-",
                    f"{number:03}-{entry['model']}-{entry['prompt']}-{entry['condition']}-{field}",
                )
                text = json.dumps(log, ensure_ascii=False, indent=1, allow_nan=False)
                (made / f"{name[:120]}.json").write_bytes(f"{text}\n".encode("utf-8", "replace"))


def _cell_of(row: Mapping[str, Any]) -> str:
    return str(row["trial"]).partition("/")[0]


def _sample(
    row: Mapping[str, Any],
    spec: FieldSpec,
    targets: Mapping[tuple[str, str], Mapping[str, Any]],
    asked: Mapping[str, str],
) -> dict[str, Any]:
    target = targets.get((row["task"], row["sample"]), {}).get(row["field"])
    value = None if row["value"] is None else json.loads(row["value"])
    text = row.get("text") or ""
    choice = {
        "message": {"role": "assistant", "content": text, "source": "generate"},
        "stop_reason": "max_tokens" if row["outcome"] == "truncated" else "stop",
    }
    failed = row["outcome"] == "failed"
    output = {"model": row["model"], "choices": [] if failed else [choice], "completion": text}
    found: dict[str, Any] = {
        "id": row["sample"],
        "epoch": int(str(row["trial"]).split("/", 2)[1]) + 1,
        "input": asked.get(row.get("conversation") or "", _UNSAID),
        "target": _words(target),
        "messages": [],
        "output": output,
        "metadata": {"cluster": row["cluster"], "outcome": row["outcome"], "rule": row["rule"]},
    }
    if target is not None and kind_of(spec).categorical:
        found["scores"] = {
            row["field"]: {
                "value": "C" if value == target else "I",
                "answer": _words(value),
                "explanation": f"{row['outcome']}: {row['rule']}",
            }
        }
    if failed:
        message = row["failure"] or "failed"
        found["error"] = {"message": message, "traceback": "", "traceback_ansi": ""}
    return found


def _words(value: Any) -> str:
    """A value as a text; of a set its members, of none an empty one."""
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _log(
    manifest: Mapping[str, Any], entry: Mapping[str, Any], field: str, samples: Sequence[Any]
) -> dict[str, Any]:
    about = {
        key: entry[key] for key in ("prompt", "condition", "protocol", "channel") if key in entry
    }
    return {
        "version": 2,
        "status": "success" if len(samples) >= int(entry["trials"]) else "cancelled",
        "eval": {
            "run_id": entry["id"],
            "created": str(manifest["started"]),
            "task": entry["task"],
            "task_id": f"{entry['id']}-{field}",
            "dataset": {"name": entry["task"], "samples": len({one["id"] for one in samples})},
            "model": entry["model"],
            "config": {},
            "packages": {k: str(v) for k, v in manifest["packages"].items()},
            "metadata": {**about, "field": field, "written_by": "affect-harness"},
        },
        "samples": samples,
    }
