"""People and recognisers of whom the truth is known."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.inversion.attack import AttackSettings
from harness.inversion.audit import AuditInputs, make_basis
from harness.inversion.basis import Basis, Floats
from harness.inversion.defences import read_defences
from harness.inversion.people import People
from harness.similarity import cosines

SIDE, COMPONENTS, VICTIMS = 12, 16, 12


def made_people(count: int, *, seed: int, each: int = 4, first: int = 0) -> People:
    """Pictures of smooth patterns: each person has one, and their pictures differ from it a little."""
    rng = np.random.Generator(np.random.PCG64(7))
    patterns = rng.normal(size=(COMPONENTS, SIDE, SIDE, 3))
    own = np.random.Generator(np.random.PCG64(seed))
    pictures = []
    for _ in range(count):
        person = own.normal(size=COMPONENTS)
        weights = person + 0.2 * own.normal(size=(each, COMPONENTS))
        values = 128 + 9 * np.einsum("ek,khwc->ehwc", weights, patterns)
        pictures.append(np.clip(np.rint(values), 0, 255).astype(np.uint8))
    return People(tuple(f"p{first + k}" for k in range(count)), tuple(pictures))


class Linear:
    """Embeds a picture as its coordinates in a basis: what inversion in that basis undoes exactly."""

    name = "linear"

    def __init__(self, basis: Basis) -> None:
        self.identity = f"linear of {len(basis)}"
        self._basis = basis

    def embed(self, pictures: Sequence[NDArray[np.uint8]]) -> Floats:
        found = self._basis.coordinates(np.stack(pictures))
        unit: Floats = found / np.linalg.norm(found, axis=1, keepdims=True).clip(1e-9)
        return unit

    def similarity(self, a: Sequence[NDArray[np.uint8]], b: Sequence[NDArray[np.uint8]]) -> Floats:
        return cosines(self.embed(a), self.embed(b))


class Random:
    """Scores that have nothing to do with the pictures; counts what it is asked."""

    name = identity = "random"

    def __init__(self) -> None:
        self._rng = np.random.Generator(np.random.PCG64(5))
        self.asked = 0

    def embed(self, pictures: Sequence[NDArray[np.uint8]]) -> None:
        del pictures

    def similarity(self, a: Sequence[NDArray[np.uint8]], b: Sequence[NDArray[np.uint8]]) -> Floats:
        assert len(a) == len(b)
        self.asked += len(a)
        return self._rng.uniform(-1, 1, len(a)).astype(np.float32)


def inputs(
    kind: str, *, defences: Sequence[str] = (), settings: AttackSettings | None = None
) -> AuditInputs:
    """An audit of planted people: `linear` or `random`."""
    people = made_people(20, seed=1)
    basis = make_basis(people, made_people(60, seed=2, first=100), COMPONENTS)
    service = Linear(basis) if kind == "linear" else Random()
    return AuditInputs(
        service, None, people, VICTIMS, basis, read_defences(defences),
        settings or AttackSettings(queries=(100, 400)),
    )  # fmt: skip


class _Answers(BaseHTTPRequestHandler):
    """A similarity service: the cosine of two pictures' differences from mid-grey."""

    def do_POST(self) -> None:
        pairs = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["pairs"]
        scores = [float(np.clip(_read(p["a"]) @ _read(p["b"]), -1, 1)) for p in pairs]
        body = json.dumps({"scores": scores}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


def _read(picture: str) -> NDArray[np.float64]:
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))), dtype=np.float64)
    flat = pixels.ravel() - 128
    return flat / max(float(np.linalg.norm(flat)), 1e-9)


@contextmanager
def similarity_service() -> Iterator[str]:
    """Its name as an endpoint; it stops at the end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"similarity:http://127.0.0.1:{server.server_address[1]}/compare"
        finally:
            server.shutdown()
            thread.join()
