"""Requests to a service of batches, asked again while it cannot answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from time import monotonic
from types import MappingProxyType
from typing import Any, TypeAlias

from harness.core.errors import HarnessError
from harness.models.http.batch_api import Gone, Refused
from harness.models.http.connection import MOST_RESULTS, Http, HttpResponse, TooLarge
from harness.models.http.endpoint import Endpoint
from harness.models.http.http_errors import HOPELESS
from harness.models.http.json_body import read_json
from harness.models.http.server_messages import delay_of, told_by
from harness.models.retry import Patience

UPLOAD_SECONDS = 1800.0
"""Longest time of one exchange: files are large."""
Lost: TypeAlias = Callable[[], Awaitable[dict[str, Any] | None]]
_FORMS = "leave out --batch to ask directly, or set batch_api under [models.NAME] to the form that it speaks"


class BatchHttp:
    """The connections to one service."""

    def __init__(
        self, endpoint: Endpoint, patience: Patience, *, form: str, headers: Mapping[str, str]
    ) -> None:
        """`form` is whose form it speaks, `headers` what goes with every request. Raises HarnessError for the address of
        one deployed model, which has no batches of its own."""
        if endpoint.deployment:
            raise HarnessError(
                f"{endpoint.base} is the address of a deployment, which takes no batches",
                hint="use the address that ends in /openai/v1, or leave out --batch",
            )
        self._endpoint, self._patience, self._form = endpoint, patience, form
        self._http = Http(
            headers, proxy=endpoint.proxy, timeout=UPLOAD_SECONDS, window=4, mask=endpoint.mask
        )

    async def json(
        self, method: str, url: str, *, key: str = "", lost: Lost | None = None, **sent: Any
    ) -> dict[str, Any]:
        """The object that is answered, which has a `key`. Raises HarnessError as `data` does."""
        got = await self.answer(method, url, lost=lost, **sent)
        try:
            told = read_json(got.data)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict) or (key and key not in told):
            raise Refused(
                f"{url} did not answer as the batch API of {self._form} does", hint=_FORMS
            )
        return told

    async def data(self, url: str) -> bytes:
        """What a file holds. Raises HarnessError."""
        return (await self.answer("GET", url, known=True)).data

    async def answer(
        self,
        method: str,
        url: str,
        *,
        body: Mapping[str, Any] | None = None,
        upload: Path | None = None,
        raw: Path | None = None,
        more: Mapping[str, str] = MappingProxyType({}),
        lost: Lost | None = None,
        known: bool = False,
    ) -> HttpResponse:
        """What the server sent, asked again while it cannot answer. `lost` finds what an answer that did not come back
        may have made. Raises HarnessError; Gone where something that was `known` is not there."""
        import aiohttp

        end, attempt = monotonic() + self._patience.give_up_after, 1
        while True:
            try:
                got = await self._http.send(
                    method, url, body=body, upload=upload, raw=raw, more=more
                )
                if got.status == 200:
                    return got
                said = self._refused(got, url, known=known)
                told = delay_of(got.headers)
            except TooLarge as error:
                raise HarnessError(
                    f"{url}: the results are larger than {MOST_RESULTS >> 20} MB",
                    hint="submit smaller batches with --concurrency N",
                ) from error
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
                said, told = self._http.words(error), None
            pause = self._patience.pause(url, attempt, told=told)
            if monotonic() + pause > end:
                raise HarnessError(
                    f"{url}: {said}",
                    hint="run the same command again to continue: a batch that was submitted goes on meanwhile",
                )
            await asyncio.sleep(pause)
            if lost is not None and (made := await lost()) is not None:
                return HttpResponse(200, {}, json.dumps(made).encode())
            attempt += 1

    async def delete(self, *urls: str) -> None:
        """Delete; that it fails is no error."""
        import aiohttp

        for url in urls:
            try:
                await self._http.send("DELETE", url)
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
                return

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _refused(self, got: HttpResponse, url: str, *, known: bool) -> str:
        """What the server said, where waiting may help. Raises HarnessError where it cannot."""
        told = told_by(got.data, hide=self._endpoint.mask.text)
        said = f"HTTP {got.status}: {told.message}"
        if got.status < 500 and got.status not in (408, 409, 425, 429):
            hint = HOPELESS.get(got.status, "leave out --batch to ask directly")
            if got.status == 404 and known:
                raise Gone(f"{url} answered {said}")
            if got.status == 404:
                hint = f"this server may have no batch API: {_FORMS}"
            raise Refused(f"{url} answered {said}", hint=hint)
        return said
