"""A server's life with us, by a fake that starts in a moment; tests/vllm drives the real one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.core.errors import HarnessError
from harness.core.message import Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.registry import OpenOptions
from harness.models.vllm.model import VllmModel, open_vllm
from tests.interrupts import HEARING
from tests.models.fake_vllm import ROOT, asked, make_fake, running, starts, wait_until_gone
from tests.models.films import frame
from tests.models.sounds import ask as hear
from tests.models.sounds import voice


@pytest.fixture
def python(tmp_path: Path) -> Path:
    return make_fake(tmp_path / "env")


def opened(python: Path, *arguments: str, log: Path | None = None) -> VllmModel:
    options = OpenOptions(vllm_python=str(python), vllm_args=arguments, log_folder=log)
    return open_vllm("affect-tiny", name="vllm:affect-tiny", options=options)


async def test_a_sound_goes_to_a_server_that_a_probe_shows_to_hear(python: Path) -> None:
    """Its reply follows the WAV of an `input_audio` part; a server that reads past such parts is not asked."""
    spoken = [voice("anger"), voice("happiness")]
    model = opened(python, "--fake=hears")
    await model.probe(frozenset({"audio"}))
    assert model.card.audio
    said = [(await model.reply(hear(frame(3), sound, "which?"))).text for sound in spoken]
    assert said == ["anger", "happiness"]
    await model.close()
    deaf = opened(python)
    got = await deaf.reply(hear(frame(3), spoken[0], "which?"))
    assert got.failure is not None and "not heard" in got.failure.detail
    assert not deaf.card.audio
    await deaf.close()


def ask(text: str = "hello") -> Request:
    return make_request((Message("user", (Text(text),)),), Sampling(), model="m")


async def test_the_first_request_starts_it_and_close_ends_it_and_its_family(python: Path) -> None:
    model = opened(python, "--fake=family")
    assert starts(python) == []
    replies = await asyncio.gather(*(model.reply(ask(str(n))) for n in range(20)))
    assert all(reply.failure is None for reply in replies)
    assert len(starts(python)) == 1
    assert len(running(python)) == 2
    assert model.card.details["server_version"] == "0.32.0"
    assert model.card.details["encoder_cache_tokens"] == "2048", "by its log"
    identity = model.card.identity
    await model.close()
    assert running(python) == []
    assert model.card.identity == identity
    assert model.card.details["server_version"] == "0.32.0", "what was learnt is kept"


async def test_after_close_another_request_starts_another(python: Path, tmp_path: Path) -> None:
    model = opened(python, log=tmp_path)
    for _ in range(2):
        reply = await model.reply(ask())
        assert reply.failure is None
        assert reply.served == "", "a name of one start says nothing of the model"
        await model.close()
    assert len(starts(python)) == 2
    assert (tmp_path / "vllm.log").read_text().count("Resolved architecture") == 2
    await model.close()


def test_identity_is_content_versions_and_what_changes_replies(
    python: Path, tmp_path: Path
) -> None:
    one = opened(python).card.identity
    assert opened(python, "--tensor-parallel-size=2", log=tmp_path).card.identity == one
    assert opened(python, "--dtype=float32").card.identity != one
    newer = make_fake(tmp_path / "newer", version="0.33.0")
    assert opened(newer).card.identity != one
    assert "vllm=0.32.0" in one and "127.0.0.1" not in one


async def test_two_servers_at_once_have_ports_and_names_of_their_own(python: Path) -> None:
    models = [opened(python), opened(python)]
    await asyncio.gather(*(model.reply(ask()) for model in models))
    values = [(line[line.index("--port") + 1], line[line.index("--served-model-name") + 1])
              for line in starts(python)]  # fmt: skip
    assert len({port for port, _ in values}) == len({name for _, name in values}) == 2
    await asyncio.gather(*(model.close() for model in models))
    assert running(python) == []


async def test_one_that_ends_at_once_is_an_error_with_its_last_words(
    python: Path, tmp_path: Path
) -> None:
    (tmp_path / "vllm.log").write_text("words of an earlier start\n")
    model = opened(python, "--fake=die", log=tmp_path)
    begun = time.monotonic()
    found = await asyncio.gather(
        *(model.reply(ask(str(n))) for n in range(5)), return_exceptions=True
    )
    assert time.monotonic() - begun < 60
    assert len(starts(python)) == 1, "the others do not try again"
    for error in found:
        assert isinstance(error, HarnessError)
        assert "no kernel for this head size" in error.message
        assert "exit status 3" in error.message
        assert "earlier start" not in error.message
        assert "\x1b" not in error.message
        assert str(tmp_path / "vllm.log") in error.hint
    await model.close()


async def test_one_that_is_never_ready_is_given_up(python: Path) -> None:
    model = opened(python, "--fake=late")
    model._limit = 1.5
    with pytest.raises(HarnessError, match="not ready within 2 s"):
        await model.reply(ask())
    await model.close()
    assert running(python) == []


async def test_one_that_ends_while_it_is_asked_stops_the_run(python: Path) -> None:
    model = opened(python, "--fake=family", "--answers=1")
    await model.reply(ask())
    waiting = [asyncio.ensure_future(model.reply(ask(str(n)))) for n in range(4)]
    while asked(python) < 5:
        await asyncio.sleep(0.01)
    os.kill(running(python)[0], signal.SIGKILL)
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(error, HarnessError) for error in found)
    assert "stopped during the run" in str(found[0])
    await asyncio.to_thread(wait_until_gone, python)
    await model.close()


async def test_a_key_for_another_server_is_not_sent_to_ours(
    python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-CANARY0123456789")
    model = opened(python)
    await model.reply(ask())
    assert model._inner is not None
    assert "Authorization" not in model._inner._endpoint.headers
    await model.close()


@pytest.mark.slow
async def test_one_that_ignores_being_asked_to_end_is_killed(python: Path) -> None:
    model = opened(python, "--fake=stubborn")
    await model.reply(ask())
    await model.close()
    assert running(python) == []


OWNER = """
import asyncio, os, sys, time
from tests.models.test_vllm import Path, ask, opened
async def main():
    model = opened(Path(sys.argv[1]), "--fake=family")
    await model.reply(ask())
    fork = os.fork() if "fork" in sys.argv else None
    if fork == 0:
        time.sleep(200)
        os._exit(0)
    print("ready", fork, flush=True)
    time.sleep(60)
asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["alone", "fork"])
def test_a_killed_owner_leaves_nothing_running(python: Path, how: str) -> None:
    """Even where a fork of it still holds the pipe."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(python), how], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    ready, fork = owner.stdout.readline().split()
    assert ready == "ready" and len(running(python)) == 2
    owner.kill()
    owner.wait()
    owner.stdout.close()
    wait_until_gone(python)
    if how == "fork":
        os.kill(int(fork), signal.SIGKILL)  # it held the pipe until now


def test_a_killed_warden_takes_the_server_along(python: Path) -> None:
    async def life() -> None:
        model = opened(python)
        await model.reply(ask())
        (server,) = running(python)
        supervisor = psutil.Process(server).parent()
        assert supervisor is not None and "supervisor.py" in " ".join(supervisor.cmdline())
        supervisor.kill()
        await asyncio.to_thread(wait_until_gone, python)
        await model.close()

    asyncio.run(life())


def command(folder: Path, python: Path, *arguments: str) -> list[str]:
    return [
        sys.executable, "-m", "harness.cli.main", "run", "faces/emotion", "--limit", "60", "--no-report",
        "--model", "vllm:affect-tiny", "--vllm-python", str(python), "--out", str(folder), "--json",
        *(f"--vllm-arg={argument}" for argument in arguments),
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_ends_run_and_server(python: Path, tmp_path: Path, presses: int) -> None:
    run = subprocess.Popen(
        [*HEARING, *command(tmp_path / "run", python, "--fake=family", "--answers=0")[1:]],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not asked(python):
        assert run.poll() is None, run.communicate()
        time.sleep(0.1)
    assert len(running(python)) == 2
    for _ in range(presses):
        run.send_signal(signal.SIGINT)
        time.sleep(0.2)
    _, errors = run.communicate(timeout=120)
    if presses == 1:  # who presses twice does not wait for words
        assert run.returncode == 130
        assert "Traceback" not in errors
    wait_until_gone(python)


@pytest.mark.slow
def test_a_finished_run_starts_no_server(python: Path, tmp_path: Path) -> None:
    outputs = []
    for _ in range(2):
        done = subprocess.run(
            command(tmp_path / "run", python), capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        outputs.append(json.loads(done.stdout)["scores"])
        assert len(starts(python)) == 1
    assert outputs[0] == outputs[1]
    assert (tmp_path / "run" / "vllm.log").is_file()
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["models"]["vllm:affect-tiny"]["details"]["vllm"] == "0.32.0"


@pytest.mark.slow
def test_two_servers_of_one_command_run_one_after_the_other(tmp_path: Path) -> None:
    """Each by an environment and arguments of its own."""
    old, new = (make_fake(tmp_path / version, version=version) for version in ("0.29.0", "0.32.0"))
    (tmp_path / "harness.toml").write_text(
        f'[models.second]\nmodel = "vllm:affect-tiny"\npython = "{new}"\narguments = ["--max-num-seqs=8"]\n'
    )
    done = subprocess.run(
        [
            sys.executable, "-m", "harness.cli.main", "run", "faces/emotion", "--limit", "20", "--no-report",
            "--model", "vllm:affect-tiny", "--model", "second", "--vllm-python", f"vllm:affect-tiny={old}",
            "--vllm-arg", "vllm:affect-tiny=--max-num-seqs=4", "--out", str(tmp_path / "run"), "--json",
        ],
        capture_output=True, text=True, timeout=120, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ((first,), (second,)) = starts(old), starts(new)
    assert "--max-num-seqs=4" in first and "--max-num-seqs=8" not in first
    assert "--max-num-seqs=8" in second and "--max-num-seqs=4" not in second
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    versions = {name: one["details"]["vllm"] for name, one in manifest["models"].items()}
    assert versions == {"vllm:affect-tiny": "0.29.0", "second": "0.32.0"}
    assert running(old) == running(new) == []


@pytest.mark.bench
def test_each_replica_has_a_server_of_its_own_which_ends_with_it(
    python: Path, tmp_path: Path
) -> None:
    whole = subprocess.run(
        command(tmp_path / "one", python), capture_output=True, text=True, timeout=120
    )
    assert whole.returncode == 0, whole.stderr
    run = tmp_path / "run"
    line = [*command(run, python, "--latency=0.3"), "--replicas", "2", "--concurrency", "4"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = run / "replicas.jsonl"

    def told() -> list[dict[str, Any]]:
        return [json.loads(one) for one in log.read_text().splitlines()] if log.exists() else []

    end = time.monotonic() + 240
    while {one["replica"] for one in told() if one["state"] == "ready" and one["replies"]} != {
        1,
        2,
    }:
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.05)
    place = next(o["place"] for o in reversed(told()) if o["replica"] == 1 and o["place"])
    os.kill(int(place.rpartition(" ")[2]), signal.SIGKILL)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "replica 1" in errors and "was lost" in errors
    assert json.loads(output)["scores"] == json.loads(whole.stdout)["scores"]
    ours = starts(python)[1:]
    assert len(ours) == 3, "two, and another in place of the lost one"
    ports = [one[one.index("--port") + 1] for one in ours]
    assert len(set(ports[:2])) == 2
    wait_until_gone(python)
