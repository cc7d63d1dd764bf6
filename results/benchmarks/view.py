"""Time and memory of `harness view` at many samples: `python results/benchmarks/view.py [--samples N] [--cells C]`.

A run of N samples by C cells is made up (seven classes, replies of some 150 characters), and its page is asked over HTTP
as a browser does. Making it and looking at it have a process each, so that the peak of one is not that of the other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
TASK = """\
source: {family: table}
prompts: [emotion/plain]
fields: {emotion: {kind: label, labels: basic-7}}
"""
REPLY = "The brows are drawn together and the lips are pressed. What is seen most clearly here is {}, as far as a face tells."


def make(folder: Path, samples: int, cells: int) -> None:
    """A scored run of one cell by the harness itself, and the table and the log of `cells` cells in its place."""
    from harness.imports.columns import PredictionMap
    from harness.imports.predictions import import_predictions
    from harness.run.columns import write_table
    from harness.run.folder import RunFolder
    from harness.run.manifest import read_manifest, write_manifest
    from harness.run.task_files import load_task
    from harness.run.workspace import open_workspace
    from harness.score.folder import score_run
    from harness.score.records import record_columns

    (folder / "task.yaml").write_text(TASK)
    draw = random.Random(0)  # noqa: S311
    with (folder / "answers.csv").open("w") as file:
        file.write("id,gt,said,person\n")
        for i in range(samples):
            file.write(f"s{i:07},{draw.choice(NAMES)},{draw.choice(NAMES)},p{i // 10}\n")
    place = open_workspace(folder)
    run = RunFolder(folder / "runs" / "made")
    import_predictions(
        folder / "answers.csv",
        load_task(str(folder / "task.yaml"), place, references=False),
        PredictionMap(id="id", truth="gt", answer="said", cluster="person"),
        run, workspace=place, command=["benchmark"],
    )  # fmt: skip
    score_run(run)
    manifest = read_manifest(run)
    entries = list(_cells(manifest["cells"][0], cells))
    manifest["models"] |= {e["model"]: manifest["models"][manifest["cells"][0]["model"]] for e in entries}  # fmt: skip
    write_manifest(run, {**manifest, "cells": entries})
    with run.trials.open("w") as file:
        for entry in entries:
            for i in range(samples):
                line = {"trial": f"{entry['id']}/0/s{i:07}", "basis": entry["basis"], "keys": ["0" * 64]}  # fmt: skip
                file.write(json.dumps(line) + "\n")
    write_table(run.records, record_columns(thinking=False), _rows(entries, samples))
    now = time.time()
    for path in (run.scores, run.records, run.extras):
        path.touch()
    print(f"made {run.records.stat().st_size / 1e6:.0f} MB of records, {time.time() - now:.0f} s")


def _cells(entry: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    from harness.run.cell_entry import cell_of

    for number in range(count):
        made = {key: value for key, value in entry.items() if key != "id"}
        made["model"] = f"model-{number}"
        yield {**made, "id": cell_of(made).id}


def _rows(entries: list[dict[str, Any]], samples: int) -> Iterator[dict[str, str | None]]:
    draw = random.Random(1)  # noqa: S311
    truths = [draw.choice(NAMES) for _ in range(samples)]
    for entry in sorted(entries, key=lambda one: str(one["id"])):
        for i, truth in enumerate(truths):
            said = truth if draw.random() < 0.75 else draw.choice(NAMES)
            yield {
                "trial": f"{entry['id']}/0/s{i:07}", "task": entry["task"], "model": entry["model"],
                "prompt": entry["prompt"], "condition": "none", "protocol": "single", "channel": "free",
                "sample": f"s{i:07}", "cluster": f"p{i // 10}", "part": None, "field": "emotion",
                "outcome": "answered", "value": json.dumps(said), "target": json.dumps(truth),
                "rule": "mention/label", "text": f"{REPLY.format(said)} ({draw.randrange(10**9)})",
                "reasoning": "", "failure": "", "conversation": "0" * 16, "fallback": "",
                "estimator": None, "probabilities": None, "captured_mass": None, "length_normalised": None,
            }  # fmt: skip


async def look(folder: Path) -> None:
    """Ask as a browser does; prints a row for each thing asked."""
    import aiohttp

    from harness.view.server import ViewServer

    server = ViewServer(folder / "runs")
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    work = asyncio.create_task(server.serve(0, ready=port.set_result))
    address = f"http://127.0.0.1:{await port}/{server.token}/"
    try:
        async with aiohttp.ClientSession() as session:

            async def ask(what: str, path: str, **query: str) -> Any:
                start, used = time.perf_counter(), time.process_time()
                async with session.get(address + path, params=query) as reply:
                    found = await reply.json()
                    assert reply.status == 200, found
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                print(
                    f"| {what} | {time.perf_counter() - start:.2f} s | {time.process_time() - used:.2f} s | {peak:.0f} MiB |"
                )
                return found

            run = (await ask("the list of runs", "runs"))["runs"][0]["id"]
            at = {"task": "task", "field": "emotion"}
            page = await ask("the page of the run", f"runs/{run}")
            at["task"] = next(iter(page["samples"]))
            place = f"runs/{run}/samples"
            total = (await ask("the first samples, codes read", place, **at))["total"]
            await ask("the next samples", place, **at, start="20")
            await ask("the last samples", place, **at, start=str(total - 20))
            await ask("those on which cells disagree", place, **at, show="disagree")
            await ask("the most disagreement first", place, **at, order="disagreement")
            await ask("a search for words", place, **at, words="1234567")
            await ask("its next page", place, **at, words="1234567", start="20")
            await ask("how far each cell is, its log read", f"runs/{run}/progress")
            await ask("the same again", f"runs/{run}/progress")
    finally:
        work.cancel()


def main() -> None:
    """Make and look, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--cells", type=int, default=4)
    parser.add_argument("--look", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.make:
        make(args.make, args.samples, args.cells)
    elif args.look:
        asyncio.run(look(args.look))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            for step in ("--make", "--look"):
                subprocess.run(
                    [
                        sys.executable, __file__, step, scratch,
                        "--samples", str(args.samples), "--cells", str(args.cells),
                    ],
                    check=True,
                )  # fmt: skip


if __name__ == "__main__":
    main()
