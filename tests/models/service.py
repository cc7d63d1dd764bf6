"""A small server as the example package's adapter speaks to: it says what it is, and answers by the picture."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        service.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
