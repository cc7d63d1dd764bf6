"""`[models.NAME]` in harness.toml, and the same in Python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.cli.main import main
from harness.run.workspace import open_workspace
from tests.models.stub import HELLO, Stub, contents, running_stub
from tests.run.bench import rows, write_pictures

SOURCE = {"file": "labels.csv", "image": "image", "label": "emotion"}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_pictures(tmp_path, rows(6))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


@pytest.fixture
def two() -> Iterator[tuple[Stub, Stub]]:
    with running_stub() as one, running_stub() as other:
        yield one, other


def run(**options: Any) -> harness.Run:
    return harness.evaluate(
        "table/emotion", source=SOURCE, out="run", report=False, progress=False, **options
    )


def manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("run/manifest.json").read_text())
    return found


def write_toml(*lines: str) -> None:
    Path("harness.toml").write_text("\n".join(lines) + "\n")


def test_a_key_goes_to_the_host_it_is_named_for_and_to_no_other(
    data: Path, two: tuple[Stub, Stub], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    one.key = "key-of-the-first-host"
    other.choose = lambda body: "ok" if HELLO in contents(body)[0] else "redirect"
    monkeypatch.setenv("FIRST_KEY", one.key)
    write_toml(
        "[models.first]",
        f'model = "openai:stub@{one.url}"',
        'key_env = "FIRST_KEY"',
        "[models.second]",
        f'model = "openai:stub@{other.url}"',
        'headers = {x-token = "token-of-the-second", X-Title = "faces"}',
        'query = {api-version = "2026-01-01"}',
    )
    with pytest.raises(harness.HarnessError, match="redirect"):
        run(models=["first", "second"])
    assert one.count == 6
    assert all(seen["Authorization"] == f"Bearer {one.key}" for seen in one.every)
    assert not any("X-Title" in seen or "x-token" in seen for seen in one.every)
    assert other.every and not any("Authorization" in seen for seen in other.every)
    assert all(seen["X-Title"] == "faces" for seen in other.every)
    posted = [seen for seen in other.every if "chat" in seen["path"]]
    assert all(seen["path"].endswith("?api-version=2026-01-01") for seen in posted)
    files = [f.read_bytes() for f in Path("run").rglob("*") if f.is_file()]
    assert not any(b"of-the-first" in text or b"of-the-second" in text for text in files)


def test_a_key_that_names_no_host_is_not_sent_to_several(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "the-usual-key")
    hosts = ["a.invalid", "b.invalid"]
    with pytest.raises(harness.HarnessError, match=r"whose key .* a.invalid, b.invalid are asked"):
        run(models=[f"openai:m@https://{host}" for host in hosts], allow_remote=hosts)


def test_the_key_of_a_server_elsewhere_is_not_sent_to_one_on_this_machine(
    data: Path, two: tuple[Stub, Stub], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "the-usual-key")
    names = [f"openai:stub@{two[0].url}", "openai:m@https://a.invalid"]
    with pytest.raises(harness.HarnessError, match="no server answers"):
        run(models=names, allow_remote="a.invalid")
    assert two[0].every and not any("Authorization" in seen for seen in two[0].every)


def test_each_model_of_a_run_has_settings_of_its_own(data: Path, two: tuple[Stub, Stub]) -> None:
    one, other = two
    write_toml(
        "[models.warm]",
        f'model = "openai:stub@{one.url}"',
        'display_name = "Stub, warm"',
        "price = {input = 2.5, output = 10}",
        'body = {provider = {order = ["a"]}}',
        "[models.warm.sampling]",
        "temperature = 0.7",
        "top_p = 0.8",
        "seed = 5",
        "max_tokens = 99",
    )
    done = run(
        models=["warm", {"model": f"openai:stub@{other.url}", "name": "plain", "system": "none"}],
        prompts="emotion/defined",
    )
    sent = one.requests[0]
    assert (sent["temperature"], sent["top_p"], sent["seed"], sent["max_tokens"]) == (
        0.7,
        0.8,
        5,
        99,
    )
    assert sent["provider"] == {"order": ["a"]} and "provider" not in other.requests[0]
    assert (other.requests[0]["temperature"], other.requests[0]["top_p"]) == (0.0, 1.0)
    models = set(done.scores()["model"]) - {"majority", "prior"}
    assert models == {"Stub, warm", "plain"}
    settings = manifest()["models"]["warm"]["settings"]
    assert settings["price"] == {"input": 2.5, "output": 10.0}
    assert settings["body"] == {"provider": {"order": ["a"]}}
    assert "body=" in manifest()["models"]["warm"]["identity"]


def test_another_display_name_asks_nothing_again_and_leaves_no_second_row(
    data: Path, two: tuple[Stub, Stub]
) -> None:
    for name in ("Before", "After"):
        done = run(model={"model": f"openai:stub@{two[0].url}", "name": "m", "display_name": name})
    assert two[0].count == 6
    assert set(done.scores()["model"]) == {"After", "majority", "prior"}


def test_what_the_command_says_wins_over_the_settings_of_a_model(
    data: Path, two: tuple[Stub, Stub]
) -> None:
    settings = {"temperature": 0.5, "max_tokens": 50, "seed": 3}
    given = {"model": f"openai:stub@{two[0].url}", "sampling": settings, "max_images": 1}
    run(model=given, temperature=0.0, max_tokens=20)
    sent = two[0].requests[0]
    assert (sent["temperature"], sent["max_tokens"], sent["seed"]) == (0.0, 20, 3)
    assert manifest()["cells"][0]["max_images"] == 1


SYSTEM = """---
description: Says something before.
fields: [emotion]
---
{% system %}You are brief.{% endsystem %}
{% user %}{{ image }} Which of {{ labels | join(", ") }}?{% enduser %}
"""


@pytest.mark.parametrize(
    ("system", "roles", "begins"),
    [("keep", ["system", "user"], "You"), ("user", ["user"], "You"), ("none", ["user"], " Which")],
)
def test_a_model_s_settings_say_what_becomes_of_system_turns(
    data: Path, two: tuple[Stub, Stub], system: str, roles: list[str], begins: str
) -> None:
    (data / "mine").mkdir()
    (data / "mine" / "told.j2").write_text(SYSTEM)
    where = f"openai:stub@{two[0].url}"
    for setting in ("keep", system):
        run(
            model={"model": where, "name": "m", "system": setting},
            prompts="told", prompts_folders="mine", limit=2,
        )  # fmt: skip
    sent = two[0].requests[-1]["messages"]
    assert [turn["role"] for turn in sent] == roles
    first = sent[0]["content"]
    text = first if isinstance(first, str) else "".join(p.get("text", "") for p in first)
    assert text.startswith(begins)
    assert two[0].count == (2 if system == "keep" else 4)  # another basis is asked again


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['model = "x"', "thinkin = 1"], r"harness.toml:3: models.m.thinkin: unknown key"),
        (
            ['model = "x"', "[models.m.sampling]", "topp = 1"],
            r":4: models.m.sampling.topp: unknown",
        ),
        (['model = "x"', 'max_images = "3"'], r":3: models.m.max_images: .*valid integer"),
        (['model = "x"', "trust_remote_code = 1"], r":3: .*valid boolean"),
        (['model = "x"', 'thinking = "a lot"'], r":3: .*unknown thinking level 'a lot'"),
        (['model = "x"', 'key_env = "A"', 'key_file = "b"'], r":1: .*both name a key"),
        (['model = "x"', "body = {temperature = 1}"], r":3: .*temperature is set by another"),
        (['model = "x"', 'query = {key = "abc"}'], r":3: .*may be a secret"),
        (['model = "x"', 'headers = {a = "b\\nc"}'], r":3: .*not a one-line ASCII header"),
        (["display_name = 1", 'model = "x"'], r":2: .*valid string"),
        (['display_name = "x"'], r":1: models.m.model: missing"),
    ],
)
def test_a_wrong_setting_is_refused_with_file_and_line(
    data: Path, lines: list[str], said: str
) -> None:
    write_toml("[models.m]", *lines)
    with pytest.raises(harness.HarnessError, match=said):
        open_workspace(data)


def test_a_name_that_is_taken_and_a_setting_without_effect_are_refused(data: Path) -> None:
    write_toml("[models.affect-tiny]", 'model = "openai:m@http://127.0.0.1:1"')
    with pytest.raises(harness.HarnessError, match="already means a model"):
        open_workspace(data)
    write_toml("[models.tiny]", 'model = "affect-tiny"', 'headers = {a = "b"}')
    with pytest.raises(harness.HarnessError, match=r"headers has no effect with \[models.tiny\]"):
        run(model="tiny")
    write_toml("[models.a]", 'model = "affect-tiny"', 'display_name = "affect-tiny"')
    with pytest.raises(harness.HarnessError, match="both shown as 'affect-tiny'"):
        run(models=["a", "affect-tiny"])


def test_models_are_compared_by_either_name(data: Path, two: tuple[Stub, Stub]) -> None:
    one, other = two
    done = run(
        models=[
            {"model": f"openai:stub@{one.url}", "name": "a", "display_name": "The first"},
            {"model": f"openai:stub@{other.url}", "name": "b"},
        ]
    )
    by_name, by_display = done.compare(model=("a", "b")), done.compare(model=("The first", "b"))
    assert by_name.equals(by_display) and set(by_name["a_model"]) == {"The first"}


def test_a_window_that_a_server_tells_bounds_the_replies_it_is_tried_with(
    data: Path, two: tuple[Stub, Stub]
) -> None:
    stub = two[0]
    stub.choose = lambda body: "context" if body.get("max_tokens", 0) > 3900 else "ok"
    with pytest.raises(harness.HarnessError, match="cannot be asked for thinking 3500"):
        run(model=f"openai:stub@{stub.url}", thinking=3500, max_tokens=4000)
    assert max(body["max_tokens"] for body in stub.requests) == 4096 - 256


def test_a_plan_takes_what_a_run_takes_and_shows_display_names(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also from an experiment file; no model is opened."""
    write_toml("[models.big]", 'model = "vllm:org/big"', 'display_name = "Big (LoRA)"')
    flags = [
        "--vllm-python",
        "/opt/vllm/bin/python",
        "--vllm-arg=--enforce-eager",
        "--adapter",
        "x/y",
    ]
    source = [f"--set=source.{key}={value}" for key, value in SOURCE.items()]
    asked = ["plan", "table/emotion", "--model", "big", *source]
    assert main([*asked, *flags, "--timeout", "5", "--check-model", "--max-error-rate", "1"]) == 0
    table = capsys.readouterr().out
    assert "Big (LoRA)" in table
    assert main([*asked, "--json"]) == 0
    (cell,) = json.loads(capsys.readouterr().out)["plan"]["cells"]
    assert (cell["model"], cell["display_name"]) == ("big", "Big (LoRA)")
    assert main([*asked, "--key-file", "key"]) == 2
    assert "--key-file has no effect" in capsys.readouterr().err
    one = {"model": "vllm:org/big", "name": "small", "display_name": "Small", "adapter": "x/y"}
    body = {"tasks": ["table/emotion"], "set": {"source": SOURCE}, "models": [one]}
    Path("e.yaml").write_text(json.dumps({**body, "vllm_python": ["/opt/vllm/bin/python"]}))
    assert main(["plan", "e.yaml"]) == 0
    assert "Small" in capsys.readouterr().out
