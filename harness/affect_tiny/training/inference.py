"""A checkpoint that answers conversations: transformers' own classes, greedy, in batches.

The trainer's check and the tests use it; a run goes through `harness.models`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.affect_tiny.training.architecture import Sizes, build_picture_processor

Conversation = tuple[list[dict[str, Any]], list[Any]]
"""Messages in transformers' form (content parts of type "text" and "image"), and their pictures
(Pillow images) in order."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Model, tokenizer and picture processor together."""

    model: Any
    tokenizer: Any
    pictures: Any

    @classmethod
    def load(cls, folder: Path, *, dtype: str = "float32") -> Speaker:
        """Reads a saved checkpoint."""
        import torch
        from transformers import AutoModelForImageTextToText, AutoTokenizer
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import (
            Qwen2VLImageProcessorPil,
        )

        model = AutoModelForImageTextToText.from_pretrained(folder, dtype=getattr(torch, dtype))
        return cls(
            model=model.eval(),
            tokenizer=AutoTokenizer.from_pretrained(folder),
            pictures=Qwen2VLImageProcessorPil.from_pretrained(folder),
        )

    @staticmethod
    def pictures_for(sizes: Sizes) -> Any:
        """The picture processor of an unsaved model."""
        return build_picture_processor(sizes)

    def inputs(self, conversations: Sequence[Conversation]) -> dict[str, Any]:
        """The model's inputs, padded on the left."""
        shown = [picture.convert("RGB") for _, pictures in conversations for picture in pictures]
        seen = self.pictures(images=shown, return_tensors="pt")
        counts = iter((seen["image_grid_thw"].prod(-1) // self.pictures.merge_size**2).tolist())
        texts = []
        for messages, pictures in conversations:
            text = self.tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, tokenize=False
            )
            pieces = text.split("<|image_pad|>")
            if len(pieces) != len(pictures) + 1:
                raise ValueError(f"{len(pieces) - 1} places for {len(pictures)} pictures")
            texts.append(
                pieces[0] + "".join("<|image_pad|>" * next(counts) + p for p in pieces[1:])
            )
        ids = self.tokenizer(
            texts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False
        )
        pad = self.tokenizer.convert_tokens_to_ids("<|image_pad|>")
        return {
            "input_ids": ids["input_ids"],
            "attention_mask": ids["attention_mask"],
            "mm_token_type_ids": (ids["input_ids"] == pad).int(),
            "pixel_values": seen["pixel_values"].to(self.model.dtype),
            "image_grid_thw": seen["image_grid_thw"],
        }

    def reply(
        self, conversations: Sequence[Conversation], *, max_tokens: int = 160, batch: int = 32
    ) -> list[str]:
        """One greedy reply for each conversation."""
        import torch

        replies: list[str] = []
        for start in range(0, len(conversations), batch):
            fed = self.inputs(conversations[start : start + batch])
            with torch.inference_mode():
                out = self.model.generate(**fed, max_new_tokens=max_tokens, do_sample=False)
            fresh = out[:, fed["input_ids"].shape[1] :]
            replies += self.tokenizer.batch_decode(fresh, skip_special_tokens=True)
        return replies
