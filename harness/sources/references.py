"""Pictures that a table contains once and refers to by `index`, as VLMEvalKit's tables do."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.errors import MediaError
from harness.core.picture import Picture
from harness.sources.cells import is_blank, plain
from harness.sources.encoded import EncodedPicture, is_encoded
from harness.sources.row import TableRow

INDEX = "index"
_LONGEST = 64
"""Characters of a cell that may be an index."""
_HELD = 32
"""Pictures of the latest rows that are kept: the next questions are mostly about one of them."""


@dataclass(slots=True)
class References:
    """The pictures of one table by their index."""

    column: str
    rows: Callable[[], Iterable[TableRow]]
    _latest: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def picture(self, cells: Mapping[str, Any], name: str) -> Picture | None:
        """The picture that a cell names by its index; None where the cell is something else. Remembers pictures."""
        cell, index = cells.get(self.column), cells.get(INDEX)
        if not isinstance(cell, str) or is_blank(cell):
            return None
        if is_encoded(cell):
            if not is_blank(index):
                self._keep(plain(index), cell)
            return None
        wanted = cell.strip()
        if len(wanted) > _LONGEST or is_blank(index) or wanted == plain(index):
            return None
        text = self._latest.get(wanted)
        return Referenced(name, self, wanted) if text is None else EncodedPicture(name, text)

    def find(self, wanted: str) -> str | None:
        """The text of a picture, looked for from the first row on; None where no row of that index holds one."""
        for row in self.rows():
            cell, index = row.cells.get(self.column), row.cells.get(INDEX)
            if isinstance(cell, str) and not is_blank(index) and plain(index) == wanted:
                return cell if is_encoded(cell) else None
        return None

    def _keep(self, index: str, text: str) -> None:
        self._latest[index] = text
        while len(self._latest) > _HELD:
            self._latest.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Referenced:
    """A picture of another row, looked for when it is read."""

    name: str
    references: References = field(repr=False)
    index: str = ""

    def read(self) -> bytes:
        text = self.references.find(self.index)
        if text is None:
            raise MediaError(
                f"{self.name}: no row with index {self.index!r} has a picture", kind="missing"
            )
        return EncodedPicture(self.name, text).read()
