"""Names of clusters of one picture or clip each, if nothing else says which samples belong together."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

from harness.run.digests import Digests, digest


class MediaClusters:
    """Clusters named by the least digest of the ids of their samples.

    The names of media are paths, which differ between machines, and their order is that of a table: neither may
    change a name. Held are some 50 bytes for each medium.
    """

    def __init__(self) -> None:
        self._media = Digests(0)
        self._first, self._least = array("Q"), array("Q")

    def __len__(self) -> int:
        return len(self._first)

    def put(self, medium: str, sample: str) -> str:
        """The name of a medium's cluster as far as its samples are known; `renamed` says where it changed since."""
        number, own = self._media.number(digest(medium)), int.from_bytes(digest(sample)[:8], "big")
        if number == len(self._first):
            self._first.append(own)
            self._least.append(own)
        self._least[number] = min(self._least[number], own)
        return _name(self._first[number])

    def renamed(self) -> Mapping[str, str]:
        """Name given by `put` -> final name, where the two differ."""
        pairs = zip(self._first, self._least, strict=True)
        return {_name(first): _name(least) for first, least in pairs if first != least}


def _name(number: int) -> str:
    return f"image-{number:016x}"
