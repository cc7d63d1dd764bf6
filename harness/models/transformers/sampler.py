"""Choose the next token, with equal results for single requests and batches."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from harness.core.request import Request, Sampling


class Sampler:
    """A logits processor after which the largest score is the drawn token.

    Temperature, then the k best, then the smallest set of mass `top_p`, as the usual samplers do; then
    Gumbel noise, whose argmax is a draw from the softmax (Gumbel-max; Maddison, Tarlow & Minka 2014,
    "A* Sampling", section 2). Each row has its own generator, seeded by its request, so neighbours in a
    batch change nothing.
    """

    def __init__(self, requests: Sequence[Request], torch: Any) -> None:
        self._torch = torch
        self._sampling: Sampling = requests[0].sampling
        self._generators = [torch.Generator().manual_seed(draw_seed(r)) for r in requests]

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores (rows, vocabulary) to scores of the same shape."""
        torch, sampling = self._torch, self._sampling
        scores = scores.float() / sampling.temperature
        if 0 < sampling.top_k < scores.shape[-1]:
            least = scores.topk(sampling.top_k).values[:, -1:]
            scores = scores.masked_fill(scores < least, -torch.inf)
        if sampling.top_p < 1:
            ordered, places = scores.sort(descending=True)
            mass = ordered.softmax(-1)
            beyond = mass.cumsum(-1) - mass >= sampling.top_p  # the best token always stays
            beyond[:, 0] = False
            scores = scores.masked_fill(beyond.scatter(-1, places, beyond), -torch.inf)
        width = scores.shape[-1]
        noise = torch.stack([torch.rand(width, generator=g) for g in self._generators])
        noise = noise.clamp(1e-20, 1 - 1e-7)  # neither log may be infinite
        return scores - (-noise.log()).log().to(scores.device)


def draw_seed(request: Request) -> int:
    """The seed of a request's draws: from its key, so that repeats and samples differ, and its seed."""
    name = f"{request.sampling.seed}:{request.key}".encode()
    return int.from_bytes(hashlib.sha256(name).digest()[:8], "big") >> 1
