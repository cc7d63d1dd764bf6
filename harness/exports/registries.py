"""Results of a run in two public formats: `.eval_results` of the Hugging Face Hub, and Every Eval Ever.

Both hold scores alone: no samples, no ids, no words of models, no paths and no addresses.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from harness.analyses.keys import prompt_on
from harness.analyses.words import percent
from harness.core.cell_pattern import CellPattern, fitting_any, refuse_unmatched
from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.exports.export import Kept, write_export
from harness.exports.hosts import hosts_of_model
from harness.exports.manifest import model_names
from harness.exports.other_formats import refuse_unless_new
from harness.exports.registry_shapes import HUB_ID, EveryEval, HubResult
from harness.metrics import main_metric, metric_of
from harness.run.cell_entry import cell_of
from harness.run.folder import RunFolder, write_error
from harness.run.manifest import read_manifest
from harness.run.scoring import scored_manifest
from harness.run.unfinished import working_folder
from harness.score.baselines import BASELINES, CEILINGS
from harness.score.scores import read_scores
from harness.score.table import LEVEL, ScoreRow

FORMATS = ("eval-results", "every-eval-ever")
_SLUG = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a run: that of an export without samples, and where its data are on the Hub."""

    manifest: Mapping[str, Any]
    scores: Sequence[ScoreRow]
    hub: Mapping[str, tuple[str, str]]
    """Task -> data set on the Hub and its split."""
    hosts: Mapping[str, tuple[str, ...] | None]
    """Model, as it is named here -> where its pictures went."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A leaderboard on the Hub."""

    dataset: str
    task_id: str


def read_benchmarks(given: Sequence[str]) -> dict[str, Benchmark]:
    """`TASK=ORG/NAME:TASK_ID` -> task -> benchmark. Raises HarnessError for anything else."""
    found: dict[str, Benchmark] = {}
    for text in given:
        task, equals, place = text.partition("=")
        dataset, colon, task_id = place.partition(":")
        if not (task and equals and colon and task_id) or not re.match(HUB_ID, dataset):
            raise HarnessError(
                f"--benchmark {text!r} is not TASK=ORG/NAME:TASK_ID",
                hint="name the task of the run, the data set on the Hub and the task id of its eval.yaml",
            )
        if task in found:
            raise HarnessError(
                f"--benchmark: task {task} appears twice", hint="name each task once"
            )
        found[task] = Benchmark(dataset, task_id)
    return found


def told_of(run: RunFolder, scratch: Path) -> Told:
    """What a run or an export says. A run is scored anew into `scratch`."""
    raw = scored_manifest(run)
    export = run
    if "export" not in raw:
        export = RunFolder(scratch / "plain")
        write_export(run, export.path, secret=None, kept=Kept(samples=False))
    manifest = read_manifest(export)
    names = model_names(raw)
    rows = [row for row in read_scores(export).scores if row.model not in {*BASELINES, *CEILINGS}]
    sources = {name: entry["config"]["source"] for name, entry in raw["tasks"].items()}
    hub = {
        name: (str(source["path"]), str(source.get("split", "test")))
        for name, source in sources.items()
        if source.get("family") == "hf" and re.match(HUB_ID, str(source.get("path", "")))
    }
    hosts = {names[name]: hosts_of_model(raw, name) for name in raw["models"]}
    return Told(manifest, rows, hub, hosts)


def write_registry(
    form: str,
    run: RunFolder,
    out: Path,
    *,
    benchmarks: Mapping[str, Benchmark],
    where: Sequence[CellPattern] = (),
    organization: str = "",
    relationship: str = "third_party",
    created: datetime,
) -> tuple[str, ...]:
    """Write the files of one format into the new folder `out`, a folder for each model; returns their names.

    `where`: only cells that fit one of these patterns; none: all.
    Raises HarnessError where `out` holds anything, where nothing is to be written, and for what the format does not allow.
    """
    refuse_unless_new(out, form)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with working_folder(out.parent, out.name) as scratch:
            told = _chosen(told_of(run, scratch), where)
            if form == "eval-results":
                files = dict(_hub_files(told, benchmarks))
            else:
                files = dict(_every_files(told, organization, relationship, created))
            if not files:
                raise HarnessError(f"{run.path} has no score of a model", hint="score it first: harness score RUN")  # fmt: skip
            for name, data in files.items():
                (scratch / "made" / name).parent.mkdir(parents=True, exist_ok=True)
                (scratch / "made" / name).write_bytes(data)
            out.mkdir(exist_ok=True)
            for folder in (scratch / "made").iterdir():
                folder.replace(out / folder.name)
    except OSError as error:
        raise write_error(out, error) from None
    return tuple(sorted(files))


def _chosen(told: Told, where: Sequence[CellPattern]) -> Told:
    """The cells that fit. Raises HarnessError for a pattern that fits none."""
    cells = [cell_of(entry) for entry in told.manifest["cells"]]
    refuse_unmatched(where, cells)
    fits = fitting_any(where) if where else lambda cell: True
    kept = [entry for entry, cell in zip(told.manifest["cells"], cells, strict=True) if fits(cell)]
    return replace(told, manifest={**told.manifest, "cells": kept})


def _plain(shape: type[BaseModel], body: Mapping[str, Any]) -> dict[str, Any]:
    """`body` checked against its shape, without what is not known. Raises HarnessError naming what is wrong."""
    try:
        return shape.model_validate(body).model_dump(mode="json", exclude_none=True)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise HarnessError(f"{place}: {fault['msg']}", hint="correct it in the run") from None


def _whole(told: Told) -> Iterator[tuple[Mapping[str, Any], ScoreRow]]:
    """(entry of its cell in the manifest, strict score row) of every shown metric on whole tasks and parts."""
    entries = {}
    for entry in told.manifest["cells"]:
        cell = cell_of(entry)
        entries[cell.task, cell.model, cell.prompt, cell.shown_condition, cell.taken] = entry
    for row in told.scores:
        entry = entries.get((row.task, row.model, row.prompt, row.condition, row.channel))
        spec = Task.model_validate(told.manifest["tasks"][row.task]["config"]).fields.get(row.field)
        if entry is None or spec is None or row.value is None or "=" in row.slice:
            continue
        if row.metric in spec.shown_metrics and metric_of(spec, row.metric).sign:
            yield entry, row


def _hub_files(told: Told, benchmarks: Mapping[str, Benchmark]) -> Iterator[tuple[str, bytes]]:
    """`MODEL/.eval_results/BENCHMARK.yaml`: the main metric of each task's first scored field, for each cell that was shown
    the pictures as they are."""
    unknown = set(benchmarks) - set(told.manifest["tasks"])
    if unknown or not benchmarks:
        raise HarnessError(
            f"--benchmark: the run has no task {min(unknown)!r}" if unknown else "no leaderboard is named",
            hint="add --benchmark TASK=ORG/NAME:TASK_ID; tasks of the run: "
            + ", ".join(told.manifest["tasks"]),
        )  # fmt: skip
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    said: dict[tuple[str, Benchmark], list[str]] = {}
    for _, row in _whole(told):
        task = Task.model_validate(told.manifest["tasks"][row.task]["config"])
        first = next(name for name, spec in task.fields.items() if spec.scored)
        if row.task not in benchmarks or row.slice != "all" or row.condition != "none":
            continue
        if row.field == first and row.metric == main_metric(task.fields[first]):
            at = benchmarks[row.task]
            found.setdefault((row.model, at.dataset), []).append(
                _plain(
                    HubResult,
                    {
                        "dataset": {"id": at.dataset, "task_id": at.task_id},
                        "value": row.value,
                        "date": str(told.manifest["started"])[:10],
                        "notes": _notes(told, row),
                    },
                )
            )
            said.setdefault((row.model, at), []).append(prompt_on(row.prompt, row.channel))
    if not found:
        raise HarnessError(
            f"no score of {', '.join(benchmarks)} is one of the whole task, of pictures as they are",
            hint="a leaderboard takes one value: run the task without conditions and parts",
        )
    for (model, at), prompts in said.items():
        if len(prompts) > 1:
            raise HarnessError(
                f"{model} has {len(prompts)} values for {at.dataset}:{at.task_id}, and a leaderboard takes one: "
                + "; ".join(prompts),
                hint="choose one beforehand, not by its score: --where prompt=NAME (also channel=, protocol=, tools=...)",
            )
    for (model, dataset), entries in found.items():
        name = f"{_slug(model)}/.eval_results/{_slug(dataset)}.yaml"
        yield name, yaml.safe_dump(entries, sort_keys=False, allow_unicode=True).encode()


def _notes(told: Told, row: ScoreRow) -> str:
    spec = Task.model_validate(told.manifest["tasks"][row.task]["config"]).fields[row.field]
    metric = metric_of(spec, row.metric)
    low, high = metric.range
    ends = (
        f"from {low:g} to {high:g}"
        if math.isfinite(high)
        else f"of {low:g} and more"
        if math.isfinite(low)
        else ""
    )
    way = ", lower is better" if metric.sign < 0 else ""
    between = "" if row.low is None or row.high is None else f" [{row.low:.3f}, {row.high:.3f}]"
    channel = "" if row.channel == "free" else f", {row.channel}"
    covered = "" if row.coverage is None else f", answered {percent(row.coverage)}"
    part = "; ".join(("", *_parts(told, row)))
    return (
        f"{' '.join(filter(None, (row.metric, f'({metric.title})', ends)))}{way}{between}, n {row.n}{covered}, a missing answer "
        f"{metric.missing}{part}; prompt {row.prompt}{channel}; affect-harness"
    )


def _parts(told: Told, row: ScoreRow) -> Iterator[str]:
    """That a score is not one of the whole task, where it is not."""
    task = told.manifest["tasks"][row.task]
    samples, limit = int(task["samples"]), told.manifest.get("limit")
    if limit is not None and samples >= int(limit):
        yield f"not the whole task: a seeded choice of {samples} of its samples (--limit)"
    if task["config"]["source"].get("subset"):
        yield f"not the whole data set: a chosen subset of {samples} samples"
    if row.slice == "all" and row.n < samples:
        yield f"not all samples: {row.n} of {samples} were asked"


def _every_files(
    told: Told, organization: str, relationship: str, created: datetime
) -> Iterator[tuple[str, bytes]]:
    """`MODEL/UUID.json`; the same results give the same name."""
    by_model: dict[str, list[dict[str, Any]]] = {}
    for entry, row in _whole(told):
        by_model.setdefault(row.model, []).append(_every_result(told, entry, row))
    manifest, stamp = told.manifest, str(int(created.astimezone(UTC).timestamp()))
    for model, results in by_model.items():
        hosts = told.hosts.get(model)
        deployed = (
            "unknown" if hosts is None else "externally_managed" if hosts else "self_deployed"
        )
        body = _plain(
            EveryEval,
            {
                "evaluation_id": f"affect-harness/{model}/{stamp}",
                "evaluation_timestamp": str(manifest["started"]),
                "retrieved_timestamp": stamp,
                "source_metadata": {
                    "source_name": "affect-harness", "source_organization_name": organization,
                    "evaluator_relationship": relationship,
                },
                "eval_library": {
                    "name": "affect-harness", "version": str(manifest["packages"].get("affect-harness", "unknown")),
                    "additional_details": {"answer_parser": str(manifest["parser"])},
                },
                "model_info": {
                    "name": model, "id": model,
                    "additional_details": {
                        "deployment_type": deployed, "identity": str(manifest["models"][model].get("identity", "unknown")),
                    },
                },
                "evaluation_results": results,
            },
        )  # fmt: skip
        told_once = json.dumps(body["evaluation_results"], sort_keys=True).encode()
        name = uuid.UUID(bytes=hashlib.sha256(model.encode() + told_once).digest()[:16], version=4)
        text = json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        yield f"{_slug(model)}/{name}.json", text.encode("utf-8", "replace")


def _every_result(told: Told, entry: Mapping[str, Any], row: ScoreRow) -> dict[str, Any]:
    task = told.manifest["tasks"][row.task]
    spec = Task.model_validate(task["config"]).fields[row.field]
    metric, sampling = metric_of(spec, row.metric), entry.get("sampling") or {}
    asked = {
        "prompt": row.prompt, "prompt_digest": str(told.manifest["prompts"].get(row.prompt, {}).get("digest", "")),
        "condition": row.condition, "channel": row.channel, "protocol": str(entry.get("protocol", "")),
    }  # fmt: skip
    details = {} if row.coverage is None else {"coverage": f"{row.coverage:g}"}
    if parts := "; ".join(_parts(told, row)):
        details["samples"] = parts
    between = None
    if row.low is not None and row.high is not None:
        between = {"lower": row.low, "upper": row.high, "confidence_level": LEVEL, "method": row.estimator}  # fmt: skip
    part = "" if row.slice in {"all", row.field} else f" ({row.slice})"
    part += "" if row.condition == "none" else f", pictures shown as {row.condition}"
    return {
        "evaluation_result_id": f"{entry['id']}/{row.field}/{row.slice}/{row.metric}",
        "evaluation_name": f"{row.task}: {row.field}{part}",
        "source_data": _data(told, row.task, task),
        "metric_config": {
            "evaluation_description": row.estimator, "metric_id": row.metric, "metric_name": metric.title,
            "metric_unit": "proportion" if metric.range == (0.0, 1.0) else None,
            "lower_is_better": metric.sign < 0, "min_score": _bound(metric.range[0]), "max_score": _bound(metric.range[1]),
            "additional_details": {"missing_answers": f"a missing answer {metric.missing}"},
        },
        "score_details": {
            "score": row.value,
            "details": details,
            "uncertainty": {"confidence_interval": between, "num_samples": row.n},
        },
        "generation_config": {
            "generation_args": {
                name: sampling.get(name) for name in ("temperature", "top_p", "top_k", "max_tokens")
            },
            "additional_details": {name: said for name, said in asked.items() if said},
        },
    }  # fmt: skip


def _data(told: Told, name: str, task: Mapping[str, Any]) -> dict[str, Any]:
    if name in told.hub:
        repo, split = told.hub[name]
        return {"dataset_name": name, "hf_repo": repo, "hf_split": split, "samples_number": int(task["samples"])}  # fmt: skip
    family = str(task["config"]["source"].get("family", ""))
    return {"dataset_name": name, "additional_details": {"source_family": family, "samples": str(task["samples"])}}  # fmt: skip


def _bound(value: float) -> float | str:
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def _slug(name: str) -> str:
    """A name as a file or folder."""
    return _SLUG.sub("-", name).strip("-.")[:80] or "model"
