"""Read and write scores.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.answers.reader import PARSER_VERSION
from harness.core.errors import HarnessError
from harness.core.json_text import parse_json
from harness.run.extras import Extras, read_extras
from harness.run.folder import RunFolder
from harness.score.analysis import shipped
from harness.score.table import ScoreRow

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Scores:
    """What scores.json holds."""

    scores: tuple[ScoreRow, ...]
    outcomes: tuple[Mapping[str, Any], ...]
    """Counts of trials by outcome for each cell and field, and of the failed ones by kind of failure."""
    confusions: tuple[Mapping[str, Any], ...]
    """Classes and counts (true by answered, last column: no class) for each cell, label field and part."""
    tasks: tuple[Mapping[str, Any], ...]
    """For each task: samples, clusters, cluster unit, pending trials, slices left out, and the rows of the analyses
    that stand there under their keys (`harness.score.analysis.Shipped.in_task`)."""
    found: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    """Key -> rows of the shipped analyses that stand at the top, such as `slices`."""
    analyses: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    """Name -> entries of the analyses of other packages: `task`, `package`, and `rows` or why it `failed`."""
    extras: Extras = field(default_factory=dict)
    """What extras.json holds and scores.json does not, such as the rows of `harness.run.usage`."""

    def to_json(self) -> bytes:
        """The bytes of scores.json: the same for the same journal."""
        body = {
            "schema": SCHEMA,
            "parser": PARSER_VERSION,
            "scores": [row.to_json() for row in self.scores],
            "outcomes": list(self.outcomes),
            "confusions": list(self.confusions),
            "tasks": list(self.tasks),
            **{key: list(rows) for key, rows in self.found.items()},
        }
        if self.analyses:
            body["analyses"] = {name: list(entries) for name, entries in self.analyses.items()}
        return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode(
            "utf-8", "surrogatepass"
        )


def read_scores(folder: RunFolder) -> Scores:
    """The scores of scores.json. Raises HarnessError when the file is broken."""
    try:
        body = parse_json(folder.scores.read_bytes().decode("utf-8", "surrogatepass"))
        keys = [a.key for a in shipped() if a.key and not a.in_task]
        return Scores(
            scores=tuple(ScoreRow(**row) for row in body["scores"]),
            outcomes=tuple(body["outcomes"]),
            confusions=tuple(body["confusions"]),
            tasks=tuple(body["tasks"]),
            found={key: tuple(body.get(key, ())) for key in keys},
            analyses={name: tuple(found) for name, found in body.get("analyses", {}).items()},
            extras=read_extras(folder),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise HarnessError(
            f"{folder.scores} cannot be read: {error}",
            hint="score the run again: harness score RUN",
        ) from None


def is_scored(folder: RunFolder) -> bool:
    """Whether the scores are there and younger than everything that they were made from."""
    if not all(path.is_file() for path in (folder.scores, folder.records, folder.extras)):
        return False
    scored = min(folder.scores.stat().st_mtime_ns, folder.records.stat().st_mtime_ns)
    sources = (
        folder.trials, folder.generations, folder.again, folder.manifest, folder.scoring / "scoring.json",
    )  # fmt: skip
    return not any(path.is_file() and path.stat().st_mtime_ns > scored for path in sources)
