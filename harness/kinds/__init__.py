"""Built-in field kinds, one per file; see :class:`harness.core.kind.Kind`."""

from harness.core.kind import KINDS, Kind, describe_kinds, kind_named, kind_of

__all__ = ["KINDS", "Kind", "describe_kinds", "kind_named", "kind_of"]
