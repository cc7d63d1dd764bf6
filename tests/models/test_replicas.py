"""Replicas of a model: whom requests go to, and what becomes of them where replicas are lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.core.constraint import Constraint
from harness.core.errors import HarnessError
from harness.core.generation import Generation, LabelScores, Refusal, Usage
from harness.core.message import Audio, Image, Message, Text, ToolCall, Video
from harness.core.model import CacheCounts, Card
from harness.core.request import Request, Sampling, make_request
from harness.core.tool import Offer
from harness.models.registry import OpenOptions
from harness.models.replica import ReplicaLost, count_servers, summed_counts
from harness.models.replica_log import ReplicaLog
from harness.models.replica_process import Processes, shares_of
from harness.models.replicas import Replicated, ReplicatedBatches, ReplicatedServers, Worker
from harness.models.spread import Spread, read_spread
from harness.models.transformers.generator import PreparedRequest
from harness.models.transformers.model import LocalModel
from harness.models.wire import (
    Order,
    Place,
    Told,
    pack,
    pack_asked,
    pack_generation,
    unpack,
    unpack_asked,
    unpack_generation,
)
from tests.models.stub import running_stub

METRICS = "vllm:prefix_cache_queries_total {}\nvllm:prefix_cache_hits_total {}\n"


def ask(text: str, *, model: str = "x") -> Request:
    return make_request((Message("user", (Text(text),)),), Sampling(), model=model)


@dataclass
class World:
    """Replicas that live in this process, and what they did."""

    die: Callable[[int, str], bool] = lambda start, text: False
    """Whether a replica of this start ends before it computes this text."""
    identity: str = "x"
    fail: int = 0
    """Starts that fail."""
    beginning: float = 0.0
    """Seconds until replicas can be placed at all."""
    slow: float = 0.0
    silent: Sequence[int] = ()
    """Starts whose server does not say what its caches did."""
    details: dict[str, str] = field(default_factory=dict)
    started: list[int] = field(default_factory=list)
    ended: int = 0
    computed: list[tuple[int, str]] = field(default_factory=list)

    async def begin(self) -> None:
        await asyncio.sleep(self.beginning)

    async def start(self, number: int) -> Here:
        await asyncio.sleep(self.slow)
        self.started.append(number)
        if len(self.started) <= self.fail:
            raise ReplicaLost("no room")
        return Here(self, len(self.started))

    async def close(self) -> None:
        pass


class Here:
    """A replica that answers each text in capitals."""

    def __init__(self, world: World, start: int) -> None:
        self.world, self.number = world, start
        self.place = Place("here", start)

    async def open(self, order: Order) -> Told:
        return Told(self.place, Card("local", self.world.identity, window=4))

    async def ask(self, asked: bytes) -> AsyncGenerator[bytes, None]:
        given = unpack_asked(asked)
        for request in given.requests:
            text = request.messages[0].text
            if request.key not in given.wanted:
                continue
            await asyncio.sleep(0)
            if self.world.die(self.number, text):
                raise ReplicaLost("killed")
            self.world.computed.append((self.number, text))
            yield pack_generation(Generation(request.key, text.upper(), "stop"))

    async def cache_counts(self) -> CacheCounts | None:
        if self.number in self.world.silent:
            return None
        asked = sum(start == self.number for start, _ in self.world.computed)
        return CacheCounts("vLLM", 10 * asked, 4 * asked, asked, 0, 16)

    async def end(self) -> None:
        self.world.ended += 1


class Echo:
    facts: dict[str, str] = {}  # noqa: RUF012
    notes = ()

    def prepare(self, request: Request) -> PreparedRequest:
        return PreparedRequest(request, request.messages[0].text, ())

    def generate(self, prompts: Sequence[PreparedRequest]) -> list[Generation]:
        raise AssertionError("the model of this process is never asked")


def over(world: World, count: int = 2, *, placed: float = 5.0) -> ReplicatedBatches:
    inner = LocalModel(Echo, Card("local", "x", window=4))
    order = Order("local", "local", OpenOptions())
    return ReplicatedBatches(
        inner, order, lambda: world, count, placed=placed, say=lambda line: None
    )


async def answers(model: ReplicatedBatches, waves: int, size: int = 5) -> dict[str, Generation]:
    requests = [[ask(f"w{wave}r{n}") for n in range(size)] for wave in range(waves)]

    async def one(wave: list[Request]) -> list[Generation]:
        keys = [request.key for request in wave]
        return [found async for found in model.replies(wave, wanted=keys)]

    try:
        given = await asyncio.gather(*map(one, requests))
    finally:
        await model.close()
    texts = {request.key: request.messages[0].text for wave in requests for request in wave}
    return {texts[found.key]: found for wave in given for found in wave}


async def test_what_belongs_together_goes_to_one_replica_and_all_of_them_work() -> None:
    world = World()
    model = over(world)
    assert model.card.window == 8
    found = await answers(model, 6)
    assert {text: one.text for text, one in found.items()} == {t: t.upper() for t in found}
    assert len(found) == 30 and {start for start, _ in world.computed} == {1, 2}
    by_wave = {(text[:2], start) for start, text in world.computed}
    assert len(by_wave) == 6, "a wave was parted"
    assert world.ended == 2 and {worker.state for worker in model.workers} == {"ended"}


async def test_of_a_lost_replica_only_what_it_had_not_given_is_asked_again() -> None:
    world = World(die=lambda start, text: start == 1 and text == "w0r3")
    found = await answers(over(world), 4)
    assert len(found) == 20 and all(one.failure is None for one in found.values())
    assert sorted(text for _, text in world.computed) == sorted(found), "each once"
    assert len(world.started) == 3, "another was started in its place"


async def test_a_request_that_ends_every_replica_fails_alone() -> None:
    world = World(die=lambda start, text: text == "w1r2")
    found = await answers(over(world), 3)
    failed = {text: one.failure for text, one in found.items() if one.failure is not None}
    assert list(failed) == ["w1r2"] and "3 replicas were lost" in str(failed["w1r2"])
    assert len(found) == 15


async def test_replicas_that_end_together_are_one_loss_to_what_they_had() -> None:
    """As on a machine that ends: their requests are no worse for it, and stay together."""
    world = World(die=lambda start, text: start <= 4)
    model = over(world, 4)
    await model.load()
    while len(world.started) < 4 or not all(worker.ready for worker in model.workers):
        await asyncio.sleep(0)
    found = await answers(model, 1)
    assert len(found) == 5 and all(one.failure is None for one in found.values())
    (start,) = {start for start, _ in world.computed}
    assert start > 4 and [text for _, text in world.computed] == sorted(found), "in one batch"


async def test_a_replica_of_another_identity_is_refused() -> None:
    with pytest.raises(HarnessError, match="has another local than this machine"):
        await answers(over(World(identity="y")), 1)


async def test_what_cannot_be_placed_is_said_and_not_waited_for() -> None:
    with pytest.raises(HarnessError, match=r"replica 1 was not placed within 0 s"):
        await answers(over(World(slow=5.0), placed=0.05), 1)


async def test_what_replicas_are_placed_on_may_take_longer_to_start() -> None:
    assert await answers(over(World(beginning=0.7), placed=0.5), 1)


class Served:
    """A model behind a server that counts; it stays here, and is never asked."""

    card = Card("local", "x", window=4)

    async def reply(self, request: Request) -> Generation:
        raise AssertionError("the model of this process is never asked")

    async def cache_counts(self) -> CacheCounts | None:
        raise AssertionError("it has no server")

    async def close(self) -> None:
        pass


async def counted_over(world: World) -> tuple[CacheCounts | None, CacheCounts | None]:
    """What two replicas counted before and after eight requests."""
    order = Order("local", "local", OpenOptions())
    model = ReplicatedServers(Served(), order, lambda: world, 2, say=lambda line: None)
    await model.load()
    while sum(worker.ready for worker in model.workers) < 2:
        await asyncio.sleep(0.001)
    before = await model.cache_counts()
    await asyncio.gather(*(model.reply(ask(f"r{n}")) for n in range(8)))
    after = await model.cache_counts()
    await model.close()
    return before, after


async def test_caches_of_all_servers_are_counted_together_or_not_at_all() -> None:
    before, after = await counted_over(World())
    assert before is not None and after is not None
    assert (before.prompt_tokens, after) == (0, CacheCounts("vLLM", 80, 32, 8, 0, 16))
    assert await counted_over(World(silent=[2])) == (None, None), "one does not tell"
    lost = World(die=lambda start, text: start <= 2 and text == "r3")
    _, after = await counted_over(lost)
    assert after is None, "the counts of a lost replica are gone"
    assert summed_counts([CacheCounts("vLLM", 1, 1), CacheCounts("SGLang", 1, 1)]) is None


async def test_replicas_are_tried_side_by_side() -> None:
    """Servers of several replicas start together, however long each takes."""
    all_of_them = asyncio.Barrier(3)

    class Slow(Here):
        async def open(self, order: Order) -> Told:
            if order.details:
                await asyncio.wait_for(all_of_them.wait(), 60)
            return await super().open(order)

    class Slowly(World):
        async def start(self, number: int) -> Here:
            self.started.append(number)
            return Slow(self, len(self.started))

    world = Slowly()
    order = Order("local", "local", OpenOptions())
    model = ReplicatedServers(Served(), order, lambda: world, 3, say=lambda line: None)
    await model.load()
    while sum(worker.ready for worker in model.workers) < 3:
        await asyncio.sleep(0.001)
    await model.prove_detail(["low"])
    await model.close()
    assert not all_of_them.broken


async def test_one_that_opens_while_the_order_changes_is_opened_as_ordered() -> None:
    """Otherwise it would be asked without having been tried."""
    gate, opened = asyncio.Event(), list[tuple[int, tuple[str, ...]]]()

    class Gated(Here):
        async def open(self, order: Order) -> Told:
            if self.number == 2 and not order.details:
                await gate.wait()
            opened.append((self.number, order.details))
            return await super().open(order)

    class Slowly(World):
        async def start(self, number: int) -> Here:
            self.started.append(number)
            return Gated(self, len(self.started))

    world = Slowly()
    order = Order("local", "local", OpenOptions())
    model = ReplicatedServers(Served(), order, lambda: world, 2, say=lambda line: None)
    await model.load()
    await model.prove_detail(["low"])
    gate.set()
    while sum(worker.ready for worker in model.workers) < 2:
        await asyncio.sleep(0.001)
    await model.close()
    assert opened[-1] == (2, ("low",))


async def test_two_processes_say_what_their_servers_counted() -> None:
    starts = Processes(2, gpus_each=0, log_folder=None)
    with (
        running_stub(metrics=lambda stub: METRICS.format(100, 30)) as first,
        running_stub(metrics=lambda stub: METRICS.format(50, 20)) as second,
    ):
        opened = await asyncio.gather(*(starts.start(number) for number in range(2)))
        try:
            for replica, stub in zip(opened, (first, second), strict=True):
                await replica.open(Order(f"openai:stub@{stub.url}", "stub", OpenOptions()))
            then = [(opened[0], CacheCounts("vLLM", 10, 0)), (opened[1], None)]
            assert await count_servers(then) == CacheCounts("vLLM", 140, 50)
            first.metrics = None
            assert await count_servers(then) is None, "one has no such page any more"
        finally:
            await asyncio.gather(*(replica.end() for replica in opened))


async def test_starts_are_tried_again_but_not_for_ever() -> None:
    assert len(await answers(over(World(fail=2), 1), 1)) == 5
    with pytest.raises(HarnessError, match="replica 1 could not be started: no room"):
        await answers(over(World(fail=9), 1), 1)


async def test_requests_about_one_picture_go_to_one_replica() -> None:
    world = World()
    inner = LocalModel(Echo, Card("local", "x", window=64))
    model = Replicated(
        inner, Order("l", "l", OpenOptions()), lambda: world, 3, say=lambda line: None
    )
    pictures = [Image(f"p{n}", bytes([n])) for n in range(12)]
    requests = [
        make_request((Message("user", (Text(f"{n}-{q}"), one)),), Sampling(), model="x")
        for n, one in enumerate(pictures)
        for q in range(4)
    ]
    await model.load()
    while sum(worker.ready for worker in model.workers) < 3:
        await asyncio.sleep(0.001)
    await asyncio.gather(*map(model.reply, requests))
    assert model.standing.startswith("replicas 3 of 3 (")
    await model.close()
    homes = {(text.partition("-")[0], start) for start, text in world.computed}
    assert len(homes) == 12 and len({start for start, _ in world.computed}) == 3


def test_requests_and_replies_travel_as_they_are() -> None:
    picture = Image("a.png", b"\x89PNG\r\n\x1a\n\xff\x00")
    clip = Video("v", (picture, Image("b", b"\0\1")), (0, 3), 25.0)
    turns = (
        Message("system", (Text("ö"),)),
        Message("user", (picture, Text("q"), clip, Audio("s.wav", b"RIFF\xff", 1.5))),
        Message("assistant", (Text(""),), calls=(ToolCall("zoom", "{}", "1"),)),
        Message("tool", (Text("x"),), answers="1"),
    )
    offer = Offer(({"name": "zoom", "arguments": {"a": 1}},))
    requests = [
        make_request(
            turns, Sampling(seed=n), model="m", candidates=("a", "b"), offer=offer, thinking="off",
            constraint=Constraint("choice", ("a", "b")),
        )
        for n in range(9)
    ]  # fmt: skip
    data = pack_asked(requests, [requests[1].key])
    assert unpack_asked(data).requests == tuple(requests)
    assert data.count(picture.data) == 1, "a picture is sent once"
    scores = LabelScores(("a", "b"), (-0.1234567, -3.0), (2, 1), "continuation")
    reply = Generation(
        "k", "a", "stop", Usage(3, 2, 1), 0.12345678901234, scores=scores, refusal=Refusal("model"),
        calls=(ToolCall("a", "{"),), thought="unclosed",
    )  # fmt: skip
    assert unpack_generation(pack_generation(reply)) == reply
    order = Order("vllm:x", "mine", OpenOptions(vllm_args=("--a",), body={"a": [1]}))
    assert unpack(Order, pack(Order, order)) == order
    with pytest.raises(HarnessError, match="no Order"):
        unpack(Order, b"{}")


def test_gpus_are_shared_out() -> None:
    assert shares_of(["0", "1", "4", "7"], 2, each=2) == ["0,1", "4,7"]
    assert shares_of(["0", "1"], 2, each=None) == ["0", "1"]
    assert shares_of([], 2, each=None) == [None, None]
    assert shares_of(["0"], 2, each=0) == ["", ""]
    with pytest.raises(
        HarnessError, match="3 replicas with 1 GPU each: this machine has 2 of the 3 GPUs needed"
    ):
        shares_of(["0", "1"], 3, each=1)


def test_where_replicas_run() -> None:
    assert read_spread(None, None, None) is None
    assert read_spread(None, 3, 0) == Spread("processes", 3, 0)
    assert read_spread("ray", None, None) == Spread("ray", 1)
    there = read_spread("ray:10.0.0.1:6379", 2, None, allow_remote=frozenset({"10.0.0.1"}))
    assert there == Spread("ray", 2, None, "10.0.0.1:6379")
    with pytest.raises(HarnessError, match="pictures would be sent to the machines") as error:
        read_spread("ray:10.0.0.1:6379", 2, None)
    assert "--allow-remote 10.0.0.1" in error.value.hint
    for on, replicas, gpus in (
        ("moon", 1, 1),
        ("processes:x", 1, 1),
        ("ray:10.0.0.1", 1, 1),
        (None, None, 1),
    ):
        with pytest.raises(HarnessError):
            read_spread(on, replicas, gpus)


def test_the_log_has_each_change_and_not_each_reply(tmp_path: Path) -> None:
    now = [0.0]
    run = tmp_path / "run"
    log = ReplicaLog(run / "replicas.jsonl", "m", clock=lambda: now[0])
    worker = Worker(0, state="starting")
    log(worker)
    assert not run.exists(), "a run that cannot start leaves nothing"
    run.mkdir()
    log(worker)
    assert not list(run.iterdir()), "nor in a folder in which it is only planned"
    (run / "manifest.json").touch()
    log(worker)
    assert (run / "replicas.jsonl").is_file()
    for second in range(10):
        now[0] = float(second)
        worker.state, worker.replies = "ready", second
        log(worker)
    worker.state = "lost"
    log(worker)
    lines = (run / "replicas.jsonl").read_text().splitlines()
    assert len(lines) == 7 and '"state": "lost", "replies": 9' in lines[-1]
