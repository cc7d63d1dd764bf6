"""Writes a checkpoint that transformers and vLLM load: bfloat16, processor settings split."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from harness.affect_tiny.training.architecture import CHAT_TEMPLATE, Sizes, image_settings

LIMIT = 15_000_000
"""Bytes that a checkpoint may take."""


def save_checkpoint(model: Any, tokenizer: Any, sizes: Sizes, folder: Path) -> int:
    """Saves the model whole, then moves it to `folder` in place of what stood there.

    The weights are rounded to bfloat16; the model given keeps its own. The video settings are
    written by hand, because building that processor needs torchvision; vLLM 0.29 wants them in a
    file of their own.

    Returns:
        The checkpoint's size in bytes.
    """
    import torch

    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    rounded = {name: value.to(torch.bfloat16) for name, value in model.state_dict().items()}
    before = model.config.dtype
    model.config.dtype = torch.bfloat16
    model.save_pretrained(part, state_dict=rounded)
    model.config.dtype = before
    tokenizer.save_pretrained(part)
    (part / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")
    for name, content in processor_files(sizes).items():
        (part / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    size = sum(file.stat().st_size for file in part.iterdir())
    if size > LIMIT:
        raise ValueError(f"the checkpoint takes {size} bytes, more than {LIMIT}")
    replace_folder(part, folder)
    return size


def processor_files(sizes: Sizes) -> dict[str, dict[str, Any]]:
    """Contents of the two processor configuration files."""
    common = {
        "do_convert_rgb": True,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "resample": 3,
        "rescale_factor": 1 / 255,
        **image_settings(sizes),
    }
    pictures = {
        **common,
        "image_processor_type": "Qwen2VLImageProcessor",
        "processor_class": "Qwen2_5_VLProcessor",
    }
    least, most = common["size"]["shortest_edge"], common["size"]["longest_edge"]
    videos = {
        **common,
        "size": {"shortest_edge": least, "longest_edge": 4 * most},
        "video_processor_type": "Qwen2VLVideoProcessor",
        "processor_class": "Qwen2_5_VLProcessor",
        "min_frames": 2,
        "max_frames": 8,
        "fps": 2,
    }
    return {"preprocessor_config.json": pictures, "video_preprocessor_config.json": videos}


def replace_folder(new: Path, folder: Path) -> None:
    """Puts `new` in the place of `folder`, which is never left half written."""
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
