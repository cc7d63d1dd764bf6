"""A server that enhances pictures, in a thread, with faults to order."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image, ImageOps

Make = Callable[[Image.Image], Image.Image]


@dataclass
class Server:
    """What it does, and what it saw."""

    make: Make = ImageOps.invert
    say: Callable[[bytes], tuple[int, bytes] | None] = lambda sent: None
    """The status and body of a reply to the picture sent; None: what `make` gives."""
    version: str = ""
    latency: float = 0.0
    port: int = 0
    pictures: list[bytes] = field(default_factory=list)
    """Every picture sent, as it came."""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/enhance"

    def reply(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes, str]:
        """Status, body and type of the reply to a request."""
        coded = headers.get("Content-Type") == "application/json"
        sent = base64.b64decode(json.loads(body)["image"]) if coded else body
        self.pictures.append(sent)
        self.requests.append((headers, body))
        time.sleep(self.latency)
        if (said := self.say(sent)) is not None:
            return *said, "text/plain"
        held = io.BytesIO()
        self.make(Image.open(io.BytesIO(sent))).save(held, "PNG")
        if not coded:
            return 200, held.getvalue(), "image/png"
        made = {"image": base64.b64encode(held.getvalue()).decode(), "version": self.version}
        return 200, json.dumps(made).encode(), "application/json"


@contextmanager
def enhancing(server: Server) -> Iterator[Server]:
    """The server, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, data, kind = server.reply(dict(self.headers), body)
            try:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                if server.version:
                    self.send_header("X-Enhancer-Version", server.version)
                if 300 <= status < 400:
                    self.send_header("Location", "http://example.org/")
                self.end_headers()
                self.wfile.write(data)
            except OSError:  # who asked is gone
                pass

        def log_message(self, *_: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    server.port = running.server_address[1]
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        running.shutdown()
        thread.join()
        running.server_close()
