from __future__ import annotations

from pathlib import Path

import pytest

from harness.run.provenance import git_state, hardware, package_versions, redact, redacted


@pytest.mark.parametrize(
    "text",
    [
        "--set api_key=CANARY1234567890",
        "openai:m@http://me:CANARY1234567890@host/v1",
        "Authorization: Bearer CANARY1234567890",
        "sk-CANARY1234567890",
        "hf_CANARY1234567890",
        '{"token": "CANARY1234567890"}',
        "password=CANARY1234567890&x=1",
    ],
)
def test_secrets_do_not_get_through(text: str) -> None:
    assert "CANARY" not in redact(text)
    assert "CANARY" not in str(redacted({"a": [text]}))


@pytest.mark.parametrize(
    "text",
    [
        "harness run table/emotion --model openai:qwen@http://127.0.0.1:8000/v1",
        "--set max_tokens=256",
        "tokenizer: fast",
    ],
)
def test_plain_text_stays(text: str) -> None:
    assert redact(text) == text


def test_versions_and_hardware_are_read_without_heavy_imports() -> None:
    assert package_versions()["python"].startswith("3.")
    assert hardware()["cores"] >= 1


def test_git_state_of_no_checkout_is_none(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None
