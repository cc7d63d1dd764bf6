"""The manifest: everything needed to read, score and repeat a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import harness
from harness.answers import PARSER_VERSION
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.model import Card
from harness.core.text import digest_json
from harness.run.folder import RunFolder, write_atomically
from harness.run.journal import AppendLog
from harness.run.plan import Axes, Plan, basis, sampling_for
from harness.run.provenance import git_state, hardware, package_versions, redacted

SCHEMA = 1


def build_manifest(
    plan: Plan,
    axes: Axes,
    cards: Mapping[str, Card],
    *,
    command: Sequence[str],
    fit_on: str | None,
) -> dict[str, Any]:
    """The manifest of a planned run, as plain JSON."""
    return {
        "schema": SCHEMA,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": redacted(list(command)),
        "git": git_state(Path(harness.__file__).parent),
        "packages": package_versions(),
        "hardware": hardware(),
        "parser": PARSER_VERSION,
        "seeds": {"sampling": axes.seed, "selection": axes.seed, "bootstrap": axes.seed},
        "limit": axes.limit,
        "conditions": list(axes.conditions),
        "tasks": {name: _task_entry(plan, name) for name in plan.tasks},
        "prompts": {
            name: {
                "digest": prompt.digest,
                "head": prompt.head.model_dump(mode="json"),
                "source": prompt.source,
            }
            for name, prompt in plan.prompts.items()
        },
        "models": {
            name: {"identity": card.identity, "details": redacted(dict(card.details))}
            for name, card in cards.items()
        },
        "cells": [_cell_entry(cell, plan, cards[cell.model], axes) for cell in plan.cells],
        "fit_on": fit_on,
    }


def _task_entry(plan: Plan, name: str) -> dict[str, Any]:
    planned = plan.tasks[name]
    config = planned.task.model_dump(mode="json")
    return {
        "config": redacted(config),
        "digest": digest_json(config),
        "data_digest": planned.digest,
        "samples": planned.summary.count,
        "clusters": planned.summary.clusters,
        "cluster_unit": planned.cluster_unit,
        "skipped": [asdict(skipped) for skipped in planned.skipped],
    }


def _cell_entry(cell: Cell, plan: Plan, card: Card, axes: Axes) -> dict[str, Any]:
    task, prompt = plan.tasks[cell.task].task, plan.prompts[cell.prompt]
    sampling = sampling_for(task, prompt, axes.seed)
    return {
        "id": cell.id,
        **asdict(cell),
        "basis": basis(cell, task, prompt, card, sampling),
        "sampling": asdict(sampling),
        "trials": plan.counts[cell.id],
    }


def _write(folder: RunFolder, manifest: Mapping[str, Any]) -> None:
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    write_atomically(folder.manifest, text.encode("utf-8", "surrogatepass"))


def write_manifest(folder: RunFolder, manifest: Mapping[str, Any]) -> None:
    """Write the manifest and add a line to the run's history. Raises HarnessError when it cannot."""
    _write(folder, manifest)
    log = AppendLog(folder.history)
    log.append({k: manifest[k] for k in ("started", "command", "git", "packages", "models")})
    log.close()


def write_details(folder: RunFolder, cards: Mapping[str, Card]) -> None:
    """Put what the models learnt of themselves during the run (parameters a server refused) into the manifest."""
    manifest = read_manifest(folder)
    details = {name: redacted(dict(card.details)) for name, card in cards.items()}
    if all(manifest["models"][name]["details"] == found for name, found in details.items()):
        return
    for name, found in details.items():
        manifest["models"][name]["details"] = found
    _write(folder, manifest)


def read_manifest(folder: RunFolder) -> dict[str, Any]:
    """The manifest of a run. Raises HarnessError when it is broken or of a later schema."""
    try:
        manifest: dict[str, Any] = json.loads(folder.manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HarnessError(f"{folder.manifest} cannot be read: {error}") from None
    if manifest.get("schema") != SCHEMA:
        raise HarnessError(
            f"{folder.manifest} has schema {manifest.get('schema')}, this version reads {SCHEMA}",
            mend="score it with the version that wrote it (see `packages` in the manifest)",
        )
    return manifest
