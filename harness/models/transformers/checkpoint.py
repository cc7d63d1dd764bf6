"""A checkpoint on disk: found, named by its content, and loaded."""

from __future__ import annotations

import hashlib
import sys
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError, missing_extra
from harness.models.transformers.hash_cache import cache_folder, remembered
from harness.models.transformers.pillow_video import videos_by_pillow

_SETTINGS = (".json", ".jinja", ".txt", ".model")
"""Endings of the files that decide how text and pictures are read: configurations, vocabulary, template."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder of weights in safetensors form, with its configuration and vocabulary."""

    folder: Path
    revision: str
    """Commit of the hub repository; empty for a plain folder."""
    weights: str
    """SHA-256 over the weight files, or `hub:` and the commit that fixes them."""
    settings: str
    """SHA-256 over the configuration, vocabulary and chat template files."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checkpoint in memory."""

    processor: Any
    """transformers' processor, reading pictures by Pillow, and videos too where it is of Qwen2-VL's kind; else it has
    no video side."""
    model: Any
    facts: Mapping[str, str]
    """Versions, dtype, device, classes."""


def find_checkpoint(argument: str, *, adapter: str = "transformers") -> Checkpoint:
    """The checkpoint that `argument` names: a folder, or a hub id with `@REVISION` if wanted.

    `adapter` is what the person wrote before the colon. A hub id is fetched into the usual cache, or read
    from there. Weights of a folder are hashed whole, once for as long as they do not change, so that two folders of
    one name are told apart. Raises HarnessError where there is none.
    """
    if not argument:
        raise HarnessError(
            f"{adapter}: names no checkpoint",
            hint=f"write {adapter}:FOLDER or {adapter}:OWNER/NAME",
        )
    folder = Path(argument).expanduser()
    revision = ""
    if not folder.is_dir():
        if argument.startswith((".", "/", "~")) or argument.count("/") != 1:
            raise HarnessError(
                f"there is no folder {argument!r}, and it is no hub id",
                hint=f"write {adapter}:FOLDER or {adapter}:OWNER/NAME",
            )
        folder = _fetch(argument)
        revision = folder.name
    tensors = sorted(folder.glob("*.safetensors"))
    if not tensors or not (folder / "config.json").is_file():
        raise HarnessError(
            f"{folder} holds no checkpoint (config.json and *.safetensors)",
            hint="name the folder that transformers' save_pretrained wrote; "
            "weights in pickle form are not read",
        )
    settings = sorted(path for path in folder.iterdir() if path.suffix in _SETTINGS)
    weights = f"hub:{revision}" if revision else remembered(tensors, digest, cache=cache_folder())
    return Checkpoint(folder, revision, weights, digest(settings))


def digest(files: Iterable[Path]) -> str:
    """SHA-256 over files: each one's name, size and bytes."""
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as stream:
            while block := stream.read(1 << 22):
                total.update(block)
    return total.hexdigest()


def load_checkpoint(checkpoint: Checkpoint) -> Loaded:
    """Read a checkpoint with transformers' own classes, to the GPU where there is one.

    On a GPU the dtype is the checkpoint's own and accelerate places the layers; on the CPU it is
    float32, so that a batch of one and of many agree. Raises HarnessError where it cannot be loaded.
    """
    torch, transformers = import_libraries()
    gpu = bool(torch.cuda.is_available())
    place: dict[str, Any] = {"dtype": torch.float32}
    if gpu:
        try:
            import accelerate  # noqa: F401
        except ImportError as error:
            raise missing_extra("accelerate", "local") from error
        place = {"dtype": "auto", "device_map": "auto"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            processor = _processor(transformers, checkpoint.folder)
            model = transformers.AutoModelForImageTextToText.from_pretrained(
                checkpoint.folder, use_safetensors=True, local_files_only=True, **place
            ).eval()
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        ImportError,
        RuntimeError,
    ) as e:
        raise HarnessError(
            f"{checkpoint.folder} could not be loaded: {type(e).__name__}: {e}",
            hint="it must be a vision-language checkpoint that transformers "
            f"{transformers.__version__} loads with AutoModelForImageTextToText",
        ) from e
    facts = {
        "torch": str(torch.__version__),
        "transformers": str(transformers.__version__),
        "dtype": str(model.dtype).removeprefix("torch."),
        "device": torch.cuda.get_device_name() if gpu else "cpu",
        "architecture": type(model).__name__,
        "image_processor": type(processor.image_processor).__name__,
    }
    return Loaded(processor, model, facts)


def import_libraries() -> tuple[Any, Any]:
    """(torch, transformers), quietened. Raises HarnessError where the extra is not installed."""
    try:
        import torch
    except ImportError as error:
        raise missing_extra("torch", "local") from error
    settle_torchvision()
    try:
        import transformers
    except ImportError as error:
        raise missing_extra("transformers", "local") from error
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return torch, transformers


def settle_torchvision() -> None:
    """Hide a torchvision that does not import.

    transformers asks only whether it is installed, and then fails on import. A None in `sys.modules` is
    Python's own way to say that a module is not there. Pictures are read by Pillow in any case.
    """
    if "torchvision" in sys.modules:
        return
    try:
        import torchvision  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name == "torchvision":
            return
        _hide_torchvision()
    except (ImportError, OSError, RuntimeError, AttributeError):
        _hide_torchvision()


def _hide_torchvision() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    sys.modules["torchvision"] = None  # type: ignore[assignment]


def _processor(transformers: Any, folder: Path) -> Any:
    """The checkpoint's processor with a Pillow image side, and a video side of ours or none.

    Pillow and torchvision, by which vLLM reads, round a resized pixel differently. With affect-tiny a label's
    log-probability then differs by up to .017 between the two, and by under .0001 where no picture is resized.
    """
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

    name = PROCESSOR_MAPPING_NAMES.get(config.model_type)
    whole: Any = getattr(transformers, name) if name else None
    if whole is None:
        return transformers.AutoProcessor.from_pretrained(folder, local_files_only=True)
    auto = {
        "tokenizer": transformers.AutoTokenizer,
        "image_processor": transformers.AutoImageProcessor,
    }

    class ImageOnly(whole):  # type: ignore[misc]
        """The same processor, so with its own expansion of picture tokens and reckoning of a video's times."""

        @classmethod
        def _get_arguments_from_pretrained(cls, path: Any, *_: Any, **__: Any) -> list[Any]:
            return [
                auto[part].from_pretrained(
                    path,
                    local_files_only=True,
                    **({"backend": "pil"} if part == "image_processor" else {}),
                )
                if part in auto
                else None
                for part in whole.get_attributes()
            ]

        def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
            if argument is None:
                return None
            return super().check_argument_for_proper_class(argument_name, argument)

    processor = ImageOnly.from_pretrained(folder, local_files_only=True)
    videos = videos_by_pillow(transformers, folder, whole.__name__)
    if videos is not None:
        processor.video_processor = videos
    return processor


def _fetch(argument: str) -> Path:
    """Bring a hub repository's safetensors and settings into the cache, and say where."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError as error:
        raise missing_extra("huggingface_hub", "local") from error
    disable_progress_bars()
    name, _, revision = argument.partition("@")
    patterns = ["*.safetensors", *(f"*{ending}" for ending in _SETTINGS)]
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=patterns))
    except (OSError, ValueError, RuntimeError) as error:
        raise HarnessError(
            f"there is no folder {argument!r}, and the hub gave nothing: {error}",
            hint="check the name; a gated checkpoint needs `hf auth login`; without a network, name a "
            "folder that already holds it",
        ) from error
