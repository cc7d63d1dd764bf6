"""The measurements of `harness bench sweep` over servers: 16 prompts of each picture, picture by picture, as a run asks
them, against one prompt after another."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from pydantic import TypeAdapter

from harness.bench.markdown import table
from harness.bench.measured_process import most_resident_below
from harness.bench.pictures import drawn_face
from harness.bench.sweep_cases import Case
from harness.bench.sweep_worker import ASKS, ask_in_order, checkpoint_of, grid
from harness.bench.targets import Target
from harness.core.errors import HarnessError
from harness.core.message import Image
from harness.core.model import CacheCounts, Model, counts_of
from harness.core.request import Request
from harness.run.cache_counts import difference

IN_FLIGHT = 16
CASE = Case("pictures of 256 tokens", 24, reply=1, tokens=256)
ORDERS = ("picture by picture", "prompt after prompt")
ASKED = 2.0
"""Least ratio of requests a second that is asked of small caches."""
_USUAL = (
    "--dtype=float32", "--max-model-len=1024", "--max-num-seqs=16", "--enforce-eager", "--block-size=32",
    '--limit-mm-per-prompt={"image": 1}', "--enable-prefix-caching",
)  # fmt: skip
SMALL, AMPLE = "vLLM with small caches", "vLLM with ample caches"
_CACHES = {
    SMALL: ("--kv-cache-memory-bytes=14680064", "--mm-processor-cache-gb=0.03", "--max-num-batched-tokens=2048"),
    AMPLE: ("--kv-cache-memory-bytes=268435456", "--mm-processor-cache-gb=4", "--max-num-batched-tokens=32768"),
}  # fmt: skip
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "VLLM_CPU_CI_ENV": "1",
    "TORCH_COMPILE_DISABLE": "1",
}  # fmt: skip
"""Of the servers that are started here."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order of the requests, in one round or as the medians of all."""

    rate: float
    """Requests a second."""
    cached: float | None
    """Share of the prompt tokens that was found in the prefix cache; None where the server does not count them."""
    pictures_cached: float | None
    """Share of the prepared pictures that was found."""


@dataclass(frozen=True, slots=True)
class Served:
    """One server, asked in both orders."""

    server: str
    """What it is, in words."""
    version: str
    """Of vLLM; empty where it is not known."""
    pictures: int
    prompts: int
    by_picture: Order
    by_prompt: Order
    ratios: tuple[float, ...]
    """Requests a second picture by picture over those prompt after prompt, in each round."""
    peak: float | None
    """Greatest resident memory of the server's processes, summed, MB (10^6 bytes); None where they are not ours."""

    @property
    def ratio(self) -> float:
        """The median."""
        return median(self.ratios)


def measure_started(
    python: str, *, rounds: int, pictures: int = CASE.pictures
) -> tuple[Served, ...]:
    """A vLLM with small caches and one with ample ones, by the interpreter `python`, over affect-tiny with pictures of 256
    tokens; what goes on is written to standard error. Raises HarnessError where one does not start, or a request fails."""
    words = ("-m", "harness.bench.server_sweep", python, str(rounds), str(pictures))
    variables = (f"{name}={value}" for name, value in _ENVIRONMENT.items())
    done = subprocess.run(  # noqa: S603 (our own)
        ["env", *variables, sys.executable, *words],  # noqa: S607
        check=False, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
    if told is None:
        raise HarnessError(
            f"{' '.join(words)} ended with status {done.returncode}", hint="run it by hand"
        )
    if isinstance(told, dict):
        raise HarnessError(told["message"], hint=told["hint"], at_work=True)
    return tuple(TypeAdapter(list[Served]).validate_python(told))


def _start_each(python: str, rounds: int, pictures: int) -> Iterator[Served]:
    from harness.models.registry import OpenOptions, open_model

    with tempfile.TemporaryDirectory(prefix="harness-bench-") as place:
        for nth, (name, caches) in enumerate(_CACHES.items()):
            folder = Path(place) / str(nth)
            folder.mkdir()
            spec = checkpoint_of(CASE, folder).replace("transformers:", "vllm:", 1)
            options = OpenOptions(vllm_python=python, vllm_args=(*_USUAL, *caches))
            _say(name)
            yield _served(
                open_model(spec, options=options), name, rounds, pictures, _say, ours=True
            )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def measure_running(
    spec: str,
    *,
    allow_remote: Collection[str] = (),
    rounds: int,
    pictures: int = CASE.pictures,
    say: Callable[[str], None],
) -> Served:
    """A server that runs, such as `openai:NAME@URL`, with the caches that it has. Raises HarnessError where it cannot be
    reached, or a request fails."""
    from harness.models.registry import OpenOptions, open_model

    say(spec)
    options = OpenOptions(allow_remote=frozenset(allow_remote))
    return _served(open_model(spec, options=options), spec, rounds, pictures, say, ours=False)


def _served(
    model: Model, name: str, rounds: int, pictures: int, say: Callable[[str], None], *, ours: bool
) -> Served:
    case = replace(CASE, pictures=pictures)
    ways, peak = asyncio.run(_rounds(model, case, rounds, say))
    ratios = tuple(one[ORDERS[0]].rate / one[ORDERS[1]].rate for one in ways)
    by_picture, by_prompt = (_median([one[order] for one in ways]) for order in ORDERS)
    return Served(
        name, str(model.card.details.get("vllm", "")), pictures, len(ASKS),
        by_picture, by_prompt, ratios, peak / 1e6 if ours else None,
    )  # fmt: skip


async def _rounds(
    model: Model, case: Case, rounds: int, say: Callable[[str], None]
) -> tuple[list[dict[str, Order]], int]:
    """Each order in each round, and the greatest memory below this process; which comes first alternates, and each time
    has pictures of its own, so that neither profits from the other."""
    faces = iter(range(1_000_000))
    found = []
    try:
        await _ask(model, _sweep(case, faces, 2), ORDERS[0])  # starts the server, and warms it
        for nth in range(rounds):
            ways = {}
            for order in ORDERS if nth % 2 == 0 else ORDERS[::-1]:
                ways[order] = await _ask(model, _sweep(case, faces, case.pictures), order)
                say(
                    f"round {nth + 1} of {rounds}, {order}: {ways[order].rate:.1f} requests a second"
                )
            found.append(ways)
        return found, most_resident_below(os.getpid())
    finally:
        await model.close()


def _sweep(case: Case, faces: Iterator[int], pictures: int) -> list[Request]:
    """All prompts of each of so many new pictures."""
    return list(grid(case, [Image(f"face {n}", drawn_face(n)) for n in islice(faces, pictures)]))


async def _ask(model: Model, requests: Sequence[Request], order: str) -> Order:
    if order == ORDERS[1]:
        requests = [one for nth in range(len(ASKS)) for one in requests[nth :: len(ASKS)]]
    before = await counts_of(model)
    start = time.perf_counter()
    await ask_in_order(model, requests, in_flight=IN_FLIGHT)
    passed = time.perf_counter() - start
    after = await counts_of(model)
    counts = None
    if after is not None:
        before = CacheCounts(after.server, 0, 0) if before is None else before
        counts = difference(before, after, requests=len(requests))
    return Order(
        len(requests) / passed,
        _share(counts, "cached_tokens", "prompt_tokens"),
        _share(counts, "pictures_cached", "pictures"),
    )


def _share(counts: Mapping[str, Any] | None, found: str, asked: str) -> float | None:
    return float(counts[found] / counts[asked]) if counts and counts[asked] else None


def _median(orders: Sequence[Order]) -> Order:
    return Order(
        median(one.rate for one in orders),
        _known([one.cached for one in orders]),
        _known([one.pictures_cached for one in orders]),
    )


def _known(shares: Sequence[float | None]) -> float | None:
    known = [one for one in shares if one is not None]
    return median(known) if known else None


def targets(found: Iterable[Served]) -> list[Target]:
    """The ratio of each server; it is judged where the caches are small."""
    return [
        Target(
            f"requests/s picture by picture over prompt after prompt: {one.server}",
            f"at least {ASKED:g}" if one.server == SMALL else "",
            f"{one.ratio:.2f} ({min(one.ratios):.2f} to {max(one.ratios):.2f})",
            one.ratio >= ASKED if one.server == SMALL else None,
        )
        for one in found
    ]  # fmt: skip


def as_dict(found: Iterable[Served]) -> dict[str, Any]:
    """Everything measured."""
    return {"servers": [{**asdict(one), "ratio": one.ratio} for one in found]}


def sections(found: Sequence[Served], *, rounds: int) -> list[str]:
    """The parts of the page that concern servers; none where none was measured."""
    if not found:
        return []
    one = found[0]
    started = [server for server in found if server.server in _CACHES]
    which = (
        f"The vLLM {started[0].version} that was started serves affect-tiny with pictures of {CASE.tokens} tokens. Small "
        "caches hold fewer pictures than the sweep has: 14 MiB of keys and values (about 18 prompts) and 2,048 encoded "
        "picture tokens (8 pictures). Ample ones hold all. "
        if started
        else ""
    )
    return [
        "## On a server",
        f"{one.prompts} prompts of each of {one.pictures} pictures, {IN_FLIGHT} requests in flight, replies of one token. "
        "*Picture by picture* is the order of a run; *prompt after prompt* asks all pictures about one prompt before the "
        "next, as a loop over prompts does. The orders take turns on one server, which comes first alternates, and each "
        f"time has pictures of its own. {which}Rates are by the clock, and other work on the machine makes them lower; the "
        "ratio is that of the two orders in one round. The counts of the caches are the server's own and do not depend on "
        "other work.",
        f"Medians of {rounds}:",
        table(
            ("server", "order", "requests/s", "prompt tokens found in the prefix cache", "prepared pictures found", "peak MB"),
            [
                (
                    served.server, name, f"{order.rate:.1f}", _percent(order.cached), _percent(order.pictures_cached),
                    "not known" if served.peak is None else f"{served.peak:,.0f}",
                )
                for served in found
                for name, order in zip(ORDERS, (served.by_picture, served.by_prompt), strict=True)
            ],
        ),
        "Peak memory is that of the server's processes from its start on, each at its highest, summed; pages that they "
        "share count in each.",
    ]  # fmt: skip


def _percent(share: float | None) -> str:
    return "not counted" if share is None else f"{share:.1%}"


def main(python: str, rounds: int, pictures: int) -> list[dict[str, Any]] | dict[str, str]:
    """What `measure_started` reads: the servers, or an error."""
    try:
        return [asdict(one) for one in _start_each(python, rounds, pictures)]
    except HarnessError as error:
        return {"message": error.message, "hint": error.hint}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
