"""A loaded dual encoder: features of pictures and texts, and what their similarity says of labels.

Learned prompts are put in by hooks, so that masks, positions and pooling stay the model's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

FORMS = ("clip", "siglip")
"""Model types that are read: `model_type` of config.json."""


@dataclass(frozen=True, slots=True)
class LearnedPrompts:
    """Vectors put beside what a frozen model reads; either may be absent."""

    context: Any = None
    """(vectors, width of the text model): stands before the words of every text."""
    visual: Any = None
    """(layers, vectors, width of the vision model): stands behind the patches, anew in each layer."""


NONE = LearnedPrompts()


class DualEncoder:
    """Model, tokenizer and picture processor of one checkpoint. Tensors are torch's, features of length 1."""

    def __init__(self, model: Any, tokenizer: Any, pictures: Any, *, torch: Any) -> None:
        self.model, self._tokenizer, self._pictures, self._torch = model, tokenizer, pictures, torch
        self.form = str(model.config.model_type)

    @property
    def longest(self) -> int:
        """Most tokens of a text."""
        return int(self.model.config.text_config.max_position_embeddings)

    @property
    def width(self) -> int:
        """Numbers in a token of the text model."""
        return int(self.model.config.text_config.hidden_size)

    @property
    def vision(self) -> tuple[int, int]:
        """(layers, numbers in a token) of the vision model."""
        config = self.model.config.vision_config
        return int(config.num_hidden_layers), int(config.hidden_size)

    def pixels(self, pictures: Sequence[Picture]) -> Any:
        """(pictures, channels, height, width) as the checkpoint's own processor prepares them."""
        made = self._pictures(images=list(pictures), return_tensors="pt")["pixel_values"]
        return made.to(self.model.device, self.model.dtype)

    def of_pictures(self, pixels: Any, learned: LearnedPrompts = NONE) -> Any:
        """(pictures, features)."""
        with self._hooked(learned):
            return self._whole(self.model.get_image_features(pixel_values=pixels).pooler_output)

    def of_patches(self, pixels: Any, learned: LearnedPrompts = NONE) -> tuple[Any, Any]:
        """(pictures, features), and (pictures, patches, features) of the patches, read out as the whole picture is."""
        with self._hooked(learned):
            found = self.model.vision_model(pixel_values=pixels)
        if self.form == "clip":
            patches = self.model.vision_model.post_layernorm(found.last_hidden_state[:, 1:])
            whole = self.model.visual_projection(found.pooler_output)
            return self._whole(whole), self._whole(self.model.visual_projection(patches))
        n, count, width = found.last_hidden_state.shape
        alone = found.last_hidden_state.reshape(n * count, 1, width)
        patches = self.model.vision_model.head(alone).reshape(n, count, width)
        return self._whole(found.pooler_output), self._whole(patches)

    def of_texts(self, texts: Sequence[str], learned: LearnedPrompts = NONE) -> Any:
        """(texts, features). Raises ValueError for a text that is longer than the model reads."""
        tokens = self._tokens(texts, 0 if learned.context is None else len(learned.context))
        with self._hooked(learned):
            return self._whole(self.model.get_text_features(**tokens).pooler_output)

    def of_words(self, texts: Sequence[str], learned: LearnedPrompts = NONE) -> tuple[Any, Any]:
        """(texts, features), and (texts, tokens, features) of the tokens of each text read out as the text is, with
        contexts and words; what only fills up is zero."""
        held = 0 if learned.context is None else len(learned.context)
        tokens = self._tokens(texts, held)
        text = self.model.text_model
        with self._hooked(learned):
            found = text(**tokens)
        read = self.model.text_projection if self.form == "clip" else text.head
        features = read(found.pooler_output) if self.form == "clip" else found.pooler_output
        words = self._whole(read(found.last_hidden_state))
        real = self._real(tokens["input_ids"])
        return self._whole(features), words * real[..., None]

    def logits(self, pictures: Any, texts: Any) -> Any:
        """(pictures, texts): cosines by the model's own temperature, for SigLIP with its bias."""
        scaled = pictures @ texts.T * self.model.logit_scale.exp()
        return scaled + self.model.logit_bias if self.form == "siglip" else scaled

    def log_shares(self, logits: Any) -> Any:
        """(pictures, labels): logarithms of a distribution over the labels. CLIP: softmax; SigLIP, which judges each
        label alone by a sigmoid: the sigmoids by their sum."""
        own = logits if self.form == "clip" else self._torch.nn.functional.logsigmoid(logits)
        return self._torch.log_softmax(own, dim=-1)

    def ensemble(self, texts: Sequence[Sequence[str]], learned: LearnedPrompts = NONE) -> Any:
        """(labels, features): the mean of the features of each label's texts, of length 1."""
        flat = list(dict.fromkeys(text for each in texts for text in each))
        found = self.of_texts(flat, learned)
        rows = [[flat.index(text) for text in each] for each in texts]
        return self._whole(self._torch.stack([found[places].mean(0) for places in rows]))

    def _whole(self, features: Any) -> Any:
        return features / features.norm(p=2, dim=-1, keepdim=True)

    def _real(self, ids: Any) -> Any:
        """(texts, tokens): 1 for contexts and words, 0 for beginning, end and filling."""
        special = [i for i in self._tokenizer.all_special_ids if i != self._tokenizer.unk_token_id]
        return (~self._torch.isin(ids, self._torch.tensor(special, device=ids.device))).to(
            self.model.dtype
        )

    def _tokens(self, texts: Sequence[str], held: int) -> dict[str, Any]:
        """The tokens of texts with room for `held` contexts. Raises ValueError for a text that is too long."""
        whole = self.form == "siglip"  # it was trained on texts filled up to one length
        rows = [list(self._tokenizer(text)["input_ids"]) for text in texts]
        for text, row in zip(texts, rows, strict=True):
            if len(row) + held > self.longest:
                raise ValueError(
                    f"the text {text[:60]!r} has {len(row) + held} tokens, and this model reads {self.longest}: "
                    "write shorter texts"
                )
        room = self._placeholder()
        start = 0 if whole else 1  # behind the token that begins a text
        rows = [row[:start] + [room] * held + row[start:] for row in rows]
        length = self.longest if whole else max(map(len, rows))
        pad = self._tokenizer.pad_token_id
        ids = self._torch.tensor([row + [pad] * (length - len(row)) for row in rows])
        found = {"input_ids": ids.to(self.model.device)}
        if not whole:
            mask = [[1] * len(row) + [0] * (length - len(row)) for row in rows]
            found["attention_mask"] = self._torch.tensor(mask).to(self.model.device)
        return found

    def _placeholder(self) -> int:
        """A token that ends, fills and begins nothing; its vector is replaced."""
        special = set(self._tokenizer.all_special_ids)
        return next(i for i in range(len(special) + 1) if i not in special)

    @contextmanager
    def _hooked(self, learned: LearnedPrompts) -> Iterator[None]:
        """The model with learned prompts in their places."""
        with ExitStack() as stack:
            if learned.context is not None:
                start, context = int(self.form == "clip"), learned.context
                embedding = self.model.text_model.embeddings.token_embedding
                handle = embedding.register_forward_hook(
                    lambda _, __, out: self._with_context(out, context, start)
                )
                stack.callback(handle.remove)
            if learned.visual is not None:
                layers = self.model.vision_model.encoder.layers
                for number, layer in enumerate(layers):
                    handle = layer.register_forward_pre_hook(
                        self._before_layer(learned.visual[number], first=not number),
                        with_kwargs=True,
                    )
                    stack.callback(handle.remove)
                count = learned.visual.shape[1]
                handle = layers[-1].register_forward_hook(lambda _, __, out: out[:, :-count])
                stack.callback(handle.remove)
            yield

    def _with_context(self, out: Any, context: Any, start: int) -> Any:
        rows = context.to(out.dtype).expand(out.shape[0], *context.shape)
        return self._torch.cat([out[:, :start], rows, out[:, start + len(context) :]], dim=1)

    def _before_layer(self, vectors: Any, *, first: bool) -> Any:
        def hook(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            hidden = args[0] if first else args[0][:, : -len(vectors)]
            rows = vectors.to(hidden.dtype).expand(hidden.shape[0], *vectors.shape)
            return (self._torch.cat([hidden, rows], dim=1), *args[1:]), kwargs

        return hook
