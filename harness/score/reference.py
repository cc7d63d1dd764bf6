"""The model that the errors of the others are divided by, in mean corruption errors."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from harness.conditions.degrade import degradation_of
from harness.core.errors import HarnessError
from harness.media.degrade import SEVERITIES
from harness.run.cell_entry import cell_of
from harness.run.scoring import CALLED, REFERENCE


def reference_of(manifest: Mapping[str, Any]) -> str:
    """The reference of a run, of a manifest as it is scored: the one named to `harness score`, else the model that
    `--against` names. Empty for none: each model is then compared with each other one."""
    if named := manifest.get(REFERENCE):
        return str(named)
    pattern = manifest.get("experiment", {}).get("against", {}).get("model", "")
    fitting = dict.fromkeys(
        str(e["model"])
        for e in manifest["cells"]
        if any(fnmatchcase(n, pattern) for n in _names(e))
    )
    return next(iter(fitting)) if len(fitting) == 1 else ""


def chosen_reference(name: str, manifest: Mapping[str, Any]) -> str:
    """The model called `name` as a scored manifest calls it.

    Raises HarnessError where the run has no such model, and where no mean corruption error could be worked out with it.
    """
    known = {called: str(e["model"]) for e in manifest["cells"] for called in _names(e)}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise HarnessError(
            f"--reference {name}: the run has no such model",
            hint=(f"did you mean {near[0]}? " if near else "")
            + f"models of the run: {', '.join(known)}",
        )
    kinds = _whole_kinds(manifest)
    mine = kinds.pop(known[name], set())
    if not any(mine & theirs for theirs in kinds.values()):
        raise HarnessError(
            f"--reference {name} has no effect: no other model was asked under the same degradation at all "
            f"{SEVERITIES} severities",
            hint="run both with, for example, --condition none --condition degrade:blur=all",
        )
    return known[name]


def _names(entry: Mapping[str, Any]) -> Iterator[str]:
    """What the model of a cell is called: as it is shown, and as the command called it."""
    yield str(entry["model"])
    if CALLED in entry:
        yield str(entry[CALLED])


def _whole_kinds(manifest: Mapping[str, Any]) -> dict[str, set[str]]:
    """Model -> the degradations that it was asked under at every severity."""
    steps: dict[tuple[str, str], set[int]] = defaultdict(set)
    for entry in manifest["cells"]:
        found = degradation_of(cell_of(entry).condition)
        if found is not None and found.severity and not found.repair:
            steps[str(entry["model"]), found.kind].add(found.severity)
    whole: dict[str, set[str]] = defaultdict(set)
    for (model, kind), severities in steps.items():
        if len(severities) == SEVERITIES:
            whole[model].add(kind)
    return whole
