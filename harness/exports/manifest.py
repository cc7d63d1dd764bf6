"""The manifest of an export: no paths, no data source except its family, no command line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from harness.exports.pseudonyms import hashed_digest

HIDDEN = "***"
_ADDRESS = re.compile(r"@https?://\S+$")
"""The address of a server, behind the name of its model."""
_HOST = re.compile(r"https?://(?:[^\s/@]*@)?([^\s/\"'<>]+)")
_PATH = re.compile(
    r"""(?:(?<=^)|(?<=[=:,;\s"'(\[<]))      # at the beginning, or behind what may stand before a path
        (?:~[\w.-]*|\.{1,2}|[A-Za-z]:)?     # home, here, above, a drive
        [/\\](?![/\s])                      # neither the // of an address nor a / between words
        [^"',;)\]>\n]*""",
    re.VERBOSE,
)
_SUFFIX = re.compile(r"\.[A-Za-z]\w{0,6}$")
_MODEL_PATH = re.compile(r"^([a-z][\w+-]*):((?:~[\w.-]*|\.{1,2}|[A-Za-z]:)?[/\\].*)$")


def without_paths(value: Any) -> Any:
    """`value` (plain JSON) with every absolute or dotted path in its strings and keys hidden."""
    if isinstance(value, str):
        return _PATH.sub(HIDDEN, value)
    if isinstance(value, Mapping):
        return {without_paths(key): without_paths(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_paths(item) for item in value]
    return value


def paths_in(text: str) -> list[str]:
    """The absolute and dotted paths that a text holds."""
    return [found[0].rstrip() for found in _PATH.finditer(text)]


def without_hosts(value: Any, hosts: Collection[str]) -> Any:
    """`value` (plain JSON) with the names of these machines hidden."""
    if isinstance(value, str):
        for host in sorted(hosts, key=len, reverse=True):
            value = value.replace(host, HIDDEN)
        return value
    if isinstance(value, Mapping):
        return {
            without_hosts(key, hosts): without_hosts(item, hosts) for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [without_hosts(item, hosts) for item in value]
    return value


def hosts_of(value: Any) -> frozenset[str]:
    """The machines, with their ports, that addresses anywhere in `value` name."""
    if isinstance(value, str):
        return frozenset(_HOST.findall(value))
    parts: Iterable[Any] = ()
    if isinstance(value, Mapping):
        parts = (*value.keys(), *value.values())
    elif isinstance(value, (list, tuple)):
        parts = value
    return frozenset[str]().union(*map(hosts_of, parts))


def model_names(manifest: Mapping[str, Any], *, hosts: bool = False) -> dict[str, str]:
    """Model -> its name in an export: of a path the last part, without the address of its server unless `hosts`,
    numbered where two would be alike."""
    names: dict[str, str] = {}
    for name in manifest["models"]:
        shown = _model_name(name if hosts else _ADDRESS.sub("", name))
        number, taken = 1, set(names.values())
        while (shown if number == 1 else f"{shown} ({number})") in taken:
            number += 1
        names[name] = shown if number == 1 else f"{shown} ({number})"
    return names


def _model_name(name: str) -> str:
    found = _MODEL_PATH.match(name)
    if found is None:
        return str(without_paths(name))
    last = re.split(r"[/\\]", found[2].rstrip("/\\"))[-1]
    return f"{found[1]}:{last or HIDDEN}"


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """`value` with every string or key that is a model's name replaced."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, Mapping):
        return {renamed(key, names): renamed(item, names) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [renamed(item, names) for item in value]
    return value


def export_manifest(
    manifest: Mapping[str, Any], names: Mapping[str, str], *, prompts: bool
) -> dict[str, Any]:
    """The manifest with models renamed, sources cut to their family and plain options, digests hashed again.

    Templates of prompts stay with `prompts`; their digests stay always.
    """
    body: dict[str, Any] = renamed(manifest, names)
    kept = {name: entry["config"]["fields"] for name, entry in body["tasks"].items()}
    sources = {name: prompt["source"] for name, prompt in body["prompts"].items()}
    cleaned: dict[str, Any] = without_paths(body)
    cleaned["command"] = list(manifest["command"][:2])
    fit_on = body.get("fit_on")
    cleaned["fit_on"] = _source(fit_on) if isinstance(fit_on, dict) else fit_on and HIDDEN
    hosts = hosts_of([manifest["models"], manifest.get("enhancers", {})])
    for part in ("models", "cells", "enhancers"):
        if part in cleaned:
            cleaned[part] = without_hosts(cleaned[part], hosts)
    for name, entry in cleaned["tasks"].items():
        entry["config"]["fields"] = kept[name]
        entry["config"]["source"] = _source(body["tasks"][name]["config"]["source"])
        entry["config"]["exemplars"] = _source(body["tasks"][name]["config"].get("exemplars", {}))
        entry["data_digest"] = hashed_digest(entry["data_digest"])
        if entry.get("exemplars"):
            entry["exemplars"]["digest"] = hashed_digest(entry["exemplars"]["digest"])
    for entry in cleaned["models"].values():
        entry.pop(
            "settings", None
        )  # addresses, adapters, prices: what determines replies is in the identity
    for name, prompt in cleaned["prompts"].items():
        prompt["source"] = sources[name] if prompts else ""
    return cleaned


def _source(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options that could name a file are hidden, the family and plain words (columns, splits) stay."""
    return {
        key: value if key == "family" or not _like_a_file(value) else HIDDEN
        for key, value in options.items()
    }


def _like_a_file(value: Any) -> bool:
    if isinstance(value, str):
        return any(mark in value for mark in "/\\~") or bool(_SUFFIX.search(value))
    if isinstance(value, Mapping):
        return any(_like_a_file(item) for pair in value.items() for item in pair)
    return isinstance(value, (list, tuple)) and any(_like_a_file(item) for item in value)
