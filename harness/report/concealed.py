"""Remove paths of this machine from pages.

Pages are sent on and put on the web. A path of this machine names people, projects and data; it stands in commands, in
options of sources, in details and names of models. Such paths are taken from the manifest and hidden wherever a page
has them, so that no writer must think of it.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from typing import Any

from harness.exports.manifest import HIDDEN, model_names, paths_in

_NOT_LOOKED_AT = frozenset({"fields", "description", "notice", "packages"})
"""Keys of a manifest under which words stand that people wrote to be read."""


def concealed(text: str, manifest: Mapping[str, Any]) -> str:
    """A page, Markdown or JSON with paths of the manifest hidden, and models named by the last part of theirs."""
    changes = dict.fromkeys(_paths({k: v for k, v in manifest.items() if k != "prompts"}), HIDDEN)
    changes |= {name: shown for name, shown in _models(manifest).items() if name != shown}
    for found in sorted(changes, key=len, reverse=True):
        for spelt, shown in (
            (found, changes[found]),
            (html.escape(found), html.escape(changes[found])),
            (json.dumps(found)[1:-1], json.dumps(changes[found])[1:-1]),
        ):
            if spelt in text:
                text = text.replace(spelt, shown)
    return text


def _models(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: shown
        for name, shown in model_names(manifest, hosts=True).items()
        if paths_in(name.partition(":")[2])
    }


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from (path for path in paths_in(value) if path.strip("./~\\") and path.count("/") > 1)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key not in _NOT_LOOKED_AT:
                yield from _paths(str(key))
                yield from _paths(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _paths(item)
