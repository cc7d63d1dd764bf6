"""What a model makes of a picture before it reads the prompt, kept for all prompts that show it.

transformers lets features that were made before stand in for pixels (`mm_encoder_outputs`), and Mllama the states that its
layers look at (`cross_attention_states`), those only in one pass without a reply. Which of the two a model takes is read
off its signature. Whether replies are those of the pixels is tried by who uses this (`harness.models.transformers.sharing`).
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MOST_BYTES = 1 << 28
"""Features kept, in bytes; a picture of 1,296 tokens of a model of 3B parameters takes 5 MB in bfloat16."""

_CROSS = ("pixel_values", "aspect_ratio_ids", "aspect_ratio_mask")
"""What Mllama's vision model reads."""


class EncodedPictures:
    """Features of pictures by their digest."""

    def __init__(self, model: Any, *, torch: Any, most_bytes: int = MOST_BYTES) -> None:
        self._model, self._torch, self._most = model, torch, most_bytes
        base = getattr(model, "base_model", model)
        known = inspect.signature(model.forward).parameters
        encode = getattr(base, "get_image_features", None)
        self.apart: bool = "mm_encoder_outputs" in known and encode is not None
        """Whether features can stand for pixels wherever a prompt is read."""
        self.crossed: bool = not self.apart and "cross_attention_states" in known
        """Whether that holds only where a prompt is read and nothing is said."""
        self._base, self._encode = base, encode
        self._kept: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self.encoded = 0
        """Pictures that went through the vision model here."""

    def forget(self) -> None:
        """Keep nothing of what is kept."""
        self._kept.clear()
        self._bytes = 0

    def missing(self, names: Sequence[str]) -> list[str]:
        """Those that are not kept, each once; those that are become the youngest."""
        for name in names:
            if name in self._kept:
                self._kept.move_to_end(name)
        return [name for name in dict.fromkeys(names) if name not in self._kept]

    def add(self, names: Sequence[str], read: Callable[[str], Mapping[str, Any]]) -> None:
        """Encode pictures, each alone, so that its features depend on nothing else. `read` gives the inputs of one in a
        prompt of its own."""
        self.encoded += len(names)
        with self._torch.inference_mode():
            parts = [self._made(read(name)) for name in names]
        for name, part in zip(names, parts, strict=True):
            size = sum(t.numel() * t.element_size() for t in _tensors(part))
            self._kept[name] = (part, size)
            self._bytes += size

    def trim(self) -> None:
        """Let the oldest go until no more is kept than is allowed."""
        while self._bytes > self._most:
            _, (_, size) = self._kept.popitem(last=False)
            self._bytes -= size

    def put_in(self, inputs: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
        """Inputs of a batch with features in place of pixels. `names` are its pictures, row by row."""
        parts = [self._kept[name][0] for name in names]
        if self.apart:
            left = {name: value for name, value in inputs.items() if name != "pixel_values"}
            return {**left, "mm_encoder_outputs": {"image": _joined(parts, self._torch)}}
        left = {name: value for name, value in inputs.items() if name not in _CROSS}
        return {**left, "cross_attention_states": self._torch.cat(parts)}

    def _made(self, inputs: Mapping[str, Any]) -> Any:
        if self.apart:
            wanted = inspect.signature(self._encode).parameters  # type: ignore[arg-type]
            given = {name: inputs[name] for name in wanted if name in inputs}
            made = self._encode(**given, return_dict=True)  # type: ignore[misc]
            deep = getattr(made, "deepstack_features", None)
            return type(made)(
                pooler_output=made.pooler_output,
                **({} if deep is None else {"deepstack_features": deep}),
            )
        seen = self._base.vision_model(**{name: inputs[name] for name in _CROSS}).last_hidden_state
        states = self._base.multi_modal_projector(seen)
        return states.reshape(-1, seen.shape[-2], states.shape[-1])


def _joined(parts: Sequence[Any], torch: Any) -> Any:
    def behind(values: Sequence[Any]) -> Any:
        if hasattr(values[0], "shape"):
            return torch.cat(list(values))
        return tuple(one for value in values for one in value)

    deep = [getattr(part, "deepstack_features", None) for part in parts]
    layers = (
        {}
        if deep[0] is None
        else {"deepstack_features": [behind(x) for x in zip(*deep, strict=True)]}
    )
    return type(parts[0])(pooler_output=behind([part.pooler_output for part in parts]), **layers)


def _tensors(part: Any) -> list[Any]:
    """All tensors of some features."""
    if hasattr(part, "numel"):
        return [part]
    inside = part.values() if hasattr(part, "values") else part
    return [tensor for value in inside if value is not None for tensor in _tensors(value)]
