"""Notes and warnings shown with a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.conditions.mixture import weight_of
from harness.core.model import Model
from harness.core.protocol import UsingTools, draws_of, needs_of
from harness.core.text import counted
from harness.models.http.endpoint import remote_host
from harness.protocols.registry import load_protocol
from harness.run.adapter_folds import untrained
from harness.run.axes import Axes, sampling_for
from harness.run.fallback import most_images
from harness.run.mix_pairing import RULE
from harness.run.plan import Plan
from harness.run.recorded import RecordedModel
from harness.run.thinking_check import is_cramped
from harness.run.wording_notes import wording_notes


def plan_notes(plan: Plan, axes: Axes, models: Mapping[str, Model]) -> list[str]:
    """Samples and what was left out, where faces go, what is shown otherwise than asked; `models` are the open
    ones, none where a run is only foreseen."""
    absent = axes.experiment.get("left_out", {})
    notes = [f"{name} is left out: {why}" for name, why in absent.items()]
    notes += [*_sample_notes(plan), *plan.left_out, *untrained(plan), *wording_notes(plan)]
    for spec in axes.models:
        notes += _model_notes(spec, axes, models.get(spec))
    warmth = {axes.temperature_of(spec): None for spec in axes.models} or {axes.temperature: None}
    drawn = " or ".join(f"{temperature:g}" for temperature in warmth)
    if axes.repeats > 1:
        notes.append(
            f"each sample is asked {axes.repeats} times, at temperature {drawn}"
            + ("" if all(warmth) else "; greedy replies hardly differ (set --temperature)")
        )
    for name in dict.fromkeys(cell.protocol for cell in plan.cells):
        protocol = load_protocol(name)
        draws = draws_of(protocol)
        if isinstance(protocol, UsingTools):
            own = "loop" in needs_of(protocol)
            told = "a trial is counted as one request, whatever the model asks in its own loop"
            usual = "requests are counted as if no tool were used; each reply with a call is followed by another request"
            notes.append(f"{name}: {told if own else usual}")
        if draws > 1:
            notes.append(f"{name}: {draws} replies to each sample, drawn at temperature {drawn}")
    cramped: dict[int, None] = {}
    for cell in plan.cells:
        task, prompt = plan.tasks[cell.task].task, plan.prompts[cell.prompt]
        sampling = sampling_for(task, prompt, axes, cell.model)
        if is_cramped(cell, sampling):
            cramped[sampling.max_tokens] = None
    if cramped:
        limits = " or ".join(f"{limit:,}" for limit in sorted(cramped))
        notes.append(
            f"reasoning counts towards the reply limit, which is {limits} tokens; use --max-tokens 4096 to "
            f"allow more"
        )
    if not plan.cells:
        notes.append("no model given (--model): only the baselines are scored")
    return notes


def _sample_notes(plan: Plan) -> Iterator[str]:
    for name, planned in plan.tasks.items():
        unit = planned.cluster_unit
        assumed = " (independence assumed)" if unit == "image" else ""
        yield (
            f"{name}: {counted(planned.summary.count, 'sample')} in {counted(planned.summary.clusters, 'cluster')} "
            f"by {unit}{assumed}"
        )
        yield from (f"{name}: {s.count:,} left out: {s.reason}" for s in planned.skipped)
        yield from (f"{name}: {note}" for note in planned.notes)
        if planned.gone:
            yield (
                f"{name}: {len(planned.gone):,} samples of this run are gone from the source; "
                "they are left out of the tables"
            )
        if any(weight_of(c.condition) is not None for c in plan.cells if c.task == name):
            yield f"{name}: samples are mixed in pairs: {RULE}"
        if planned.pool is not None:
            held = planned.pool.summary()
            labels = ", ".join(
                f"{label or 'without a label'} {n}" for label, n in held["held"].items()
            )
            other = ", ".join(f"{key}={value}" for key, value in planned.task.exemplars.items())
            yield (
                f"{name}: few-shot examples from {other or held['from']} ({labels}), balanced "
                "over labels, never of the sample's own subject"
            )


def class_changes(before: Mapping[str, Any], plan: Plan) -> list[str]:
    """Where the classes of a task are not those of the last run in the same folder, by its manifest."""
    found = []
    for name, planned in plan.tasks.items():
        config = before.get("tasks", {}).get(name, {}).get("config", {})
        for field, spec in planned.task.fields.items():
            then = config.get("fields", {}).get(field, {}).get("labels")
            if not spec.labelled or not isinstance(then, list):
                continue
            new = [label for label in spec.classes if label not in then]
            gone = [label for label in then if label not in spec.classes]
            if new or gone:
                words = [f"new: {', '.join(new)}"] * bool(new) + [
                    f"gone: {', '.join(gone)}"
                ] * bool(gone)
                found.append(
                    f"{name}: {field} has {len(spec.classes)} classes, and {len(then)} in the "
                    f"last run of this folder ({'; '.join(words)}): everything is asked again"
                )
    return found


def tool_changes(before: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    """Where the tools of a cell are not those of the last run in the same folder, by both manifests."""
    named = [[e for e in m.get("cells", ()) if e.get("named", True)] for m in (before, manifest)]
    then = {entry["id"]: entry.get("tool_settings", {}) for entry in named[0]}
    told: dict[str, None] = {}
    for entry in named[1]:
        now, old = entry.get("tool_settings", {}), then.get(entry["id"], {})
        if not old or old == now:
            continue
        versions = old.get("versions", {})
        other = [
            f"{name} has version {version}, and {versions[name]} in the last run of this folder"
            for name, version in now.get("versions", {}).items()
            if versions.get(name, version) != version
        ]
        if old.get("second") != now.get("second"):
            other.append("the second model is not that of the last run of this folder")
        words = "; ".join(other) or "its tools are not those of the last run of this folder"
        told[f"--tools {now['asked']}: {words}. Its trials are pending again"] = None
    return list(told)


def _model_notes(spec: str, axes: Axes, model: Model | None) -> Iterator[str]:
    if isinstance(model, RecordedModel):
        yield (
            f"{spec} is opened only if a picture or a sample has changed: all its trials are finished. "
            "Its recorded identity is not checked (use --check-model)"
        )
        return
    details = {} if model is None else model.card.details
    host = remote_host(axes.settings_of(spec).model) or details.get("remote")
    if host:
        yield f"pictures of faces are sent to {host} ({spec})"
    if details.get("not_sent"):
        yield f"{spec} does not accept {details['not_sent']}: its own defaults apply"
    most = most_images(None if model is None else model.card, axes.max_images.get(spec))
    if most is not None:
        yield f"{spec} gets at most {counted(most, 'picture')} per request; more become one contact sheet"
