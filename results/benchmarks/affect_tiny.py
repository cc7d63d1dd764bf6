"""Writes the table of affect-tiny's model card from a run of the harness.

    make affect-tiny-report

runs the drawn tasks with every prompt, shown and blank, and then this.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CARD = ROOT / "harness" / "tiny" / "MODEL_CARD.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
MAIN = {"set": "set_f1", "number": "ccc"}
NAMES = {"uar": "UAR", "uf1": "UF1", "ccc": "CCC", "set_f1": "set F1"}


def main() -> None:
    run = Path(sys.argv[1])
    scores = json.loads((run / "scores.json").read_text())["scores"]
    tasks = json.loads((run / "manifest.json").read_text())["tasks"]
    lines = [
        "| task | prompt | field | metric | value | 95% interval | blank | n |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in scores:
        spec = tasks[row["task"]]["config"]["fields"][row["field"]]
        metric = "uf1" if row["field"] == "coarse" else MAIN.get(spec["kind"], "uar")
        if row["model"] != "affect-tiny" or row["condition"] != "none" or row["metric"] != metric:
            continue
        if "=" in row["slice"]:
            continue
        part = "" if row["slice"] in ("all", row["field"]) else f" ({row['slice']})"
        lines.append(
            f"| {row['task']} | {row['prompt']} | {row['field']}{part} | {NAMES[metric]} "
            f"| {row['value']:.3f} | {row['low']:.2f} to {row['high']:.2f} "
            f"| {blank(scores, row)} | {row['n']} |"
        )
    before, _, rest = CARD.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    CARD.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after)
    print(f"{len(lines) - 2} rows written into {CARD.relative_to(ROOT)}")


def blank(scores: list[dict[str, object]], row: dict[str, object]) -> str:
    """The same number with the picture hidden, and how much of it was answered at all."""
    keys = ("task", "model", "prompt", "slice", "field", "metric")
    for other in scores:
        if other["condition"] == "blank" and all(other[k] == row[k] for k in keys):
            return f"{other['value']:.3f} ({other['coverage']:.0%} answered)"
    return "not run"


if __name__ == "__main__":
    main()
