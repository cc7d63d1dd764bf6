"""Probabilities of several continuations of a prompt, which is processed once for all of them.

The prompt goes through the checkpoint as it would before a reply, its pictures encoded once. What it left in the cache
is then repeated for each continuation, and each is spoken token by token, as a forced reply. So whatever the checkpoint
needs besides (cross attention, positions in three dimensions) is prepared by its own `generate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Forced:
    """A logits processor that lets each row of a batch say its own tokens."""

    def __init__(self, tokens: Any, *, width: int) -> None:
        """`tokens` (rows, length) are said from place `width` on."""
        self._tokens, self._width = tokens, width

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores (rows, vocabulary), minus infinity for all but the row's next token."""
        ids = self._tokens[:, input_ids.shape[1] - self._width, None]
        held = scores.new_full(scores.shape, float("-inf"))
        return held.scatter(1, ids, 0.0)


def continuation_logprobs(
    model: Any,
    inputs: Mapping[str, Any],
    tails: Sequence[Sequence[Sequence[int]]],
    *,
    torch: Any,
    transformers: Any,
    pad: int,
) -> list[list[float]]:
    """Summed natural log-probabilities of each prompt's continuations, in order.

    `inputs` are a batch of prompts, padded on the left; `tails` are for each prompt the tokens of its continuations, as
    many for each prompt and two tokens or more each. Raises what transformers raises.
    """
    count = len(tails[0])
    rows = [list(tail) for each in tails for tail in each]
    longest = max(map(len, rows))
    padded = [tail + [pad] * (longest - len(tail)) for tail in rows]
    spoken = torch.tensor(padded, device=inputs["input_ids"].device)
    width = int(inputs["input_ids"].shape[1])

    def settings(tokens: int) -> Any:
        return transformers.GenerationConfig(
            max_new_tokens=tokens, do_sample=False, num_beams=1, use_cache=True, pad_token_id=pad,
            output_logits=True, return_dict_in_generate=True,
        )  # fmt: skip

    with torch.inference_mode():
        read = model.generate(**inputs, generation_config=settings(1))
        first = read.logits[0].repeat_interleave(count, dim=0)
        cache = read.past_key_values
        cache.batch_repeat_interleave(count)
        repeated = {
            name: value.repeat_interleave(count, dim=0)
            for name, value in inputs.items()
            if name == "input_ids"
            or (name.endswith("mask") and not name.startswith(("pixel", "feature")))
        }
        _repeat_positions(model, count)
        begun = spoken[:, :1]
        ids = torch.cat([repeated.pop("input_ids"), begun], dim=1)
        mask = torch.cat([repeated.pop("attention_mask"), torch.ones_like(begun)], dim=1)
        said = model.generate(
            input_ids=ids,
            attention_mask=mask,
            **repeated,
            past_key_values=cache,
            generation_config=settings(longest - 1),
            logits_processor=transformers.LogitsProcessorList(
                [Forced(spoken[:, 1:], width=width + 1)]
            ),
        )
    known = torch.stack([first, *said.logits], dim=1).float().log_softmax(-1)
    each = known.gather(2, spoken[:, :, None])[:, :, 0]
    lengths = torch.tensor([len(tail) for tail in rows], device=each.device)
    counted = torch.arange(longest, device=each.device) < lengths[:, None]
    sums = each.masked_fill(~counted, 0.0).sum(-1).tolist()
    return [sums[at : at + count] for at in range(0, len(sums), count)]


def _repeat_positions(model: Any, count: int) -> None:
    """Qwen2-VL's kind keeps on itself how far positions and places of the prompts just read lie apart."""
    inner: Any = getattr(model, "model", model)
    deltas = getattr(inner, "rope_deltas", None)
    if deltas is not None:
        inner.rope_deltas = deltas.repeat_interleave(count, dim=0)
