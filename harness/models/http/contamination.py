"""Whether a server keeps pictures apart: a cache of beginnings that takes one picture for another gives plausible replies.

Two pictures are asked about in the same words, alone and together, and in both orders. Words that the server has not seen
before (they hold a random number) cannot be answered from a cache, so the first reply to them belongs to its picture. A
server mixes pictures up where the second picture is answered as the first was, or where pictures asked about together
get each other's replies. Servers are rarely exact: how unlike replies are is measured by the log-probabilities of their
first tokens, where the server gives them, else by their words, and one suspicion is tried again before it counts.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.core.errors import HarnessError
from harness.core.message import Image, Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.http.completion import Completion
from harness.models.http.probe import Put, check_silence
from harness.models.http.request_dialect import plain_picture

ASKED = "Which colour fills this picture? Answer with one word."
"""How each of these requests ends."""
ROUNDS = 5
"""Most rounds, where the first is suspicious."""
ENOUGH = 3
"""Suspicious rounds that stop a run."""
TOKENS = 8
SIDE = 112
"""Pixels a side."""
LEAST = 1e-3
"""Natural logarithms: replies that differ by less are taken for the same."""
_SCORES = {"logprobs": True, "top_logprobs": 5}
_PAIRS = (
    (b"\xdc\x14\x1e", b"\x14\x28\xd2"),
    (b"\xff\xff\xff", b"\x00\x64\x00"),
    (b"\xff\xdc\x00", b"\x00\x00\x00"),
)
"""Red and blue, white and green, yellow and black: the next where the replies to two are the same."""


@dataclass(frozen=True, slots=True)
class Said:
    """What tells one reply from another."""

    text: str
    first: Mapping[str, float] = field(default_factory=dict)
    """The likeliest first tokens with their log-probabilities; empty where the server gives none."""

    def away(self, other: Said) -> float:
        """How unlike another reply it is: natural logarithms of the tokens that both name, else 0 or 1 by the words."""
        both = self.first.keys() & other.first.keys()
        if both:
            return max(abs(self.first[token] - other.first[token]) for token in both)
        if self.first and other.first:
            return 10.0
        return float(self.text != other.text)


@dataclass(frozen=True, slots=True)
class Round:
    """The replies to both pictures (0 and 1) under two texts, each of which began with another picture."""

    alone: tuple[tuple[Said, Said], tuple[Said, Said]]
    """For each text the replies to the pictures, in the order of the pictures; text k began with picture k."""
    together: tuple[tuple[int, int, Said], ...]
    """(text, picture, reply) of requests that were in flight at once; none where all replies alone are the same."""

    @property
    def sticky(self) -> bool:
        """Whether under each text the second picture was answered as the first."""
        fresh = self.alone[0][0].away(self.alone[1][1])
        return fresh > LEAST and all(one.away(other) < 0.1 * fresh for one, other in self.alone)

    @property
    def swapped(self) -> bool:
        """Whether the pictures were told apart alone, and not together."""
        apart = min(one.away(other) for one, other in self.alone)
        own = max(self.alone[0][nth].away(self.alone[1][nth]) for nth in (0, 1))
        if apart <= LEAST or own >= 0.5 * apart:
            return False
        return any(
            said.away(self.alone[text][1 - picture]) < 0.5 * said.away(self.alone[text][picture])
            for text, picture, said in self.together
        )


async def prove_apart(put: Put, *, name: str) -> str:
    """Ask about two pictures until it is plain whether the server keeps them apart; what was found, in words.

    Raises HarnessError where it mixes them up, or does not answer.
    """
    for colours in _PAIRS:
        found = await _tried(put, [plain_picture(SIDE, one) for one in colours], name=name)
        if found:
            return found
    return "not known: two pictures get the same reply"


async def _tried(put: Put, pictures: Sequence[Image], *, name: str) -> str:
    """What two pictures show; empty where replies to them are the same. Raises HarnessError."""
    rounds: list[Round] = []
    while len(rounds) < ROUNDS:
        found = await _round(put, pictures)
        if found is None:
            return "not known: a picture was refused"
        rounds.append(found)
        if not (rounds[0].sticky or rounds[0].swapped):
            break
        if sum(one.swapped for one in rounds) >= ENOUGH:
            raise _mixed(name, "asked about two pictures at once, it answers each as the other")
    if all(one.sticky for one in rounds) and _separate(rounds):
        raise _mixed(
            name, "asked about a second picture in the same words, it answers as to the first"
        )
    return "yes" if any(a.away(b) > LEAST for one in rounds for a, b in one.alone) else ""


def _mixed(name: str, how: str) -> HarnessError:
    return HarnessError(
        f"{name}: the server mixes pictures up: {how} ({ROUNDS} rounds of requests with new words)",
        hint="turn its cache of prompts off (vLLM: --no-enable-prefix-caching and --mm-processor-cache-gb 0; SGLang: "
        "--disable-radix-cache), or use another version of it",
    )


def _separate(rounds: Sequence[Round]) -> bool:
    """Whether first replies to new words follow the picture, and not the words: else the model sees no pictures."""
    first = [[one.alone[nth][nth] for one in rounds] for nth in (0, 1)]
    within = max(a.away(b) for each in first for a in each for b in each)
    return min(a.away(b) for a in first[0] for b in first[1]) > max(LEAST, 2 * within)


async def _round(put: Put, pictures: Sequence[Image]) -> Round | None:
    """One round; None where a picture is refused. Where all pictures get the same reply alone, requests that are in
    flight at once would tell nothing, and are not made: services limit and bill each."""
    orders = ((0, 1), (1, 0))
    texts = [f"Request {secrets.token_hex(4)}. {ASKED}" for _ in orders]
    alone: list[tuple[Said, Said]] = []
    for words, order in zip(texts, orders, strict=True):
        said: dict[int, Said] = {}
        for nth in order:
            found = await _ask(put, pictures[nth], words)
            if found is None:
                return None
            said[nth] = found
        alone.append((said[0], said[1]))
    fresh = (alone[0][0], alone[1][1])
    if all(one.away(other) <= LEAST for one, other in (*alone, fresh)):
        return Round((alone[0], alone[1]), ())
    together = []
    for text, (words, order) in enumerate(zip(texts, orders, strict=True)):
        more = [*order, *order]
        replies = await asyncio.gather(*(_ask(put, pictures[nth], words) for nth in more))
        for nth, reply in zip(more, replies, strict=True):
            if reply is None:
                return None
            together.append((text, nth, reply))
    return Round((alone[0], alone[1]), tuple(together))


async def _ask(put: Put, picture: Image, words: str) -> Said | None:
    """The reply; None where the server refuses the request with and without log-probabilities."""
    asked: Request = make_request(
        (Message("user", (picture, Text(words))),), Sampling(max_tokens=TOKENS), model="probe"
    )
    for extra in (_SCORES, {}):
        found = await put(asked, extra)
        if isinstance(found, Completion):
            return Said(found.text, _first(found.body))
        check_silence(found)
        if found.failure is None or found.failure.kind != "rejected":
            return None
    return None


def _first(body: Mapping[str, Any]) -> dict[str, float]:
    """The log-probabilities of the first token; none where they are not given as is usual."""
    try:
        given = body["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        return {str(one["token"]): float(one["logprob"]) for one in given}
    except (LookupError, TypeError, ValueError):
        return {}
