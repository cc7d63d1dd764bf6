"""Check whether a vLLM on this machine can serve a checkpoint, and print the command to use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.models.vllm.architectures import (
    ARCHITECTURES,
    Served,
    requirement,
    transformers_bounds,
    unmet,
    verdict,
)
from harness.models.vllm.installation import Installation
from harness.models.vllm.memory import (
    Need,
    Place,
    devices_for,
    devices_of,
    fitting,
    need_of,
    reserve,
    shown,
    usable,
)

TOKENS = 2048
"""Tokens of a conversation for which memory is reckoned: a picture of a megapixel, a prompt and a short reply."""
_MAIN = "main memory, for a build of vLLM for the processor"
_ENOUGH = 16
"""Conversations at a time under which vLLM should be told how many there are."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line on a checkpoint and a vLLM."""

    good: bool
    said: str
    hint: str = ""


def settings_of(folder: Path) -> Mapping[str, Any]:
    """What config.json of a checkpoint says. Raises HarnessError where there is none."""
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HarnessError(
            f"{folder / 'config.json'} cannot be read: {error}", hint="name a checkpoint"
        ) from error
    return found if isinstance(found, dict) else {}


def architecture_of(config: Mapping[str, Any]) -> str:
    """The class that a checkpoint names; empty where it names none."""
    named = config.get("architectures")
    return str(named[0]) if isinstance(named, list) and named else ""


def longest_of(config: Mapping[str, Any]) -> int:
    """Most tokens of a conversation that a checkpoint was made for; 0 where it does not say."""
    text = config.get("text_config") or config.get("llm_config") or config
    told = text.get("max_position_embeddings") if isinstance(text, dict) else None
    return told if isinstance(told, int) else 0


def check_start(installation: Installation, config: Mapping[str, Any]) -> None:
    """Raise HarnessError where a vLLM is known not to start with a checkpoint of these settings.

    Upper bounds of transformers are left to `doctor`, but for the one that every older vLLM has.
    """
    architecture = architecture_of(config)
    found = verdict(architecture, vllm=installation.version, root=installation.root)
    if found.serves is False:
        raise HarnessError(found.said, hint=_environment(found.install))
    beside = installation.facts.get("transformers", "")
    bounds = transformers_bounds(architecture, vllm=installation.version)
    hard = tuple(bound for bound in bounds if bound.startswith(">") or bound == "<5")
    if unmet(hard, beside):
        raise HarnessError(
            f"vLLM {installation.version} does not start with {architecture} under transformers {beside}",
            hint=f"{installation.python} -m pip install 'transformers{','.join(bounds)}'",
        )


def findings(
    spec: str,
    folder: Path,
    installation: Installation | None,
    *,
    places: Sequence[Place],
    memory: int,
    arguments: Sequence[str],
) -> Iterator[Finding]:
    """What `harness doctor --model vllm:...` says of a checkpoint. `memory`: bytes of main memory."""
    config = settings_of(folder)
    architecture = architecture_of(config)
    known = ARCHITECTURES.get(architecture, Served())
    if installation is None:
        yield Finding(
            False,
            f"{architecture or 'its architecture'} needs a vLLM",
            _environment(requirement(architecture) or "'vllm'"),
        )
    else:
        yield from _versions(architecture, installation)
    if known.note:
        yield Finding(True, known.note)
    given = {one.partition("=")[0] for one in arguments}
    wanted = [*arguments, *(one for one in known.arguments if one.partition("=")[0] not in given)]
    place = places[0] if places else Place(_MAIN, memory)
    found, more = _room(need_of(folder, config), place, len(places), wanted)
    yield found
    if longest_of(config) >= 2 * TOKENS:
        more.append(f"--max-model-len={2 * TOKENS}")
    typed = [*wanted, *(one for one in more if one.partition("=")[0] not in given)]
    yield Finding(True, "to type: " + _command(spec, installation, typed))


def _versions(architecture: str, installation: Installation) -> Iterator[Finding]:
    found = verdict(architecture, vllm=installation.version, root=installation.root)
    hint = "" if found.serves else _environment(found.install)
    yield Finding(found.serves is not False, found.said, hint)
    beside = installation.facts.get("transformers", "")
    bounds = transformers_bounds(architecture, vllm=installation.version)
    missed = unmet(bounds, beside)
    if missed:
        yield Finding(
            False,
            f"its environment has transformers {beside}, but {', '.join(missed)} is needed",
            f"{installation.python} -m pip install 'transformers{','.join(bounds)}'",
        )
    elif beside:
        yield Finding(True, f"its environment has transformers {beside}")


def _room(
    need: Need, place: Place, devices: int, arguments: Sequence[str]
) -> tuple[Finding, list[str]]:
    """Whether it fits, and what else it should be started with."""
    if need.weights is None:
        return Finding(
            False,
            "the size of its weights is not known: they are not downloaded, and no index gives their size",
        ), []
    each, spread = usable(place, arguments), devices_of(arguments)
    on = f"{place.name} ({shown(place.bytes)})" + (f", {spread} of them" if spread > 1 else "")
    weights = f"its weights ({shown(need.weights)}), with {shown(reserve(arguments))} to work in on each device,"
    several = devices_for(need, usable=each, tokens=TOKENS)
    ways = [
        f"--vllm-arg=--tensor-parallel-size={several}" if spread < several <= devices else "",
        "a quantised checkpoint (-AWQ, -FP8)",
        "--vllm-arg=--gpu-memory-utilization=0.95" if devices else "",
        "a larger GPU",
    ]
    other = " or ".join(filter(None, ways))
    if need.weights > each * spread:
        return Finding(
            False, f"{weights} do not fit into the memory that vLLM uses of {on}", other
        ), []
    many = fitting(need, usable=each * spread, tokens=TOKENS)
    if many is None:
        return Finding(True, f"{weights} fit into what vLLM takes of {on}"), []
    said = (
        f"{weights} fit into what vLLM takes of {on}, with about {many} conversations of {TOKENS:,} tokens "
        f"at a time (estimated)"
    )
    if many < 1:
        return Finding(False, said, other), []
    return Finding(True, said), [f"--max-num-seqs={many}"] if many < _ENOUGH else []


def _environment(wanted: str) -> str:
    """How a vLLM is put into an environment of its own."""
    if not wanted:
        return "transformers:MODEL runs it in place, where transformers knows it"
    return (
        f"python -m venv vllm-env, vllm-env/bin/pip install {wanted}, and "
        "--vllm-python vllm-env/bin/python"
    )


def _command(spec: str, installation: Installation | None, arguments: Sequence[str]) -> str:
    python = "vllm-env/bin/python" if installation is None else str(installation.python)
    words = [f"harness run TASK --model {spec} --vllm-python {python}"]
    return " ".join([*words, *(f"--vllm-arg={one}" for one in arguments)])
