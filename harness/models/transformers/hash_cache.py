"""Cached digests of large files: hashing the weights of a 72B model takes minutes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

WORTH = 1 << 28
"""Bytes of files from which a digest is remembered: less is hashed in a second."""
_SETTLED = 2.0
"""Seconds since a file was last changed before its times are trusted: a change in the same tick would not show."""


def cache_folder() -> Path:
    """Where this program keeps what it can make again: ~/.cache/affect-harness."""
    return Path("~/.cache/affect-harness").expanduser()


def remembered(
    files: Sequence[Path],
    digest: Callable[[Sequence[Path]], str],
    *,
    cache: Path,
    worth: int = WORTH,
) -> str:
    """The digest of files, made anew unless it was made of the same ones as they are now.

    They are the same where path, size, inode, and times of change of content and of inode are: whoever writes a
    file, or puts another in its place, changes one of these. `cache` is a folder; one that cannot be read or
    written costs time alone.
    """
    before = _state(files)
    if sum(size for _, size, *_ in before) < worth:
        return digest(files)
    name = hashlib.sha256("\0".join(path for path, *_ in before).encode("utf-8", "surrogatepass"))
    entry = cache / f"{name.hexdigest()[:32]}.json"
    known = _read(entry, before)
    if known is not None:
        return known
    made = digest(files)
    youngest = max(max(mtime, ctime) for *_, mtime, ctime in before) / 1e9
    if _state(files) == before and time.time() - youngest > _SETTLED:
        _write(entry, {"files": before, "digest": made})
    return made


def _state(files: Sequence[Path]) -> list[tuple[str, int, int, int, int]]:
    """Path, size, inode, and nanoseconds of the last change of content and of inode."""
    found = [(path.resolve(), path.stat()) for path in files]
    return [(str(p), s.st_size, s.st_ino, s.st_mtime_ns, s.st_ctime_ns) for p, s in found]


def _read(entry: Path, state: Sequence[tuple[str, int, int, int, int]]) -> str | None:
    try:
        held = json.loads(entry.read_bytes())
        same = [tuple(one) for one in held["files"]] == list(state)
        return str(held["digest"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(entry: Path, held: object) -> None:
    """Whole or not at all. A full disk or a read-only place is no reason to stop."""
    beside = entry.with_name(f".{entry.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(held), encoding="utf-8", errors="surrogatepass")
        beside.replace(entry)
