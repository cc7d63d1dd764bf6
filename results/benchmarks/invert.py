"""Measure what similarity:tiny gives away: `python results/benchmarks/invert.py [--out FOLDER]`.

The audit with its default settings, then with Fisherfaces as endpoint, 16 victims and up to 2,000 queries, both on drawn faces. An audit that is in
the folder already is read. Writes invert.md beside this file.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from harness.cli.main import main as harness

SETTINGS: dict[str, list[str]] = {
    "similarity:tiny": [],
    "fisherfaces": [
        "--endpoint",
        "fisherfaces",
        "--victims",
        "16",
        "--queries",
        "200,500,1000,2000",
    ],
}


def audited(name: str, folder: Path) -> dict[str, Any]:
    """The figures of one audit. Ends the script where it fails."""
    place = folder / name.partition(":")[2] if ":" in name else folder / name
    if harness(["audit", "invert", *SETTINGS[name], "--out", str(place)]) != 0:
        raise SystemExit(1)
    found: dict[str, Any] = json.loads((place / "audit.json").read_text(encoding="utf-8"))
    return found


def estimate(found: dict[str, float | None]) -> str:
    """`.812 [.77, .85]`."""
    told = [f"{value:.3f}" for value in (found["value"], found["low"], found["high"]) if value is not None]  # fmt: skip
    return f"{told[0]} [{', '.join(told[1:])}]"


def asked(one: dict[str, Any]) -> str:
    """`500`, or `200 of 1000` where the endpoint answers no more."""
    few = one["spent"] < one["queries"]
    return f"{one['spent']} of {one['queries']}" if few else str(one["spent"])


def section(name: str, found: dict[str, Any]) -> list[str]:
    """One endpoint: recognisers, curves, controls, defences."""
    service, second = found["service"], found["second"]
    lines = [
        f"## {name}", "", f"{found['headline']}.", "",
        f"Service: AUROC {service['auroc']:.3f}, true pairs accepted {service['tar']:.3f} at FAR {service['far']:.4f}. "
        f"Critic ({found['critic']['name']}): {second['auroc']:.3f}, {second['tar']:.3f} at {second['far']:.4f}.", "",
        "| defence | queries | accepted | control | rank | similarity | critic accepts | control | critic's rank |",
        "|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for arm in found["arms"]:
        for one in {
            one["spent"]: one for one in arm["levels"]
        }.values():  # nothing is tried past a limit
            a, b = one["by_service"], one["by_critic"]
            lines.append(
                f"| {arm['defence']} | {asked(one)} | {estimate(a['accepted'])} | {a['control']:.3f} | {a['median_rank']:g} | "
                f"{one['similarity']:.3f} | {estimate(b['accepted'])} | {b['control']:.3f} | {b['median_rank']:g} |"
            )
    lines += ["", "| control | accepted | rank | critic accepts | critic's rank |", "|---|---|---|---|---|"]  # fmt: skip
    for one in found["controls"]:
        a, b = one["by_service"], one["by_critic"]
        lines.append(
            f"| {one['name']} | {estimate(a['accepted'])} | {a['median_rank']:g} | {estimate(b['accepted'])} | {b['median_rank']:g} |"
        )
    lines += ["", "| defence | accepted minus without | p (Holm) | over control | verdict |", "|---|---|---|---|---|"]  # fmt: skip
    lines += [
        f"| {one['defence']} | {estimate(one['difference'])} | {one['p']:.3f} | {estimate(one['over_control'])} | {one['verdict']} |"
        for one in found["compared"]
    ]
    return [*lines, ""]


def main() -> None:
    """Audit and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/runs/invert-benchmark"))
    args = parser.parse_args()
    lines = [
        "# Faces rebuilt from similarity scores", "",
        "Made by `python results/benchmarks/invert.py`: `harness audit invert` on drawn faces; similarity:tiny with the default settings, "
        "Fisherfaces with 16 victims and up to 2,000 queries. What the "
        "columns mean: [the page of the audit](../../docs/jobs/invert.md). Intervals are 95% over victims.", "",
    ]  # fmt: skip
    for name in SETTINGS:
        lines += section(name, audited(name, args.out))
    text = "\n".join(lines).rstrip() + "\n"
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
