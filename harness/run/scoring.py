"""Changes to how a finished run is scored: the folder `private/scoring/`.

`harness score RUN --set fields.emotion.metrics=[kappa] --truths FILE --refresh` leaves the plan and the replies as
they are. What is scored differently stands beside them: `scoring.json` with the tasks as they are scored, and
`samples/` with corrected truths and annotations. Everything right of the journal reads a run through
`scored_manifest` and `scored_samples`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.json_text import parse_json
from harness.run.adapter_folds import MARK
from harness.run.folder import RunFolder, write_error
from harness.run.manifest import read_manifest
from harness.run.unfinished import unfinished

SCHEMA = 1

REFERENCE = "reference"
"""Key of the model that mean corruption errors are relative to, where `harness score` was told one."""

CALLED = "called"
"""Key of a cell whose model is shown under another name than the command gave: that one."""

TASK_KEYS = frozenset(
    {
        "cluster",
        "confidence",
        "description",
        "folds",
        "languages",
        "notice",
        "parts",
        "people_at",
        "public",
        "sentences",
        "slices",
    }
)
"""Keys of a task that concern scoring and reports alone."""

FIELD_KEYS = frozenset({"definitions", "metrics", "scored", "synonyms", "tolerance"})
"""Keys of a field that concern scoring alone: `definitions` only where no prompt of the run shows them."""

SPOTTING_KEYS = frozenset({"length", "longest"})
"""Keys of `spotting:` that concern scoring alone."""


def concerns_scoring(keys: tuple[str, ...]) -> bool:
    """Whether `--set` of this path changes how replies are scored and nothing of what was asked."""
    match keys:
        case (name,) | (name, _) if name in TASK_KEYS:
            return True
        case ("fields", _, name, *_):
            return name in FIELD_KEYS
        case ("spotting", name):
            return name in SPOTTING_KEYS
    return False


def scored_manifest(folder: RunFolder) -> dict[str, Any]:
    """The manifest with the tasks as they are scored, under `scoring` what was said of that, and models under the names
    that they are shown by.

    Raises HarnessError for a folder that is no run, or where a file is broken.
    """
    manifest = shown_as(read_manifest(folder))
    overlay = read_scoring(folder)
    if overlay is None:
        return manifest
    for name, entry in overlay["tasks"].items():
        if name in manifest["tasks"]:
            manifest["tasks"][name] = {**manifest["tasks"][name], **entry}
    manifest["scoring"] = overlay["said"]
    if REFERENCE in overlay:
        manifest[REFERENCE] = overlay[REFERENCE]
    return manifest


def shown_as(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest with models under their display names, in `models` and in `cells`, whose ids stay as they are, and
    which hold under `called` the name that the command gave. A model with an adapter says so in its name."""
    entries = manifest.get("models", {})
    shown = {
        name: told for name, entry in entries.items() if (told := shown_name(name, entry)) != name
    }
    if not shown or "export" in manifest:  # an export was written under these names
        return manifest
    models = {shown.get(name, name): entry for name, entry in entries.items()}
    cells = []
    for cell in manifest["cells"]:
        name = cell["model"]
        entry = entries.get(name, {})
        if cell.get("identity", entry.get("identity")) != entry.get("identity"):
            # an earlier version, asked of another model of that name: what is known of adapters is not true of it
            entry = {**entry, "identity": cell["identity"], "details": {}}
            models.setdefault(shown_name(name, entry), entry)
        told = shown_name(name, entry)
        cells.append(cell if told == name else {**cell, "model": told, CALLED: name})
    return {**manifest, "models": models, "cells": cells}


def shown_name(name: str, entry: Mapping[str, Any]) -> str:
    """The display name of a model by its entry in a manifest; where it has none, its name, with the adapter that was
    asked."""
    if told := entry.get("settings", {}).get("display_name"):
        return str(told)
    details = entry.get("details") or {}
    if adapter := str(details.get("adapter") or ""):
        return with_adapter(name, adapter.rpartition(" ")[0])
    adapters = str(details.get("adapters") or "")
    return with_adapters(name, " ".join(adapters.split()[:2])) if adapters else name


def with_adapter(name: str, adapter: str) -> str:
    """A model's name, with that of its adapter."""
    return f"{name} (adapter {adapter})"


def with_adapters(name: str, folds: str) -> str:
    """A model's name, with that it has an adapter for each fold (`3 folds`), where the name does not say so itself."""
    return name if MARK in name else f"{name} (adapters of {folds})"


def read_scoring(folder: RunFolder) -> dict[str, Any] | None:
    """What `scoring.json` holds; None where the run is scored as it was asked. Raises HarnessError where it is broken."""
    path = folder.scoring / "scoring.json"
    try:
        body: dict[str, Any] = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise HarnessError(
            f"{path} cannot be read: {error}", hint="score the run again: harness score RUN"
        ) from None
    if body.get("schema") != SCHEMA:
        raise HarnessError(
            f"{path} has schema {body.get('schema')}, this version reads {SCHEMA}",
            hint="score the run again: harness score RUN",
        )
    return body


def write_scoring(
    place: Path, *, tasks: Mapping[str, Any], said: list[str], reference: str = ""
) -> None:
    """Write `scoring.json` into `place`: task -> what replaces parts of its manifest entry, what is said of it, and the
    model that mean corruption errors are relative to."""
    body = {"schema": SCHEMA, "said": said, "tasks": tasks}
    body |= {REFERENCE: reference} if reference else {}
    text = json.dumps(body, ensure_ascii=False, indent=1) + "\n"
    try:
        (place / "scoring.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    except OSError as error:
        raise write_error(place, error) from None


def put_in_place(folder: RunFolder, overlay: Path | None) -> None:
    """Make `overlay` the run's scoring; None: it is scored as it was asked. Raises HarnessError where that fails."""
    target = folder.output / "private" / "scoring"
    try:
        if overlay is not None:
            target.parent.mkdir(exist_ok=True)
        gone = unfinished(target)
        shutil.rmtree(gone, ignore_errors=True)
        if target.exists():
            target.rename(gone)
        if overlay is not None:
            overlay.rename(target)
        shutil.rmtree(gone, ignore_errors=True)
    except OSError as error:
        raise write_error(target, error) from None
