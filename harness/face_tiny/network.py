"""The network: one vision transformer with an embedding of the person and an age."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

SIDE, PATCH, WIDTH, LAYERS = 112, 14, 128, 4
"""Side of a picture and of a patch in pixels, numbers in a token, layers."""
EMBEDDING = 128
"""Numbers in an embedding."""
WEIGHTS, SETTINGS = "model.safetensors", "config.json"


class FaceNetwork(nn.Module):  # type: ignore[misc]
    """Pictures (n, 3, 112, 112) in [-1, 1] to embeddings of length 1 and wrinkles in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import CLIPVisionConfig, CLIPVisionModel

        self.vision = CLIPVisionModel(CLIPVisionConfig(**settings()["vision"]))
        self.identity = nn.Linear(2 * WIDTH, EMBEDDING, bias=False)
        self.age = nn.Linear(2 * WIDTH, 1)

    def features(self, pixels: Tensor) -> Tensor:
        """(n, 256): the first token beside the mean of the others, each token normalised."""
        tokens = self.vision(pixel_values=pixels).last_hidden_state
        tokens = nn.functional.layer_norm(tokens, (WIDTH,))
        return torch.cat([tokens[:, 0], tokens[:, 1:].mean(1)], dim=1)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings (n, 128) of length 1; wrinkles (n,)."""
        found = self.features(pixels)
        return nn.functional.normalize(self.identity(found), dim=-1), self.age(found)[:, 0]


def settings() -> dict[str, Any]:
    """What is written into `config.json`."""
    vision = {
        "image_size": SIDE, "patch_size": PATCH, "hidden_size": WIDTH, "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": LAYERS, "num_attention_heads": 4,
    }  # fmt: skip
    return {"model_type": "harness-face-tiny", "embedding": EMBEDDING, "vision": vision}


def prepared(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """(n, 112, 112, 3): each picture (height, width, 3) with its shorter side at 112 pixels, and of that the middle."""
    return np.stack([_prepared(one) for one in pictures])


def _prepared(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    if (height, width) == (SIDE, SIDE):
        return pixels
    edge = min(height, width)
    left, top = (width - edge) / 2, (height - edge) / 2
    picture = Image.fromarray(pixels).resize(
        (SIDE, SIDE), Image.Resampling.BICUBIC, box=(left, top, left + edge, top + edge)
    )
    return np.asarray(picture, dtype=np.uint8)


def scaled(pictures: Tensor) -> Tensor:
    """(n, height, width, 3) in bytes to (n, 3, height, width) in [-1, 1]."""
    return pictures.permute(0, 3, 1, 2).float() / 127.5 - 1


def save(network: FaceNetwork, folder: Path) -> None:
    """Write weights in float32 and settings."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().contiguous() for name, value in network.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    (folder / SETTINGS).write_text(json.dumps(settings(), indent=2) + "\n", encoding="utf-8")


def load(folder: Path) -> FaceNetwork:
    """The network in a folder, ready to answer. Raises OSError where a file is missing, RuntimeError for other weights."""
    from safetensors.torch import load_file

    network = FaceNetwork()
    network.load_state_dict(load_file(folder / WEIGHTS))
    network.requires_grad_(False)
    network.eval()
    return network
