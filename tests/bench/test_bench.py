"""The stand that clients are measured on, and the command."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from harness.bench import peers
from harness.bench.baseline_client import ask, body
from harness.bench.client import ClientMeasurements, Cost, Faulted, Resumed, targets
from harness.bench.fixture import Stand, open_stand
from harness.bench.measured_process import spend
from harness.bench.page import markdown
from harness.bench.peers import PEERS, installed
from harness.bench.pictures import SIDE, write_pictures
from harness.bench.prompt_sweep import Swept, Way
from harness.bench.prompt_sweep import targets as sweep_targets
from harness.bench.server import WORDS
from harness.bench.server_sweep import SMALL, Order, Served, measure_running
from harness.bench.server_sweep import targets as server_targets
from harness.bench.sweep_page import markdown as sweep_page
from harness.bench.sweep_worker import main as sweep_round
from harness.bench.targets import as_json, none_missed
from harness.cli.main import main as run_command
from tests.models.stub import Stub, contents, running_stub

UNNEEDED = (
    "PIL", "cv2", "datasets", "pandas", "scipy", "torch", "transformers", "multiprocessing.pool",
    "harness.compare", "harness.cues", "harness.faces", "harness.submit", "harness.affect_tiny", "harness.report.page",
    "harness.api.given_spots", "harness.api.model_object", "harness.core.training_folds", "harness.enhancers.client",
    "harness.media.control", "harness.media.sheet", "harness.models.http.batch", "harness.models.http.batch_api",
    "harness.models.replicas", "harness.models.transformers.adapter", "harness.models.wire", "harness.prompting.lint",
    "harness.protocols.calls", "harness.report.tables", "harness.report.terminal", "harness.run.adapter_folders",
    "harness.run.config_file", "harness.run.exemplars", "harness.run.published", "harness.sources.dataset",
    "harness.sources.megc_questions", "harness.sources.sidecar", "harness.sources.spotted", "harness.stats.components",
    "harness.stats.paired", "harness.stats.power", "harness.stats.rank", "harness.stats.signflip", "harness.tools.toolbox",
)  # fmt: skip
"""What a run of plain JPEG files on an endpoint, without a report, has no use for."""


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    with open_stand() as opened:
        yield opened


async def post(stand: Stand, *pictures: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Status, headers and body of the replies, one after the other."""
    replies = []
    async with aiohttp.ClientSession() as session:
        for picture in pictures:
            url = f"{stand.url}/v1/chat/completions"
            async with session.post(url, data=body(picture)) as response:
                replies.append((response.status, dict(response.headers), await response.read()))
    return replies


def test_pictures_are_distinct_valid_and_of_the_named_size(tmp_path: Path) -> None:
    table = write_pictures(tmp_path, 30)
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert [row["emotion"] for row in rows[:7]] == list(WORDS)
    data = {(tmp_path / row["image"]).read_bytes() for row in rows}
    assert len(data) == 30
    for row in rows[:3] + rows[-3:]:
        with Image.open(tmp_path / row["image"]) as picture:
            picture.load()
            assert (picture.format, picture.size) == ("JPEG", (SIDE, SIDE))


async def test_the_same_picture_is_told_the_same_and_all_is_counted(stand: Stand) -> None:
    stand.reset()
    replies = await post(stand, b"one", b"two", b"one")
    words = [json.loads(data)["choices"][0]["message"]["content"] for _, _, data in replies]
    assert words[0] == words[2] and set(words) <= set(WORDS)
    seen = stand.seen()
    assert (seen["requests"], seen["distinct"], seen["repeated"]) == (3, 2, 1)


@pytest.mark.parametrize(
    ("fault", "status"), [("500", 500), ("429", 429), ("garbage", 200), ("empty", 200)]
)
async def test_a_passing_fault_is_met_once_and_a_lasting_one_always(
    stand: Stand, fault: str, status: int
) -> None:
    stand.reset(faults={fault: 1.0}, retry_after=2)
    first, second = await post(stand, b"one", b"one")
    assert first[0] == status and second[0] == 200
    assert json.loads(second[2])["choices"][0]["message"]["content"] in WORDS
    assert (first[1].get("Retry-After") == "2") is (fault == "429")
    stand.reset(faults={fault: 1.0}, lasting=True)
    again = await post(stand, b"one", b"one")
    assert again[0][2] == again[1][2]
    assert stand.seen()["faulted"] == {fault: 2}


async def test_a_share_of_the_pictures_meets_a_fault_whenever_it_comes(stand: Stand) -> None:
    pictures = [b"%d" % number for number in range(400)]
    stand.reset(faults={"500": 0.1}, lasting=True)
    first = [status for status, _, _ in await post(stand, *pictures)]
    again = [status for status, _, _ in await post(stand, *reversed(pictures))]
    assert first == again[::-1]
    assert 20 <= first.count(500) <= 60


async def test_latency_is_kept(stand: Stand) -> None:
    stand.reset(latency=0.2)
    start = time.monotonic()
    await post(stand, b"one")
    assert time.monotonic() - start >= 0.2


async def test_the_bare_client_asks_each_once_and_counts_the_hits(
    stand: Stand, tmp_path: Path
) -> None:
    stand.reset()
    right = await ask(f"{stand.url}/v1/chat/completions", write_pictures(tmp_path, 70), 8)
    assert 0 < right < 40, "a word drawn from seven"
    assert (stand.seen()["requests"], stand.seen()["distinct"]) == (70, 70)


def test_a_run_loads_no_more_than_it_needs(stand: Stand, tmp_path: Path) -> None:
    stand.reset()
    ours = stand.command(write_pictures(tmp_path, 20), tmp_path / "run")
    code = (
        "import sys\nfrom harness.cli.main import main\n"
        f"assert main({ours[3:]!r}) == 0\n"
        "print(sorted({name for name in sys.modules if name in %r}))" % (UNNEEDED,)
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_childs_cpu_and_memory_are_its_own(tmp_path: Path) -> None:
    held = bytearray(200_000_000)
    held[::4096] = b"x" * len(held[::4096])
    work = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    spent = spend([sys.executable, "-c", work], folder=tmp_path, log=tmp_path / "log")
    assert 0.3 <= spent.cpu < 2
    assert spent.peak < 100, "what its parent holds is not counted"
    assert (spent.status, len(held)) == (0, 200_000_000)


def test_a_child_is_killed_when_it_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    spent = spend(command, folder=tmp_path, log=tmp_path / "log", kill_when=lambda: True)
    assert spent.status == -9 and spent.wall < 30


def findings(**change: float) -> ClientMeasurements:
    def cost(client: str, latency: float, cpu: float, rate: float) -> Cost:
        return Cost(client, latency, 2000, cpu, rate, 100.0, once=True)

    ours = change.get("cpu", 0.8)
    return ClientMeasurements(
        costs=(
            cost("bare aiohttp", 0.0, 0.5, 2000), cost("bare aiohttp", 0.05, 0.5, 1000),
            cost("ours", 0.0, ours, 1500), cost("ours", 0.05, ours, change.get("rate", 980)),
        ),
        rounds=5,
        resumed=Resumed(2000, 1000, int(change.get("repeated", 0)), 20),
        faulted=(
            Faulted(False, 100, {"500": 5}, {"answered": 100}, 100, 0),
            Faulted(True, 100, {"500": 25}, {"answered": 95, "failed": 5}, 95, int(change.get("valued", 0))),
        ),
        large=Cost("ours", 0.0, 50_000, change.get("grown", 0.55), 1500, change.get("peak", 110), once=True),
    )  # fmt: skip


def test_targets_hold_or_are_named(tmp_path: Path) -> None:
    assert none_missed(targets(findings()))
    for change in (
        {"cpu": 1.6},
        {"grown": 0.7},
        {"rate": 900},
        {"repeated": 1},
        {"valued": 1},
        {"peak": 130},
    ):
        missed = [one.target for one in targets(findings(**change)) if not one.held]
        assert len(missed) == 1, change
    page = markdown(findings(cpu=1.6))
    assert "| CPU, multiple of the bare client's | at most 1.8 | 3.20 | **no** |" in page
    assert "| ours | 0 | 50,000 |" in page


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_command_measures_and_writes_the_page(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli.main", "bench", "client", "--requests", "60",
         "--rounds", "1", "--json", "--out", "pages"],
        cwd=tmp_path, capture_output=True, text=True, timeout=840,
    )  # fmt: skip
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    held = {row["target"]: row["held"] for row in told["targets"]}
    assert held["each request seen exactly once"]
    assert held["finished requests repeated after a kill"]
    assert held["trials without an answer that carry a value"]
    assert "# Cost of the client" in (tmp_path / "pages" / "client.md").read_text()
    lasting = told["faulted"][1]
    assert sum(lasting["outcomes"].values()) == 60


def test_other_tools_are_measured_where_they_have_an_environment(tmp_path: Path) -> None:
    assert installed(tmp_path) == []
    for name, script in PEERS.items():
        python = tmp_path / name / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.touch()
        compile((Path(peers.__file__).parent / script).read_text(), script, "exec")
    assert set(installed(tmp_path)) == {"inspect-ai", "lmms-eval"}


def test_targets_of_a_sweep_tell_which_ratio_falls_short() -> None:
    plain, shared = Way(6.0, 64, 1000, 0, 500.0), Way(1.5, 4, 1000, 800, 400.0)
    found = [
        Swept("shipped", 25, 64, plain, shared, 64, "all"),
        Swept("large", 256, 64, plain, shared, 63, "all"),
    ]
    assert [(one.measured, one.held) for one in sweep_targets(found)] == [
        ("4.00", True), ("64", True), ("4.00", False), ("63", False),
    ]  # fmt: skip
    page = sweep_page(found, [], rounds=5)
    assert "| 4.00 | **no** |" in page and "| 200 | 800 | 400 | shared |" in page
    assert "On a server" not in page


def test_the_ratio_of_a_server_is_judged_where_its_caches_are_small() -> None:
    slow, quick = Order(10.0, 0.1, None), Order(15.0, 0.9, None)
    server = Served(SMALL, "0.9", 24, 16, quick, slow, (1.4, 1.5, 1.9), 2000.0)
    other = replace(server, server="openai:x@http://127.0.0.1:8000", version="", peak=None)
    found = server_targets([server, other])
    assert [(one.measured, one.held) for one in found] == [
        ("1.50 (1.40 to 1.90)", False), ("1.50 (1.40 to 1.90)", None),
    ]  # fmt: skip
    assert not none_missed(found) and none_missed(found[1:])
    page = sweep_page([], [server, other], rounds=3, own=[other.server], started=True)
    assert f"--rounds 3 --server {other.server} --vllm-python PYTHON`" in page
    assert "| picture by picture | 15.0 | 90.0% | not counted | 2,000 |" in page
    assert "| prompt after prompt | 10.0 | 10.0% | not counted | not known |" in page


def test_a_running_server_is_asked_in_both_orders_and_its_counters_are_read() -> None:
    def metrics(stub: Stub) -> str:
        """A prefix cache of 100 tokens a prompt that holds two pictures, 90 tokens of each."""
        held, found = list[bytes](), 0
        for asked in stub.requests:
            picture = b"".join(contents(asked)[1])
            found += 90 * (picture in held)
            held = [*(one for one in held if one != picture), picture][-2:]
        return (
            f"vllm:prefix_cache_queries_total {100 * len(stub.requests)}\n"
            f"vllm:prefix_cache_hits_total {found}\n"
        )

    with running_stub(metrics=metrics) as stub:
        found = measure_running(
            f"openai:stub@{stub.url}", rounds=1, pictures=3, say=lambda line: None
        )
        assert stub.count == 16 * (2 + 2 * 3)
    assert found.by_picture.cached is not None and found.by_picture.cached > 0.6
    assert found.by_prompt.cached is not None and found.by_prompt.cached < 0.2
    assert (len(found.ratios), found.peak, found.by_picture.pictures_cached) == (1, None, None)


def test_a_server_that_fails_stops_the_sweep_with_its_own_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with running_stub(always={"": "400:no such thing"}) as stub:
        assert run_command(["bench", "sweep", "--server", f"openai:stub@{stub.url}"]) != 0
    assert "no such thing" in capsys.readouterr().err
    assert run_command(["bench", "sweep", "--vllm-python", "nowhere/python"]) == 2
    assert run_command(["bench", "sweep", "--allow-remote", "example.org"]) == 2
    assert run_command(["bench", "client", "--server", "openai:x@http://127.0.0.1:1"]) == 2
    assert run_command(["bench", "client", "--out", "page.html"]) == 2
    assert run_command(["bench", "client", "--peers", "nowhere"]) == 2


def test_all_benchmarks_print_the_same_keys() -> None:
    told = as_json("client", rounds=3, targets=targets(findings()), found={"costs": []})
    assert list(told) == ["schema", "benchmark", "rounds", "costs", "targets"]
    assert list(told["targets"][0]) == ["target", "asked", "measured", "held"]


def test_a_sweep_refuses_what_only_the_client_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["bench", "sweep", "--large", "5"]) != 0
    assert "--large has no effect with bench sweep" in capsys.readouterr().err


@pytest.mark.slow
def test_a_small_round_of_a_sweep_counts_what_it_spared() -> None:
    told = sweep_round("shipped", "shared", 1)
    assert (told["encoded"], told["picture_tokens"], told["failed"]) == (8, 25, "")
    assert told["state"] == "pictures encoded once and beginnings of prompts read once"
    assert 0.6 * told["prompt_tokens"] < told["shared_tokens"] < told["prompt_tokens"]
