"""The manifest: everything needed to read, score and repeat a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from harness.answers.reader import PARSER_VERSION
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.json_text import parse_json
from harness.core.kind import kind_named
from harness.core.model import Card
from harness.core.price import Price
from harness.core.prompt_family import CHAT
from harness.core.text import digest_json
from harness.models import ModelSettings
from harness.run.axes import Axes, sampling_for
from harness.run.basis import basis, basis_0_2, enhancers_used, tool_settings
from harness.run.folder import RunFolder, write_atomically
from harness.run.kept import Asked, earlier_bases, keep
from harness.run.log import AppendLog
from harness.run.manifest_shape import check_shape
from harness.run.plan import Plan
from harness.run.provenance import git_state, hardware, package_versions, redacted

SCHEMA = 1


def build_manifest(
    plan: Plan,
    axes: Axes,
    cards: Mapping[str, Card],
    *,
    command: Sequence[str],
    fit_on: str | None,
    before: Mapping[str, Any] | None = None,
    asked: Asked | None = None,
    enhancers: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """The manifest of a planned run, as plain JSON.

    `before` is the one it replaces: what a model was found to do then stands until it is probed again, and cells of
    it that have trials in the journal (`asked`) stay. `enhancers` says what is known of the endpoints that enhance pictures.
    """
    before = before or {}
    kept = before.get("models", {})
    manifest = {
        "schema": SCHEMA,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": redacted(list(command)),
        "git": git_state(Path(__file__).parent),
        "packages": package_versions(),
        "hardware": hardware(),
        "parser": PARSER_VERSION,
        "seeds": {"sampling": axes.seed, "selection": axes.seed, "bootstrap": axes.seed},
        "repeats": axes.repeats,
        "shots": list(axes.shots),
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
            name: _model_entry(
                card,
                kept.get(name, {}),
                axes.max_images.get(name),
                axes.settings.get(name),
                axes.prices.get(name),
            )
            for name, card in cards.items()
        },
        "cells": [cell_entry(cell, plan, cards[cell.model], axes) for cell in plan.cells],
        "fit_on": fit_on,
        **(
            {"second_model": {"name": axes.second, "identity": axes.second_identity}}
            if axes.second
            else {}
        ),
        **(
            {"enhancers": endpoints}
            if (endpoints := {**before.get("enhancers", {}), **enhancers})
            else {}
        ),
        **({"experiment": dict(axes.experiment)} if axes.experiment else {}),
    }
    for entry in manifest["cells"]:
        entry["asked_on"] = manifest["started"][:10]
        entry["also"] = list(dict.fromkeys([*entry["also"], *earlier_bases(entry, before)]))
    keep(manifest, before, asked or {})
    return manifest


def _model_entry(
    card: Card,
    before: Mapping[str, Any],
    declared: int | None,
    settings: ModelSettings | None = None,
    price: Price | None = None,
) -> dict[str, Any]:
    """What is written of a model. One that says nothing of constraints yet keeps what was found before, and one whose
    price is not given that of earlier."""
    entry: dict[str, Any] = {
        "identity": card.identity,
        "details": redacted(dict(card.details)),
        "constraints": dict(card.constraints),
        "estimators": list(card.estimators),
        "system_role": card.system_role,
        "video": card.video,
        **({"audio": True} if card.audio else {}),
        "max_images": {"known": card.max_images, "declared": declared},
        "window": card.window,
    }
    if settings is not None:
        entry["settings"] = redacted(settings.recorded)
    if price is not None:
        entry["price"] = price.model_dump(exclude_none=True)
    elif "price" in before:
        entry["price"] = before["price"]
    if card.families != CHAT:
        entry["families"] = list(card.families)
    if card.thinking:
        entry["thinking"] = dict(card.thinking)
        entry["thinking_held"] = list(card.thinking_held)
    entry |= {"tools": card.tools} if card.tools else {}
    entry |= {"loop": card.loop} if card.loop else {}
    entry |= {key: before[key] for key in _KEPT if key in before}
    if before.get("identity") == card.identity and not card.offers:
        entry |= {key: before[key] for key in _FOUND_OUT if key in before}
    return entry


_KEPT = ("served", "shared_foreseen", "cache_counts")
"""What starts of a run add to."""
_FOUND_OUT = ("constraints", "estimators", "video", "audio", "thinking", "thinking_held", "tools")
"""What is known of a model once it was probed."""


def recorded_card(manifest: Mapping[str, Any], name: str) -> Card | None:
    """The card of a model as a manifest has it; None where it does not know the model."""
    entry = manifest.get("models", {}).get(name)
    if entry is None:
        return None
    return Card(
        name=name,
        identity=entry["identity"],
        max_images=(entry.get("max_images") or {}).get("known"),
        video=bool(entry.get("video")),
        audio=bool(entry.get("audio")),
        system_role=bool(entry.get("system_role", True)),
        constraints=dict(entry.get("constraints") or {}),
        estimators=tuple(entry.get("estimators") or ()),
        thinking=dict(entry.get("thinking") or {}),
        thinking_held=tuple(entry.get("thinking_held") or ()),
        tools=str(entry.get("tools") or ""),
        loop=str(entry.get("loop") or ""),
        window=int(entry.get("window", 16)),
        families=tuple(entry.get("families") or CHAT),
        details=dict(entry.get("details") or {}),
    )


def _task_entry(plan: Plan, name: str) -> dict[str, Any]:
    planned = plan.tasks[name]
    config = planned.task.model_dump(mode="json")
    return {
        "config": redacted(config),
        "digest": digest_json(config),
        "data_digest": planned.digest,
        "ids": planned.task.source.get("ids", "path"),
        "samples": planned.summary.count,
        "clusters": planned.summary.clusters,
        "cluster_unit": planned.cluster_unit,
        "skipped": [asdict(skipped) for skipped in planned.skipped],
        **({"data_notes": list(planned.notes)} if planned.notes else {}),
        "gone": len(planned.gone),
        "exemplars": None if planned.pool is None else planned.pool.summary(),
    }


def cell_entry(cell: Cell, plan: Plan, card: Card, axes: Axes) -> dict[str, Any]:
    """What a manifest holds of one cell."""
    task, prompt = plan.tasks[cell.task].task, plan.prompts[cell.prompt]
    sampling = sampling_for(task, prompt, axes, cell.model)
    most = axes.max_images.get(cell.model)
    system = axes.settings_of(cell.model).system
    enhancers = enhancers_used(cell, axes.enhancers)
    entry = {
        "id": cell.id,
        **cell.as_row(),
        "shots": cell.shots,
        "label_order": cell.label_order,
        **({"pixels": cell.pixels} if cell.pixels else {}),
        **({"detail": cell.detail} if cell.detail else {}),
        "basis": basis(
            cell,
            task,
            prompt,
            card.identity,
            sampling,
            max_images=most,
            system=system,
            second=axes.second_identity,
            enhancers=axes.enhancers,
        ),
        "also": [basis_0_2(cell, task, prompt, card.identity, sampling, max_images=most)]
        if system == "keep" and not cell.thinking and not cell.tools and not enhancers
        else [],
        "prompt_digest": prompt.digest,
        "sampling": asdict(sampling),
        "trials": plan.counts[cell.id],
        "repeats": plan.repeats,
        "needs": sorted(plan.needs.get(cell.id, ())),
    }
    entry |= {} if most is None else {"max_images": most}
    entry |= {"enhancers": enhancers} if enhancers else {}
    entry |= {"thinking": cell.thinking} if cell.thinking else {}
    if cell.tools:
        entry |= {
            "tools": cell.tools,
            "tool_settings": tool_settings(cell, second=axes.second_identity),
        }
    return entry if system == "keep" else {**entry, "system": system}


def rewrite_manifest(folder: RunFolder, manifest: Mapping[str, Any]) -> None:
    """Write the manifest anew. Raises HarnessError when it cannot."""
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    write_atomically(folder.manifest, text.encode("utf-8", "surrogatepass"))


def write_manifest(folder: RunFolder, manifest: Mapping[str, Any]) -> None:
    """Write the manifest and add a line to the run's history. Raises HarnessError when it cannot."""
    rewrite_manifest(folder, manifest)
    log = AppendLog(folder.history)
    log.append({k: manifest[k] for k in ("started", "command", "git", "packages", "models")})
    log.close()


def write_details(
    folder: RunFolder,
    cards: Mapping[str, Card],
    *,
    shared: Mapping[str, float | None] = MappingProxyType({}),
) -> None:
    """Put what the models learnt of themselves during the run into the manifest: parameters that a server
    refused, constraints that were found to hold. `shared` is the share of prompt tokens that was predicted to be read
    once for several prompts."""
    manifest = read_manifest(folder)
    before = manifest["models"]
    models = {}
    for name, card in cards.items():
        models[name] = _model_entry(card, before[name], before[name]["max_images"]["declared"])
        if "settings" in before[name]:
            models[name]["settings"] = before[name]["settings"]
        if (share := shared.get(name)) is not None:
            models[name]["shared_foreseen"] = round(share, 4)
    if any(manifest["models"][name] != entry for name, entry in models.items()):
        manifest["models"] |= models
        rewrite_manifest(folder, manifest)


def keep_fact(folder: RunFolder, model: str, key: str, fact: Any) -> None:
    """Put a fact that a run found out about a model into the manifest."""
    manifest = read_manifest(folder)
    manifest["models"][model][key] = fact
    rewrite_manifest(folder, manifest)


def keep_sources(folder: RunFolder, served: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Put what replies named as their source (model and fingerprint) into the manifest, beside that of earlier starts.

    `served`: model -> source -> replies. Returns a sentence for each model whose replies name several.
    """
    manifest = read_manifest(folder)
    told = []
    for name, counted in served.items():
        entry = manifest["models"][name]
        before = entry.get("served", {})
        both = {s: before.get(s, 0) + counted.get(s, 0) for s in (*before, *counted)}
        entry["served"] = dict(sorted(both.items()))
        if len(both) > 1:
            sources = "; ".join(f"{source} ({count})" for source, count in entry["served"].items())
            told.append(
                f"the replies of {name} in this folder come from {len(both)} versions: "
                f"{sources}. Answers may differ where the versions do"
            )
    if served:
        rewrite_manifest(folder, manifest)
    return told


def read_manifest(folder: RunFolder) -> dict[str, Any]:
    """The manifest of a run. Raises HarnessError when it is broken or of a later schema."""
    try:
        manifest: Any = parse_json(folder.manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HarnessError(
            f"{folder.manifest} cannot be read: {error}",
            hint="restore a copy, or run the same command again with another --out",
            at_work=False,
        ) from None
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if schema != SCHEMA:
        raise HarnessError(
            f"{folder.manifest} has schema {schema}, this version reads {SCHEMA}",
            hint="use the version that wrote it (see `packages` in the manifest)",
        )
    check_shape(manifest, folder.manifest)
    _check_kinds(manifest, folder)
    return cast("dict[str, Any]", manifest)


def _check_kinds(manifest: Mapping[str, Any], folder: RunFolder) -> None:
    """Raises HarnessError where a task has a field of a kind that no installed package brings."""
    for task, entry in manifest["tasks"].items():
        for name, spec in entry["config"]["fields"].items():
            try:
                kind_named(spec["kind"])
            except HarnessError as error:
                told = f"{folder.manifest}: task {task}, field {name}: {error.message}"
                raise HarnessError(told, hint=error.hint) from None


def refuse_export(manifest: Mapping[str, Any], path: Path) -> None:
    """Raise HarnessError where a folder is an export, which has no journal to score."""
    if "export" in manifest:
        raise HarnessError(
            f"{path} is an export: it has no journal and no ids",
            hint="use the run folder it was made from; an export is read by harness compare, table, figure, gate, board "
            "and report",
        )
