"""Which regions of a drawn face does affect-tiny rely on?

python results/benchmarks/regions.py [--limit 140] [--fill blur] [--model affect-tiny] [--out DIR]

Runs faces/emotion on the channel logprob, untouched and with every region and its control covered, and writes what
`harness cues` says to regions.md beside itself. A run cut short goes on where it stopped when --out names it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).with_name("regions.md")
TASK = "faces/emotion"


def harness(*words: str) -> str:
    """What a command of the harness prints."""
    command = [sys.executable, "-m", "harness.cli.main", *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=int, default=140)
    parser.add_argument("--fill", choices=["occlude", "blur", "mean"], default="blur")
    parser.add_argument("--model", default="affect-tiny")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    out = asked.out or Path(tempfile.mkdtemp(prefix="regions-")) / "run"
    conditions = ["--condition", "none", "--condition", f"region:all={asked.fill}"]
    harness(
        "run", TASK, "--model", asked.model, "--channel", "logprob", "--limit", str(asked.limit),
        "--no-report", "--out", str(out), *conditions,
    )  # fmt: skip
    harness("score", str(out))
    told = harness("cues", str(out), "--no-page").strip()
    PAGE.write_text(
        f"# Which regions of a drawn face {asked.model} relies on\n\n"
        f"Made by `python results/benchmarks/regions.py --limit {asked.limit} --fill {asked.fill}`: "
        f"`harness run {TASK} --channel logprob {' '.join(conditions)}`, then `harness cues`.\n\n"
        f"```text\n{told}\n```\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
