"""Dual encoders of a few kilobytes with random weights, as transformers saves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WORDS = "a face photo of with who shows person an expression expressing anger fear happiness sadness surprise disgust "
WORDS += "neutral brows raised lowered lips pressed eyes wide the in is and"


def save_clip(folder: Path, *, seed: int = 0, eos: int = 1) -> Path:
    """A CLIP with 48-pixel pictures. With `eos` 2 transformers reads a text out at its largest token, as the first
    CLIP checkpoints are read."""
    import torch
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    order = ["<pad>", "<end>", "<begin>"] if eos == 1 else ["<pad>", "<begin>"]
    tokenizer = _tokenizer(order, end_last=eos == 2, begins=True)
    torch.manual_seed(seed)
    text = {
        "vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 4, "max_position_embeddings": 24, "eos_token_id": eos,
        "bos_token_id": tokenizer.bos_token_id, "pad_token_id": tokenizer.pad_token_id,
    }  # fmt: skip
    config = CLIPConfig(text_config=text, vision_config=_vision(), projection_dim=16)
    CLIPModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    CLIPImageProcessorPil(
        size={"shortest_edge": 48}, crop_size={"height": 48, "width": 48}
    ).save_pretrained(folder)
    return folder


def save_siglip(folder: Path, *, seed: int = 0) -> Path:
    """A SigLIP with 48-pixel pictures and texts of 24 tokens."""
    import torch
    from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipModel

    tokenizer = _tokenizer(["<pad>", "<end>"], end_last=False, begins=False)
    torch.manual_seed(seed)
    text = {
        "vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 4, "max_position_embeddings": 24, "projection_size": 32,
        "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 1,
    }  # fmt: skip
    model = SiglipModel(SiglipConfig(text_config=text, vision_config=_vision()))
    torch.nn.init.constant_(model.logit_scale, 2.0)
    torch.nn.init.constant_(model.logit_bias, -1.5)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 48, "width": 48}).save_pretrained(folder)
    return folder


def _vision() -> dict[str, Any]:
    return {
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
        "image_size": 48, "patch_size": 12,
    }  # fmt: skip


def _tokenizer(special: list[str], *, end_last: bool, begins: bool) -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    names = [*special, "<unk>", *dict.fromkeys(WORDS.split()), *["<end>"] * end_last]
    vocabulary = {name: place for place, name in enumerate(names)}
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.post_processor = processors.TemplateProcessing(
        single="<begin> $A <end>" if begins else "$A <end>",
        special_tokens=[
            (name, vocabulary[name]) for name in ("<begin>", "<end>") if name in vocabulary
        ],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="<pad>", eos_token="<end>", unk_token="<unk>", model_max_length=24,
        **({"bos_token": "<begin>"} if begins else {}),
    )  # fmt: skip
