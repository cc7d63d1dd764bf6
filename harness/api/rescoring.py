"""Arguments of `Run.rescore`, as for `harness score`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.metrics.build import metrics_for


def metric_changes(
    metrics: str | Sequence[str] | Mapping[str, str | Sequence[str]], tasks: Mapping[str, Task]
) -> dict[str, dict[str, object]]:
    """Field -> its metrics, for `fields=` of the changes.

    A list goes to every field, each with those of the metrics that its kind has; a mapping to the fields it names.
    Raises HarnessError for a metric that no field has; what a mapping names is checked where the task is changed.
    """
    if isinstance(metrics, Mapping):
        return {name: {"metrics": _names(given)} for name, given in metrics.items()}
    asked = _names(metrics)
    if not asked:
        raise HarnessError("metrics is empty", hint="leave it out, or name at least one metric")
    known: dict[str, list[str]] = {}
    for task in tasks.values():
        for name, spec in task.fields.items():
            mine = metrics_for(spec.kind)
            both = known.get(name)
            known[name] = [m for m in mine if both is None or m in both]
    every = list(dict.fromkeys(m for names in known.values() for m in names))
    for metric in asked:
        if metric not in every:
            near = difflib.get_close_matches(metric, every, n=2)
            meant = f"did you mean {' or '.join(near)}? " if near else ""
            raise HarnessError(
                f"no field of {', '.join(tasks)} can be scored with metric {metric!r}",
                hint=f"{meant}choose one of: {', '.join(every)}",
            )
    chosen = {name: [m for m in asked if m in mine] for name, mine in known.items()}
    return {name: {"metrics": found} for name, found in chosen.items() if found}


def _names(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else [str(one) for one in given]


def truths_file(truths: Any, tasks: Mapping[str, Task], folder: Path) -> Path:
    """The table of corrected truths as a file: a path as it is, a DataFrame or mapping written into `folder`.

    A mapping is sample -> field -> value, or sample -> value where the run has one field. Raises HarnessError for
    anything else.
    """
    if isinstance(truths, (str, PathLike)):
        return Path(truths)
    if isinstance(truths, Mapping):
        rows = list(_of_mapping(truths, tasks))
    elif hasattr(truths, "to_dict") and hasattr(truths, "columns"):
        rows = [_of_row(row) for row in truths.to_dict(orient="records")]
    else:
        raise HarnessError(
            f"truths must not be of type {type(truths).__name__}",
            hint="pass a file, a DataFrame with a column `sample` and one column per "
            "corrected field, or a mapping sample -> field -> value",
        )
    if not rows:
        raise HarnessError("truths has no rows", hint="leave it out to keep the current truths")
    path = folder / "truths.jsonl"
    lines = (json.dumps(row, ensure_ascii=False, default=_plain) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogatepass")
    return path


def _of_mapping(
    truths: Mapping[Any, Any], tasks: Mapping[str, Task]
) -> Iterator[dict[str, object]]:
    fields = list(dict.fromkeys(name for task in tasks.values() for name in task.fields))
    for sample, told in truths.items():
        if isinstance(told, Mapping):
            yield {"sample": str(sample), **told}
        elif len(fields) == 1:
            yield {"sample": str(sample), fields[0]: told}
        else:
            raise HarnessError(
                f"truths: {told!r} for sample {sample!r} does not say which field it corrects",
                hint=f"pass sample -> field -> value; fields: {', '.join(fields)}",
            )


def _of_row(row: Mapping[Any, Any]) -> dict[str, object]:
    """A row of a DataFrame without its empty cells."""
    return {str(name): value for name, value in row.items() if not _is_missing(value)}


def _is_missing(value: object) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _plain(value: object) -> object:
    item = getattr(value, "item", None)
    if callable(item):
        return item()
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(value)
    return str(value)
