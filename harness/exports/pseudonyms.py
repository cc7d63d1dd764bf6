"""Pseudonyms of ids in an export: equal for equal ids, reversible only for holders of the data.

A plain hash of an id such as `test_0001.jpg` is undone by trying all such names. So ids are hashed with a key
(HMAC-SHA-256, RFC 2104), which is by default the digest of the data set's annotations: whoever holds the same
annotations makes the same names, and who does not cannot make them. Exports therefore give that digest only
hashed again. Tables that bring truths of their own have digests of their own; those who want to pair them agree
on a key file.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.core.errors import HarnessError

ROUNDS = 200_000
"""Of PBKDF2-HMAC-SHA-256 (RFC 8018), so that a short shared secret is slow to guess."""
LENGTH = 32
"""Hex digits of a name: 128 bits."""
LEAST_KEY = 8
"""Characters of a key file, at least."""


@dataclass(frozen=True)
class Pseudonyms:
    """The names made with one key."""

    secret: str
    """The data digest, or what the key file holds."""

    @cached_property
    def _key(self) -> bytes:
        salt = b"affect-harness export"
        return hashlib.pbkdf2_hmac("sha256", self.secret.encode(), salt, ROUNDS)

    def sample(self, name: str) -> str:
        """The name of a sample."""
        return self._made("sample", name)

    def cluster(self, name: str) -> str:
        """The name of a cluster."""
        return self._made("cluster", name)

    @cached_property
    def check(self) -> str:
        """Sixteen digits by which two exports see whether they were made with one key."""
        return self._made("check", "")[:16]

    def _made(self, what: str, name: str) -> str:
        message = f"{what}\x1f{name}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()[:LENGTH]


def hashed_digest(data_digest: str) -> str:
    """What an export says in place of the data digest: equal for equal data, and no key to its names."""
    return hashlib.sha256(f"exported\x1f{data_digest}".encode()).hexdigest()


def read_key(path: Path | None) -> str | None:
    """The shared secret in a key file; None without one. Raises HarnessError for one that is no secret."""
    if path is None:
        return None
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise HarnessError(
            f"{path}: cannot read the key file: {error}", hint="use a text file"
        ) from None
    if len(secret) < LEAST_KEY:
        raise HarnessError(
            f"{path} has {len(secret)} characters, too few for a key",
            hint=f"use at least {LEAST_KEY} characters, best random ones",
        )
    return secret
