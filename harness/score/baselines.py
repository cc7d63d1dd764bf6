"""Two baselines without a model: the most common answer, and answers drawn by their frequency.

Both are fitted on the scored labels themselves (marked in-sample) unless other data are named. A score
that does not beat them says nothing about faces. Of drawn answers the expectation is scored
(`harness.score.guessing`), not one draw.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from harness.core.errors import HarnessError
from harness.core.json_text import parse_json
from harness.core.kind import kind_named
from harness.core.sample import Value
from harness.core.task import Task
from harness.run.folder import RunFolder

Baseline: TypeAlias = Literal["majority", "prior"]
BASELINES: tuple[Baseline, ...] = ("majority", "prior")

ANNOTATOR, LEFT_OUT, SET_LABEL = "annotator", "annotator-left-out", "set-label"
CEILINGS: Mapping[str, str] = MappingProxyType(
    {
        ANNOTATOR: "one, against the set's label",
        LEFT_OUT: "one, against the others' majority",
        SET_LABEL: "as if it were answered",
    }
)
"""What stands beside the scores from above where annotators voted (`harness.analyses.rows.ceiling`), in a few words."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The answers of a data set, counted: `values` in a fixed order, with how often each occurs."""

    kind: str
    values: tuple[Value, ...]
    counts: tuple[int, ...]
    in_sample: bool = True

    def majority(self, metric: str = "") -> Value:
        """The best answer that looks at no picture: the most common (of equals the first by name); for numbers the
        mean, or what is best for one metric (the median for `mae`)."""
        kind = kind_named(self.kind)
        best = kind.baselines[metric][1] if metric in kind.baselines else kind.baseline
        return best(self.values, self.counts)

    def draws(self, samples: Iterable[str], *, seed: int) -> Iterator[Value]:
        """An answer for each sample, drawn by frequency. It hangs on seed and sample id alone, so that order does
        not matter."""
        ends = list(accumulate(self.counts))
        head = hashlib.sha256(f"prior\x1f{seed}\x1f".encode())
        for sample in samples:
            drawn = head.copy()
            drawn.update(sample.encode("utf-8", "surrogatepass"))
            place = int.from_bytes(drawn.digest()[:8], "big") % ends[-1]
            yield self.values[bisect_right(ends, place)]


def fit(kind: str, targets: Iterable[Value], *, in_sample: bool = True) -> Fitted:
    """Count the answers. Raises ValueError when there are none."""
    counted = Counter(targets)
    order = sorted(counted, key=lambda value: (str(type(value)), value))
    if not order:
        raise ValueError("there is nothing to fit a baseline on")
    return Fitted(kind, tuple(order), tuple(counted[v] for v in order), in_sample)


def read_fits(
    folder: RunFolder, tasks: Mapping[str, Task]
) -> dict[str, dict[tuple[str | None, str], Fitted]]:
    """Task -> (part, field) -> what `--fit-on` counted; empty without it."""
    if not folder.fit_on.exists():
        return {}
    try:
        body = parse_json(folder.fit_on.read_text(encoding="utf-8"))
        return {
            name: {
                (entry["part"], entry["field"]): _fitted(
                    entry, tasks[name].fields[entry["field"]].kind
                )
                for entry in entries
            }
            for name, entries in body.items()
            if name in tasks
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise HarnessError(
            f"{folder.fit_on} cannot be read: {error}",
            hint="give the run's command again, which writes it anew",
            at_work=False,
        ) from None


def _fitted(entry: Mapping[str, Any], kind: str) -> Fitted:
    values: list[Value] = []
    for text, _ in entry["counts"]:
        value = json.loads(text)
        values.append(tuple(value) if isinstance(value, list) else value)
    return Fitted(kind, tuple(values), tuple(n for _, n in entry["counts"]), in_sample=False)
