"""`similarity:` models: a recogniser answers tasks of pairs through the ordinary run.

The score of a pair is (1 + cosine) / 2, as the share of `yes`; the share of `no` is the rest. It is no probability, only
an order: thresholds are set on scores. `similarity:tiny` also answers fields of the kind `age`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from harness.core.errors import HarnessError, MediaError
from harness.core.generation import Generation, Usage
from harness.core.message import Image
from harness.core.model import Card
from harness.core.request import Request
from harness.models.label_shares import frames, scored
from harness.models.registry import OpenOptions, kinds_of
from harness.models.transformers.model import BATCH, WINDOW, LocalModel
from harness.models.transformers.picture import decode_picture
from harness.models.transformers.prepared import PreparedRequest
from harness.similarity.recogniser import Pixels, Recogniser, cosines, of_length_one
from harness.similarity.registry import open_recogniser
from harness.similarity.tiny import TinyRecogniser

LEAST = 1e-9
"""A share below this counts as this: the logarithm of none is not finite."""
ANSWERS = ("yes", "no")


def open_similarity(argument: str, *, name: str, options: OpenOptions) -> LocalModel:
    """The recogniser as a model. Raises HarnessError as `open_recogniser` does."""
    del options  # none of them concerns a recogniser
    recogniser = open_recogniser(argument)
    card = Card(
        name=name,
        identity=recogniser.identity,
        estimators=("distribution",),
        families=("none",),
        kinds=kinds_of(f"similarity:{argument}"),
        window=WINDOW,
    )
    return LocalModel(lambda: SimilarityEngine(recogniser), card, batch=BATCH)


class SimilarityEngine:
    """Answers requests with one or two media. Not for several threads at once."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self.facts: Mapping[str, str] = MappingProxyType({"recogniser": recogniser.name})
        self.notes: tuple[str, ...] = ()

    def prepare(self, request: Request) -> PreparedRequest | Generation:
        """Decode the pictures; a failed Generation for what a recogniser cannot answer."""
        shown = media_of(request)
        if request.candidates and (len(shown) != 2 or set(request.candidates) != set(ANSWERS)):
            return Generation.failed(
                request.key, "unsupported", "a recogniser compares two media, by yes and no"
            )
        if not request.candidates and (
            len(shown) != 1 or not isinstance(self._recogniser, TinyRecogniser)
        ):
            return Generation.failed(
                request.key,
                "unsupported",
                "a recogniser answers pairs, of a field with words for yes and no",
            )
        try:
            pictures = tuple(decode_picture(one) for medium in shown for one in medium)
        except MediaError as error:
            return Generation.failed(request.key, "media", str(error))
        return PreparedRequest(request, "", pictures)

    def generate(self, prompts: Sequence[PreparedRequest]) -> list[Generation]:
        """A reply to each request; what fails for one picture fails that request alone."""
        return [self._reply(prompt) for prompt in prompts]

    def _reply(self, prompt: PreparedRequest) -> Generation:
        request = prompt.request
        pixels = [np.asarray(picture) for picture in prompt.pictures]
        try:
            if not request.candidates:
                return self._age(request, pixels)
            sizes = [len(medium) for medium in media_of(request)]
            score = self._score(pixels[: sizes[0]], pixels[sizes[0] :])
        except MediaError as error:
            return Generation.failed(request.key, "media", error.message)
        except HarnessError as error:
            return Generation.failed(request.key, "server", error.message)
        share = min(max((1 + score) / 2, LEAST), 1 - LEAST)
        logs = {"yes": math.log(share), "no": math.log(1 - share)}
        return scored(request, [logs[name] for name in request.candidates])

    def _score(self, first: Sequence[Pixels], second: Sequence[Pixels]) -> float:
        """In [-1, 1]; of clips the mean embedding of the frames counts, or the mean score of a service."""
        found = self._recogniser.embed([*first, *second])
        if found is not None:
            one = found[: len(first)].mean(axis=0, keepdims=True)
            other = found[len(first) :].mean(axis=0, keepdims=True)
            return float(cosines(of_length_one(one), of_length_one(other))[0])
        pairs = [(a, b) for a in first for b in second]
        scores = self._recogniser.similarity([a for a, _ in pairs], [b for _, b in pairs])
        return float(scores.mean())

    def _age(self, request: Request, pixels: Sequence[Pixels]) -> Generation:
        """Years as text; of a clip the mean of the frames."""
        # Here, since the room of drawn faces brings its drawing library.
        from harness.faces.ranges import AGE_YEARS

        if not isinstance(self._recogniser, TinyRecogniser):
            raise HarnessError("this recogniser tells no age", hint="use similarity:tiny")
        wrinkles = float(self._recogniser.wrinkles(pixels).mean())
        years = float(np.interp(wrinkles, *AGE_YEARS))
        return Generation(request.key, f"{years:.1f}", "stop", Usage())


def media_of(request: Request) -> list[list[Image]]:
    """The pictures of a request, one list for each turn that has any: each turn shows one medium."""
    media = [list(frames(message.parts)) for message in request.messages]
    return [shown for shown in media if shown]
