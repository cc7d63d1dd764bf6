"""What a server's caches did in a run, by its own counters, and about how many pictures it is asked at once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from harness.core.model import CacheCounts
from harness.models.http.server_metrics import read_cache_counts
from harness.run.cache_counts import difference
from harness.run.in_flight import InFlight, pictures_that_fit
from tests.models.stub import Stub, contents, running_stub
from tests.run.keeping import PLAIN, make_desk

VLLM = """\
# HELP vllm:prefix_cache_queries_total Prefix cache queries, in terms of number of queried tokens.
# TYPE vllm:prefix_cache_queries_total counter
vllm:prefix_cache_queries_total{engine="0",model_name="a \\"}{ # b"} 5539.0
vllm:prefix_cache_queries_total{engine="1",model_name="a"} 61 1795928516506
vllm:prefix_cache_queries_created{engine="0",model_name="a"} 1.79e+09
vllm:prefix_cache_hits_total{engine="0",model_name="a"} 1.056e3
vllm:external_prefix_cache_hits_total{engine="0",model_name="a"} 7.0
vllm:mm_cache_queries_total{engine="0",model_name="a"} 49.0
vllm:mm_cache_hits_total{engine="0",model_name="a"} 34.0 # {trace_id="x"} 1.0
vllm:cache_config_info{block_size="32",engine="0",num_gpu_blocks="51"} 1.0
http_requests_total{handler="/v1"} 9
"""


@pytest.mark.parametrize(
    ("page", "counts"),
    [
        (VLLM, CacheCounts("vLLM", 5600, 1056, 49, 34, 32)),
        (
            "vllm:gpu_prefix_cache_queries_total 10\nvllm:gpu_prefix_cache_hits_total 4\n",
            CacheCounts("vLLM", 10, 4),
        ),
        ("vllm:gpu_prefix_cache_hit_rate 0.4\n", None),
        (
            'sglang:prompt_tokens_total{model_name="a"} 90.0\n'
            'sglang:cached_tokens_total{cache_source="device",model_name="a"} 30.0\n'
            'sglang:cached_tokens_total{cache_source="host",model_name="a"} 12.0\n',
            CacheCounts("SGLang", 90, 42),
        ),
        ("sglang:prompt_tokens_total 90\n", CacheCounts("SGLang", 90, 0)),
        ("vllm:prefix_cache_queries_total NaN\nvllm:prefix_cache_hits_total{ 3\n", None),
        ("<html>not found</html>", None),
        ("", None),
    ],
)
def test_pages_of_servers(page: str, counts: CacheCounts | None) -> None:
    assert read_cache_counts(page) == counts


def test_a_difference_is_none_where_a_server_began_anew() -> None:
    before, after = CacheCounts("vLLM", 100, 40, 9, 3), CacheCounts("vLLM", 160, 90, 12, 5)
    assert difference(before, after, requests=4) == {
        "server": "vLLM", "requests": 4, "prompt_tokens": 60, "cached_tokens": 50, "pictures": 3, "pictures_cached": 2
    }  # fmt: skip
    assert difference(after, before, requests=4) is None
    assert difference(before, before, requests=4) is None, "it counts nothing"
    assert difference(before, CacheCounts("SGLang", 160, 90), requests=4) is None


def page(stub: Stub) -> str:
    """As a vLLM counts that has read each picture once: 11 tokens a request, 6 of them of its picture."""
    asked = [*stub.hellos, *stub.requests]
    pictures = Counter(b"".join(contents(body)[1]) for body in asked)
    known = len(asked) - len(pictures)
    return (
        f'vllm:prefix_cache_queries_total{{engine="0"}} {11 * len(asked)}.0\n'
        f'vllm:prefix_cache_hits_total{{engine="0"}} {6 * known}.0\n'
        f'vllm:mm_cache_queries_total{{engine="0"}} {len(asked)}.0\n'
        f'vllm:mm_cache_hits_total{{engine="0"}} {known}.0\n'
    )


def test_a_run_keeps_what_its_server_counted_and_the_report_says_whose_counts_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    desk = make_desk(tmp_path)
    for name in ("second", "third"):
        desk.write_prompt(name, PLAIN.replace("?", f", {name}?"))
    beside: list[int] = []

    def answer(body: dict[str, Any]) -> str:
        if "One of " in contents(body)[0]:  # none of those that try the server
            beside.append(stub.in_flight)
        return "happiness"

    with running_stub(answer=answer, metrics=page) as stub:
        Path("harness.toml").write_text(
            f'[models.served]\nmodel = "openai:stub@{stub.url}"\npictures_in_flight = 1\n'
        )
        asked = ["run", "task.yaml", "--model", "served", "--prompts", "prompts", "--out", "run"]
        asked += [f"--prompt=own/{name}" for name in ("plain", "second", "third")]
        assert main([*asked, "--preview", "4"]) == 0
        first = desk.manifest["models"]["served"]["cache_counts"]
        assert first["server"] == "vLLM" and first["requests"] == stub.count
        assert first["prompt_tokens"] == 11 * stub.count
        stub.together = 2
        assert main(asked) == 0
        shown = [b"".join(contents(body)[1]) for body in stub.requests]
    told = capsys.readouterr().out
    assert sum(a != b for a, b in pairwise(shown)) == len(set(shown)) - 1
    assert 2 <= max(beside[-24:]) <= 3, "the prompts of one picture, and of no other"
    found = desk.manifest["models"]["served"]["cache_counts"]
    assert found["requests"] == stub.count == found["prompt_tokens"] // 11
    assert "vLLM found" in told and "requests of other clients in that time count too" in " ".join(
        told.split()
    )
    rows = json.loads(Path("run/extras.json").read_text())["usage"]
    assert all(row["cache_counts"] == found for row in rows if row["task"])


def test_samples_in_flight_are_limited_beside_trials() -> None:
    async def asked(pictures: int | None) -> int:
        flying, most, now = InFlight(6, pictures=pictures), 0, Counter[str]()

        async def trial(sample: str) -> None:
            nonlocal most
            now[sample] += 1
            most = max(most, sum(1 for count in now.values() if count))
            assert now.total() <= 6
            await asyncio.sleep(0)
            now[sample] -= 1
            flying.leave(sample)

        async with asyncio.TaskGroup() as group:
            for sample in "aabbccddeeffgg":
                await flying.enter(sample)
                group.create_task(trial(sample))
        return most

    assert asyncio.run(asked(2)) <= 2
    assert asyncio.run(asked(None)) > 2
    assert pictures_that_fit("2048", 300) == 6 and pictures_that_fit("100", 300) == 1
    assert pictures_that_fit("", 300) is None and pictures_that_fit("2048", 0) is None


def test_settings_without_effect_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make_desk(tmp_path)
    Path("harness.toml").write_text(
        '[models.here]\nmodel = "affect-tiny"\npictures_in_flight = 2\n'
    )
    assert main(["run", "task.yaml", "--model", "here", "--prompts", "prompts"]) == 2
    assert "pictures_in_flight" in capsys.readouterr().err
