"""How often the audit of tools names a scripted subject rightly, and how often it tells equal ones apart.

    OMP_NUM_THREADS=1 nice python results/benchmarks/tool_verdicts.py

Subjects answer by rule (`tests/analyses/subjects.py`): one always follows its tools, one never does, one follows where its
own look guesses (a third of the samples). Each is simulated 100 times with 60 samples of 30 people and 5% slips. Writes
`tool_verdicts.md` beside this file.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.analyses.subjects import Kind, subject, verdict  # noqa: E402

TIMES, SAMPLES = 100, 60
KINDS: tuple[Kind, ...] = ("always", "never", "unsure")
EXPECTED = {"always": "tools", "never": "eyes", "unsure": "unsure"}


def found(kind: Kind) -> Counter[str]:
    return Counter(verdict(kind, seed=1000 + seed, samples=SAMPLES) for seed in range(TIMES))


def equal_pairs(kind: Kind) -> int:
    """How often two subjects of one kind, with other slips and samples, get other verdicts."""
    return sum(
        verdict(kind, seed=3000 + seed, samples=SAMPLES)
        != verdict(kind, seed=5000 + seed, samples=SAMPLES)
        for seed in range(TIMES)
    )


def nets(kind: Kind) -> int:
    """How often the interval of true tools over echo leaves 0 out."""
    out = 0
    for seed in range(TIMES):
        net = subject(kind, seed=7000 + seed, samples=SAMPLES)["net"]
        assert isinstance(net, dict)
        out += not net["low"] <= 0 <= net["high"]
    return out


def main() -> None:
    lines = [
        "# Verdicts of the audit of tools, by simulation",
        "",
        f"{TIMES} simulations of each scripted subject, {SAMPLES} samples, 5% slips, a third of the samples hard for the subject's",
        "own look. Made by `results/benchmarks/tool_verdicts.py`.",
        "",
        "| subject | named rightly | other verdicts | two equal subjects told apart | net effect of true tools shown |",
        "|---|---:|---|---:|---:|",
    ]
    for kind in KINDS:
        told = found(kind)
        right = told.pop(EXPECTED[kind], 0)
        others = ", ".join(f"{name} {count}" for name, count in sorted(told.items())) or "none"
        lines.append(
            f"| {kind} follows | {right} of {TIMES} | {others} | {equal_pairs(kind)} of {TIMES} | {nets(kind)} of {TIMES} |"
        )
    (HERE / "tool_verdicts.md").write_text("\n".join([*lines, ""]), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
