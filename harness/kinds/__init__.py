"""The kinds of fields that this package brings, one a file; :class:`harness.core.kind.Kind` says what a kind is."""

from harness.core.kind import KINDS, Kind, describe_kinds, kind_named, kind_of

__all__ = ["KINDS", "Kind", "describe_kinds", "kind_named", "kind_of"]
