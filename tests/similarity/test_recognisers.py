"""Recognisers: what each gives, that a service gets nothing from outside this machine, and what errors say."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from harness.core.errors import HarnessError
from harness.similarity import Recogniser, cosines, describe_recognisers, open_recogniser
from harness.similarity.recogniser import of_length_one
from harness.similarity.tiny import TinyRecogniser


@contextmanager
def served(reply: Callable[[dict[str, Any]], tuple[int, Any]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = reply(given)
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Location", "http://example.org/")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield f"similarity:http://127.0.0.1:{server.server_port}/compare?v=1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def grey(level: int, size: int = 6) -> Any:
    return np.full((size, size, 3), level, np.uint8)


def mean(png: str) -> float:
    return float(np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(png)))).mean())


def test_a_service_gets_the_very_pictures_in_order_and_gives_scores_alone() -> None:
    seen = []

    def score(given: dict[str, Any]) -> tuple[int, Any]:
        seen.append(len(given["pairs"]))
        return 200, {"scores": [1 - abs(mean(p["a"]) - mean(p["b"])) / 255 for p in given["pairs"]]}

    with served(score) as spec:
        found = open_recogniser(spec)
        assert isinstance(found, Recogniser)
        assert found.name == spec and "127.0.0.1" in found.identity
        assert found.embed([grey(1)]) is None
        levels = list(range(100))
        scores = found.similarity([grey(0)] * 100, [grey(level) for level in levels])
    assert seen == [64, 36]
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, [1 - level / 255 for level in levels], rtol=1e-6)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ((500, {}), "status 500"),
        ((302, {}), "status 302"),  # a redirect is not followed
        ((200, b"no json"), "gives no scores"),
        ((200, {"scores": [0.5]}), "2 scores"),
        ((200, {"scores": [0.5, 1.5]}), "2 scores"),
        ((200, {"scores": [0.5, True]}), "2 scores"),
        ((200, b'{"scores": [0.5, NaN]}'), "2 scores"),
        ((200, [0.5, 0.5]), "2 scores"),
        ((200, b'{"scores": [0.5, ' + b"1" * 400 + b"]}"), "2 scores"),
        ((200, b"[" * 500_000), "nested too deeply"),
        ((413, {}), "status 413"),
    ],
)
def test_a_service_that_answers_wrongly_is_named(
    reply: tuple[int, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.similarity.service.PAUSES", (0.0, 0.0))
    with served(lambda given: reply) as spec, pytest.raises(HarnessError, match=said):
        open_recogniser(spec).similarity([grey(1), grey(2)], [grey(3), grey(4)])


def test_a_service_may_be_busy_for_a_moment_and_take_fewer_pairs_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harness.similarity.service.PAUSES", (0.0, 0.0))
    seen: list[int] = []

    def limited(given: dict[str, Any]) -> tuple[int, Any]:
        pairs = given["pairs"]
        seen.append(len(pairs))
        if len(seen) % 3 == 1:
            return 503, {}
        if len(pairs) > 20:
            return 413, {}
        return 200, {"scores": [mean(pair["a"]) / 255 for pair in pairs]}

    with served(limited) as spec:
        levels = list(range(70))
        found = open_recogniser(spec).similarity([grey(level) for level in levels], [grey(0)] * 70)
    np.testing.assert_allclose(found, [level / 255 for level in levels], rtol=1e-6)
    assert max(seen[4:]) <= 32


@pytest.mark.parametrize(
    "spec",
    [
        "similarity:http://example.org/x", "similarity:https://10.0.0.1:80/", "similarity:http://127.0.0.1.example.org/",
        "similarity:http://user@127.0.0.1:1/", "similarity:http://", "similarity:http://127.0.0.1:port/",
        "similarity:http:example.org", "similarity:http://[::1", "similarity:http://0.0.0.0:80/",
    ],
)  # fmt: skip
def test_nothing_but_this_machine_is_a_service(spec: str) -> None:
    with pytest.raises(HarnessError) as caught:
        open_recogniser(spec)
    assert "127.0.0.1" in str(caught.value.hint)


def test_unknown_names_list_those_there_are() -> None:
    with pytest.raises(HarnessError) as caught:
        open_recogniser("similarity:arcface")
    assert "similarity:dlib" in str(caught.value.hint)
    assert {one.name.split(":")[1] for one in describe_recognisers()} >= {"tiny", "dlib", "clip"}


def test_a_name_with_too_much_behind_it_is_refused() -> None:
    for spec in ("similarity:tiny:large", "similarity:dlib:cnn"):
        with pytest.raises(HarnessError):
            open_recogniser(spec)


def test_lengths_and_cosines() -> None:
    rows = of_length_one(np.array([[3.0, 4.0], [0.0, 0.0], [-1.0, 0.0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0], [-1, 0]], rtol=1e-6)
    np.testing.assert_allclose(cosines(rows, rows), [1, 0, 1], rtol=1e-6)
    assert cosines(rows[:1], -rows[:1])[0] == -1


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> TinyRecogniser:
    torch = pytest.importorskip("torch")
    from harness.face_tiny.network import FaceNetwork, save

    torch.manual_seed(0)
    folder: Path = tmp_path_factory.mktemp("face")
    save(FaceNetwork(), folder)
    return TinyRecogniser(folder)


@pytest.mark.slow
def test_embeddings_have_length_one_whatever_the_size_and_the_company(
    untrained: TinyRecogniser,
) -> None:
    rng = np.random.default_rng(0)
    pictures = [
        rng.integers(0, 256, (h, w, 3), np.uint8) for h, w in ((112, 112), (30, 47), (300, 200))
    ]
    together = untrained.embed(pictures)
    assert together.dtype == np.float32 and together.shape == (3, 128)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)
    alone = np.concatenate([untrained.embed([one]) for one in pictures])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    np.testing.assert_allclose(untrained.similarity(pictures, pictures), 1, rtol=1e-5)
    assert untrained.embed([]).shape == (0, 128)
    assert (np.abs(untrained.wrinkles(pictures) - 0.5) <= 0.5).all()


def test_the_shipped_weights_are_whole_and_small() -> None:
    from harness.face_tiny import weights_folder

    files = {file.name: file.stat().st_size for file in weights_folder().iterdir()}
    assert set(files) == {"config.json", "model.safetensors"}
    assert sum(files.values()) <= 3_000_000


@pytest.mark.slow
def test_the_shipped_encoder_tells_persons_apart_and_their_ages() -> None:
    """On other subjects than those of the card: AUROC of all pairs, inner faces, and ages against the median."""
    from sklearn.metrics import roc_auc_score

    from harness.face_tiny.training.inner import masked
    from harness.faces import draw, face_at
    from harness.faces.points import marks_of

    encoder = open_recogniser("similarity:tiny")
    assert isinstance(encoder, TinyRecogniser)
    faces = [face_at(n, seed=21) for n in range(7 * 24) if n % 7 < 3]
    drawn = [draw(face).pixels for face in faces]
    inner = [masked(p, marks_of(f).points, "face") for p, f in zip(drawn, faces, strict=True)]
    who = np.array([face.identity.subject for face in faces])
    one, other = np.triu_indices(len(faces), 1)
    for shown, least in ((drawn, 0.96), (inner, 0.9)):
        vectors = encoder.embed(shown)
        scores = (vectors @ vectors.T)[one, other]
        assert roc_auc_score(who[one] == who[other], scores) > least
    ages = np.array([face.identity.age for face in faces])
    error = np.abs(encoder.wrinkles(drawn) - ages).mean()
    assert error < 0.8 * np.abs(ages - np.median(ages)).mean()
