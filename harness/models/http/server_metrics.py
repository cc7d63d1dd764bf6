"""What a server says of its caches on its `/metrics` page, in the text form of Prometheus.

vLLM (from 0.8) counts prompt tokens that it looks up in its prefix cache and those it finds there, and pictures in the
same way; SGLang (`--enable-metrics`) counts prompt tokens and those it had cached. Counters run from the start of the
server, over all its clients.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.core.model import CacheCounts

_SAMPLE = re.compile(
    r'(?P<name>[a-zA-Z_:][\w:]*)(?P<labels>\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})?[ \t]+(?P<value>\S+)'
)
_LABEL = re.compile(r'(\w+)\s*=\s*"((?:[^"\\]|\\.)*)"')
_OURS = ("vllm:", "sglang:")
_VLLM = (
    ("vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total"),
    ("vllm:gpu_prefix_cache_queries_total", "vllm:gpu_prefix_cache_hits_total"),
    ("vllm:gpu_prefix_cache_queries", "vllm:gpu_prefix_cache_hits"),
)
"""Tokens looked up and found, the newest name first."""


@dataclass(frozen=True, slots=True)
class MetricSample:
    """One line of the page."""

    name: str
    labels: Mapping[str, str]
    value: float


def read_metrics(page: str) -> Iterator[MetricSample]:
    """The samples of vLLM and SGLang on a page; lines that are none, and values that are no count, are left out."""
    for line in page.splitlines():
        if not line.startswith(_OURS) or (found := _SAMPLE.match(line)) is None:
            continue
        try:
            value = float(found["value"])
        except ValueError:
            continue
        if math.isfinite(value) and value >= 0:
            yield MetricSample(found["name"], dict(_LABEL.findall(found["labels"] or "")), value)


def read_cache_counts(page: str) -> CacheCounts | None:
    """The counts of the caches, summed over engines and models; None where the page has none."""
    sums: dict[str, float] = {}
    block = 1
    for one in read_metrics(page):
        sums[one.name] = sums.get(one.name, 0.0) + one.value
        size = one.labels.get("block_size", "")
        if one.name == "vllm:cache_config_info" and size.isdecimal():
            block = max(1, int(size[:9]))
    for asked, found in _VLLM:
        if asked in sums and found in sums:
            pictures = sums.get("vllm:mm_cache_queries_total", 0.0)
            known = sums.get("vllm:mm_cache_hits_total", 0.0)
            return CacheCounts("vLLM", sums[asked], sums[found], pictures, known, block)
    asked, found = "sglang:prompt_tokens_total", "sglang:cached_tokens_total"
    if asked in sums:  # a counter with labels is not there before it first counts
        return CacheCounts("SGLang", sums[asked], sums.get(found, 0.0))
    return None
