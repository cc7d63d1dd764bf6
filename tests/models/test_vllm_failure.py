"""The cause of a failed start, in logs as several versions of vLLM write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.models.vllm.failure import cause_of
from tests.models.fake_vllm import make_fake
from tests.models.test_vllm import ask, opened

MEMORY = (Path(__file__).parent / "vllm_logs" / "memory.txt").read_text()
PYDANTIC = """\
(APIServer pid=1) Traceback (most recent call last):
(APIServer pid=1)   File "/env/vllm/config/model.py", line 404, in __post_init__
(APIServer pid=1) pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig
(APIServer pid=1)   Value error, Model architectures ['MllamaForConditionalGeneration'] are not supported for now. \
Supported architectures: dict_keys(['A']) [type=value_error, input_value=ArgsKwargs(()), input_type=ArgsKwargs]
(APIServer pid=1)     For further information visit https://errors.pydantic.dev/2.11/v/value_error
"""
CHAINED = """\
Traceback (most recent call last):
  File "/env/x.py", line 1, in <module>
AttributeError: 'MllamaProcessor' object has no attribute '_get_num_multimodal_tokens'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/env/y.py", line 9, in <module>
RuntimeError: Failed to apply MllamaProcessor on data
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore_0': 1}
"""
WORKERS = """\
ERROR 09-01 10:00:00 [multiproc_executor.py:585] WorkerProc failed to start.
ERROR 09-01 10:00:00 [multiproc_executor.py:585] Traceback (most recent call last):
ERROR 09-01 10:00:00 [multiproc_executor.py:585] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 86.00 MiB.
ERROR 09-01 10:00:03 [core.py:586] Exception: WorkerProc initialization failed due to an exception in a background process. See stack trace for root cause.
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
"""
USAGE = """\
usage: vllm serve [model_tag] [options]
vllm serve: error: unrecognized arguments: --max-model-length 4096
"""
OLD = """\
Traceback (most recent call last):
  File "/env/tokenizer.py", line 79, in get_cached_tokenizer
AttributeError: Qwen2Tokenizer has no attribute all_special_tokens_extended. Did you mean: 'num_special_tokens_to_add'?
"""


@pytest.mark.parametrize(
    ("log", "said", "hint"),
    [
        (MEMORY, "ValueError: No available memory for the cache blocks.", "--max-model-len"),
        (PYDANTIC, "Model architectures ['MllamaForConditionalGeneration'] are not supported", "doctor"),
        (CHAINED, "AttributeError: 'MllamaProcessor' object has no attribute", "doctor"),
        (WORKERS, "OutOfMemoryError: CUDA out of memory.", "--max-num-seqs"),
        (USAGE, "unrecognized arguments: --max-model-length 4096", "leave that argument out"),
        (OLD, "AttributeError: Qwen2Tokenizer has no attribute", "incompatible versions"),
        ("INFO 11-24 08:48:15 [x.py:1] nothing is wrong\n", "", ""),
        ("WARNING 11-24 08:48:16 [x.py:1] ValueError: not so bad\n", "", ""),
        ("", "", ""),
    ],
)  # fmt: skip
def test_the_first_cause_is_found(log: str, said: str, hint: str) -> None:
    found = cause_of([line for line in log.splitlines() if line])
    assert said in found.said and bool(said) == bool(found.said)
    assert hint in found.hint
    assert "root cause" not in found.said and len(found.said) <= 700


async def test_a_failed_start_tells_its_cause_and_not_its_last_lines(tmp_path: Path) -> None:
    model = opened(make_fake(tmp_path / "env"), "--fake=rooted", log=tmp_path)
    with pytest.raises(HarnessError) as caught:
        await model.reply(ask())
    await model.close()
    assert "No available memory for the cache blocks" in caught.value.message
    assert "See root cause above" not in caught.value.message
    assert "--max-model-len" in caught.value.hint and "vllm.log" in caught.value.hint
