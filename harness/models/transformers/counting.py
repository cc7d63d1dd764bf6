"""Tokens of a conversation by a checkpoint's own chat template and processor, without its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError, MediaError
from harness.core.message import Audio, Image
from harness.core.model import Measured
from harness.core.request import Request
from harness.models.transformers.beginnings import behind_pictures, picture_tokens
from harness.models.transformers.chat import ChatForm, probe_chat, render_chat
from harness.models.transformers.generator import UNSUPPORTED
from harness.models.transformers.libraries import import_libraries
from harness.models.transformers.picture import decode_picture
from harness.models.transformers.processor import load_processor


class PromptCounter:
    """Counts what a checkpoint would read of a request."""

    def __init__(self, processor: Any, form: ChatForm, longest: int | None) -> None:
        """`longest`: most tokens of a conversation and its reply; None: not known."""
        self._processor, self._form = processor, form
        self.longest = longest

    def count(self, request: Request) -> int | None:
        """Prompt tokens, those of pictures included; None where the checkpoint cannot take the conversation, or it
        holds a video or a sound."""
        found = self.measure(request)
        return None if found is None else found.tokens

    def measure(self, request: Request) -> Measured | None:
        """The same, with the tokens before pictures are expanded; a context length of 0 where it is not known."""
        parts = [part for message in request.messages for part in message.parts]
        if any(isinstance(part, Audio) for part in parts):
            return None
        try:
            text = render_chat(
                self._processor, request.messages, self._form, thinking=request.thinking
            )
            images = [decode_picture(part) for part in parts if isinstance(part, Image)]
            begin = self._processor.tokenizer.bos_token
            written = begin is not None and text.startswith(begin)
            read = self._processor(
                text=[text],
                images=[images] if images else None,
                return_tensors="pt",
                **({"add_special_tokens": False} if written else {}),
            )
            ids = tuple(self._processor.tokenizer(text, add_special_tokens=False)["input_ids"])
            mark = behind_pictures(ids, picture_tokens(self._processor), count=len(images))
            return Measured(int(read["input_ids"].shape[1]), self.longest or 0, ids, mark)
        except (*UNSUPPORTED, MediaError, RuntimeError, OSError):
            return None


def counter_of(folder: Path) -> PromptCounter | None:
    """The counter of a checkpoint's folder; None where its processor cannot be read, or transformers is not installed."""
    try:
        _, transformers = import_libraries()
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        processor = load_processor(transformers, folder, config, trusted=False)
        return PromptCounter(processor, probe_chat(processor), longest_of(config))
    except (HarnessError, *UNSUPPORTED, ImportError, OSError, RuntimeError):
        return None


def longest_of(config: Any) -> int | None:
    """Most tokens that a checkpoint was made for, by its configuration."""
    found = getattr(config.get_text_config(), "max_position_embeddings", None)
    return found if isinstance(found, int) else None


def cached_folder(name: str) -> Path | None:
    """The folder of a hub id (`OWNER/NAME@REVISION`) where it lies in the cache already; nothing is fetched."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    repository, _, revision = name.partition("@")
    try:
        found = try_to_load_from_cache(repository, "config.json", revision=revision or None)
    except ValueError:  # no hub id
        return None
    return Path(found).parent if isinstance(found, str) else None
