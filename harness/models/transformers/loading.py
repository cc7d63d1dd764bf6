"""Load a checkpoint with transformers: its processor for planning, its weights for the first request."""

from __future__ import annotations

import gc
import json
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.core.errors import HarnessError, missing_extra
from harness.models.transformers.adapter import Adapter, put_on
from harness.models.transformers.chat import ChatForm, probe_chat
from harness.models.transformers.checkpoint import Checkpoint
from harness.models.transformers.files import tensors_of
from harness.models.transformers.libraries import check_quantised, import_libraries, missing_package
from harness.models.transformers.processor import load_processor

_FLOATS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
"""Spelling of safetensors -> that of torch."""

_LOADING = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ImportError,
    RuntimeError,
    AssertionError,
)
"""What transformers, and code of a checkpoint's own, raise where something does not load."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A checkpoint whose processor is read and whose weights are not."""

    checkpoint: Checkpoint
    processor: Any
    """transformers' processor, reading pictures by Pillow, and videos too where it is of Qwen2-VL's kind; else it has
    no video side. Sounds are read by its own part for them, if it has one."""
    form: ChatForm
    facts: Mapping[str, str]
    """Versions, dtype, device, classes."""
    trusted: bool = False
    adapter: Adapter | None = None
    adapters: Mapping[str, Adapter] = field(default_factory=dict)
    """Fold -> its adapter."""
    longest: int | None = None
    """Most tokens of a conversation that it was made for; None: not told."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checkpoint in memory."""

    processor: Any
    form: ChatForm
    model: Any
    facts: Mapping[str, str]
    """Where its layers lie, and what class it is of."""
    notes: tuple[str, ...] = ()
    """Sentences that the person who runs should read."""
    adapters: Mapping[str, str] = field(default_factory=dict)
    """Fold -> the name under which the model has its adapter."""


def check_folder(folder: Path, *, trusted: bool) -> None:
    """Raise HarnessError for a checkpoint that transformers would not load, as far as its settings tell."""
    _, transformers = import_libraries()
    with told(folder, transformers):
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if not isinstance(config, dict):
        raise HarnessError(f"{folder / 'config.json'} holds no settings", hint="get the file again")
    check_quantised(config, where=str(folder))
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    if (
        config.get("auto_map")
        and config.get("model_type") not in CONFIG_MAPPING_NAMES
        and not trusted
    ):
        raise HarnessError(
            f"{folder} contains its own Python code, which is not run by default",
            hint="check its *.py files; to run them, use --trust-remote-code MODEL (as written after --model)",
        )


def open_checkpoint(
    checkpoint: Checkpoint,
    *,
    trusted: bool = False,
    adapter: Adapter | None = None,
    adapters: Mapping[str, Adapter] = MappingProxyType({}),
) -> Opened:
    """Read the processor, and what can be told of the model before its weights are.

    On a GPU the dtype is the checkpoint's own; on the CPU it is float32, so that a batch of one and of many agree.
    Raises HarnessError where it cannot be loaded.
    """
    torch, transformers = import_libraries()
    gpu = bool(torch.cuda.is_available())
    with told(checkpoint.folder, transformers):
        config = transformers.AutoConfig.from_pretrained(
            checkpoint.folder, local_files_only=True, trust_remote_code=trusted
        )
        processor = load_processor(transformers, checkpoint.folder, config, trusted=trusted)
        form = probe_chat(processor)
    facts = {
        "torch": str(torch.__version__),
        "transformers": str(transformers.__version__),
        "dtype": _dtype(config, checkpoint.folder) if gpu else "float32",
        "device": torch.cuda.get_device_name() if gpu else "cpu",
        "image_processor": type(processor.image_processor).__name__,
        "processor": _class_of(processor),
    }
    longest = getattr(config.get_text_config(), "max_position_embeddings", None)
    return Opened(checkpoint, processor, form, facts, trusted, adapter, adapters, longest)


def load_weights(opened: Opened) -> Loaded:
    """Read the weights, to the GPU where there is one; accelerate places the layers. Raises HarnessError."""
    torch, transformers = import_libraries()
    gpu = bool(torch.cuda.is_available())
    place: dict[str, Any] = {"dtype": torch.float32}
    if gpu:
        try:
            import accelerate  # noqa: F401
        except ImportError as error:
            raise missing_extra("accelerate", "local") from error
        place = {"dtype": getattr(torch, opened.facts["dtype"], "auto"), "device_map": "auto"}
    folder = opened.checkpoint.folder
    with told(folder, transformers):
        config = transformers.AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=opened.trusted
        )
        config = _reading_part(config)
        model, found = _loader(transformers, config).from_pretrained(
            folder,
            config=config,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=opened.trusted,
            output_loading_info=True,
            **place,
        )
        model = model.eval()
    check_whole(folder, found)
    if opened.adapter is not None:
        put_on(model, opened.adapter)
    names = {
        fold: f"fold{place}" for place, fold in enumerate(opened.adapters)
    }  # PEFT takes no dots
    for fold, adapter in opened.adapters.items():
        put_on(model, adapter, name=names[fold])
    places = places_of(model)
    facts = {"architecture": type(model).__name__, "device_map": _shown(places)}
    return Loaded(opened.processor, opened.form, model, facts, _notes(places), names)


def check_whole(folder: Path, found: Mapping[str, Any]) -> None:
    """Raise HarnessError where weights of the model are not in the checkpoint: transformers draws them at random."""
    missing = sorted(map(str, found.get("missing_keys", ())))
    if missing:
        raise HarnessError(
            f"{folder} lacks {len(missing)} weights of its model ({', '.join(missing[:3])}...)",
            hint="get the file again; where it was saved by another version of transformers, use that one or serve it by vLLM",
        )


def free_memory() -> None:
    """Give memory back that nothing refers to any more, the GPU's too."""
    torch, _ = import_libraries()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def places_of(model: Any) -> dict[str, int]:
    """Device -> how many parts of a model lie there, as accelerate placed them."""
    placed = getattr(model, "hf_device_map", None) or {"": model.device}
    named = (f"cuda:{one}" if isinstance(one, int) else str(one) for one in placed.values())
    return dict(Counter(named))


def _shown(places: Mapping[str, int]) -> str:
    if len(places) == 1:
        return next(iter(places))
    return ", ".join(f"{name} ({count} parts)" for name, count in places.items())


def _notes(places: Mapping[str, int]) -> tuple[str, ...]:
    """What is said where a GPU does not hold the whole model."""
    away = sum(count for name, count in places.items() if name in ("cpu", "disk"))
    if not away or len(places) == 1:
        return ()
    return (
        f"{away} of {sum(places.values())} parts of the model do not fit into the GPU's memory "
        "and are in main memory or on disk, which makes replies many times slower. Use a smaller or quantised checkpoint, or another GPU",
    )


def _loader(transformers: Any, config: Any) -> Any:
    """The class that loads a model: for pictures and text, or as the checkpoint's own code says."""
    own = getattr(config, "auto_map", None) or {}
    for name in ("AutoModelForImageTextToText", "AutoModelForCausalLM"):
        if name in own:
            return getattr(transformers, name)
    return transformers.AutoModelForImageTextToText


def _reading_part(config: Any) -> Any:
    """The part of a checkpoint of several models that reads and writes text (Qwen2.5-Omni's thinker, beside which lie the
    models that speak); the whole where there is one model."""
    return getattr(config, "thinker_config", None) or config


def _dtype(config: Any, folder: Path) -> str:
    """The floating type of a checkpoint: what it says, else that of its first floating tensor."""
    for one in (config, config.get_text_config()):
        told = getattr(one, "dtype", None)
        if told is not None:
            return str(told).removeprefix("torch.")
    for file in sorted(folder.glob("*.safetensors")):
        for tensor in tensors_of(file).values():
            if tensor.get("dtype") in _FLOATS:
                return _FLOATS[tensor["dtype"]]
    return "float32"


def _class_of(processor: Any) -> str:
    """The name of transformers' class, of which ours may be a subclass."""
    own = type(processor)
    return (own.__mro__[1] if own.__module__.startswith("harness.") else own).__name__


@contextmanager
def told(folder: Path, transformers: Any) -> Iterator[None]:
    """Raises HarnessError in place of what transformers raises, and names a package that is missed."""
    from safetensors import SafetensorError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except HarnessError:
        raise
    except (*_LOADING, SafetensorError) as error:
        package = missing_package(error)
        hint = (
            f"pip install -c constraints.txt {package}  (first with --dry-run, to see that torch stays as it is)"
            if package
            else "it must be a vision-language checkpoint that transformers "
            f"{transformers.__version__} loads with AutoModelForImageTextToText"
        )
        raise HarnessError(
            f"{folder} could not be loaded: {type(error).__name__}: {error}", hint=hint
        ) from error
