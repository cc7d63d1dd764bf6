"""Gathering into batches, with an engine that only counts."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Sequence

import pytest

from harness.core.generation import Generation
from harness.core.message import Message, Text
from harness.core.model import Card
from harness.core.request import Request, Sampling, make_request
from harness.models.transformers.generator import PreparedRequest
from harness.models.transformers.model import LocalModel


class Counter:
    """Echoes each prompt; refuses the word BAD; remembers its batches; can be held back, as its loading can."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.facts: dict[str, str] = {}
        self.notes = ()
        self.gate = threading.Event()
        self.gate.set()
        self.loading = threading.Event()
        self.loading.set()

    def load(self) -> Counter:
        self.loading.wait(60)
        return self

    def prepare(self, request: Request) -> PreparedRequest | Generation:
        text = request.messages[0].text
        if text == "UNREADABLE":
            return Generation.failed(request.key, "media", "no picture")
        return PreparedRequest(request, text, ())

    def generate(self, prompts: Sequence[PreparedRequest]) -> list[Generation]:
        self.gate.wait(60)
        self.batches.append([prompt.text for prompt in prompts])
        if any(prompt.text == "BAD" for prompt in prompts):
            raise ValueError("a bad one")
        if any(prompt.text == "MEMORY" for prompt in prompts) and len(prompts) > 1:
            raise RuntimeError("out of memory")
        if any(prompt.text == "DEADLY" for prompt in prompts):
            raise SystemExit
        return [Generation(prompt.request.key, prompt.text.upper(), "stop") for prompt in prompts]


def ask(text: str, **sampling: float) -> Request:
    return make_request((Message("user", (Text(text),)),), Sampling(**sampling), model="x")  # type: ignore[arg-type]


def made(batch: int = 4) -> tuple[Counter, LocalModel]:
    engine = Counter()
    return engine, LocalModel(engine.load, Card("local", "local", window=2 * batch), batch=batch)


async def all_of(engine: Counter, model: LocalModel, requests: list[Request]) -> list[Generation]:
    """Their replies. All wait before the first is taken, else batches would hang on how fast they come."""
    engine.loading.clear()
    asked = [asyncio.ensure_future(model.reply(request)) for request in requests]
    await asyncio.sleep(0)
    engine.loading.set()
    replies = await asyncio.gather(*asked)
    await model.close()
    return list(replies)


async def test_replies_come_back_to_those_who_asked_in_full_batches() -> None:
    engine, model = made(batch=4)
    requests = [ask(f"q{i}") for i in range(10)]
    got = await all_of(engine, model, requests)
    assert [one.key for one in got] == [request.key for request in requests]
    assert [one.text for one in got] == [f"Q{i}" for i in range(10)]
    assert [len(batch) for batch in engine.batches] == [4, 4, 2]
    assert all(one.latency > 0 for one in got)


async def test_the_time_of_a_reply_is_that_of_its_batch_without_the_batches_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = itertools.count()
    monkeypatch.setattr("harness.models.transformers.model.perf_counter", lambda: next(ticks))
    _, model = made(batch=2)
    requests = [ask(f"q{i}") for i in range(6)]
    wanted = {request.key for request in requests}
    got = [one async for one in model.replies(requests, wanted=wanted)]
    await model.close()
    assert [one.latency for one in got] == [1] * 6


async def test_requests_of_unlike_decoding_never_share_a_batch() -> None:
    engine, model = made(batch=8)
    requests = [ask(f"{kind}{i}", temperature=kind) for i in range(3) for kind in (0, 1)]
    await all_of(engine, model, requests)
    assert sorted({text[0] for text in batch} == {batch[0][0]} for batch in engine.batches) == [
        True,
        True,
    ]


async def test_a_repetition_penalty_goes_alone() -> None:
    engine, model = made(batch=8)
    await all_of(engine, model, [ask(f"q{i}", repetition_penalty=1.2) for i in range(3)])
    assert [len(batch) for batch in engine.batches] == [1, 1, 1]


async def test_a_bad_request_fails_alone() -> None:
    engine, model = made(batch=4)
    got = await all_of(engine, model, [ask(t) for t in ("a", "BAD", "c", "UNREADABLE", "e")])
    assert [one.text for one in got] == ["A", "", "C", "", "E"]
    kinds = [one.failure.kind if one.failure else None for one in got]
    assert kinds == [None, "unsupported", None, "media", None]


async def test_a_batch_too_large_for_memory_is_run_one_by_one() -> None:
    engine, model = made(batch=4)
    got = await all_of(engine, model, [ask(t) for t in ("a", "MEMORY", "c")])
    assert [one.text for one in got] == ["A", "MEMORY", "C"]


async def test_a_cancelled_request_is_not_computed() -> None:
    engine, model = made(batch=1)
    engine.gate.clear()
    first = asyncio.ensure_future(model.reply(ask("first")))
    second = asyncio.ensure_future(model.reply(ask("second")))
    third = asyncio.ensure_future(model.reply(ask("third")))
    await asyncio.sleep(0.05)
    second.cancel()
    await asyncio.sleep(0)
    engine.gate.set()
    assert (await first).text == "FIRST" and (await third).text == "THIRD"
    await model.close()
    assert [text for batch in engine.batches for text in batch] == ["first", "third"]


async def test_it_can_be_closed_unused_twice_and_used_again() -> None:
    _, model = made()
    await model.close()
    assert (await model.reply(ask("a"))).text == "A"
    await model.close()
    await model.close()
    assert (await model.reply(ask("b"))).text == "B"
    await model.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_nobody_waits_for_a_thread_that_died() -> None:
    _, model = made(batch=1)
    got = await asyncio.wait_for(
        asyncio.gather(*(model.reply(ask(t)) for t in ("DEADLY", "behind"))), 60
    )
    assert [one.failure.kind if one.failure else None for one in got] == ["server", "server"]
    assert (await model.reply(ask("later"))).text == "LATER"
    await model.close()
