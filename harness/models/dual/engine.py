"""What a dual encoder says of requests, a batch at a time."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from harness.core.generation import Generation
from harness.core.label_texts import LabelTexts, read_label_turns
from harness.core.request import Request
from harness.models.dual.encoder import NONE, DualEncoder, LearnedPrompts
from harness.models.label_shares import decoded, scored
from harness.models.transformers.libraries import import_libraries
from harness.models.transformers.prepared import PreparedRequest

KEPT = 256
"""Sets of texts whose features are kept; a run has one for each cell."""


class DualEngine:
    """Answers requests whose turns hold pictures and texts of labels. Not for several threads at once."""

    def __init__(self, encoder: DualEncoder, learned: LearnedPrompts = NONE) -> None:
        self._torch, _ = import_libraries()
        self._encoder, self._learned = encoder, learned
        self._texts: OrderedDict[str, Any] = OrderedDict()
        self.facts: Mapping[str, str] = MappingProxyType(
            {"architecture": type(encoder.model).__name__, "device": str(encoder.model.device)}
        )
        self.notes: tuple[str, ...] = ()

    def prepare(self, request: Request) -> PreparedRequest | Generation:
        """Decode the pictures; a failed Generation for what is no request of this kind."""
        found = _read(request)
        if isinstance(found, str):
            return Generation.failed(request.key, "unsupported", found)
        return decoded(request, found.pictures)

    def generate(self, prompts: Sequence[PreparedRequest]) -> list[Generation]:
        """The shares of the labels for requests with as many pictures each; of several pictures (the frames of a clip)
        the mean of their features counts."""
        each = len(prompts[0].pictures)
        with self._torch.inference_mode():
            pixels = self._encoder.pixels([picture for p in prompts for picture in p.pictures])
            features = self._encoder.of_pictures(pixels, self._learned)
            if each > 1:
                mean = features.reshape(len(prompts), each, -1).mean(1)
                features = mean / mean.norm(p=2, dim=-1, keepdim=True)
            found = [
                self._encoder.log_shares(self._encoder.logits(row[None], self._of(p.request)))[0]
                for p, row in zip(prompts, features, strict=True)
            ]
        return [scored(p.request, row.tolist()) for p, row in zip(prompts, found, strict=True)]

    def _of(self, request: Request) -> Any:
        """(labels, features) of the request's texts, worked out once for each set of texts."""
        texts = read_label_turns(request.messages).texts
        name = hashlib.sha256(repr(texts).encode()).hexdigest()
        held = self._texts.get(name)
        if held is None:
            held = self._texts[name] = self._encoder.ensemble(texts, self._learned)
        self._texts.move_to_end(name)
        if len(self._texts) > KEPT:
            self._texts.popitem(last=False)
        return held


def _read(request: Request) -> LabelTexts | str:
    """What the request compares, or why it is none of this kind."""
    try:
        found = read_label_turns(request.messages)
    except ValueError as error:
        return str(error)
    if not request.candidates or len(found.texts) != len(request.candidates):
        return (
            f"the request has texts for {len(found.texts)} labels and asks for the shares of "
            f"{len(request.candidates)}"
        )
    return found
