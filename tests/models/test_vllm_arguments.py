"""A person's arguments for `vllm serve`, and the installation that gets them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.models.vllm.arguments import show_arguments, telling_arguments, tidy_arguments
from harness.models.vllm.installation import find_vllm
from tests.models.fake_vllm import make_fake

JSON = '{"image": 3}'


@pytest.mark.parametrize(
    ("given", "tidied", "telling"),
    [
        ((), (), ""),
        (("--dtype=float32",), ("--dtype=float32",), "--dtype=float32"),
        (("--dtype", "float32"), ("--dtype", "float32"), "--dtype=float32"),
        (("--dtype float32",), ("--dtype", "float32"), "--dtype=float32"),
        ((f"--limit-mm-per-prompt {JSON}",), ("--limit-mm-per-prompt", JSON), f"--limit-mm-per-prompt={JSON}"),
        ((f"--limit-mm-per-prompt={JSON}",), (f"--limit-mm-per-prompt={JSON}",), f"--limit-mm-per-prompt={JSON}"),
        (("--tensor-parallel-size=2", "-pp", "2", "--data_parallel_size 4"), None, ""),
        (("--max-model-len=9", "-tp=2", "--dtype=half"), None, "--dtype=half --max-model-len=9"),
        (("--max_model_len", "9"), None, "--max-model-len=9"),
        (("--ignore-patterns", "--seed", "-1"), None, "--ignore-patterns --seed=-1"),
        (("--allowed", "a", "b", "--enforce-eager"), None, "--allowed=a b"),
    ],
)  # fmt: skip
def test_arguments_as_people_write_them(
    given: tuple[str, ...], tidied: tuple[str, ...] | None, telling: str
) -> None:
    found = tidy_arguments(given)
    if tidied is not None:
        assert found == tidied
    assert telling_arguments(found) == telling


def test_a_file_is_named_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "template.jinja"
    file.write_text("one")
    first = telling_arguments(("--chat-template", str(file)))
    file.write_text("two")
    assert first != telling_arguments(("--chat-template", str(file)))
    assert show_arguments(("--chat-template", str(file))) == f"--chat-template={file}"


@pytest.mark.parametrize(
    "given",
    [
        "--port=80",
        "--host 0.0.0.0",
        "--served_model_name=x",
        "--api-key=CANARY",
        "--hf-token CANARY",
        "--trust-remote-code",
    ],
)
def test_what_is_not_a_persons_to_set_is_refused_without_repeating_a_secret(given: str) -> None:
    with pytest.raises(HarnessError, match="is not allowed") as caught:
        tidy_arguments((given,))
    assert "leave it out" in caught.value.hint
    assert "CANARY" not in str(caught.value)


def test_vllm_is_found_without_importing_it(tmp_path: Path) -> None:
    python = make_fake(tmp_path / "env")
    found = find_vllm(str(python))
    assert (found.python, found.version, found.has_serve) == (python, "0.32.0", True)
    assert found.facts["transformers"]
    assert find_vllm(str(tmp_path / "env")) == found, "the environment's folder will do"
    assert not (tmp_path / "env" / "imported").exists()


def test_the_command_of_the_path_comes_after_this_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = make_fake(tmp_path / "env")
    command = python.parent / "vllm"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    link = tmp_path / "bin" / "vllm"
    link.parent.mkdir()
    link.symlink_to(command)
    monkeypatch.setenv("PATH", f"{link.parent}:/usr/bin:/bin")
    assert find_vllm(None).python == python


def test_where_there_is_none_the_error_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    for named in (None, sys.executable):
        with pytest.raises(HarnessError) as caught:
            find_vllm(named)
        assert "--vllm-python" in caught.value.hint
    with pytest.raises(HarnessError, match="interpreter not found"):
        find_vllm(str(tmp_path / "nothing"))
    with pytest.raises(HarnessError, match="for its vLLM version"):
        find_vllm("/bin/true")


@pytest.mark.parametrize(
    ("version", "old", "module", "generation"),
    [
        ("0.32.0+cpu", False, "vllm.entrypoints.cli.main", True),
        ("0.10.2", False, "vllm.entrypoints.cli.main", True),
        ("0.6.4", True, "vllm.entrypoints.openai.api_server", False),
        ("nightly", False, "vllm.entrypoints.cli.main", True),
    ],
)
def test_old_and_new_versions_are_started_in_their_own_words(
    tmp_path: Path, version: str, old: bool, module: str, generation: bool
) -> None:
    found = find_vllm(str(make_fake(tmp_path / "env", version=version, old=old)))
    command = found.command(Path("/ckpt"), port=8000, served="m", arguments=("--dtype=half",))
    assert command[1:3] == ["-m", module]
    assert "/ckpt" in command
    assert ("--generation-config" in command) == generation
    assert command[-1] == "--dtype=half"
    assert command[command.index("--host") + 1] == "127.0.0.1"


@pytest.mark.parametrize("asks", [True, False])
def test_a_vllm_that_asks_for_trust_is_told_to_trust_this_machine(
    tmp_path: Path, asks: bool
) -> None:
    """Else it refuses the times of a video's frames; an older one would not know the argument."""
    python = make_fake(tmp_path / "env")
    package = next((tmp_path / "env").rglob("vllm/entrypoints"))
    if asks:
        (package / "launchers").mkdir()
        (package / "launchers" / "cli_args.py").write_text("trust_request_mm_kwargs: bool = False")
    found = find_vllm(str(python))
    command = found.command(Path("/ckpt"), port=8000, served="m")
    assert ("--trust-request-mm-kwargs" in command) is asks
    assert found.facts.keys() == {"transformers", "torch"}
