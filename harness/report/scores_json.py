"""Scores as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.analyses.keys import row_key
from harness.core.cell import FREE, thinking_in, tools_in
from harness.core.tools_asked import NO_TOOLS
from harness.score.analysis import shipped
from harness.score.scores import Scores

SCHEMA = 2
"""2: each row has `protocol` and `tools`; in 1 they stood only where a cell had tools."""
NO_PROTOCOL = "-"
"""The protocol of a row that nobody was asked for: baselines, and answers made elsewhere."""


def scores_json(
    run: Path,
    scores: Scores,
    manifest: Mapping[str, Any] = MappingProxyType({}),
    *,
    notices: Sequence[str] = (),
) -> str:
    """The scores as the `--json` contract has them, indented; no value is null, never NaN.

    Each row has the `protocol` of its cell and its `tools` (`none` without); it has a `channel` only where that is not free,
    and `thinking` only where that was asked for. Beside the rows stand, where there are any, the rows of
    shipped analyses under their keys (such as `slices`), what replies cost where a price is known, `analyses` with the
    entries of those of other packages, and the `notices` that go with every report.
    """
    asked = {
        (entry["task"], *row_key(entry)): str(entry["protocol"])
        for entry in manifest.get("cells", ())
    }
    rows = [row.to_json() for row in scores.scores]
    for row in rows:
        if thinking := thinking_in(row["channel"]):
            row["thinking"] = thinking
        row["protocol"] = asked.get((row["task"], *row_key(row)), NO_PROTOCOL)
        row["tools"] = tools_in(row["channel"]) or NO_TOOLS
        if row["channel"] == FREE:
            del row["channel"]
    body: dict[str, Any] = {"schema": SCHEMA, "run": str(run), "scores": rows}
    beside = {
        one.key: list(_rows_of(one.key, scores, one.in_task))
        for one in shipped()
        if one.key and one.in_json
    }
    body |= {key: found for key, found in beside.items() if found}
    body |= {k: list(rows) for k, rows in scores.extras.items() if any("cost" in r for r in rows)}
    if scores.analyses:
        body["analyses"] = {name: list(entries) for name, entries in scores.analyses.items()}
    if notices:
        body["notices"] = list(notices)
    return json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False)


def _rows_of(key: str, scores: Scores, in_task: bool) -> Iterator[Mapping[str, Any]]:
    """The rows under a key, each with its task."""
    if not in_task:
        yield from scores.found.get(key, ())
        return
    for state in scores.tasks:
        yield from ({"task": state["task"], **row} for row in state.get(key, ()))
