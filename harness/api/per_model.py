"""Options for one model (`MODEL=VALUE`) or for all models that accept them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from harness.core.errors import HarnessError, refuse_unused
from harness.models import MODELS, ModelSettings, OpenOptions, takes


def for_each(
    given: Sequence[str], models: Sequence[str], *, flag: str
) -> dict[str, tuple[str, ...]]:
    """Model -> the values that hold for it: those given for all, then those given as `MODEL=VALUE` for it.

    Raises HarnessError where the model of a value is not one of `models`.
    """
    common: list[str] = []
    own: dict[str, list[str]] = {name: [] for name in models}
    for text in given:
        named = [name for name in models if text.startswith(f"{name}=")]
        if named:
            name = max(named, key=len)
            own[name].append(text.removeprefix(f"{name}="))
            continue
        before, mark, _ = text.partition("=")
        if mark and before.partition(":")[0] in MODELS.names():
            raise HarnessError(
                f"{flag} {text}: no model {before!r} is asked",
                hint=f"write it as after --model: {', '.join(models)}",
            )
        common.append(text)
    return {name: (*common, *own[name]) for name in models}


def opened_as(
    options: Mapping[str, OpenOptions],
    specs: Mapping[str, str],
    *,
    pythons: Sequence[str] = (),
    arguments: Sequence[str] = (),
    adapters: Sequence[str] = (),
    trusted: Sequence[str] = (),
    spelled: Callable[[str], str],
) -> dict[str, OpenOptions]:
    """`options` (model -> how it is opened) with what the command says of single models, which wins over a file.

    `specs`: model -> what is opened under its name. Raises HarnessError for a value of no effect.
    """
    names = list(specs)
    chosen = {
        "vllm_python": for_each(pythons, names, flag=spelled("vllm_python")),
        "vllm_args": for_each(arguments, names, flag=spelled("vllm_args")),
        "adapter": for_each(adapters, names, flag=spelled("adapters")),
    }
    _refuse_idle(chosen, specs, spelled)
    _refuse_shared_adapter(adapters, specs, spelled("adapters"))
    for name in trusted:
        if name not in specs or not takes(specs[name], "trust_remote_code"):
            raise HarnessError(
                f"{spelled('trust_remote_code')} {name}: no such model is asked that may bring code of its own",
                hint="write one of the transformers: or vllm: models as after --model",
            )
    made = {}
    takers = _adapter_takers(adapters, specs)
    for name, one in options.items():
        python, adapter = chosen["vllm_python"][name], chosen["adapter"][name]
        if name not in takers:
            adapter = ()
        made[name] = replace(
            one,
            vllm_python=python[-1] if python else one.vllm_python,
            vllm_args=(*one.vllm_args, *chosen["vllm_args"][name]),
            adapter=adapter[-1] if adapter else one.adapter,
            trust_remote_code=one.trust_remote_code or name in trusted,
        )
    return made


_FLAGS = {"vllm_python": "vllm_python", "vllm_args": "vllm_args", "adapter": "adapters"}


def _refuse_idle(
    chosen: Mapping[str, Mapping[str, Sequence[str]]],
    specs: Mapping[str, str],
    spelled: Callable[[str], str],
) -> None:
    """Raise HarnessError for a value that was given for a model on which it has no effect."""
    for option, values in chosen.items():
        least = min((len(value) for value in values.values()), default=0)
        for name, value in values.items():
            if len(value) > least and not takes(specs[name], option):
                raise HarnessError(
                    f"{spelled(_FLAGS[option])} has no effect on {name}",
                    hint=f"leave {spelled(_FLAGS[option])} {name}=... out",
                )


def _refuse_shared_adapter(adapters: Sequence[str], specs: Mapping[str, str], flag: str) -> None:
    """Raise HarnessError where an adapter is given for no model by name, and several could take it."""
    takers = _adapter_takers((), specs)
    for text in adapters:
        named = any(text.startswith(f"{name}=") for name in specs)
        if not named and len(takers) > 1:
            raise HarnessError(
                f"{flag} {text}: for which model? An adapter belongs to one checkpoint",
                hint=f"write {flag} {takers[0]}={text}",
            )


def _adapter_takers(adapters: Sequence[str], specs: Mapping[str, str]) -> list[str]:
    """The models that an adapter may be for. The built-in model is one where it is named, or alone: it mostly stands beside
    another for comparison."""
    takers = [name for name, spec in specs.items() if takes(spec, "adapter")]
    others = [name for name in takers if specs[name].partition(":")[0] != "affect-tiny"]
    named = [n for n in takers if any(text.startswith(f"{n}=") for text in adapters)]
    return list(dict.fromkeys((*others, *named))) or takers


def refuse_in_batches(
    models: Sequence[str], named: Mapping[str, ModelSettings], *, spelled: Callable[[str], str]
) -> None:
    """Raise HarnessError for a setting of `[models.NAME]` that a batch cannot heed."""
    for name in models:
        if name in named:
            refuse_unused(
                f"with {spelled('batch')}",
                {f"pictures_in_flight of [models.{name}]": named[name].pictures_in_flight},
                hint=f"take it out; {spelled('concurrency')} is the number of requests in a batch",
            )
