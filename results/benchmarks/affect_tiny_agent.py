"""Writes what affect-tiny:agent reads with tools, and with tools that lie, into `affect_tiny_agent.md` beside this file.

    harness run faces/scene --model affect-tiny:agent --tools none --tools zoom --tools zoom:echo \
      --tools zoom:swap --tools zoom:blank --tools zoom:unavailable --tools zoom:perfect --out RUN
    python results/benchmarks/affect_tiny_agent.py RUN [OTHER...]

OTHER are runs of the tasks of the model card with the same weights, which are put beside the card's figures; the wording exam is
then asked here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from affect_tiny import CARD, steadiness, table

import harness
from harness.affect_tiny import AGENT, weights_folder

OUT = Path(__file__).with_name("affect_tiny_agent.md")
ORDER = ("none", "zoom", "zoom:perfect", "zoom:echo", "zoom:swap", "zoom:blank", "zoom:unavailable")
HEAD = (
    "| tools | small: calls | small: right | small: cannot tell | large: calls | large: right |",
    "|---|---|---|---|---|---|",
)
PAIRS = (
    *(("zoom", "none"), ("zoom:echo", "none"), ("zoom", "zoom:echo")),
    *(("zoom:perfect", "zoom"), ("zoom:swap", "none")),
)
SMALL = "suffices=no"


def main() -> None:
    """Reads the runs and writes the page."""
    first, *others = map(Path, sys.argv[1:])
    run = harness.open_run(first)
    lines = [
        "# affect-tiny:agent, with tools",
        "",
        "Made by `results/benchmarks/affect_tiny_agent.py` from a run of `faces/scene`: 140 drawn scenes of 20 test",
        "subjects; small: the face takes less than 70% of the picture's side (`suffices` is no); large: 70% or more.",
        "Greedy, float32, one tuning. `none` is the same prompt asked once.",
        "",
        *HEAD,
        *cells(run),
        "",
        "| difference | faces | UAR | 95% interval | n |",
        "|---|---|---|---|---|",
        *differences(run),
        "",
        followed(first),
        "",
        declined(run),
    ]
    if others:
        lines += ["", *beside_the_card(others)]
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"written into {OUT.name}")


def beside_the_card(runs: Sequence[Path]) -> list[str]:
    """What the same weights read of the tasks of the model card, beside affect-tiny."""
    known = {
        tuple(row[:4]): float(row[4])
        for row in map(columns, CARD.read_text().splitlines())
        if len(row) == 9 and row[0].startswith("faces/")
    }
    lines = [
        "## What the tuning cost",
        "",
        "The tasks of the model card, beside affect-tiny as it was before. Marked: more than .02 less.",
        "",
        "| task | prompt | field | metric | affect-tiny | affect-tiny:agent | |",
        "|---|---|---|---|---|---|---|",
    ]
    for folder in runs:
        scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
        tasks = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["tasks"]
        rows = table(scores["scores"], tasks, model="affect-tiny:agent")
        for row in (columns(text) for _, text in rows):
            before, now = known[tuple(row[:4])], float(row[4])
            mark = "less" if now < before - 0.02 else ""
            lines.append(f"| {' | '.join(row[:4])} | {before:.3f} | {now:.3f} | {mark} |")
    return [*lines, "", *steady_beside_the_card()]


def steady_beside_the_card() -> list[str]:
    """The wording exam and the flips, beside those of the card."""
    known = {row[0]: row[1] for row in map(columns, CARD.read_text().splitlines()) if len(row) == 2}
    lines = ["| measured | affect-tiny | affect-tiny:agent |", "|---|---|---|"]
    for name, value in map(columns, steadiness(weights_folder(AGENT))[0][2:]):
        lines.append(f"| {name} | {known[name]} | {value} |")
    return lines


def columns(text: str) -> list[str]:
    """The cells of a row of a Markdown table."""
    return [cell.strip() for cell in text.strip().strip("|").split("|")]


def cells(run: harness.Run) -> list[str]:
    """One row for each toolbox."""
    records = run.records()
    samples = run.samples().set_index("sample")
    records["small"] = records["sample"].map(samples["annotation.suffices"]) == "no"
    records["tools"] = records["tools"].astype(object).replace("", "none")
    calls = calling(run.path)
    records["calls"] = records["trial"].map(lambda name: name in calls)
    records["right"] = (records["outcome"] == "answered") & (records["value"] == records["target"])
    records["declined"] = records["outcome"] == "refused"
    there = set(records["tools"])
    return [line(name, records[records["tools"] == name]) for name in ORDER if name in there]


def declined(run: harness.Run) -> str:
    """How often the model says that it cannot tell, of trials with a call whose tool shows nothing."""
    records, calls = run.records(), calling(run.path)
    told = []
    for name in ("zoom:blank", "zoom:unavailable"):
        rows = records[(records["tools"] == name) & records["trial"].isin(calls)]
        told.append(f"`{name}` {(rows['outcome'] == 'refused').sum()} of {len(rows)}")
    return f"Where its call shows nothing, it says that it cannot tell: {', '.join(told)}."


def line(name: str, rows: pd.DataFrame) -> str:
    """Shares of small and of large faces, with how many there are."""
    small, large = rows[rows["small"]], rows[~rows["small"]]
    shares = [
        f"{small['calls'].mean():.2f}",
        f"{small['right'].mean():.2f} (n {len(small)})",
        f"{small['declined'].mean():.2f}",
        f"{large['calls'].mean():.2f}",
        f"{large['right'].mean():.2f} (n {len(large)})",
    ]
    return f"| `{name}` | " + " | ".join(shares) + " |"


def calling(folder: Path) -> frozenset[str]:
    """Trials in which a tool was called; the last line of a trial counts."""
    made: dict[str, bool] = {}
    for text in (folder / "trials.jsonl").read_text(encoding="utf-8").splitlines():
        told = json.loads(text)
        made[told["trial"]] = bool(told.get("calls"))
    return frozenset(name for name, calls in made.items() if calls)


def differences(run: harness.Run) -> list[str]:
    """Paired differences of the UAR on small faces and on all."""
    there = set(run.records()["tools"].astype(object).replace("", "none"))
    lines = []
    for first, second in PAIRS:
        if not {first, second} <= there:
            continue
        found = run.compare(tools=(first, second))
        rows = found[found["of"].isin((SMALL, "uar")) & (found["slice"].isin(("all", SMALL)))]
        lines += [
            f"| {first} less {second} | {'small' if SMALL in (row.of, row.slice) else 'all'} "
            f"| {row.difference:+.3f} | {row.low:+.2f} to {row.high:+.2f} | {row.n} |"
            for row in rows.itertuples()
        ]
    return lines


def followed(folder: Path) -> str:
    """Of the samples where the other person's label differs from the truth and from one look: what is said."""
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    audit = [row for task in scores["tasks"] for row in task["tools"] if row["what"] == "audit"]
    told = []
    for row in audit:
        for name, words in (("eyes_right", "right"), ("eyes_wrong", "wrong")):
            found = row.get("swap", {}).get(name)
            if found and found["tool"]["value"] is not None:
                tool, own = found["tool"], found["eyes"]
                told.append(
                    f"where one look is {words} (n {found['n']}) it says what the tool shows in "
                    f"{tool['value']:.2f} ({tool['low']:.2f} to {tool['high']:.2f}) and what one look says in "
                    f"{own['value']:.2f}"
                )
    return "With `zoom:swap`, another person's face: " + "; ".join(told) + "." if told else ""


if __name__ == "__main__":
    main()
