"""Ranked lists of labels in imported answers, read from the journal of their run folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.run.folder import RunFolder
from harness.run.log import read_log

Rankings = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Trial -> field -> items, best first."""


def read_rankings(folder: RunFolder, manifest: Mapping[str, Any]) -> Rankings:
    """Trial -> field -> ranked items, as the journal last has them; empty where nothing was ranked."""
    ranked = {
        cell["id"]: cell["basis"]
        for cell in manifest["cells"]
        if manifest["models"][cell["model"]]["details"].get("ranked")
    }
    if not ranked:
        return {}
    lists = dict(_ranked_replies(folder))
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for _, line in read_log(folder.trials):
        if ranked.get(line["trial"].partition("/")[0]) == line["basis"]:
            found.pop(line["trial"], None)
            if line["keys"] and line["keys"][-1] in lists:
                found[line["trial"]] = lists[line["keys"][-1]]
    return found


def _ranked_replies(folder: RunFolder) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
    for _, line in read_log(folder.generations):
        if line.get("ranked"):
            yield line["key"], {name: tuple(items) for name, items in line["ranked"].items()}
