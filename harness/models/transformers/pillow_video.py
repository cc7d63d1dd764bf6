"""Videos read by Pillow for checkpoints of Qwen2-VL's kind, frame by frame as their pictures are.

transformers' own video processor needs torchvision and may sample frames again. This one takes the frames it is given.
Its patches are the picture processor's (same order, resizing, normalisation), but that the places of one still picture
repeated in time hold successive frames (transformers, `Qwen2VLVideoProcessor.patchify`): the last frame is repeated
where their number is odd.

Times are exact in what is handed over. What a checkpoint makes of them is its own affair: Qwen2.5-VL's clock ticks
twice a second, so that all frames of a micro-expression stand at one tick. And transformers places the text behind a
video by its height and width alone, vLLM behind its last tick too: the two agree for clips of at most
max(height, width) / 56 seconds in pixels as resized (4 s at 224), and differ beyond.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.message import Video

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_KIND = "Qwen2VLVideoProcessor"
_PROCESSORS = ("Qwen2VLProcessor", "Qwen2_5_VLProcessor")
_SETTINGS = (
    "do_convert_rgb", "do_normalize", "do_rescale", "do_resize", "resample", "rescale_factor", "size", "min_pixels",
    "max_pixels", "patch_size", "merge_size", "temporal_patch_size", "image_mean", "image_std",
)  # fmt: skip
"""What a video's settings say of single frames."""


class PillowVideos:
    """Stands where a processor has its video side; called with videos as lists of pictures, and their metadata."""

    model_input_names = ("pixel_values_videos", "video_grid_thw")

    def __init__(self, frames: Any) -> None:
        """`frames`: a picture processor of Qwen2-VL's kind with the video's settings."""
        self._frames = frames
        self.merge_size: int = frames.merge_size
        self.temporal_patch_size: int = frames.temporal_patch_size

    def __call__(
        self, videos: Sequence[Sequence[Picture]], *, video_metadata: Sequence[Any], **_: Any
    ) -> dict[str, Any]:
        """Patches (of all videos, 3 * time * height * width of one), grids (videos, 3), metadata as it came."""
        import torch

        read = [self._read(list(frames)) for frames in videos]
        return {
            "pixel_values_videos": torch.cat([patches for patches, _ in read]),
            "video_grid_thw": torch.tensor([grid for _, grid in read]),
            "video_metadata": list(video_metadata),
        }

    def _read(self, frames: list[Picture]) -> tuple[Any, list[int]]:
        """Patches and grid (time, height, width) of one video, whose frames are of one size."""
        deep = self.temporal_patch_size
        frames = frames + frames[-1:] * (-len(frames) % deep)
        seen = self._frames(images=frames, return_tensors="pt")
        _, high, wide = seen["image_grid_thw"][0].tolist()
        length = len(frames) // deep
        still = seen["pixel_values"].view(len(frames), high * wide, 3, deep, -1)[:, :, :, 0]
        moving = still.view(length, deep, high * wide, 3, -1).permute(0, 2, 3, 1, 4)
        return moving.reshape(length * high * wide, -1), [length, high, wide]


def videos_by_pillow(
    transformers: Any, folder: Path, processor: str, *, trusted: bool = False
) -> PillowVideos | None:
    """The video side of a checkpoint whose processor class is called `processor`; None for another kind."""
    told = _settings(folder)
    if processor not in _PROCESSORS or told.get("video_processor_type", _KIND) != _KIND:
        return None
    own = {name: told[name] for name in _SETTINGS if told.get(name) is not None}
    return PillowVideos(
        transformers.AutoImageProcessor.from_pretrained(
            folder, local_files_only=True, backend="pil", trust_remote_code=trusted, **own
        )
    )


def _settings(folder: Path) -> Mapping[str, Any]:
    """What a checkpoint says of videos; empty where it says nothing, and then its pictures' settings count."""
    for name, section in (
        ("video_preprocessor_config.json", None),
        ("processor_config.json", "video_processor"),
    ):
        try:
            told = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        found = told.get(section) if section and isinstance(told, dict) else told
        if isinstance(found, dict):
            return found
    return {}


def metadata_of(video: Video) -> Any:
    """A video's times in transformers' form."""
    from transformers.video_utils import VideoMetadata

    return VideoMetadata(
        total_num_frames=video.total, fps=video.fps, frames_indices=list(video.numbers)
    )
