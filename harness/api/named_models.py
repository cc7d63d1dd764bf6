"""Models of a run with their settings from `harness.toml` or Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.core.errors import HarnessError
from harness.core.model import Model
from harness.core.request import Sampling
from harness.models import ModelSettings, OpenOptions, open_model, takes
from harness.models.http.endpoint import key_host, usual_key_is_set
from harness.run.axes import Axes

HERE = ""
"""The host of servers on this machine."""


def settings_for(
    names: Sequence[str],
    known: Mapping[str, ModelSettings],
    *,
    given: frozenset[str],
) -> dict[str, ModelSettings]:
    """Name -> settings, of the models asked for that have any.

    Sampling that the command itself gives (`given` are the names of its options) is taken out of them: it holds for
    all models. Raises HarnessError where two models would be shown under one name.
    """
    chosen = {name: known[name] for name in names if name in known}
    shown: dict[str, str] = {}
    for name in names:
        called = chosen[name].shown if name in chosen else name
        if shown.setdefault(called, name) != name:
            raise HarnessError(
                f"the models {shown[called]} and {name} are both shown as {called!r}",
                hint="give each a display_name of its own",
            )
    return {name: _without(one, given) for name, one in chosen.items()}


def _without(settings: ModelSettings, given: frozenset[str]) -> ModelSettings:
    taken = {name: None for name in type(settings.sampling).model_fields if name in given}
    if not taken:
        return settings
    sampling = settings.sampling.model_copy(update=taken)
    return settings.model_copy(update={"sampling": sampling})


def spec_of(name: str, settings: Mapping[str, ModelSettings]) -> str:
    """What is opened under a name."""
    return settings[name].model if name in settings else name


def options_for(
    names: Sequence[str], settings: Mapping[str, ModelSettings], usual: OpenOptions, axes: Axes
) -> dict[str, OpenOptions]:
    """Name -> how that model is opened. A key that names no host goes to one host alone.

    Raises HarnessError where a setting has no effect on its model, and where a key may be meant for several hosts.
    """
    found = {}
    for name in names:
        own = axes.settings_of(name).sampling
        sampling = Sampling(
            temperature=axes.temperature_of(name),
            top_p=own.top_p or 1.0,
            top_k=own.top_k or 0,
            repetition_penalty=own.repetition_penalty or 1.0,
        )
        one = settings.get(name)
        options = replace(usual, sampling=sampling)
        found[name] = options if one is None else usual.of(one, sampling=sampling)
    unkeyed = {
        name: key_host(spec_of(name, settings), named_file=usual.key_file is not None)
        for name in names
        if not _has_key(settings.get(name)) and takes(spec_of(name, settings), "key_file")
    }
    hosts = sorted({host for host in unkeyed.values() if host is not None} - {HERE})
    if len(hosts) > 1 and (usual.key_file is not None or usual_key_is_set()):
        source = "OPENAI_API_KEY" if usual.key_file is None else str(usual.key_file)
        raise HarnessError(
            f"whose key is in {source}? {', '.join(hosts)} are asked, and a key goes to one host alone",
            hint="name the key of each: key_env or key_file in [models.NAME] of harness.toml",
        )
    if hosts:  # the key is that of a server elsewhere, not of one on this machine
        for name, host in unkeyed.items():
            if host == HERE:
                found[name] = replace(found[name], key_file=None, usual_key=False)
    return found


def _has_key(settings: ModelSettings | None) -> bool:
    return settings is not None and bool(
        settings.key_env or settings.key_file or settings.secret_headers
    )


def open_named(
    name: str, settings: Mapping[str, ModelSettings], options: Mapping[str, OpenOptions]
) -> Model:
    """The model of a name, ready to answer."""
    return open_model(spec_of(name, settings), options=options[name], called=name)
