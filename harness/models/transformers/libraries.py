"""torch, transformers, and further packages that a checkpoint needs."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from harness.core.errors import HarnessError, missing_extra

_QUANTISED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "aqlm": ("aqlm",), "auto-round": ("auto_round",), "awq": ("gptqmodel",), "bitsandbytes": ("bitsandbytes",),
        "bitsandbytes_4bit": ("bitsandbytes",), "bitsandbytes_8bit": ("bitsandbytes",),
        "compressed-tensors": ("compressed_tensors",), "eetq": ("kernels",), "fbgemm_fp8": ("fbgemm_gpu",),
        "gptq": ("optimum", "gptqmodel"), "hqq": ("hqq",), "mxfp4": ("kernels",), "quanto": ("optimum.quanto",),
        "quark": ("quark",), "spqr": ("spqr_quant",), "torchao": ("torchao",), "vptq": ("vptq",),
    }
)  # fmt: skip
"""`quant_method` of a checkpoint's config.json -> the packages that transformers reads it by, as they are imported
(transformers 5.23, `transformers/quantizers`; others say themselves what they miss)."""

_INSTALLED_AS: Mapping[str, str] = MappingProxyType(
    {
        "auto_round": "auto-round", "compressed_tensors": "compressed-tensors", "cv2": "opencv-python-headless",
        "fbgemm_gpu": "fbgemm-gpu", "flash_attn": "flash-attn", "google.protobuf": "protobuf", "PIL": "pillow",
        "optimum.quanto": "optimum-quanto", "quark": "amd-quark", "skimage": "scikit-image", "sklearn": "scikit-learn",
        "yaml": "pyyaml",
    }
)  # fmt: skip
"""Name in an import statement -> name in the registry, where the two differ."""

_ASKED = (
    re.compile(r"pip install (?:-U |--upgrade )?[\"'`]*([A-Za-z0-9][\w.-]*)"),
    re.compile(r"requires the (\w[\w.-]*) library", re.IGNORECASE),
    re.compile(r"No module named ['\"](\w[\w.]*)"),
    re.compile(r"packages that were not found in your environment: ([\w.-]+)"),
)
"""How transformers, and code of a checkpoint's own, say what they miss."""


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


def missing_package(error: BaseException) -> str:
    """The package that an error, or what caused it, asks for, as it is installed; empty where it asks for none."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ModuleNotFoundError) and seen.name:
            return _installed(seen.name)
        if isinstance(seen, (ImportError, ValueError, RuntimeError, OSError)):
            for pattern in _ASKED:
                found = pattern.search(str(seen))
                if found:
                    return _installed(found[1].rstrip("."))
        seen = seen.__cause__ or seen.__context__
    return ""


def check_quantised(config: Mapping[str, Any], *, where: str) -> None:
    """Raise HarnessError for a quantised checkpoint whose package is not installed.

    `config` is what config.json holds; `where` names the checkpoint.
    """
    told = config.get("quantization_config") or config.get("compression_config")
    method = str(told.get("quant_method", "")) if isinstance(told, dict) else ""
    missing = [_installed(name) for name in _QUANTISED.get(method, ()) if not _found(name)]
    if missing:
        raise HarnessError(
            f"{where} is quantised ({method}), and {' and '.join(missing)} is not installed",
            hint=f"pip install -c constraints.txt {' '.join(missing)}  (first with --dry-run, to see that torch stays "
            "as it is); or serve the checkpoint with vLLM, which includes its own",
        )


def _found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _installed(module: str) -> str:
    top = module.partition(".")[0]
    return _INSTALLED_AS.get(module) or _INSTALLED_AS.get(top) or top.lower()


def _hide_torchvision() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    sys.modules["torchvision"] = None  # type: ignore[assignment]
