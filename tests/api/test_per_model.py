"""Options for one model among several."""

from __future__ import annotations

import pytest

from harness.api.options import flag
from harness.api.per_model import for_each, opened_as
from harness.core.errors import HarnessError
from harness.models import OpenOptions

QWEN, LLAMA = "vllm:Qwen/Qwen2.5-VL-7B-Instruct", "vllm:meta-llama/Llama-3.2-11B-Vision-Instruct"
TINY = "affect-tiny"


def opened(*names: str, **given: tuple[str, ...]) -> dict[str, OpenOptions]:
    options = {name: OpenOptions() for name in names}
    return opened_as(options, {name: name for name in names}, spelled=flag, **given)  # type: ignore[arg-type]


def test_values_for_all_come_first_and_those_of_a_model_are_its_own() -> None:
    given = ["--dtype=bfloat16", f"{LLAMA}=--max-num-seqs=16", f"{LLAMA}=--enforce-eager"]
    found = for_each(given, [QWEN, LLAMA], flag="--vllm-arg")
    assert found[QWEN] == ("--dtype=bfloat16",)
    assert found[LLAMA] == ("--dtype=bfloat16", "--max-num-seqs=16", "--enforce-eager")


def test_a_model_whose_name_begins_with_anothers_is_told_apart() -> None:
    found = for_each(["vllm:a=b=1", "vllm:a=2"], ["vllm:a", "vllm:a=b"], flag="--adapter")
    assert found == {"vllm:a": ("2",), "vllm:a=b": ("1",)}


def test_two_servers_have_pythons_and_arguments_of_their_own() -> None:
    found = opened(
        QWEN,
        LLAMA,
        TINY,
        pythons=("new/bin/python", f"{LLAMA}=old/bin/python"),
        arguments=(f"{LLAMA}=--enforce-eager", "--max-model-len=4096"),
    )
    assert found[QWEN].vllm_python == "new/bin/python"
    assert found[LLAMA].vllm_python == "old/bin/python"
    assert found[QWEN].vllm_args == ("--max-model-len=4096",)
    assert set(found[LLAMA].vllm_args) == {"--max-model-len=4096", "--enforce-eager"}


def test_remote_code_is_run_for_the_model_named_alone() -> None:
    found = opened("transformers:a/b", "transformers:c/d", trusted=("transformers:a/b",))
    assert [one.trust_remote_code for one in found.values()] == [True, False]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"arguments": ("vllm:typo=--enforce-eager",)}, "no model 'vllm:typo' is asked"),
        ({"adapters": ("lora",)}, "for which model"),
        ({"adapters": ("specialist:fer=lora",)}, "no effect on specialist:fer"),
        ({"trusted": (TINY,)}, "no such model"),
        ({"trusted": ("vllm:typo",)}, "no such model"),
        ({"pythons": (f"{TINY}=python",)}, "no effect on affect-tiny"),
    ],
)
def test_what_has_no_effect_is_refused(given: dict[str, tuple[str, ...]], word: str) -> None:
    with pytest.raises(HarnessError, match=word):
        opened(QWEN, LLAMA, TINY, "specialist:fer", **given)


def test_an_adapter_needs_no_model_where_one_alone_takes_it() -> None:
    found = opened(QWEN, TINY, adapters=("lora",))
    assert found[QWEN].adapter == "lora" and found[TINY].adapter is None
