"""Where a run sent its pictures, read off what the manifest says of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from harness.exports.manifest import HIDDEN
from harness.models.http.endpoint import is_loopback, remote_host
from harness.score.columns import BASELINE, NO_PROMPT


def hosts_of_model(manifest: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """The machines besides this one that got the pictures of a model; HIDDEN for one that an export does not name; None
    where the answers were made elsewhere."""
    mine = [cell for cell in manifest["cells"] if cell["model"] == name]
    if name.startswith(BASELINE):
        return ()  # a network that was trained here
    if mine and all(cell["prompt"] == NO_PROMPT for cell in mine):
        return None
    details = manifest["models"][name].get("details") or {}
    found = [host for host in str(details.get("remote") or "").split(", ") if host]
    url = str(details.get("url") or "")
    if HIDDEN in url:
        return (HIDDEN,)
    host = (urlsplit(url).hostname or "") if "://" in url else ""
    named = remote_host(name) or ""
    return tuple(dict.fromkeys(h for h in (*found, named, host) if h and not is_loopback(h)))
