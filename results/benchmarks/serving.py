"""A sweep of prompts over a vLLM: picture by picture, as a run asks, against one prompt after another.

    python results/benchmarks/serving.py --vllm-python .venv-vllm/bin/python --out results/benchmarks/serving.md

affect-tiny with pictures of 256 tokens, 16 prompts of each of 24 pictures, replies of one token. The two orders take
turns on one server, with new pictures each time, so that neither profits from the other. Two servers: one whose caches
hold fewer pictures than the sweep has, and one whose caches hold all.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness.bench.markdown import table
from harness.bench.pictures import drawn_face
from harness.bench.sweep_cases import Case
from harness.bench.sweep_worker import ask_in_order, checkpoint_of, grid
from harness.core.message import Image
from harness.core.model import CacheCounts
from harness.core.request import Request
from harness.models.registry import OpenOptions, open_model
from harness.run.cache_counts import difference

PICTURES, PROMPTS, IN_FLIGHT = 24, 16, 16
CASE = Case("pictures of 256 tokens", PICTURES, reply=1, tokens=256)
USUAL = (
    "--dtype=float32", "--max-model-len=1024", "--max-num-seqs=16", "--enforce-eager", "--block-size=32",
    '--limit-mm-per-prompt={"image": 1}', "--enable-prefix-caching",
)  # fmt: skip
SERVERS = {
    "small caches": (
        "--kv-cache-memory-bytes=14680064", "--mm-processor-cache-gb=0.03", "--max-num-batched-tokens=2048",
    ),
    "ample caches": (
        "--kv-cache-memory-bytes=268435456", "--mm-processor-cache-gb=4", "--max-num-batched-tokens=32768",
    ),
}  # fmt: skip
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "VLLM_CPU_CI_ENV": "1",
    "TORCH_COMPILE_DISABLE": "1",
}  # fmt: skip
ASKED = 2.0
"""Least ratio of requests a second that is asked of the small caches."""


@dataclass(frozen=True)
class Way:
    """One order in one round."""

    rate: float
    """Requests a second."""
    counts: dict[str, Any]

    @property
    def share(self) -> float:
        """Of the prompt tokens, those found in the prefix cache."""
        return float(self.counts["cached_tokens"] / self.counts["prompt_tokens"])


ORDERS = ("picture by picture", "prompt after prompt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vllm-python", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    asked = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    found = {}
    with tempfile.TemporaryDirectory(prefix="harness-bench-") as folder:
        for nth, (name, arguments) in enumerate(SERVERS.items()):
            place = Path(folder) / str(nth)
            place.mkdir()
            model: Any = open_model(
                checkpoint_of(CASE, place).replace("transformers:", "vllm:", 1),
                options=OpenOptions(
                    vllm_python=asked.vllm_python, vllm_args=(*USUAL, *arguments), log_folder=place
                ),
            )
            found[name] = asyncio.run(_rounds(model, asked.rounds, asked.pictures))
            version = model.card.details["vllm"]
    page = markdown(found, rounds=asked.rounds, pictures=asked.pictures, version=version)
    print(page)
    if asked.out:
        asked.out.write_text(page, encoding="utf-8")


async def _rounds(model: Any, rounds: int, pictures: int) -> list[dict[str, Way]]:
    """Each order in each round; which comes first alternates."""
    faces = iter(range(10_000))
    found = []
    try:
        await _way(model, list(_sweep(faces, 2)), ORDERS[0])  # starts the server, and warms it
        for nth in range(rounds):
            ways = {}
            for order in ORDERS if nth % 2 == 0 else ORDERS[::-1]:
                ways[order] = await _way(model, list(_sweep(faces, pictures)), order)
                print(
                    nth, order, f"{ways[order].rate:.1f}/s {ways[order].share:.3f}", file=sys.stderr
                )
            found.append(ways)
    finally:
        await model.close()
    return found


def _sweep(faces: Iterator[int], pictures: int) -> Iterator[Request]:
    """All prompts of each of so many new pictures."""
    yield from grid(CASE, [Image(f"face {n}", drawn_face(n)) for n in islice(faces, pictures)])


async def _way(model: Any, requests: Sequence[Request], order: str) -> Way:
    if order == ORDERS[1]:
        requests = [one for nth in range(PROMPTS) for one in requests[nth::PROMPTS]]
    before: CacheCounts | None = await model.cache_counts()
    start = time.perf_counter()
    await ask_in_order(model, requests, in_flight=IN_FLIGHT)
    passed = time.perf_counter() - start
    after = await model.cache_counts()
    none = CacheCounts(after.server, 0, 0)
    counts = difference(before or none, after, requests=len(requests))
    assert counts is not None
    return Way(len(requests) / passed, counts)


def markdown(
    found: dict[str, list[dict[str, Way]]], *, rounds: int, pictures: int, version: str
) -> str:
    """The page."""
    rows, targets = [], []
    for name, ways in found.items():
        ratios = [one[ORDERS[0]].rate / one[ORDERS[1]].rate for one in ways]
        asked = f"at least {ASKED:g}" if name == "small caches" else "shown alone"
        held = "yes" if median(ratios) >= ASKED else "**no**"
        told = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        targets.append((name, asked, told, held if name == "small caches" else ""))
        for order in ORDERS:
            mine = [one[order] for one in ways]
            rows.append(
                (
                    name, order, f"{median(w.rate for w in mine):.1f}", f"{median(w.share for w in mine):.3f}",
                    f"{median(w.counts['pictures_cached'] for w in mine):.0f} of {mine[0].counts['pictures']:,}",
                )
            )  # fmt: skip
    parts = [
        "# A sweep of prompts over a server",
        f"`python results/benchmarks/serving.py --vllm-python PYTHON --rounds {rounds}`: affect-tiny with pictures of 256 tokens, "
        f"served by vLLM {version} on the processor of {platform.machine()} ({os.cpu_count()} cores, no GPU was at hand). "
        f"{PROMPTS} prompts of each of {pictures} pictures, {IN_FLIGHT} requests in flight, replies of one token. *Picture by "
        "picture* is the order of a run; *prompt after prompt* asks all pictures about one prompt before the next, as a loop over "
        "prompts does. The orders take turns on one server, which comes first alternates, and each time has pictures of its own. "
        "Rates are by the clock of a machine on which other work was done; the ratio is that of the two orders in one round. The "
        "counts of the caches are the server's own and do not depend on other work.",
        "## Requests a second, picture by picture over prompt after prompt",
        table(("server", "asked", f"median of {rounds} (least to most)", "held"), targets),
        f"## Medians of {rounds}",
        table(
            ("server", "order", "requests/s", "prompt tokens found in the prefix cache", "prepared pictures found"), rows
        ),
        "Small caches hold fewer pictures than the sweep has: 14 MiB of keys and values (about 18 prompts) and 2,048 encoded picture "
        "tokens (8 pictures). Ample ones hold all. With both, prepared pictures (pixels that were cut into patches) are all found "
        "again, so the work that is saved is that of the vision model and of reading the prompt.",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
