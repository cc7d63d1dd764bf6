"""One way through a sweep of prompts, in a process of its own: prints what it took as JSON.

python -m harness.bench.sweep_worker CASE shared|unshared ROUNDS
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.bench.measured_process import most_resident
from harness.bench.sweep_cases import CASES, Case
from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.message import Image, Message, Text
from harness.core.request import Request, Sampling, make_request

BLOCK = 64
"""Requests handed over together, as a run does."""
ASKS = (
    "Which emotion does this face show?", "Is the mouth open?", "Are the brows raised?", "Name the expression.",
    "Is this person happy?", "Is this person sad?", "What do the eyes tell?", "Describe the face in a few words.",
    "How strong is the expression, from 0 to 10?", "Is the nose wrinkled?", "Does the person smile?",
    "Which action units are active?", "Is the face calm?", "Are the lips pressed together?",
    "Would you say that this is fear or surprise?", "One word for this face, please.",
)  # fmt: skip
TURNS = (
    "You read faces.", "You are a careful observer of people; answer briefly.", "Answer in one word.",
    "You are trained in the Facial Action Coding System.",
)  # fmt: skip


def main(name: str, way: str, rounds: int) -> dict[str, Any]:
    """CPU seconds of each round, and counts of the last one."""
    from harness.bench.pictures import drawn_face
    from harness.models.registry import OpenOptions, open_model

    case = CASES[name]
    with tempfile.TemporaryDirectory(prefix="harness-bench-") as folder:
        model: Any = open_model(
            checkpoint_of(case, Path(folder)), options=OpenOptions(share=way == "shared")
        )
        faces = [
            Image(f"face {n}", drawn_face(n)) for n in range(1 + case.pictures * (rounds or 1))
        ]
        times, replies = [], list[Generation]()
        asyncio.run(
            ask_blocks(model, list(grid(case, faces[:1])))
        )  # loads, and tries what can be shared
        for nth in range(rounds):
            shown = faces[1 + nth * case.pictures :][: case.pictures]
            requests = list(grid(case, shown))
            start = time.process_time()
            replies = asyncio.run(ask_blocks(model, requests))
            times.append(time.process_time() - start)
        asyncio.run(model.close())
        state = model.card.details["sharing"]
    failed = next((r.failure.detail for r in replies if r.failure is not None), "")
    used = [reply.usage for reply in replies]
    return {
        "times": times,
        "failed": failed,
        "state": state,
        "texts": [reply.text for reply in replies],
        "encoded": sum(u.encoded for u in used),
        "prompt_tokens": sum(u.prompt_tokens for u in used),
        "shared_tokens": sum(u.shared_tokens for u in used),
        "picture_tokens": used[0].picture_tokens,
        "peak": most_resident(os.getpid()) / 1e6,
    }


def checkpoint_of(case: Case, folder: Path) -> str:
    """affect-tiny as it ships, or with pictures enlarged to so many tokens."""
    from harness.affect_tiny import weights_folder

    if not case.tokens:
        return "affect-tiny"
    place = folder / "checkpoint"
    shutil.copytree(weights_folder(), place)
    file = place / "preprocessor_config.json"
    told = json.loads(file.read_text(encoding="utf-8"))
    pixels = case.tokens * (told["patch_size"] * told["merge_size"]) ** 2
    told["size"] = {"shortest_edge": pixels, "longest_edge": pixels}
    file.write_text(json.dumps(told), encoding="utf-8")
    return f"transformers:{place}"


def grid(case: Case, faces: Sequence[Image], *, prompts: int = len(ASKS)) -> Iterator[Request]:
    """The prompts of each picture, picture after picture; where there are several system turns, 4 prompts of each."""
    turns = TURNS if case.turns > 1 else TURNS[:1]
    sampling = Sampling(max_tokens=case.reply)
    for face in faces:
        for nth, ask in enumerate(ASKS[:prompts]):
            turn = turns[nth % len(turns)]
            told = (
                Message("system", (Text(turn),)),
                Message("user", (face, Text(ask))),
            )
            yield make_request(told, sampling, model="bench")


async def ask_in_order(
    model: Any, requests: Sequence[Request], *, in_flight: int
) -> list[Generation]:
    """The replies of a server that is asked in this order, as a run asks it. Raises HarnessError for one that failed."""
    window = asyncio.Semaphore(in_flight)

    async def ask(request: Request) -> Generation:
        try:
            reply: Generation = await model.reply(request)
        finally:
            window.release()
        if reply.failure is not None:
            raise HarnessError(f"a request failed: {reply.failure.detail}")
        return reply

    tasks = []
    try:
        async with asyncio.TaskGroup() as group:
            for request in requests:
                await window.acquire()
                tasks.append(group.create_task(ask(request)))
    except ExceptionGroup as group_error:
        raise group_error.exceptions[0] from None
    return [task.result() for task in tasks]


async def ask_blocks(model: Any, requests: Sequence[Request]) -> list[Generation]:
    """The replies of a model in place, asked in blocks as a run asks it."""
    found: dict[str, Generation] = {}
    for at in range(0, len(requests), BLOCK):
        block = requests[at : at + BLOCK]
        async for reply in model.replies(block, wanted={request.key for request in block}):
            found[reply.key] = reply
    return [found[request.key] for request in requests]


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
