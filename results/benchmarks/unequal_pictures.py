"""Pictures of unlike sizes in place: batches against one by one, and whether preparing them beside generation helps.

    python results/benchmarks/unequal_pictures.py

Random checkpoints of the real classes, a few hundred thousand parameters each, so what is measured is the work around
the model. CPU seconds of the process (`time.process_time`), the lesser of two runs; walls are named as such.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness.core.message import Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.registry import open_model
from harness.models.transformers.model import LocalModel
from tests.models.test_unequal import BUILDERS, asks
from tests.models.tiny_checkpoint import picture


def lesser(work: Callable[[], object]) -> tuple[float, float]:
    """(CPU seconds, wall seconds) of the lesser of two runs."""
    found = []
    for _ in range(2):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        found.append((time.process_time() - cpu, time.perf_counter() - wall))
    return min(found)


def put(engine: Any, card: Any, requests: Sequence[Request], *, batch: int) -> None:
    """Answer requests in batches of at most `batch`."""
    features = engine._processor.image_processor
    features.forget()
    engine._decoded.clear()
    engine._expanded.clear()
    model = LocalModel(lambda: engine, card, batch=batch)

    async def run() -> None:
        await asyncio.gather(*(model.reply(request) for request in requests))
        await model.close()

    asyncio.run(run())


def batches(root: Path) -> None:
    """48 pictures of 48 sizes: one by one, and as they are batched."""
    print("| class | one by one | batched | ratio |\n|---|---|---|---|")
    for name, build in sorted(BUILDERS.items()):
        model: Any = open_model(f"transformers:{build(root / name)}")
        engine, requests = model._load(), asks(48)
        one, _ = lesser(lambda e=engine, r=requests, c=model.card: put(e, c, r, batch=1))  # type: ignore[misc]
        many, _ = lesser(lambda e=engine, r=requests, c=model.card: put(e, c, r, batch=16))  # type: ignore[misc]
        print(f"| {name} | {one:.2f} s | {many:.2f} s | {one / many:.1f} |", flush=True)


def shared(root: Path) -> None:
    """16 prompts of each of three pictures of a megapixel, features kept and not."""
    model: Any = open_model(f"transformers:{BUILDERS['qwen2.5-vl'](root / 'kept')}")
    engine = model._load()
    shown = [picture(nth, (1000, 1000)) for nth in range(3)]
    requests = [
        make_request((Message("user", (one, Text("?" * (1 + nth)))),), Sampling(max_tokens=2), model="t")
        for one in shown
        for nth in range(16)
    ]  # fmt: skip
    kept, _ = lesser(lambda: put(engine, model.card, requests, batch=16))
    features = engine._processor.image_processor
    most, features._most = features._most, 0
    none, _ = lesser(lambda: put(engine, model.card, requests, batch=16))
    features._most = most
    print(
        f"\n16 prompts of 3 pictures of 1 MP: features kept {kept:.2f} s, not kept {none:.2f} s CPU"
    )


def beside(root: Path) -> None:
    """Six pictures of a megapixel prepared before, and in a thread beside, the replies to 48 others."""
    model: Any = open_model(f"transformers:{BUILDERS['qwen2.5-vl'](root / 'beside')}")
    engine, requests = model._load(), asks(48)
    large = [
        make_request((Message("user", (picture(nth, (1000, 1000)), Text("?"))),), Sampling(), model="t")
        for nth in range(6)
    ]  # fmt: skip
    inner = engine._processor.image_processor._inner

    def prepare() -> None:
        from harness.models.transformers.picture import decode_picture

        for request in large:
            inner([decode_picture(request.messages[0].parts[0])], return_tensors="pt")  # type: ignore[arg-type]

    def after() -> None:
        prepare()
        put(engine, model.card, requests, batch=16)

    def together() -> None:
        thread = threading.Thread(target=prepare)
        thread.start()
        put(engine, model.card, requests, batch=16)
        thread.join()

    for name, work in (("one after the other", after), ("in a thread", together)):
        cpu, wall = lesser(work)
        print(f"6 pictures of 1 MP {name}: {cpu:.2f} s CPU, {wall:.2f} s wall", flush=True)


if __name__ == "__main__":
    import torch

    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        batches(Path(folder))
        shared(Path(folder))
        beside(Path(folder))
