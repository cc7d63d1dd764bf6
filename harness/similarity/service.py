"""`similarity:http://127.0.0.1:PORT/PATH`: a service on this machine that scores pairs.

A request is a POST of JSON: `{"pairs": [{"a": PNG, "b": PNG}, ...]}`, each picture a PNG file in base64. The reply is
`{"scores": [...]}`: as many finite numbers in [-1, 1], greater where the faces are more alike. Nothing is sent to
another machine, and no redirect is followed. Up to 64 pairs stand in a request; where the service finds that too many (status 413),
they are sent in halves. Status 429 and 5xx are tried again.
"""

from __future__ import annotations

import base64
import http.client
import io
import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

import numpy as np
import PIL.Image

from harness.core.errors import HarnessError
from harness.core.json_text import parse_json
from harness.models.http.endpoint import is_loopback
from harness.similarity.recogniser import Pixels, Vectors

BATCH = 64
"""Pairs in one request."""
TIMEOUT = 60.0
"""Seconds without a byte after which a request is given up."""
LONGEST = 1_000_000
"""Bytes of a reply that are read."""
PAUSES = (0.2, 1.0)
"""Seconds before each further try."""
TOO_LARGE, TOO_MANY, BROKEN = 413, 429, 500
"""Statuses: of a request with too many pairs, of too many requests, and from here on of a service in trouble."""


class _StatusError(OSError):
    """A reply with another status than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class ServiceRecogniser:
    """Scores of a service; it gives no embeddings."""

    def __init__(self, address: SplitResult, *, name: str) -> None:
        self.name = name
        self.identity = f"similarity service {address.geturl()}"
        self._address = address

    def embed(self, pictures: Sequence[Pixels]) -> None:
        """None: a service gives scores alone."""
        del pictures

    def similarity(self, a: Sequence[Pixels], b: Sequence[Pixels]) -> Vectors:
        """What the service says. Raises HarnessError where it does not answer as it should."""
        if len(a) != len(b):
            raise ValueError(f"{len(a)} pictures cannot be compared with {len(b)}, one by one")
        scores: list[float] = []
        for start in range(0, len(a), BATCH):
            end = start + BATCH
            pairs = [
                {"a": _png(one), "b": _png(other)}
                for one, other in zip(a[start:end], b[start:end], strict=True)
            ]
            scores += self._scores(pairs)
        return np.array(scores, np.float32)

    def _scores(self, pairs: list[dict[str, str]]) -> list[float]:
        where = self._address.geturl()
        try:
            found = parse_json(self._reply(json.dumps({"pairs": pairs}).encode()).decode())
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, _StatusError) and error.status == TOO_LARGE and len(pairs) > 1:
                middle = len(pairs) // 2
                return self._scores(pairs[:middle]) + self._scores(pairs[middle:])
            what = "" if isinstance(error, _StatusError) else f"{type(error).__name__}: "
            raise HarnessError(
                f"{where} gives no scores: {what}{error}",
                hint="check that the service runs; `harness.similarity.service` says what it is sent",
            ) from None
        scores = found.get("scores") if isinstance(found, dict) else None
        if not isinstance(scores, list) or len(scores) != len(pairs) or not all(map(_fits, scores)):
            raise HarnessError(
                f"{where} does not give {len(pairs)} scores in [-1, 1]",
                hint='its reply must be {"scores": [...]}, one number a pair',
            )
        return [float(one) for one in scores]

    def _reply(self, body: bytes) -> bytes:
        """The reply to a request, tried again where the service is busy or in trouble."""
        for pause in PAUSES:
            try:
                return self._post(body)
            except _StatusError as error:
                if error.status != TOO_MANY and error.status < BROKEN:
                    raise
            time.sleep(pause)
        return self._post(body)

    def _post(self, body: bytes) -> bytes:
        address = self._address
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection  # fmt: skip
        connection = kind(address.hostname or "", address.port, timeout=TIMEOUT)
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            read = reply.read(LONGEST + 1)
        finally:
            connection.close()
        if reply.status != 200:
            raise _StatusError(reply.status)
        if len(read) > LONGEST:
            raise OSError(f"a reply of more than {LONGEST} bytes")
        return read


def open_service(argument: str, *, name: str) -> ServiceRecogniser:
    """The service at an address of this machine. Raises HarnessError for any other, and for what is no address."""
    try:
        address = urlsplit(argument)
        host, _ = address.hostname or "", address.port
    except ValueError as error:
        raise HarnessError(f"{name} is no address: {error}", hint=_WRITE) from None
    if address.scheme not in {"http", "https"} or not host or address.username is not None:
        raise HarnessError(f"{name} is no address", hint=_WRITE)
    if not is_loopback(host.lower()):
        raise HarnessError(
            f"{name} is not on this machine, and faces are compared here alone", hint=_WRITE
        )
    return ServiceRecogniser(address, name=name)


_WRITE = "write similarity:http://127.0.0.1:PORT/PATH"


def _fits(score: Any) -> bool:
    """Whether it is a number in [-1, 1]; nan is in no range."""
    return isinstance(score, int | float) and not isinstance(score, bool) and -1 <= score <= 1


def _png(pixels: Pixels) -> str:
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")
