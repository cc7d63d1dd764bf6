"""Names that are too long for their place, shortened so that they still differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

MOST = 22
"""Characters of a name in the first tables."""


def shortened(name: str, most: int = MOST) -> str:
    """A long name with its middle left out."""
    if len(name) <= most:
        return name
    tail = (most - 1) // 2
    return f"{name[: most - 1 - tail]}…{name[-tail:]}"


def short_names(names: Iterable[str], most: int = MOST) -> Mapping[str, str]:
    """Name -> its short form. Of names whose short forms would be the same, the part is kept in which they differ; where
    that is too long, the whole name."""
    known = list(dict.fromkeys(names))
    found = {name: shortened(name, most) for name in known}
    for short, times in Counter(found.values()).items():
        if times > 1:
            alike = [name for name in known if found[name] == short]
            found |= dict(zip(alike, _differing(alike, most), strict=True))
    again = Counter(found.values())
    told = {name: short if again[short] == 1 else name for name, short in found.items()}
    return told if len(set(told.values())) == len(told) else {name: name for name in known}


def _differing(names: list[str], most: int) -> list[str]:
    """Each name by the part in which it differs from the others, with as much around it as there is room for."""
    head = _alike(names)
    tail = _alike([name[head:][::-1] for name in names])
    return [_window(name, *_words(name, head, len(name) - tail, most), most) for name in names]


def _alike(names: list[str]) -> int:
    """With how many characters all names begin alike."""
    pairs = enumerate(zip(*names, strict=False))
    return next((at for at, each in pairs if len(set(each)) > 1), min(map(len, names)))


def _words(name: str, start: int, end: int, most: int) -> tuple[int, int]:
    """The part, with the whole words that it is in where there is room for them."""
    first, last = start, end
    while first and name[first - 1].isalnum():
        first -= 1
    while last < len(name) and name[last].isalnum():
        last += 1
    return (first, last) if last - first <= most - 4 else (start, end)


def _window(name: str, start: int, end: int, most: int) -> str:
    """The characters from `start` to `end` of a name between its beginning and its end, in at most `most` characters."""
    room = most - (end - start) - 2
    if room < 2:
        return name
    before = min(start, room - room // 2)
    after = min(len(name) - end, room - before)
    first = f"{name[:before]}…" if before < start else name[:start]
    last = f"…{name[len(name) - after :]}" if after < len(name) - end else name[end:]
    return f"{first}{name[start:end]}{last}"
