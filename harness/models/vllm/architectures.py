"""Which vLLM serves which architecture, and which transformers it needs beside it.

What an installed vLLM serves stands in its own registry, which is read as text. This table says what to install where
that is not enough. Sources: the release notes of the version named under `since`; `_PREVIOUSLY_SUPPORTED_MODELS` in
`vllm/model_executor/models/registry.py` of 0.33 for `until`; `min_transformers_version` and `max_transformers_version`
in vLLM's `tests/models/registry.py`, and the model cards, for `transformers`; recipes.vllm.ai for Qwen3.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

_REGISTRY = Path("model_executor") / "models" / "registry.py"
_SERVED = re.compile(r'^    "(\w+)": \(', re.MULTILINE)
_FORMER = re.compile(r'^    "(\w+)": "(\d[\d.]*)"', re.MULTILINE)
_FIVE = "0.19.1"
"""The first vLLM made for transformers 5 (vllm-project/vllm#30566); those before die under it at the start."""


@dataclass(frozen=True, slots=True)
class Served:
    """What is known of an architecture."""

    since: str = ""
    """First vLLM that serves it; empty where that is older than 0.6."""
    until: str = ""
    """Last vLLM that serves it; empty where the newest does."""
    transformers: tuple[str, ...] = ()
    """Bounds for pip, such as `>=4.57`."""
    arguments: tuple[str, ...] = ()
    """Arguments of `vllm serve` that it is best started with on one GPU."""
    note: str = ""


ARCHITECTURES: Mapping[str, Served] = MappingProxyType(
    {
        "DonutForConditionalGeneration": Served(until="0.10.2"),
        "Florence2ForConditionalGeneration": Served(until="0.10.2"),
        "Gemma3ForConditionalGeneration": Served("0.8.0", transformers=(">=4.50",)),
        "Gemma4ForConditionalGeneration": Served("0.19.0", transformers=(">=5.5",)),
        "Idefics3ForConditionalGeneration": Served("0.6.4"),
        "InternVLChatModel": Served(note="it brings code of its own: --trust-remote-code MODEL"),
        "KimiVLForConditionalGeneration": Served(
            "0.8.5", transformers=("<=4.53.3",), note="it brings code of its own: --trust-remote-code MODEL"
        ),
        "Llama4ForConditionalGeneration": Served("0.8.3", transformers=(">=4.51",)),
        "MllamaForConditionalGeneration": Served(
            "0.6.2", until="0.10.2", transformers=(">=4.55.2", "<5"),
            arguments=("--max-num-seqs=16", "--enforce-eager"),
            note="it takes one picture well (--max-images 1); transformers:MODEL runs it without vLLM",
        ),
        "Molmo2ForConditionalGeneration": Served(transformers=(">=4.51",)),
        "MolmoForCausalLM": Served(
            "0.6.3", transformers=("<=4.48",), note="it brings code of its own: --trust-remote-code MODEL"
        ),
        "Phi4MMForCausalLM": Served(
            "0.8.0", note="it brings code of its own: --trust-remote-code MODEL"
        ),
        "Phi4MultimodalForCausalLM": Served(until="0.12.0"),
        "PixtralForConditionalGeneration": Served("0.6.1"),
        "Qwen2VLForConditionalGeneration": Served("0.6.1", transformers=(">=4.45",)),
        "Qwen2_5_VLForConditionalGeneration": Served("0.7.2", transformers=(">=4.49",)),
        "Qwen3VLForConditionalGeneration": Served("0.11.0", transformers=(">=4.57",)),
        "Qwen3VLMoeForConditionalGeneration": Served("0.11.0", transformers=(">=4.57",)),
        "Qwen3_5ForConditionalGeneration": Served("0.17.0"),
        "Qwen3_5MoeForConditionalGeneration": Served("0.17.0"),
        "QwenVLForConditionalGeneration": Served(
            until="0.23.0", transformers=("<=4.53.3",),
            note="it brings code of its own: --trust-remote-code MODEL",
        ),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a vLLM serves an architecture."""

    serves: bool | None
    """None where neither its registry nor the table says it."""
    said: str
    """In words."""
    install: str = ""
    """What pip is to install instead; empty where nothing else is known to serve it."""


def verdict(architecture: str, *, vllm: str, root: Path | None) -> Verdict:
    """Whether vLLM of a version serves an architecture. `root` is the folder of the package, whose registry counts
    before the table."""
    known = ARCHITECTURES.get(architecture, Served())
    served, former = registry_of(root)
    last = former.get(architecture, known.until)
    install = requirement(architecture, last=last)
    if architecture in served:
        return Verdict(True, f"vLLM {vllm} serves {architecture}")
    if last and (architecture in former or at_least(vllm, last, more=True)):
        return Verdict(
            False, f"vLLM {last} was the last that served {architecture}; here is {vllm}", install
        )
    if known.since and not at_least(vllm, known.since):
        return Verdict(
            False,
            f"vLLM serves {architecture} from {known.since} on; here is {vllm}",
            install,
        )
    if served:
        return Verdict(
            None,
            f"vLLM {vllm} has no code for {architecture}, and would fall back to transformers",
            install,
        )
    if known != Served():
        return Verdict(True, f"vLLM {vllm} should serve {architecture}")
    return Verdict(None, f"whether vLLM {vllm} serves {architecture} is not known")


def requirement(architecture: str, *, last: str = "") -> str:
    """What pip is to install for an architecture, such as `'vllm==0.10.2' 'transformers>=4.55.2,<5'`; empty where
    nothing is known."""
    known = ARCHITECTURES.get(architecture, Served())
    until = last or known.until
    if until:
        vllm = f"vllm=={until}"
    elif known.since:
        vllm = f"vllm>={known.since}"
    else:
        return ""
    bounds = transformers_bounds(architecture, vllm=until or "")
    return f"'{vllm}'" + (f" 'transformers{','.join(bounds)}'" if bounds else "")


def transformers_bounds(architecture: str, *, vllm: str) -> tuple[str, ...]:
    """Which transformers an architecture and a version of vLLM (empty: the newest) need."""
    bounds = ARCHITECTURES.get(architecture, Served()).transformers
    upper = any(bound.startswith("<") for bound in bounds)
    if vllm and not upper and not at_least(vllm, _FIVE):
        return (*bounds, "<5")
    return bounds


def unmet(bounds: tuple[str, ...], version: str) -> tuple[str, ...]:
    """Those of the bounds that a version does not meet; none where the version is not known."""
    return tuple(bound for bound in bounds if version and not _meets(version, bound))


def at_least(version: str, least: str, *, more: bool = False) -> bool:
    """Whether a version is `least` or later (`more`: later). One that cannot be read counts as new."""
    found = _numbers(version)
    if not found:
        return True
    return found > _numbers(least) if more else found >= _numbers(least)


def registry_of(root: Path | None) -> tuple[frozenset[str], Mapping[str, str]]:
    """(architectures that a vLLM serves, former ones with the last version that did), from its registry's text."""
    if root is None:
        return frozenset(), {}
    try:
        text = (root / _REGISTRY).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return frozenset(), {}
    return frozenset(_SERVED.findall(text)), dict(_FORMER.findall(text))


def _meets(version: str, bound: str) -> bool:
    found = _numbers(version)
    sign, least = re.match(r"([<>]=?)(.*)", bound).groups()  # type: ignore[union-attr]
    wanted = _numbers(least)
    return {
        ">=": found >= wanted, ">": found > wanted, "<": found < wanted, "<=": found <= wanted,
    }[sign]  # fmt: skip


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, padded to three; empty where it has none."""
    found = re.match(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?", version)
    return tuple(int(one or 0) for one in found.groups()) if found else ()
