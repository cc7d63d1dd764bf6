"""What shares a batch follows from the plan: not from how long anything takes, nor from where a run was stopped."""

from __future__ import annotations

import hashlib
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Sequence
from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.core.generation import Generation, Usage
from harness.core.medium import Medium
from harness.core.model import Card
from harness.core.picture import HeldPicture
from harness.core.request import Request
from harness.models.transformers.generator import PreparedRequest
from harness.models.transformers.model import LocalModel
from harness.run.log import read_log
from harness.run.numbering import Numbering, read_shard
from tests.run.bench import make_world


class Jittery:
    """Its replies tell what shared their batch, and come after a time drawn from a seed."""

    notes = ()

    def __init__(self, seed: int) -> None:
        self.facts: dict[str, str] = {}
        self.random = random.Random(seed)
        self.computed: list[str] = []

    def prepare(self, request: Request) -> PreparedRequest | Generation:
        time.sleep(self.random.random() * 0.0005)
        tokens = 20 + int(request.key[:2], 16) % 40
        return PreparedRequest(request, "", (), tokens=tokens)

    def generate(self, prompts: Sequence[PreparedRequest]) -> list[Generation]:
        time.sleep(self.random.random() * 0.01)
        keys = [prompt.request.key for prompt in prompts]
        self.computed += keys
        together = hashlib.sha256(" ".join(keys).encode()).hexdigest()
        return [Generation(key, f"happiness {together}", "stop", Usage(3, 2)) for key in keys]


class Stopped(LocalModel):
    """Is switched off after some replies."""

    left = 0

    async def replies(
        self, requests: Sequence[Request], *, wanted: Collection[str]
    ) -> AsyncGenerator[Generation, None]:
        async for generation in super().replies(requests, wanted=wanted):
            self.left -= 1
            if self.left < 0:
                raise HarnessError("switched off")
            yield generation


def opened(engine: Jittery, *, window: int = 64) -> LocalModel:
    return LocalModel(lambda: engine, Card("rule", "rule-1", window=window), batch=8)


def said(root: Path, out: str) -> dict[str, str]:
    lines = [line for _, line in read_log(root / out / "generations.jsonl")]
    found = {line["key"]: line["text"] for line in lines}
    assert len(found) == len(lines), "a reply was written twice"
    return found


ASKED = {
    "prompts": ("emotion/plain", "emotion/describe"),
    "conditions": ("none", "blank"),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    root = tmp_path_factory.mktemp("waves")
    world = make_world(root, count=90)
    world.run(opened(Jittery(0)), **ASKED)  # type: ignore[arg-type]
    return root, said(root, world.out)


@pytest.mark.parametrize(("seed", "window"), [(1, 64), (2, 320)])
def test_batches_are_the_same_at_other_delays_and_with_more_blocks_in_flight(
    whole: tuple[Path, dict[str, str]], seed: int, window: int
) -> None:
    root, first = whole
    world = make_world(root, count=90)
    world.out = f"run-{seed}"
    world.run(opened(Jittery(seed), window=window), **ASKED)  # type: ignore[arg-type]
    assert said(root, world.out) == first and len(first) > 250
    assert len(set(first.values())) < len(first) / 4, "nothing shared a batch"


@pytest.mark.parametrize("most", [19, 140])
def test_a_run_that_was_stopped_goes_on_in_the_same_batches(
    whole: tuple[Path, dict[str, str]], most: int
) -> None:
    root, first = whole
    world = make_world(root, count=90)
    world.out = f"stopped-{most}"
    stopped = Stopped(lambda: Jittery(3), Card("rule", "rule-1", window=64), batch=8)
    stopped.left = most
    with pytest.raises(HarnessError, match="switched off"):
        world.run(stopped, **ASKED)  # type: ignore[arg-type]
    log = root / world.out / "generations.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-2]) + lines[-1][:20])  # killed while a batch was written
    engine = Jittery(4)
    world.run(opened(engine), **ASKED)  # type: ignore[arg-type]
    assert said(root, world.out) == first
    assert len(engine.computed) <= len(first) - len(lines) + 2 + 8, "more than one batch again"


def numbers(pictures: Sequence[Sequence[str]], trials: int) -> list[int]:
    """How many samples each block has, of samples with these frames."""
    numbering = Numbering()
    media = (
        Medium("clip", tuple(HeldPicture(name, b"") for name in names), tuple(range(len(names))))
        for names in pictures
    )
    return list(Counter(numbering.block(medium, trials) for medium in media).values())


def test_blocks_end_by_trials_or_frames_and_never_within_a_picture() -> None:
    assert numbers([[f"p{n}"] for n in range(40)], 5) == [13, 13, 13, 1]
    assert numbers([["one"]] * 100 + [["other"]], 1) == [100, 1]
    assert numbers([["one"]] * 500, 1) == [256, 244]
    assert numbers([[f"c{n}f{i}" for i in range(900)] for n in range(40)], 1) == [16, 16, 8]


def test_shards_are_written_as_i_of_n() -> None:
    assert str(read_shard("2/8")) == "2/8"
    assert [read_shard("1/3").has(block) for block in range(4)] == [True, False, False, True]
    for wrong in ("0/2", "3/2", "1", "a/b", "1/0", "-1/2", "1/2/3"):
        with pytest.raises(HarnessError, match="no shard"):
            read_shard(wrong)
