"""The protocol that every model adapter implements."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from harness.core.constraint import ConstraintKind, Need
from harness.core.generation import Estimator, Generation
from harness.core.prompt_family import CHAT, PromptFamily
from harness.core.request import Request
from harness.core.thinking import thinking_need


@dataclass(frozen=True, slots=True)
class Card:
    """A model's identity and capabilities."""

    name: str
    """As the user wrote it: `openai:qwen@http://127.0.0.1:8000/v1`."""
    identity: str
    """All that determines its replies besides the request: weights' hash or endpoint and served model,
    revision, versions of server, tokenizer and decoder. Part of every request key."""
    max_images: int | None = None
    """Maximum number of pictures per request; None: no known limit."""
    video: bool = False
    """Whether it takes a clip as one video, with the frames and times it is given; otherwise the clip goes in as its
    frames. A server's is known once it was probed."""
    audio: bool = False
    """Whether it was shown to hear: its replies follow a sound that it is sent. A server's is known once it was
    probed."""
    system_role: bool = True
    constraints: Mapping[ConstraintKind, str] = field(default_factory=dict)
    """Kinds of constraint that were proved to hold -> how they are spelt (`structured_outputs`). A server's
    are known once it was probed."""
    estimators: tuple[Estimator, ...] = ()
    """How it can score candidates; empty if it cannot or was not probed."""
    thinking: Mapping[str, str] = field(default_factory=dict)
    """How much it can be asked to think (`off`, `on`, `low`, a number of tokens...) -> how that is spelt. A server's is
    known once it was probed."""
    thinking_held: tuple[str, ...] = ()
    """Those among them at which it thinks also before a reply that is held to something."""
    tools: str = ""
    """What proved that it is told of tools apart from the conversation and calls them; empty where nothing did. A
    server's is known once it was probed."""
    loop: str = ""
    """What runs its own loop of calls (`langgraph`), where it has one."""
    missing: Mapping[Need, str] = field(default_factory=dict)
    """Need -> why it was found not to hold, where the probe can say more than that."""
    window: int = 16
    """Recommended number of requests in flight."""
    queue: int = 0
    """Requests that may be made beyond the window and wait in the model, which sends each as soon as another ends."""
    families: tuple[PromptFamily, ...] = CHAT
    """The prompt families it takes. Without `--prompt` it gets the task's first prompt of each."""
    labels: tuple[str, ...] = ()
    """Of a model with a fixed set of outputs, what they stand for: a field with a label that none of them spells is
    refused. Empty: it takes any labels."""
    kinds: tuple[str, ...] = ()
    """Of a model that answers some kinds of fields alone (`pairs`), which: a field of another is refused. Empty: any."""
    notes: tuple[str, ...] = ()
    """Notes for the user, shown before the first request."""
    details: Mapping[str, str] = field(default_factory=dict)
    """Facts for the manifest: revision, dtype, device, configuration hashes."""

    @property
    def offers(self) -> frozenset[Need]:
        """Capabilities that a cell can require."""
        found = set[Need](self.constraints)
        found |= {"logprob"} if self.estimators else set()
        found |= {thinking_need(level) for level in self.thinking}
        found |= {thinking_need(level, held=True) for level in self.thinking_held}
        found |= {"tools"} if self.tools else set()
        found |= {"loop"} if self.loop else set()
        found |= {"audio"} if self.audio else set()
        return frozenset(found | ({"video"} if self.video else set()))


@runtime_checkable
class Model(Protocol):
    """An adapter: a card, and an async exchange of one Request for one Generation.

    `reply` never raises for a single bad request: it returns a failed Generation. It may raise HarnessError
    where no request can succeed (no such model, wrong key). Adapters that compute in batches gather
    concurrent calls themselves.
    """

    @property
    def card(self) -> Card: ...

    async def reply(self, request: Request) -> Generation: ...

    async def close(self) -> None: ...


@runtime_checkable
class Batching(Protocol):
    """A model that computes several requests at once. The last digits of a log-probability depend on what shares a
    batch, so such a model is told which requests belong together (`harness.run.waves`)."""

    def replies(
        self, requests: Sequence[Request], *, wanted: Collection[str]
    ) -> AsyncGenerator[Generation, None]:
        """The replies to the requests whose keys are `wanted`, as they come.

        Batches are made of all `requests` in their order, and of nothing else, so that the same requests are computed
        in the same batches whatever is wanted of them. A batch of which nothing is wanted is not computed. Raises
        HarnessError as `Model.reply` does.
        """
        ...


async def one_by_one(
    reply: Callable[[Request], Awaitable[Generation]],
    requests: Sequence[Request],
    *,
    wanted: Collection[str],
) -> AsyncGenerator[Generation, None]:
    """`Batching.replies` of a model whose replies do not depend on what shares a batch: only what is wanted is asked."""
    asked = [asyncio.ensure_future(reply(one)) for one in requests if one.key in wanted]
    try:
        for done in asyncio.as_completed(asked):
            yield await done
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


@runtime_checkable
class Submitting(Protocol):
    """A Batching model whose replies do not depend on what shares a batch, and that is handed many requests at once."""

    together: int
    """Trials whose requests are handed over together, at least, where there are as many."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Length of a request, known before it is sent."""

    tokens: int
    """Tokens of the prompt; a lower bound if a server counts only text."""
    longest: int
    """The context length: maximum number of tokens of a prompt and its reply."""
    ids: tuple[int, ...] = ()
    """Tokens of the prompt, each picture one placeholder; empty where they are not known."""
    mark: int = 0
    """The place in `ids` behind the last picture; 0 where there is none."""


@runtime_checkable
class Measuring(Protocol):
    """A model that can measure a request before it is sent."""

    async def measure(self, request: Request) -> Measured | None:
        """None if the length or the context length is not known."""
        ...


@runtime_checkable
class Detailed(Protocol):
    """A model that accepts an image detail."""

    async def prove_detail(self, wanted: Sequence[str]) -> str:
        """Find out whether it takes these words for `detail`; a note where it does not plainly heed them, else empty.

        Raises HarnessError where it refuses one, or does not answer.
        """
        ...


@runtime_checkable
class KeepsApart(Protocol):
    """A model that may take one picture for another, as a server with a cache of prompts can."""

    async def prove_apart(self) -> None:
        """Find out whether it keeps pictures apart; what was found is on the card.

        Raises HarnessError where it mixes them up, or does not answer.
        """
        ...


ENCODER_TOKENS = "encoder_cache_tokens"
"""The detail of a card that tells how many picture tokens a server keeps encoded."""


@dataclass(frozen=True, slots=True)
class CacheCounts:
    """What the caches of a server have done since it started, for all its clients."""

    server: str
    """`vLLM` or `SGLang`."""
    prompt_tokens: float
    """Of prompts that were looked up among those that were read before."""
    cached_tokens: float
    """Those among them that were found, and not read again."""
    pictures: float = 0.0
    """That were looked up among those that were prepared before; 0 where it does not tell."""
    pictures_cached: float = 0.0
    block: int = 1
    """Tokens of a block, by which beginnings are kept."""

    def since(self, before: CacheCounts) -> CacheCounts:
        """What was counted after `before`; below zero where the server was started anew meanwhile."""
        return replace(
            self,
            prompt_tokens=self.prompt_tokens - before.prompt_tokens,
            cached_tokens=self.cached_tokens - before.cached_tokens,
            pictures=self.pictures - before.pictures,
            pictures_cached=self.pictures_cached - before.pictures_cached,
        )


async def counts_of(model: object) -> CacheCounts | None:
    """What the caches of a model's server did; None where it has none, or does not tell."""
    return await model.cache_counts() if isinstance(model, CountsCaches) else None


@runtime_checkable
class CountsCaches(Protocol):
    """A model behind a server that may count what its caches do."""

    async def cache_counts(self) -> CacheCounts | None:
        """None where it does not tell, or does not run."""
        ...


@runtime_checkable
class Probing(Protocol):
    """A model whose capabilities must be probed."""

    async def probe(self, needs: frozenset[Need]) -> None:
        """Find out which of these hold; afterwards the card says so.

        Raises HarnessError where nothing answers. Does not raise for what does not hold.
        """
        ...


@runtime_checkable
class Loading(Protocol):
    """A model that is brought into memory before it is asked, and leaves it when it is closed."""

    async def load(self) -> None:
        """Bring it in; what it learns then is on the card. Raises HarnessError where that fails."""
        ...


@runtime_checkable
class Replicating(Protocol):
    """A model with replicas in other processes."""

    @property
    def replicas(self) -> int:
        """How many there are to be."""
        ...

    @property
    def standing(self) -> str:
        """How they stand, in a few words."""
        ...
