"""Log-probabilities of labels from a server.

Two estimators. `first-token`: one request for one token, which gives the log-probabilities of the labels'
first tokens where all differ; it reads the prefix cache. `continuation`: for each label the conversation with
that label as the assistant's turn, of which vLLM gives the log-probabilities of the prompt's own tokens;
summed over the label's tokens and the one that ends the turn. Tokens are the server's own (`/tokenize`), so
that no boundary is guessed; a server without it is not asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from harness.core.generation import Estimator, Generation, LabelScores, Usage
from harness.core.message import Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.http.completion import Completion
from harness.models.http.probe import Put, check_silence

Tokenize: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Posts a body to the server's `/tokenize`; empty where it has none."""

Selection: TypeAlias = Literal["ids", "top"]
"""How first tokens are asked for: by their ids, or as part of the likeliest."""

TOP = 20
"""Most alternatives that servers give by default."""

FLOOR = -9999.0
"""What servers write for minus infinity."""

_PROBE = (Message("user", (Text("Is a circle round? Answer yes or no."),)),)
_PROBE_LABELS = ("zqxj", "vwkq")
"""Words that are never among the likeliest, so that a server which passes over the ids is found out."""


@dataclass(frozen=True, slots=True)
class LabelTokens:
    """A label as the server's tokens, as an assistant's whole turn."""

    ids: tuple[int, ...]
    """The label's own, then the one that ends the turn."""
    after: int
    """Tokens that the template writes behind the end of the turn."""


@dataclass(slots=True)
class LabelScorer:
    """Scores candidates by what the server was found to offer. Build with `find_scorer`."""

    put: Put
    tokenize: Tokenize
    selection: Selection | None = None
    continuation: bool = False
    _known: dict[tuple[str, ...], asyncio.Future[tuple[LabelTokens, ...] | None]] = field(
        default_factory=dict
    )

    @property
    def estimators(self) -> tuple[Estimator, ...]:
        """What is offered, preferred first."""
        first: tuple[Estimator, ...] = () if self.selection is None else ("first-token",)
        return first + (("continuation",) if self.continuation else ())

    async def reply(self, request: Request) -> Generation:
        """The likeliest candidate with the scores of all; a failed Generation where they are not to be had."""
        tokens = await self._tokens(request.candidates)
        if tokens is None:
            return _unsupported(request, "the server does not distinguish the tokens of the labels")
        distinct = len({label.ids[0] for label in tokens}) == len(tokens)
        if distinct and (self.selection == "ids" or (self.selection and not self.continuation)):
            return await self._first(request, tokens)
        if self.continuation:
            return await self._continued(request, tokens)
        return _unsupported(
            request,
            "several labels begin with the same token, and the server does not score prompts",
        )

    async def _first(self, request: Request, tokens: Sequence[LabelTokens]) -> Generation:
        ids = [label.ids[0] for label in tokens]
        reply = await self.put(_short(request), first_extra(ids, self._selected()))
        if isinstance(reply, Generation):
            return reply
        found = first_tokens(reply.body)
        missing = [c for c, i in zip(request.candidates, ids, strict=True) if i not in found]
        if missing:
            return _unsupported(
                request, f"not among the {TOP} most likely tokens: {', '.join(missing)}"
            )
        scores = LabelScores(
            request.candidates,
            tuple(round(found[i], 6) for i in ids),
            (1,) * len(ids),
            "first-token",
        )
        return _scored(request, scores, [reply])

    def _selected(self) -> Selection:
        assert self.selection is not None
        return self.selection

    async def _continued(self, request: Request, tokens: Sequence[LabelTokens]) -> Generation:
        replies = await asyncio.gather(
            *(self.put(answered(request, c), CONTINUATION) for c in request.candidates)
        )
        good: list[Completion] = []
        for reply in replies:
            if isinstance(reply, Generation):
                return replace(reply, key=request.key)
            good.append(reply)
        sums = [turn_logprob(r.body, label) for r, label in zip(good, tokens, strict=True)]
        if any(total is None for total in sums):
            return _unsupported(request, "the scored prompt does not end with the label's tokens")
        scores = LabelScores(
            request.candidates,
            tuple(round(total, 6) for total in sums if total is not None),
            tuple(len(label.ids) for label in tokens),
            "continuation",
        )
        return _scored(request, scores, good)

    async def _tokens(self, labels: tuple[str, ...]) -> tuple[LabelTokens, ...] | None:
        """Asked once for each set of labels, however many requests wait for it."""
        known = self._known.get(labels)
        if known is None:
            known = asyncio.ensure_future(label_tokens(self.tokenize, labels))
            self._known[labels] = known
        return await asyncio.shield(known)


async def find_scorer(put: Put, tokenize: Tokenize) -> LabelScorer:
    """Try what a server offers. Raises HarnessError where it does not answer."""
    scorer = LabelScorer(put, tokenize)
    tokens = await label_tokens(tokenize, _PROBE_LABELS)
    if tokens is None:
        return scorer
    request = make_request(_PROBE, Sampling(), model="probe", candidates=_PROBE_LABELS)
    ids = [label.ids[0] for label in tokens]
    for selection in ("ids", "top"):
        reply = await put(_short(request), first_extra(ids, selection))
        if isinstance(reply, Generation):
            check_silence(reply)
            continue
        found = first_tokens(reply.body)
        if set(ids) <= found.keys() if selection == "ids" else len(found) >= TOP:
            scorer.selection = selection
            break
    reply = await put(answered(request, _PROBE_LABELS[0]), CONTINUATION)
    if isinstance(reply, Generation):
        check_silence(reply)
    else:
        scorer.continuation = turn_logprob(reply.body, tokens[0]) is not None
    return scorer


async def label_tokens(tokenize: Tokenize, labels: Sequence[str]) -> tuple[LabelTokens, ...] | None:
    """The tokens of each label as an assistant's turn; None where the server does not say, or where the
    turn does not begin as the prompt for it ends."""

    async def ids(answer: str | None, **how: bool) -> list[int]:
        turns = [{"role": "user", "content": "?"}]
        turns += [] if answer is None else [{"role": "assistant", "content": answer}]
        told = await tokenize({"messages": turns, **how})
        found = told.get("tokens")
        return found if isinstance(found, list) else []

    async def one(label: str) -> LabelTokens | None:
        unended, ended = await asyncio.gather(
            ids(label, add_generation_prompt=False, continue_final_message=True),
            ids(label, add_generation_prompt=False),
        )
        begins = prompt and unended[: len(prompt)] == prompt and ended[: len(unended)] == unended
        if not begins or len(unended) == len(prompt) or len(ended) == len(unended):
            return None
        own = tuple(ended[len(prompt) : len(unended) + 1])
        return LabelTokens(own, len(ended) - len(unended) - 1)

    prompt = await ids(None, add_generation_prompt=True)
    found = await asyncio.gather(*(one(label) for label in labels)) if prompt else []
    told = tuple(label for label in found if label is not None)
    return told if told and len(told) == len(labels) else None


CONTINUATION: Mapping[str, Any] = {"prompt_logprobs": 1, "add_generation_prompt": False}
"""Added to a conversation that ends in the label as the assistant's turn."""


def first_extra(ids: Sequence[int], selection: Selection) -> dict[str, Any]:
    """What asks for the log-probabilities of first tokens."""
    extra: dict[str, Any] = {"logprobs": True, "return_tokens_as_token_ids": True}
    if selection == "ids":
        return extra | {"logprob_token_ids": list(ids), "top_logprobs": len(ids)}
    return extra | {"top_logprobs": TOP}


def first_tokens(body: Mapping[str, Any]) -> dict[int, float]:
    """Token id -> log-probability of the tokens given for the first place; empty where there are none."""
    try:
        given = body["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        return {
            int(row["token"].removeprefix("token_id:")): float(row["logprob"])
            for row in given
            if row["token"].startswith("token_id:")
        }
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return {}


def turn_logprob(body: Mapping[str, Any], label: LabelTokens) -> float | None:
    """The sum over a label's tokens at the end of a scored prompt; None where they do not stand there."""
    places = body.get("prompt_logprobs")
    if not isinstance(places, list) or len(places) < len(label.ids) + label.after:
        return None
    end = len(places) - label.after
    total = 0.0
    for token, place in zip(label.ids, places[end - len(label.ids) : end], strict=True):
        found = place.get(str(token)) if isinstance(place, dict) else None
        value = found.get("logprob") if isinstance(found, dict) else None
        if not isinstance(value, int | float):
            return None
        total += value
    return max(total, FLOOR)


def answered(request: Request, label: str) -> Request:
    """The conversation with a label as the assistant's whole turn, to be scored and not continued."""
    return _short(
        replace(request, messages=(*request.messages, Message("assistant", (Text(label),))))
    )


def _short(request: Request) -> Request:
    """The same for one token: what is generated is not read."""
    return replace(request, sampling=replace(request.sampling, max_tokens=1))


def _scored(request: Request, scores: LabelScores, replies: Sequence[Completion]) -> Generation:
    best = max(range(len(scores.labels)), key=lambda i: scores.logprobs[i])
    return Generation(
        request.key,
        scores.labels[best],
        "stop",
        Usage(
            sum(r.usage.prompt_tokens for r in replies),
            sum(r.usage.completion_tokens for r in replies),
        ),
        max(r.latency for r in replies),
        scores=scores,
    )


def _unsupported(request: Request, why: str) -> Generation:
    return Generation.failed(request.key, "unsupported", f"no log-probabilities for labels: {why}")
