"""Provenance of the numbers, as shown on the page."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analyses.words import count, fallback_lines, listed
from harness.report.inputs import RunView

SHOWN_DIGITS = 16
"""Of a data digest; the whole of it is the key to the names in exports (harness.exports.pseudonyms)."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a list of facts."""

    name: str
    value: str
    code: bool = False
    """Set in the fixed-width font."""


@dataclass(frozen=True, slots=True)
class PromptView:
    """A prompt file as it was when it ran."""

    name: str
    digest: str
    description: str
    source: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything the page's last section holds."""

    facts: tuple[Fact, ...]
    models: tuple[tuple[str, tuple[Fact, ...]], ...]
    tasks: tuple[tuple[str, tuple[Fact, ...], str], ...]
    """(task, facts, its configuration as JSON)."""
    prompts: tuple[PromptView, ...]
    packages: tuple[tuple[str, str], ...]


def provenance(view: RunView) -> Provenance:
    """Read off the manifest and the scores; nothing is looked up."""
    manifest = view.manifest
    return Provenance(
        facts=tuple(_facts(manifest)),
        models=tuple(
            (name, (Fact("identity", str(m["identity"]), code=True), *_details(m["details"])))
            for name, m in manifest["models"].items()
        ),
        tasks=tuple(
            (name, tuple(_task_facts(view, name, entry)), _pretty(entry["config"]))
            for name, entry in manifest["tasks"].items()
        ),
        prompts=tuple(
            PromptView(name, p["digest"], p["head"].get("description", ""), p["source"])
            for name, p in manifest["prompts"].items()
        ),
        packages=tuple((k, str(v)) for k, v in manifest["packages"].items()),
    )


def _facts(manifest: Mapping[str, Any]) -> list[Fact]:
    git, machine = manifest["git"], manifest["hardware"]
    state = " with uncommitted changes" if git and git["dirty"] else ""
    facts = [
        Fact("Started", str(manifest["started"])),
        Fact("Command", shlex.join(manifest["command"]), code=True),
        Fact(
            "Code", f"{git['commit']}{state}" if git else "not from a git checkout", code=bool(git)
        ),
        Fact("Machine", _machine(machine)),
        Fact("Seeds", ", ".join(f"{k} {v}" for k, v in manifest["seeds"].items())),
        Fact("Sampling", _sampling(manifest["cells"])),
        Fact("Answer parser", f"version {manifest['parser']}"),
    ]
    if manifest.get("limit") is not None:
        facts.append(
            Fact("Limit", f"{count(manifest['limit'])} samples of each task, a seeded choice")
        )
    if manifest.get("fit_on"):
        facts.append(Fact("Baselines fitted on", _pretty(manifest["fit_on"]), code=True))
    return facts


def _machine(machine: Mapping[str, Any]) -> str:
    known = (
        machine.get("processor"),
        f"{machine['cores']} cores" if machine.get("cores") else None,
        f"{machine['memory_gib']} GiB" if machine.get("memory_gib") else None,
        machine.get("system"),
    )
    return ", ".join(str(part) for part in known if part)


def _sampling(cells: Sequence[Mapping[str, Any]]) -> str:
    said = {
        ", ".join(f"{k} {v}" for k, v in cell["sampling"].items() if v not in (None, []))
        for cell in cells
    }
    return "; ".join(sorted(said)) or "nothing generated"


def _details(details: Mapping[str, Any]) -> list[Fact]:
    return [
        Fact(str(name), value if isinstance(value, str) else _pretty(value), code=True)
        for name, value in details.items()
    ]


def _task_facts(view: RunView, name: str, entry: Mapping[str, Any]) -> list[Fact]:
    facts = [
        Fact("Source", str(entry["config"]["source"].get("family"))),
        Fact("Samples", sample_line(entry)),
        Fact("Data digest", f"{entry['data_digest'][:SHOWN_DIGITS]}…", code=True),
        Fact("Task digest", entry["digest"], code=True),
    ]
    skipped = [f"{count(s['count'])} rows: {s['reason']}" for s in entry["skipped"]]
    facts.append(Fact("Left out of the data", "; ".join(skipped) or "nothing"))
    if entry.get("data_notes"):
        facts.append(Fact("How the data were read", "; ".join(entry["data_notes"])))
    state: Mapping[str, Any] = next((t for t in view.scores.tasks if t["task"] == name), {})
    facts += [Fact("Fallback", line) for line in fallback_lines(state)]
    left: list[str] = state.get("left_out", [])
    if left:
        facts.append(
            Fact("Slices left out", f"{'; '.join(left)} (too few samples, or too many values)")
        )
    return facts


def sample_line(entry: Mapping[str, Any]) -> str:
    """`300 samples, resampled by subject (43)`; says where independence is only assumed."""
    unit, clusters = entry["cluster_unit"], count(entry["clusters"])
    if unit == "image":
        return f"{count(entry['samples'])} samples, resampled by image ({clusters}): independence assumed"
    return f"{count(entry['samples'])} samples, resampled by {unit} ({clusters})"


def title(view: RunView) -> str:
    """`affect-tiny on emotion/drawn and vqa/drawn`."""
    return f"{listed(list(view.manifest['models'])) or 'Baselines'} on {listed(list(view.tasks))}"


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
