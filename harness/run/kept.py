"""What a run folder keeps of what was asked before: cells that a later command does not name, and the earlier versions
of cells whose prompt, model or sampling has changed since.

Both stand in the manifest's `cells` with `named: false`. An earlier version is kept under a name of its own,
`emotion/plain@2026-11-28-1a2b3c`: the prompt, the day on which it was last asked, and the digest of its text (of
what determines its replies, where the text is the same). `asked_as` holds the prompt's own name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.task import Task
from harness.run.basis import accepted, basis_of, said_sampling
from harness.run.cell_entry import cell_of

Entry = Mapping[str, Any]
Asked = Mapping[tuple[str, str], int]
"""(cell id, basis) -> trials that were finished or failed on it."""


def earlier_bases(entry: Entry, before: Entry) -> tuple[str, ...]:
    """Bases of the same cell in the manifest `before` that say the same as `entry`'s in an earlier spelling."""
    for old in before.get("cells", ()):
        if old["id"] == entry["id"] and same_basis(old, before) == entry["basis"]:
            return accepted(old)
    return ()


def same_basis(entry: Entry, manifest: Entry) -> str:
    """The basis of a manifest's cell as it is taken now; of a manifest of 0.2.0 worked out from what it holds."""
    if "also" in entry:
        return str(entry["basis"])
    model = manifest["models"][entry["model"]]
    return basis_of(
        cell_of(entry),
        Task.model_validate(manifest["tasks"][entry["task"]]["config"]),
        manifest["prompts"][entry["prompt"]]["digest"],
        model["identity"],
        said_sampling(entry["sampling"]),
        max_images=(model.get("max_images") or {}).get("declared"),
    )


def keep(manifest: dict[str, Any], before: Entry, asked: Asked) -> None:
    """Add to a manifest under way what the folder keeps of the one `before`."""
    current = {entry["id"]: entry for entry in manifest["cells"]}
    for old in before.get("cells", ()):
        if not any(asked.get((old["id"], basis)) for basis in accepted(old)):
            continue
        new = current.get(old["id"])
        if new is not None and set(accepted(old)) & set(accepted(new)):
            continue  # the cell that is asked now, or an earlier version of it that was put back
        kept = {**old, "named": False, "identity": _identity(old, before)}
        kept.setdefault("repeats", before.get("repeats", 1))
        kept.setdefault("asked_on", str(before["started"])[:10])
        name = old["prompt"]
        text = before["prompts"][name]
        standing = manifest["prompts"].get(name)
        edited = standing is not None and standing["digest"] != text["digest"]
        if not old.get("asked_as") and (new is not None or edited):
            kept |= {"prompt": _version(old, before, new), "asked_as": name}
            kept["changed"] = _changes(old, new, before, manifest)
        _put(manifest, kept, before, text)


def _put(manifest: dict[str, Any], kept: dict[str, Any], before: Entry, text: Any) -> None:
    """Add one cell with the prompt, the task and the model that it needs."""
    manifest["cells"].append(kept)
    manifest["prompts"].setdefault(kept["prompt"], text)
    for section in ("tasks", "models"):
        name = kept[section.removesuffix("s")]
        if name not in manifest[section]:
            manifest[section][name] = before[section][name]


def _identity(old: Entry, before: Entry) -> str:
    return str(old.get("identity") or before["models"][old["model"]]["identity"])


def _version(old: Entry, before: Entry, new: Entry | None) -> str:
    """The name of an earlier version."""
    text = before["prompts"][old["prompt"]]["digest"]
    same_text = new is not None and new["prompt_digest"] == text
    mark = old["basis"][:6] if same_text or not text else text[:6]
    return f"{old['prompt']}@{old.get('asked_on') or str(before['started'])[:10]}-{mark}"


def _changes(old: Entry, new: Entry | None, before: Entry, manifest: Entry) -> list[str]:
    """What differs from the cell that stands: prompt, model, sampling, or the task's fields and media."""
    if new is None:
        return ["prompt"]
    found = []
    if before["prompts"][old["prompt"]]["digest"] != new["prompt_digest"]:
        found.append("prompt")
    if _identity(old, before) != manifest["models"][new["model"]]["identity"]:
        found.append("model")
    if said_sampling(old["sampling"]) != said_sampling(new["sampling"]):
        found.append("sampling")
    return found or ["task"]
