from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.models.http.endpoint import find_key, is_loopback, parse_endpoint, remote_host

NOBODY: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("api.openai.com", False),
    ],
)
def test_loopback_is_only_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("argument", "base"),
    [
        ("m@http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("m@http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1"),
        ("m@http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("m@http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1"),
        ("m@http://127.0.0.1:8000/v1/chat/completions", "http://127.0.0.1:8000/v1"),
        ("m@http://[::1]:8000", "http://[::1]:8000/v1"),
        ("m@http://localhost:1/api/v1", "http://localhost:1/api/v1"),
    ],
)
def test_urls_with_and_without_v1_are_one(argument: str, base: str) -> None:
    endpoint = parse_endpoint(argument, allow_remote=NOBODY)
    assert (endpoint.model, endpoint.base, endpoint.loopback) == ("m", base, True)
    assert endpoint.chat == f"{base}/chat/completions"


def test_a_model_name_may_hold_slashes_and_at_signs() -> None:
    endpoint = parse_endpoint("org/name@rev@http://localhost:1", allow_remote=NOBODY)
    assert endpoint.model == "org/name@rev"


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "m",
        "m@",
        "@http://127.0.0.1:1",
        "m@ftp://127.0.0.1",
        "m@127.0.0.1:8000",
        "m@http://127.0.0.1:x",
        "m@http://127.0.0.1:1/?a=b",
        "m@http://user:pass@127.0.0.1:1",
    ],
)
def test_what_is_no_model_at_a_url_is_refused_with_the_form(argument: str) -> None:
    with pytest.raises(HarnessError) as caught:
        parse_endpoint(argument, allow_remote=NOBODY)
    assert "openai:MODEL@URL" in caught.value.hint
    assert "pass" not in caught.value.message.replace("password", "")


def test_another_host_needs_leave_and_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    argument, host = "m@https://API.example.com/v1", "api.example.com"
    with pytest.raises(HarnessError) as caught:
        parse_endpoint(argument, allow_remote=frozenset({"other.example.com"}))
    assert "sent from this machine" in caught.value.message
    assert f"--allow-remote {host}" in caught.value.hint
    with pytest.raises(HarnessError, match="no key"):
        parse_endpoint(argument, allow_remote=frozenset({host}))
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    endpoint = parse_endpoint(argument, allow_remote=frozenset({host}))
    assert not endpoint.loopback
    assert endpoint.headers["Authorization"] == "Bearer k"


def test_the_machines_proxy_serves_remote_hosts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "near.example")
    allowed = frozenset({"far.example", "near.example"})
    proxies = [
        parse_endpoint(f"m@{url}", allow_remote=allowed).proxy
        for url in ("https://far.example", "https://near.example", "http://127.0.0.1:1")
    ]
    assert proxies == ["http://proxy.example:3128", None, None]


def test_a_key_file_stands_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    file = tmp_path / "key"
    file.write_text("from-file\n")
    file.chmod(0o600)
    assert find_key(file) == "from-file"
    assert find_key(None) == "from-environment"
    endpoint = parse_endpoint("m@http://127.0.0.1:1", allow_remote=NOBODY, key_file=file)
    assert endpoint.headers["Authorization"] == "Bearer from-file"
    assert "from-file" not in repr(endpoint)


@pytest.mark.parametrize(
    ("content", "mode", "fault"),
    [
        (b"sk-canary", 0o644, "can be read by other users"),
        (b"sk-canary", 0o640, "can be read by other users"),
        (b" \n", 0o600, "is empty"),
        (b"sk-canary two words", 0o600, "does not hold a valid key"),
        (b"sk-canary\nInjected: header", 0o600, "does not hold a valid key"),
        (b"\xff\xfesk-canary", 0o600, "cannot read the key"),
        (None, 0, "cannot read the key"),
    ],
)
def test_what_is_no_key_file_is_refused_without_its_content(
    tmp_path: Path, content: bytes | None, mode: int, fault: str
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
        file.chmod(mode)
    with pytest.raises(HarnessError, match=fault) as caught:
        find_key(file)
    assert str(file) in str(caught.value) and caught.value.hint
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "host"),
    [
        ("openai:gpt@https://API.example.com/v1", "api.example.com"),
        ("openai:org/name@rev@https://far.example:8443", "far.example"),
        ("openai:qwen@http://127.0.0.1:8000", None),
        ("openai:qwen@http://localhost:8000", None),
        ("openai:qwen", None),
        ("openai:qwen@http://[bad", None),
        ("transformers:a@https://far.example", None),
        ("affect-tiny", None),
    ],
)
def test_the_host_that_faces_leave_for(spec: str, host: str | None) -> None:
    assert remote_host(spec) == host
