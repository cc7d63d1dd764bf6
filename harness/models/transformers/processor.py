"""A checkpoint's own processor, with image processing by Pillow and the part for sounds where it has one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.models.transformers.pillow_video import videos_by_pillow

_NAMED_IN = (
    "processor_config.json",
    "preprocessor_config.json",
    "video_preprocessor_config.json",
    "tokenizer_config.json",
    "config.json",
)
"""Where a checkpoint names its processor, in the order in which transformers looks."""


def load_processor(transformers: Any, folder: Path, config: Any, *, trusted: bool) -> Any:
    """The checkpoint's processor with a Pillow image side, its own side for sounds, and a video side of ours or none.

    Pillow and torchvision, by which vLLM reads, round a resized pixel differently. With affect-tiny a label's
    log-probability then differs by up to .017 between the two, and by under .0001 where no picture is resized.
    Whether code may be run is always said: transformers would ask for it on the terminal. Raises what transformers
    raises.
    """
    told = _told(folder)
    whole: Any = None if trusted and told.own_code else _class(transformers, told.name, config)
    if whole is None:
        return transformers.AutoProcessor.from_pretrained(
            folder, local_files_only=True, trust_remote_code=trusted
        )
    auto = {
        "tokenizer": transformers.AutoTokenizer,
        "image_processor": transformers.AutoImageProcessor,
        "feature_extractor": transformers.AutoFeatureExtractor,
    }

    def _part(path: Any, part: str) -> Any:
        try:
            return auto[part].from_pretrained(
                path,
                local_files_only=True,
                trust_remote_code=trusted,
                **({"backend": "pil"} if part == "image_processor" else {}),
            )
        except (OSError, ValueError, ImportError):
            if part != "feature_extractor":
                raise
            return None  # a checkpoint that does not say how sounds are read takes none

    class ImageOnly(whole):  # type: ignore[misc]
        """The same processor, so with its own expansion of picture tokens and reckoning of a video's times."""

        @classmethod
        def _get_arguments_from_pretrained(cls, path: Any, *_: Any, **__: Any) -> list[Any]:
            return [_part(path, part) if part in auto else None for part in whole.get_attributes()]

        def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
            if argument is None:
                return None
            return super().check_argument_for_proper_class(argument_name, argument)

    processor = ImageOnly.from_pretrained(folder, local_files_only=True, trust_remote_code=trusted)
    videos = videos_by_pillow(transformers, folder, whole.__name__, trusted=trusted)
    if videos is not None:
        processor.video_processor = videos
    return processor


@dataclass(frozen=True, slots=True)
class _Told:
    """What a checkpoint's files say of its processor."""

    name: str = ""
    own_code: bool = False
    """Whether its processor is code of its own."""


def _told(folder: Path) -> _Told:
    found, own = "", False
    for file in _NAMED_IN:
        try:
            settings = json.loads((folder / file).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if not isinstance(settings, dict):
            continue
        mapped = settings.get("auto_map")
        own = own or (isinstance(mapped, dict) and "AutoProcessor" in mapped)
        found = found or str(settings.get("processor_class") or "")
    return _Told(found, own)


def _class(transformers: Any, named: str, config: Any) -> Any:
    """The class that a checkpoint names, else the usual one of its architecture; None where there is neither.

    The two differ: Pixtral's architecture is LLaVA's, and its processor is not.
    """
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

    usual = PROCESSOR_MAPPING_NAMES.get(config.model_type)
    for name in (named, usual):
        whole = getattr(transformers, name, None) if name else None
        if whole is not None:
            return whole
    return None
