"""What came back from the endpoints that enhanced the pictures of a run, counted from the log in its folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.enhancer import PREFIX
from harness.run.folder import RunFolder
from harness.run.log import read_log
from harness.run.manifest import read_manifest, rewrite_manifest

LOG = "asked.jsonl"
"""In the folder of the enhanced pictures."""


def keep_counts(folder: RunFolder) -> None:
    """Put into the manifest how many pictures each endpoint gave, as it is identified now, and how many of them were scaled
    to the size that was sent."""
    if not folder.manifest.is_file() or not (folder.enhanced / LOG).is_file():
        return
    manifest = read_manifest(folder)
    scaled: dict[str, dict[str, bool]] = {}
    for _, row in read_log(folder.enhanced / LOG):
        scaled.setdefault(str(row["identity"]), {})[str(row["picture"])] = bool(row["scaled"])
    known = manifest.get("enhancers", {})
    for entry in known.values():
        mine = Counter(scaled.get(entry["identity"], {}).values())
        entry |= {"pictures": mine.total(), "scaled": mine[True]}
    rewrite_manifest(folder, manifest)


def scaled_notices(manifest: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A sentence for each endpoint of which pictures were scaled, with the tasks that they were shown in."""
    for name, entry in manifest.get("enhancers", {}).items():
        if not entry.get("scaled"):
            continue
        from harness.conditions.enhance import endpoints_of  # numpy; few runs have one

        tasks = dict.fromkeys(
            cell["task"] for cell in manifest["cells"] if name in endpoints_of(cell["condition"])
        )
        yield (
            f"{entry['scaled']:,} of the {entry['pictures']:,} pictures that {PREFIX}{name} gave had another size and were "
            "scaled to the size that was sent (Lanczos)",
            tuple(tasks),
        )
