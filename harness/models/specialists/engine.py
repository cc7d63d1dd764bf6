"""What a classifier says of requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from harness.answers.outputs import match_outputs, without_output
from harness.core.generation import Generation
from harness.core.request import Request
from harness.models.label_shares import decoded, scored
from harness.models.specialists.card import SpecialistCard
from harness.models.specialists.network import Network, network_input
from harness.models.transformers.prepared import PreparedRequest

LEAST = 1e-9
"""A share below this counts as this: the logarithm of none is not finite."""
_ADDS_UP = 1e-3


class SpecialistEngine:
    """Answers requests that hold pictures and labels, one picture after the other, so that a reply is the same whatever
    else is asked. Not for several threads at once."""

    def __init__(self, network: Network, card: SpecialistCard) -> None:
        self._network, self._card = network, card
        self.facts: Mapping[str, str] = MappingProxyType({"device": "cpu"})
        self.notes: tuple[str, ...] = ()

    def prepare(self, request: Request) -> PreparedRequest | Generation:
        """Decode the pictures; a failed Generation for what the classifier cannot answer."""
        labels = self._card.labels
        missing = without_output(request.candidates, labels)
        if not request.candidates or missing:
            what = f"no output for {', '.join(missing)}" if missing else "no labels to choose from"
            said = f"{what} (outputs: {', '.join(labels)})"
            return Generation.failed(request.key, "unsupported", said)
        return decoded(request, (part for m in request.messages for part in m.parts))

    def generate(self, prompts: Sequence[PreparedRequest]) -> list[Generation]:
        """The shares of the labels; of several pictures (the frames of a clip) the mean of the shares counts."""
        return [self._reply(prompt) for prompt in prompts]

    def _reply(self, prompt: PreparedRequest) -> Generation:
        request = prompt.request
        found = [self._network(network_input(p, self._card)) for p in prompt.pictures]
        shares = np.mean([self._shares(one.astype(np.float64)) for one in found], axis=0)
        if not np.isfinite(shares).all():
            return Generation.failed(
                request.key, "bad-reply", "the network does not give what its card says"
            )
        places = match_outputs(request.candidates, self._card.labels)
        own = np.array([shares[list(at)].sum() for at in places]).clip(LEAST)
        return scored(request, np.log(own / own.sum()).tolist())

    def _shares(self, given: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shares that add up to 1; not a number where the outputs are not as many as the labels, or are no shares."""
        wrong = np.full(len(self._card.labels), np.nan)
        if given.shape != wrong.shape or not np.isfinite(given).all():
            return wrong
        if self._card.gives == "logits":
            grown = np.exp(given - given.max())
            return np.asarray(grown / grown.sum())
        if (given < -_ADDS_UP).any() or abs(given.sum() - 1) > _ADDS_UP:
            return wrong
        return given.clip(0)
