"""What prompts about one picture share is what each of them would have read alone, by the real classes of families."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.core.constraint import Constraint
from harness.core.generation import Generation
from harness.core.message import Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.registry import OpenOptions, open_model
from harness.models.transformers.beginnings import common
from harness.models.transformers.forking import Head, KeptHeads
from tests.models.more_families import build_gemma3, build_llava
from tests.models.tiny_checkpoint import build, picture
from tests.models.tiny_families import build_mllama, build_qwen3

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]

BUILDERS: dict[str, Callable[[Path], Path]] = {
    "gemma3": partial(build_gemma3, window=512),
    "llava": build_llava,
    "mllama": build_mllama,
    "qwen2.5-vl": build,
    "qwen3-vl": build_qwen3,
}
SIZES = ((60, 200), (120, 70), (90, 90))
ASKS = ("what?", "what is the expression of this face?", "who is it?")


class Engine:
    """A loaded checkpoint that shares or not, and the first log-probabilities of what it said last."""

    def __init__(self, folder: Path, *, share: bool) -> None:
        opened: Any = open_model(f"transformers:{folder}", options=OpenOptions(share=share))
        self.own = opened._load()
        self.first: Any = None

    @property
    def state(self) -> str:
        return str(self.own.facts["sharing"])

    def ask(self, requests: Sequence[Request]) -> tuple[list[Generation], Any]:
        """Replies to one batch, and log-probabilities of their first tokens (rows, vocabulary)."""
        prompts = [self.own.prepare(request) for request in requests]
        with self._watched():
            return list(self.own.generate(prompts)), self.first

    @contextmanager
    def _watched(self) -> Iterator[None]:
        model = self.own._model
        plain = model.generate

        def generate(*, generation_config: Any, **given: Any) -> Any:
            if generation_config.return_dict_in_generate:
                return plain(generation_config=generation_config, **given)
            generation_config.return_dict_in_generate = generation_config.output_logits = True
            said = plain(generation_config=generation_config, **given)
            self.first = said.logits[0].float().log_softmax(-1)
            return said.sequences

        model.generate = generate
        try:
            yield
        finally:
            del model.generate


def grid(*, heads: Sequence[str] = ("",), **more: Any) -> list[Request]:
    """Pictures of unlike sizes under asks of unlike length and number."""
    return [
        make_request(
            (Message("user", (*([Text(head)] if head else []), picture(nth, size), Text(ask))),),
            Sampling(max_tokens=5), model="t", **more,
        )
        for nth, size in enumerate(SIZES)
        for head in heads
        for ask in ASKS[: len(ASKS) - nth]
    ]  # fmt: skip


@pytest.fixture(scope="module", params=sorted(BUILDERS))
def engines(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Engine, Engine]:
    pytest.importorskip("torch")
    name = str(request.param)
    folder = BUILDERS[name](tmp_path_factory.mktemp("sharing") / name)
    return Engine(folder, share=True), Engine(folder, share=False)


def equal(sharing: Engine, plain: Engine, requests: Sequence[Request]) -> list[Generation]:
    """The replies of one batch, each of which has to be that to its prompt alone."""
    replies, first = sharing.ask(requests)
    for nth, request in enumerate(requests):
        (alone,), own = plain.ask([request])
        assert float((first[nth] - own[0]).abs().max()) < 1e-3, request.messages
        best = own[0].topk(2).values
        assert replies[nth].text == alone.text or float(best[0] - best[1]) < 1e-3
        assert replies[nth].usage.prompt_tokens == alone.usage.prompt_tokens
        assert alone.usage.shared_tokens == 0 and alone.usage.encoded == 1
    return replies


def test_prompts_of_one_picture_share_it_and_their_beginning(
    engines: tuple[Engine, Engine],
) -> None:
    sharing, plain = engines
    sharing.own.forget()
    requests = grid()
    replies = equal(sharing, plain, requests)
    assert sharing.state == "pictures encoded once and beginnings of prompts read once"
    assert plain.state == "off"
    assert sum(reply.usage.encoded for reply in replies) == len(SIZES)
    once = {r.messages[0].parts[0].digest for r in requests}  # type: ignore[union-attr]
    assert len(once) == len(SIZES)
    reads = sum(not reply.usage.shared_tokens for reply in replies)
    assert reads == len(SIZES), "the first prompt of each picture pays for its beginning"
    # another batch between, then other channels: nothing of their beginnings is read again
    sharing.ask(grid(heads=("look here: ",))[:2])
    labels = ("sad", "glad")
    scored = grid(candidates=labels)
    for reply, request in zip(sharing.ask(scored)[0], scored, strict=True):
        (alone,), _ = plain.ask([request])
        assert alone.scores is not None and reply.scores is not None
        assert reply.scores.logprobs == pytest.approx(alone.scores.logprobs, abs=1e-3)
        assert reply.usage.encoded == 0 and reply.usage.shared_tokens > 0
    held = equal(sharing, plain, grid(constraint=Constraint("choice", labels))[:4])
    assert {reply.text for reply in held} <= set(labels)
    assert all(reply.usage.shared_tokens and not reply.usage.encoded for reply in held)


def test_words_before_a_picture_share_its_features_alone(engines: tuple[Engine, Engine]) -> None:
    sharing, plain = engines
    sharing.own.forget()
    heads = ("be brief. ", "read this picture with care: ")
    replies = equal(sharing, plain, grid(heads=heads))
    assert sum(reply.usage.encoded for reply in replies) == len(SIZES)
    reads = sum(not reply.usage.shared_tokens for reply in replies)
    assert reads == len(SIZES) * len(heads)


def test_several_pictures_in_one_prompt(engines: tuple[Engine, Engine]) -> None:
    sharing, plain = engines
    sharing.own.forget()
    pairs = [(0, 1), (0, 2), (1, 0)]
    requests = [
        make_request(
            (Message("user", (*(picture(n, SIZES[n]) for n in pair), Text(ask))),),
            Sampling(max_tokens=3), model="t",
        )
        for pair in pairs
        for ask in ASKS[:2]
    ]  # fmt: skip
    replies, first = sharing.ask(requests)
    for nth, request in enumerate(requests):
        _, own = plain.ask([request])
        assert float((first[nth] - own[0]).abs().max()) < 1e-3
    assert sum(reply.usage.encoded for reply in replies) == 3


def test_digits_hang_on_what_was_foreseen_alone(tmp_path: Path) -> None:
    """Also of a long beginning in common, which is read on behind the picture: a run that goes on gives the same bits."""
    folder, labels = build(tmp_path / "qwen"), ("sad", "glad")
    long = (
        "one of these words is wanted: anger, disgust, fear, happiness, sadness or surprise. " * 2
    )
    requests = [
        make_request((Message("user", (picture(nth, SIZES[nth]), Text(long + ask))),), Sampling(), model="t",
                     candidates=labels)
        for nth in range(2) for ask in ASKS
    ]  # fmt: skip
    whole, later = Engine(folder, share=True), Engine(folder, share=True)
    found = []
    for engine, first in ((whole, 0), (later, 3)):
        prompts = [engine.own.prepare(request) for request in requests]
        engine.own.foresee(prompts)
        parts = [engine.own.generate(prompts[at : at + 3]) for at in range(first, 6, 3)]
        engine.own.foresee(prompts[::-1])
        parts.append(engine.own.generate(prompts[3:]))
        found.append(parts[-2:])
    scores = [[[r.scores.logprobs for r in part] for part in parts] for parts in found]
    assert scores[0] == scores[1], "to the last bit"
    head = found[0][0][0].usage.prompt_tokens - len(ASKS[0])
    assert found[0][0][0].usage.shared_tokens == 0
    assert all(head - 40 < r.usage.shared_tokens for r in found[0][0][1:]), "the words too"
    fresh = Engine(folder, share=True)
    told = make_request(requests[0].messages, Sampling(max_tokens=2), model="t")
    channels = [fresh.own.prepare(request) for request in (requests[0], told)]
    fresh.own.foresee(channels)
    ((first,), (second,)) = [fresh.own.generate([prompt]) for prompt in channels]
    assert (first.usage.shared_tokens, second.usage.encoded) == (0, 0)
    assert second.usage.shared_tokens > 20, "two channels of one prompt, each in a batch of its own"
    plain = Engine(folder, share=False)
    for request, scored in zip(requests[3:], scores[0][0], strict=True):
        (alone,), _ = plain.ask([request])
        assert alone.scores is not None
        assert scored == pytest.approx(alone.scores.logprobs, abs=1e-3)


def test_a_prompt_longer_than_the_window_is_read_whole(tmp_path: Path) -> None:
    """Gemma 3's windows count padding: beyond them a picture is encoded once, and nothing else is shared."""
    folder = build_gemma3(tmp_path / "gemma3", window=84)
    sharing, plain = Engine(folder, share=True), Engine(folder, share=False)
    replies = equal(sharing, plain, grid())
    assert not any(reply.usage.shared_tokens for reply in replies)
    assert sum(reply.usage.encoded for reply in replies) == len(SIZES)
    assert "beginnings of prompts read once; " in sharing.state
    assert "longer than the window of 84 tokens (1 batch" in sharing.state
    narrow = Engine(build_gemma3(tmp_path / "narrow"), share=True)
    narrow.ask(grid()[:2])
    assert "longer than its window of 24 tokens" in narrow.state


def test_a_fault_of_sharing_is_found_before_it_is_used(tmp_path: Path) -> None:
    """Positions of another picture, which give replies that look like any others."""
    folder = build(tmp_path / "qwen")
    sharing, plain = Engine(folder, share=True), Engine(folder, share=False)
    forking = sharing.own._sharing._forking
    right = forking.forked

    def wrong(heads: Sequence[Head], *rest: Any, **more: Any) -> Any:
        batch = right(heads, *rest, **more)
        forking._inner.rope_deltas = forking._inner.rope_deltas.roll(1, 0) + 7
        return batch

    forking.forked = wrong
    replies = equal(sharing, plain, grid())
    assert not any(reply.usage.shared_tokens for reply in replies)
    assert "beginnings are read for each prompt: log-probabilities differ by" in sharing.state


def test_kept_beginnings_are_bounded() -> None:
    torch = pytest.importorskip("torch")

    def head(width: int) -> Head:
        layer = (torch.zeros(1, 1, width, 1), torch.zeros(1, 1, width, 1))
        return Head((1,), torch.zeros(width), (layer,))

    kept = KeptHeads(most_bytes=80)
    for name in "abc":
        kept.put(name, head(4))  # 32 bytes
    assert [kept.get(name) is not None for name in "abc"] == [False, True, True]
    kept.put("large", head(100))
    assert kept.get("large") is None and kept.get("c") is not None
    assert common([(1, 2, 3), (1, 2), (1, 2, 4)]) == 2
