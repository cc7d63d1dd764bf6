from __future__ import annotations

import pytest

from harness.core.errors import HarnessError
from harness.models.endpoint import is_loopback, parse_endpoint

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
    assert "openai:MODEL@URL" in caught.value.mend
    assert "pass" not in caught.value.message.replace("password", "")


def test_another_host_needs_leave_and_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    argument, host = "m@https://API.example.com/v1", "api.example.com"
    with pytest.raises(HarnessError) as caught:
        parse_endpoint(argument, allow_remote=frozenset({"other.example.com"}))
    assert "leave this machine" in caught.value.message
    assert f"--allow-remote {host}" in caught.value.mend
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
