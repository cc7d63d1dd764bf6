"""A small server as the example package's adapter speaks to: it says what it is, and answers by the picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.models.listening import listening


@dataclass
class Service:
    """Where it listens, and what it was sent."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def running_service(*, status: int = 200, text: str = "happiness") -> Iterator[Service]:
    """A server on this machine until the block ends; every POST is answered by `status` and `text`."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, {"model": "constant", "version": "1"})

        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            service.bodies.append(json.loads(self.rfile.read(size)))
            self._send(status, {"text": text, "finish": "stop"})

        def _send(self, code: int, said: dict[str, str]) -> None:
            body = json.dumps(said).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with listening(Handler) as service.url:
        yield service
