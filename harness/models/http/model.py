"""Models behind an OpenAI-compatible server: vLLM and others."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from harness.core.constraint import Need
from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.model import CacheCounts, Card, Measured, Model
from harness.core.request import Request, Sampling
from harness.core.text import digest_json
from harness.core.thinking import thinking_levels, thinking_need
from harness.models.hearing import has_sound
from harness.models.http.audio import prove_audio
from harness.models.http.completion import Completion
from harness.models.http.connection import run_apart
from harness.models.http.constraint_dialects import held_to, unwrapped
from harness.models.http.contamination import prove_apart
from harness.models.http.detail import try_detail
from harness.models.http.endpoint import Endpoint, parse_endpoint, undated
from harness.models.http.exchange import Exchange, InBatches
from harness.models.http.http_errors import Blocked, HttpFault
from harness.models.http.label_scores import LabelScorer, find_scorer
from harness.models.http.limit_parsing import told_images
from harness.models.http.measuring import measure_text
from harness.models.http.probe import PROOFS, prove
from harness.models.http.rate_limit import UNLIMITED, Rates
from harness.models.http.request_body import NEUTRAL, parameters, told_body
from harness.models.http.request_dialect import Manners, by_words, find_manners, neutral_names
from harness.models.http.served import Served, ask_served
from harness.models.http.server_messages import ServerMessage
from harness.models.http.server_metrics import read_cache_counts
from harness.models.http.thinking import Thinking
from harness.models.http.tool_calls import body_of, prove_tools
from harness.models.http.video import UnlikeVideos, clock, prove_video, videos_of
from harness.models.http.waiting import waiting_for
from harness.models.registry import OpenOptions
from harness.models.retry import Patience

WINDOW = 64
"""Most requests in flight."""
QUEUE = 16
"""Requests that wait for one of these to end. At 50 ms a reply, 64 in flight, they bring 6 to 9% more replies a second (8 of them
7%): to make a request after another has ended takes its time."""


class Silent(Exception):
    """A request brought nothing that tells how the server wants to be asked."""


def open_openai(argument: str, *, name: str, options: OpenOptions) -> Model:
    """The model at `MODEL@URL`, and how it wants to be asked; with `options.batch` it is asked in batches.

    Raises HarnessError where it is not allowed, not there, or does not answer in the way that is asked for.
    """
    endpoint = parse_endpoint(
        argument, allow_remote=options.allow_remote, key_file=options.key_file, key_env=options.key_env,
        usual_key=options.usual_key, headers=options.headers, query=options.query,
    )  # fmt: skip
    if options.adapters:
        first = next(iter(options.adapters.values()))
        endpoint = replace(endpoint, model=first, adapters=options.adapters, folds=options.folds)
    from harness.models.http.batch_opening import batched, refuse_open_batches

    if not options.batch:
        refuse_open_batches(endpoint, options)
    model = OpenAIModel(
        endpoint,
        ask_served(endpoint),
        name=name,
        patience=options.patience(),
        window=options.concurrency or WINDOW,
        start=options.concurrency or 0,
        rates=Rates(options.rpm, options.tpm),
        body=options.body,
    )
    run_apart(model.settle(options.sampling))
    return batched(model, endpoint, options) if options.batch else model


class OpenAIModel:
    """A Model over HTTP: one connection pool, every sampling parameter sent that the server takes.

    At most `window` requests are in flight, fewer where the server shows that it cannot bear as many.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        served: Served,
        *,
        name: str,
        patience: Patience | None = None,
        window: int = WINDOW,
        start: int = 0,
        rates: Rates = UNLIMITED,
        body: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """`body` is added to that of every request, and part of the identity. `start` requests are in flight at first
        (0: fewer than `window` where that is large)."""
        self._endpoint = endpoint
        self._patience = patience or Patience()
        self._manners = Manners()
        self._thinking = Thinking(self._put, place=endpoint.base, window=served.window)
        self._exchange = Exchange(
            endpoint,
            patience=self._patience,
            window=window,
            start=start,
            rates=rates,
            body=body,
            listed=served.note,
        )
        self._probed: frozenset[Need] = frozenset()
        self._probing = asyncio.Lock()
        self._scorer = LabelScorer(self._put, self._exchange.tokenize)
        self._settled = Sampling()
        self._card = Card(
            name=name,
            identity=" ".join(
                filter(
                    None,
                    (
                        "openai",
                        endpoint.base,
                        endpoint.model,
                        served.root,
                        served.version,
                        told_body(body),
                        f"adapters={digest_json([dict(endpoint.adapters), endpoint.folds])}"
                        if endpoint.adapters
                        else "",
                    ),
                )
            ),
            window=window,
            queue=min(window, QUEUE),
            notes=tuple(note for note in (served.note, undated(endpoint)) if note),
            details={
                "url": endpoint.base,
                "served": endpoint.model,
                "root": served.root,
                "server_version": served.version,
                "max_model_len": "" if served.window is None else str(served.window),
                **({"adapters": f"{len(endpoint.adapters)} folds"} if endpoint.adapters else {}),
            },
        )

    @property
    def card(self) -> Card:
        """The card; `details["dropped"]` names the parameters that the server refused."""
        return self._card

    async def reply(self, request: Request) -> Generation:
        """Ask, and ask again where waiting may help. Raises HarnessError where no request can succeed.

        What a request wants besides text is tried first, if it was not yet.
        """
        if videos_of(request.messages):
            await self._ensure("video")
            if not self._card.video:
                return Generation.failed(
                    request.key, "unsupported", "the server does not accept videos with frame times"
                )
        if has_sound(request.messages):
            await self._ensure("audio")
            if not self._card.audio:
                return Generation.failed(
                    request.key, "unsupported", "not heard: the server was not shown to hear"
                )
        if request.candidates:
            await self._ensure("logprob")
            return await self._scorer.reply(request)
        if request.constraint is not None:
            await self._ensure(request.constraint.kind)
        extra = held_to(request, self._card.constraints)
        if isinstance(extra, Generation):
            return extra
        if request.thinking:
            await self._ensure(thinking_need(request.thinking))
            extra |= self._thinking.body_of(request)
        extra |= body_of(request.offer)
        reply = await self._put(request, extra)
        if isinstance(reply, Generation):
            return reply
        generation = reply.generation(request.key)
        return unwrapped(generation, request, self._card.constraints)

    async def settle(self, sampling: Sampling) -> None:
        """Find out how the server wants to be asked for replies with this sampling, and put it on the card.

        The identity changes only where a parameter is left out, whose value the server then chooses. Raises
        HarnessError where it refuses one that is not at its neutral value, and where no request can succeed.
        """
        self._thinking.sampling = self._settled = sampling
        try:
            most = self._patience.timeout
            with waiting_for(self._endpoint.place, most=most):
                async with asyncio.timeout(most):
                    manners = await find_manners(self._try, sampling)
        except (Silent, TimeoutError):  # the run shows what is the matter
            manners = None
        finally:
            await self.close()
        if manners is None:
            return
        self._take(manners, sampling, "the server rejected every request with it")
        if manners.left_out:
            identity = f"{self._card.identity} without {' '.join(manners.left_out)}"
            self._card = replace(self._card, identity=identity)

    async def probe(self, needs: frozenset[Need]) -> None:
        """Find out which of these the server keeps. Raises HarnessError where it does not answer."""
        place = f"{self._endpoint.place}; its capabilities are probed"
        with waiting_for(place, most=self._patience.timeout):
            await self._probe(needs)

    async def _probe(self, needs: frozenset[Need]) -> None:
        held = {k: s for k, s in self._card.constraints.items() if k not in needs}
        video = self._card.video
        for kind in PROOFS:
            if kind in needs and (spelling := await prove(self._put, kind)) is not None:
                held[kind] = spelling
        if "logprob" in needs:
            self._scorer = await find_scorer(self._put, self._exchange.tokenize)
        if "video" in needs:
            video = await prove_video(self._put)
        audio = await prove_audio(self._put) if "audio" in needs else self._card.audio
        estimators = self._scorer.estimators
        self._card = replace(
            self._card, constraints=held, estimators=estimators, video=video, audio=audio
        )
        if "tools" in needs:
            proof = await prove_tools(self._put)
            missing = {**self._card.missing, "tools": proof.why_not} if proof.why_not else {}
            self._card = replace(self._card, tools=proof.how, missing=missing)
        if levels := thinking_levels(needs):
            self._card = await self._thinking.find(
                levels, held_too=thinking_levels(needs, held=True), card=self._card
            )
        self._probed |= needs

    async def measure(self, request: Request) -> Measured | None:
        """See `measure_text`."""
        return await measure_text(request, self._card.details, self._exchange.tokenize)

    async def cache_counts(self) -> CacheCounts | None:
        """See `CountsCaches`; None for a deployment, whose server is not shown."""
        if self._endpoint.deployment:
            return None
        return read_cache_counts(await self._exchange.metrics())

    async def prove_detail(self, wanted: Sequence[str]) -> str:
        """Find out whether pictures may be sent with these words for `detail`, and put it on the card.

        Returns a note where it is not plain that the server heeds them. Raises HarnessError where it refuses one.
        """
        found = await try_detail(self._put, wanted, name=self._card.name)
        details = {**self._card.details, "detail": f"prompt tokens: {found.told}"}
        self._card = replace(self._card, details=details)
        return f"{self._card.name} {found.note}" if found.note else ""

    async def prove_apart(self) -> None:
        """Find out whether the server keeps pictures apart, and put it on the card. Raises HarnessError where not."""
        found = await prove_apart(self._put, name=self._card.name)
        self._card = replace(self._card, details={**self._card.details, "pictures_apart": found})

    async def _ensure(self, need: Need) -> None:
        if need in self._probed:
            return
        async with self._probing:
            if need not in self._probed:
                await self.probe(frozenset[Need]({need}))

    async def _put(self, request: Request, extra: Mapping[str, Any]) -> Completion | Generation:
        """The reply, or a failed Generation; asked again where waiting may help."""
        try:
            extra = {**clock(request.messages), **extra}
        except UnlikeVideos as error:
            return Generation.failed(request.key, "unsupported", str(error))
        outcome = await self._ask(request, extra)
        if isinstance(outcome, Completion):
            return outcome
        if isinstance(outcome, Blocked):
            return outcome.generation(request.key)
        return Generation.failed(request.key, outcome.kind, outcome.detail)

    async def _ask(
        self, request: Request, extra: Mapping[str, Any], *, fixed: Manners | None = None
    ) -> Completion | Blocked | HttpFault:
        """What became of a request after the last try. `fixed` manners are kept, whatever the server says."""
        attempt = 1
        while True:
            manners = fixed or self._manners
            outcome, sent = await self._exchange.put(request, extra, manners)
            if not isinstance(outcome, HttpFault):
                return outcome
            if outcome.limited:
                if self._exchange.allowance.refused(sent, outcome.told):
                    continue
                waited = f"{outcome.detail} (stopped after {self._patience.give_up_after:g} s)"
                return replace(outcome, detail=waited)
            if fixed is None and self._adapted(request, outcome, manners):
                continue
            if not await self._patience.again(request.key, attempt, outcome):
                tries = f" (after {attempt} tries)" if attempt > 1 else ""
                return replace(outcome, detail=outcome.detail + tries)
            attempt += 1

    async def _try(self, request: Request, manners: Manners) -> ServerMessage | None:
        """One request in these manners, as `find_manners` wants it."""
        outcome = await self._ask(request, {}, fixed=manners)
        if not isinstance(outcome, HttpFault):
            return None
        if outcome.words is None or outcome.kind != "rejected":
            raise Silent(outcome.detail)
        return outcome.words

    def ask_in(self, batches: InBatches) -> None:
        """Put the requests that it takes in batches from now on."""
        self._exchange.batches = batches

    async def close(self) -> None:
        """Close the connections."""
        await self._exchange.close()
        self._probing = asyncio.Lock()

    def _adapted(self, request: Request, fault: HttpFault, manners: Manners) -> bool:
        """Whether the request is to be put again at once, in other manners, by the words of a refusal."""
        if fault.words is None or fault.kind != "rejected":
            return False
        if (most := told_images(fault.words.message)) is not None:
            self._card = replace(self._card, max_images=most)
            return False
        if self._manners != manners:  # another request found out in the meantime
            return True
        changed = by_words(manners, fault.words, request.sampling)
        if changed is None or (changed.stream and self._exchange.succeeded):
            return False
        has_system = any(message.role == "system" for message in request.messages)
        if not changed.system_role and not has_system:
            return False
        self._take(changed, request.sampling, fault.detail)
        return changed.system_role == manners.system_role  # else it is put in another form

    def _take(self, manners: Manners, sampling: Sampling, said: str) -> None:
        """Ask in these manners from now on, and put them on the card.

        Raises HarnessError where a parameter would be left out that is at its neutral value neither here nor in the
        run: requests that only try the server out have values of their own.
        """
        values = parameters(sampling)
        neutral = neutral_names(sampling) | neutral_names(self._settled)
        for name in sorted(set(manners.left_out) - neutral):
            raise HarnessError(
                f"{self._endpoint.base} does not accept {name}, which is set to "
                f"{values[name]:g} ({said})",
                hint=f"set {('--temperature' if name == 'temperature' else name)} to "
                f"{NEUTRAL[name]:g}, which is the same as leaving it out; or use another "
                "server",
            )
        self._manners = manners
        details = dict(self._card.details)
        if manners.dropped:
            details["dropped"] = ", ".join(sorted(manners.dropped))
        if manners.stream:
            details["stream"] = "yes"
        system_role = self._card.system_role and manners.system_role
        self._card = replace(self._card, details=details, system_role=system_role)
