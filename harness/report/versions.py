"""What a run folder keeps of earlier commands: how much of each cell was asked, and earlier versions of edited prompts.

Earlier versions (`emotion/plain@2026-11-28-1a2b3c`) stand in scores.json and can be compared, but not in the tables
of the run: a line says that they are left out, and the page folds them away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from harness.analyses.keys import row_key
from harness.analyses.words import count
from harness.run.cell_entry import version_names
from harness.score.scores import Scores

_CHANGED: Mapping[str, str] = {
    "prompt": "its text was edited",
    "model": "another model",
    "sampling": "other sampling settings",
    "max_images": "another maximum number of pictures",
    "system": "system turns sent in another way",
    "tools": "another version of its tools, or another second model",
    "enhancer": "pictures enhanced by another version of the endpoint",
    "task": "fields or media of the task changed; its replies are parsed with the current ones",
}


def standing(scores: Scores, manifest: Mapping[str, Any]) -> Scores:
    """The scores without those of earlier versions."""
    names = version_names(manifest)
    return _kept(scores, lambda prompt: prompt not in names) if names else scores


def earlier(scores: Scores, manifest: Mapping[str, Any]) -> Scores | None:
    """The scores of earlier versions alone; None where there are none."""
    names = version_names(manifest)
    return _kept(scores, lambda prompt: prompt in names) if names else None


def _kept(scores: Scores, wanted: Any) -> Scores:
    def rows(entries: Any) -> tuple[Any, ...]:
        return tuple(entry for entry in entries if wanted(entry.get("prompt", "")))

    return replace(
        scores,
        scores=tuple(row for row in scores.scores if wanted(row.prompt)),
        outcomes=rows(scores.outcomes),
        confusions=rows(scores.confusions),
        tasks=tuple(
            {key: list(rows(value)) if _has_cells(value) else value for key, value in state.items()}
            for state in scores.tasks
        ),
        found={key: rows(entries) for key, entries in scores.found.items()},
    )


def _has_cells(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def asked_note(state: Mapping[str, Any], key: tuple[str, str, str]) -> str:
    """`10 of 28 asked`, for a cell of which not every sample was asked; else nothing."""
    for entry in state.get("asked", ()):
        if row_key(entry) == key:
            return f"{count(entry['asked'])} of {count(entry['of'])} asked"
    return ""


def kept_lines(manifest: Mapping[str, Any], scores: Scores, task: str) -> Iterator[str]:
    """One line for what the tables of a task leave out: earlier versions, and samples gone from the source."""
    state: Mapping[str, Any] = next((s for s in scores.tasks if s["task"] == task), {})
    told = []
    for cell in manifest["cells"]:
        if cell["task"] == task and cell.get("asked_as"):
            why = ", ".join(_CHANGED[name] for name in cell.get("changed", ()))
            note = asked_note(state, row_key(cell))
            told.append(
                f"{cell['model']} {cell['prompt']} ({'; '.join(filter(None, (why, note)))})"
            )
    if told:
        yield (
            f"left out: {len(told)} earlier version{('s' if len(told) > 1 else '')}: "
            f"{', '.join(told)}; `harness compare` compares them, and the page of `harness "
            "report` shows them"
        )
    gone = manifest["tasks"][task].get("gone", 0)
    if gone:
        yield f"left out: {count(gone)} samples of this run that are gone from the source"
