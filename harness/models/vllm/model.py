"""Models served by a vLLM that the run starts and stops."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TextIO

from harness.affect_tiny import weights_folder
from harness.core.constraint import Need
from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.model import ENCODER_TOKENS, CacheCounts, Card
from harness.core.request import Request, Sampling
from harness.models.http.endpoint import parse_endpoint
from harness.models.http.model import WINDOW, OpenAIModel
from harness.models.http.request_body import told_body
from harness.models.http.served import ask_served
from harness.models.registry import OpenOptions
from harness.models.retry import Patience
from harness.models.transformers.adapter import (
    Adapter,
    asked_adapters,
    digest_of,
    unproven,
)
from harness.models.transformers.checkpoint import Checkpoint, find_checkpoint
from harness.models.vllm.arguments import (
    lora_arguments,
    show_arguments,
    telling_arguments,
    tidy_arguments,
)
from harness.models.vllm.fit import check_start, settings_of
from harness.models.vllm.installation import Installation, find_vllm
from harness.models.vllm.server import START_LIMIT, VllmServer

LOG_NAME = "vllm.log"
"""The server's log in the run folder; each start adds to it."""


def open_vllm(argument: str, *, name: str, options: OpenOptions) -> VllmModel:
    """The checkpoint in a folder or on the hub, or affect-tiny, behind a server that starts when it is first asked.

    Raises HarnessError where there is no such checkpoint, no vLLM, one that is known not to start with it, or an
    argument that is not taken.
    """
    arguments = tidy_arguments(options.vllm_args)
    installation = find_vllm(options.vllm_python)
    folder = str(weights_folder()) if argument == "affect-tiny" else argument
    checkpoint = find_checkpoint(
        folder,
        adapter="vllm",
        trusted=options.trust_remote_code,
        check=lambda found: check_start(installation, settings_of(found)),
    )
    adapter, adapters = asked_adapters(
        options.adapter, options.adapters, checkpoint.folder, folder, weights=checkpoint.weights
    )
    log = options.log_folder
    return VllmModel(
        checkpoint,
        installation,
        arguments,
        name=name,
        log_file=None if log is None else log / LOG_NAME,
        window=options.concurrency or WINDOW,
        patience=options.patience(),
        sampling=options.sampling,
        body=options.body,
        adapter=adapter,
        adapters=adapters,
        folds=options.folds,
        trusted=options.trust_remote_code,
    )


class VllmModel:
    """A Model whose server is started by the first request and ended by `close`.

    Its identity is the checkpoint's content, the versions that compute, and the arguments that may change
    replies: the same tomorrow, on another port, in another folder. So a run that has nothing left to ask
    starts no server.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        installation: Installation,
        arguments: tuple[str, ...],
        *,
        name: str,
        log_file: Path | None,
        window: int = WINDOW,
        patience: Patience | None = None,
        limit: float = START_LIMIT,
        sampling: Sampling | None = None,
        body: Mapping[str, Any] = MappingProxyType({}),
        adapter: Adapter | None = None,
        adapters: Mapping[str, Adapter] = MappingProxyType({}),
        folds: str = "",
        trusted: bool = False,
    ) -> None:
        """`trusted` says whether code of the checkpoint's own may be run; `adapters`: fold -> its adapter; `folds`: digest
        of who is in which."""
        self._checkpoint, self._installation = checkpoint, installation
        self._arguments, self._patience, self._limit = arguments, patience, limit
        # Of our own making, so that nobody else's server is taken for ours.
        self._sampling, self._body = sampling or Sampling(), body
        self._served = f"harness-{secrets.token_hex(4)}"
        self._asked, self._adapters, lora = _asked_as(self._served, adapter, adapters)
        self._added = (*(("--trust-remote-code",) if trusted else ()), *lora)
        of_adapters, details = _told_adapters(adapter, adapters, folds)
        self._log_file = log_file
        self._server: VllmServer | None = None
        self._inner: OpenAIModel | None = None
        self._failed: HarnessError | None = None
        self._starting = asyncio.Lock()
        self._card = Card(
            name=name,
            identity=" ".join(
                filter(
                    None,
                    (
                        _identity(checkpoint, installation, arguments),
                        told_body(body),
                        f"code={checkpoint.code}" if checkpoint.code else "",
                        of_adapters,
                    ),
                )
            ),
            window=window,
            notes=unproven((*adapters.values(), *((adapter,) if adapter else ()))),
            details={
                "vllm": installation.version,
                "arguments": show_arguments(arguments),
                "folder": checkpoint.name,
                "revision": checkpoint.revision,
                "weights": checkpoint.weights,
                "settings": checkpoint.settings,
            }
            | ({"code": checkpoint.code} if checkpoint.code else {})
            | details
            | dict(installation.facts),
        )

    @property
    def card(self) -> Card:
        """The card; what the server itself tells is there once it was started."""
        inner = self._inner
        if inner is None:
            return self._card
        told = inner.card
        return replace(
            told,
            name=self._card.name,
            identity=self._card.identity,
            details={k: v for k, v in told.details.items() if k not in _OF_ONE_START}
            | dict(self._card.details),
        )

    async def reply(self, request: Request) -> Generation:
        """Ask the server, started first if need be. Raises HarnessError where it cannot start, or ended."""
        model = self._inner or await self._start()
        generation = await model.reply(request)
        if generation.failure is not None:
            self._check()
        if generation.served.startswith(self._served):  # our own word, another one at each start
            generation = replace(generation, served="")
        return generation

    async def probe(self, needs: frozenset[Need]) -> None:
        """Start the server and find out which of these hold. Raises HarnessError where it cannot start."""
        model = self._inner or await self._start()
        await model.probe(needs)

    async def prove_detail(self, wanted: Sequence[str]) -> str:
        """Start the server and find out whether it heeds these words. Raises HarnessError where it cannot start."""
        model = self._inner or await self._start()
        return await model.prove_detail(wanted)

    async def prove_apart(self) -> None:
        """Start the server and find out whether it keeps pictures apart. Raises HarnessError where it does not."""
        model = self._inner or await self._start()
        await model.prove_apart()

    async def cache_counts(self) -> CacheCounts | None:
        """See `CountsCaches`; a server that does not run is not started for it."""
        return None if self._inner is None else await self._inner.cache_counts()

    async def close(self) -> None:
        """Close the connections and end the server. The next request would start another."""
        inner, server = self._inner, self._server
        if inner is not None:
            self._card = self.card  # what was learnt outlives the server
            await inner.close()
        self._inner = self._server = self._failed = None
        self._starting = asyncio.Lock()  # the old one belongs to its loop
        if server is not None:
            await asyncio.to_thread(server.stop)

    async def _start(self) -> OpenAIModel:
        """The adapter of a server that answers; one start for all who wait for it."""
        async with self._starting:
            if self._failed is not None:
                raise self._failed
            if self._inner is None:
                try:
                    self._inner = await self._begin()
                except HarnessError as error:
                    self._failed = error
                    raise
            return self._inner

    async def _begin(self) -> OpenAIModel:
        self._server = VllmServer(
            lambda port: self._installation.command(
                self._checkpoint.folder,
                port=port,
                served=self._served,
                arguments=(*self._added, *self._arguments),
            ),
            log_file=self._log_file,
        )
        line = _Line(sys.stderr)
        try:
            await self._server.start(say=line.show, limit=self._limit)
        except BaseException:
            line.end("vLLM did not start")
            raise
        line.end(f"vLLM {self._installation.version} answers")
        if tokens := self._server.encoder_tokens():
            details = {**self._card.details, ENCODER_TOKENS: str(tokens)}
            self._card = replace(self._card, details=details)
        endpoint = parse_endpoint(
            f"{self._asked}@http://127.0.0.1:{self._server.port}",
            allow_remote=frozenset(),
            usual_key=False,  # a person's key for another server is none of this one's business
        )
        endpoint = replace(endpoint, adapters=self._adapters)
        served = await asyncio.to_thread(ask_served, endpoint)
        model = OpenAIModel(
            endpoint,
            served,
            name=self._card.name,
            patience=self._patience,
            window=self._card.window,
            body=self._body,
        )
        await model.settle(self._sampling)
        return model

    def _check(self) -> None:
        """Raise HarnessError where the server has ended: no request can succeed."""
        if self._server is not None and not self._server.alive:
            raise self._server.fault("vLLM stopped during the run")


def _asked_as(
    served: str, adapter: Adapter | None, adapters: Mapping[str, Adapter]
) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """The name by which a server is asked, that of each fold, and the arguments by which it serves them."""
    folds = {fold: f"{served}-fold{place}" for place, fold in enumerate(adapters)}
    named = {folds[fold]: one for fold, one in adapters.items()}
    if adapter is not None:
        named = {f"{served}-adapter": adapter}
    return next(iter(named), served), folds, lora_arguments(named) if named else ()


def _told_adapters(
    adapter: Adapter | None, adapters: Mapping[str, Adapter], folds: str
) -> tuple[str, dict[str, str]]:
    """What the identity and the details of a card say of adapters."""
    if adapters:
        content = digest_of(adapters, folds=folds)
        return f"adapters={content}", {"adapters": f"{len(adapters)} folds {content}"}
    if adapter is None:
        return "", {}
    return f"adapter={adapter.content}", adapter.details


_OF_ONE_START = ("url", "served", "root")
"""Details that differ from start to start."""


def _identity(
    checkpoint: Checkpoint, installation: Installation, arguments: tuple[str, ...]
) -> str:
    versions = {"vllm": installation.version} | dict(installation.facts)
    told = telling_arguments(arguments)
    return " ".join(
        [
            f"vllm weights={checkpoint.weights} settings={checkpoint.settings}",
            *(f"{package}={version}" for package, version in versions.items() if version),
            *([f"arguments: {told}"] if told else []),
        ]
    )


class _Line:
    """One line that is rewritten on a terminal; elsewhere a line now and then."""

    def __init__(self, file: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._file, self._clock = file, clock
        self._terminal = file.isatty()
        self._begun = self._shown = clock()

    def show(self, text: str) -> None:
        """How it stands."""
        if self._terminal:
            self._write(f"\r\x1b[K{text[:100]}")
        elif self._clock() - self._shown >= _LOG_SECONDS:
            self._shown = self._clock()
            self._write(f"{text[:200]}\n")

    def end(self, text: str) -> None:
        """How it came out, with the seconds that it took."""
        clear = "\r\x1b[K" if self._terminal else ""
        self._write(f"{clear}{text} after {self._clock() - self._begun:.0f} s\n")

    def _write(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()


_LOG_SECONDS = 10.0
"""Between two lines where standard error is not a terminal."""
