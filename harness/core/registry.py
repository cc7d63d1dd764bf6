"""Things found by name: built in, or brought by a third-party package's entry points."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.errors import HarnessError


@dataclass(frozen=True, slots=True)
class Registry:
    """Names of one kind. `builtin` maps a name to `module:attribute`; nothing is imported until asked."""

    kind: str
    """What is listed, in the singular: "source", "model"."""
    group: str
    """The entry-point group that extends it: `harness.sources`."""
    builtin: Mapping[str, str]

    def names(self) -> tuple[str, ...]:
        """All known names, sorted."""
        return tuple(sorted({*self.builtin, *self._entry_points()}))

    def brought(self) -> Mapping[str, str]:
        """Names that other packages bring, sorted, each with its package and version: `affect-extras 1.0`."""
        from importlib.metadata import entry_points  # slow to import, seldom needed

        return {
            point.name: f"{point.dist.name} {point.dist.version}"
            if point.dist
            else "unknown package"
            for point in sorted(entry_points(group=self.group), key=lambda point: point.name)
            if point.name not in self.builtin
        }

    def load(self, name: str) -> Any:
        """The named object. Raises HarnessError listing the names there are."""
        target = self.builtin.get(name) or self._entry_points().get(name)
        if target is None:
            raise HarnessError(
                f"no {self.kind} is called {name!r}",
                hint=f"choose one of: {', '.join(self.names())}",
            )
        module, _, attribute = target.partition(":")
        return getattr(importlib.import_module(module), attribute)

    def _entry_points(self) -> dict[str, str]:
        from importlib.metadata import entry_points  # slow to import, seldom needed

        return {point.name: point.value for point in entry_points(group=self.group)}
