"""Logs of inspect-ai: JSON files, and packed `.eval` files, sample by sample."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.core.errors import HarnessError
from harness.core.finish import finish_of
from harness.imports.answer_rows import ANSWER, FAILURE, FINISH, REPEAT
from harness.sources.pictures import natural
from harness.sources.row import TableRow

COLUMNS = (
    "id", "epoch", "target", "metadata", "choices", "scores", ANSWER, FINISH, FAILURE, REPEAT,
)  # fmt: skip
DEFAULTS = MappingProxyType({"id": "id", "truth": "target", "answer": ANSWER})

_ATTACHED = "attachment://"
"""Long texts stand apart, under the digest behind this."""
_ZSTANDARD = 93
"""How the zip format numbers Zstandard (PKWARE APPNOTE 4.4.5)."""
_LOCAL_HEADER = 30
"""Bytes of a file's header before its name."""
_ENCRYPTED = 1
_LARGEST = 1 << 28
"""Bytes of one sample, unpacked; more is refused unread."""


def json_rows(path: Path) -> tuple[TableRow, ...]:
    """The samples of a log written as JSON. Raises HarnessError where it is none, or holds no samples."""
    try:
        log = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise HarnessError(f"{path.name}: not JSON: {error}", hint="write the log again") from None
    except OSError as error:
        raise HarnessError(f"{path} cannot be read: {error.strerror}") from None
    samples = log.get("samples") if isinstance(log, dict) else None
    if not isinstance(samples, list) or "eval" not in log:
        raise HarnessError(
            f"{path.name} is not an inspect-ai eval log with samples",
            hint="give the whole log (inspect log dump FILE), or a .jsonl with one object per line",
        )
    if not samples:
        raise _no_samples(path)
    return tuple(_row(path, number, sample) for number, sample in enumerate(samples, start=1))


def packed_rows(path: Path) -> Iterator[TableRow]:
    """The samples of a packed log: by inspect-ai's own reader where it is installed, else out of the zip file.

    Raises HarnessError for a file that is no such log, without samples, or packed in a way that only inspect-ai reads.
    """
    samples = _own_reader(path)
    number = 0
    for number, sample in enumerate(_unpacked(path) if samples is None else samples, start=1):
        yield _row(path, number, sample)
    if not number:
        raise _no_samples(path)


def _own_reader(path: Path) -> Iterator[Any] | None:
    try:
        from inspect_ai.log import read_eval_log_samples
    except ImportError:
        return None

    def samples() -> Iterator[Any]:
        try:
            for sample in read_eval_log_samples(str(path), all_samples_required=False):
                yield sample.model_dump(mode="json")
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise _not_a_log(path, error) from None

    return samples()


def _unpacked(path: Path) -> Iterator[Any]:
    try:
        with zipfile.ZipFile(path) as packed:
            names = [
                info
                for info in packed.infolist()
                if info.filename.startswith("samples/") and info.filename.endswith(".json")
            ]
            for info in sorted(names, key=lambda info: natural(info.filename)):
                if info.file_size > _LARGEST:
                    raise HarnessError(
                        f"{path.name}: {info.filename} is larger than {_LARGEST >> 20} MiB "
                        "when unpacked",
                        hint="leave that sample out of the log",
                    )
                yield json.loads(_member(packed, info))
    except NotImplementedError:
        raise HarnessError(
            f"{path.name} uses a compression that Python's zipfile cannot read",
            hint="run pip install inspect-ai, or: inspect log convert --to json --output-dir "
            f"DIR {path.name}",
        ) from None
    except (
        OSError,
        ValueError,
        RecursionError,
        RuntimeError,
        EOFError,
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        raise _not_a_log(path, error) from None


def _member(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """One file of the log. inspect-ai packs them with Zstandard, which Python's zipfile reads from 3.14 on.

    Raises what zipfile raises, and ValueError or OSError for a damaged file.
    """
    if info.compress_type != _ZSTANDARD:
        return packed.read(info)
    import pyarrow as pa

    file = packed.fp
    if file is None or info.flag_bits & _ENCRYPTED:
        raise RuntimeError("it is encrypted")
    file.seek(info.header_offset)
    head = file.read(_LOCAL_HEADER)
    if len(head) < _LOCAL_HEADER or not head.startswith(b"PK\3\4"):
        raise zipfile.BadZipFile(f"{info.filename} has no header")
    names = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    file.seek(names, 1)
    data: bytes = pa.decompress(
        file.read(info.compress_size), decompressed_size=info.file_size, codec="zstd", asbytes=True
    )
    if zlib.crc32(data) != info.CRC:
        raise zipfile.BadZipFile(f"{info.filename} is damaged")
    return data


def _row(path: Path, number: int, sample: Any) -> TableRow:
    where = f"{path.name}, sample {number}"
    if not isinstance(sample, dict):
        raise HarnessError(f"{where}: not an object", hint="write the log again")
    kept = ("id", "epoch", "target", "metadata", "choices", "scores")
    cells: dict[str, Any] = {name: sample.get(name) for name in kept}
    target = cells["target"]
    if isinstance(target, list) and len(target) == 1:
        cells["target"] = target[0]
    output = sample.get("output")
    output = output if isinstance(output, dict) else {}
    choices = output.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else {}
    first = first if isinstance(first, dict) else {}
    cells[ANSWER] = _attached(_completion(output, first), sample)
    cells[FINISH] = finish_of(first.get("stop_reason"))
    fault = sample.get("error") or output.get("error")
    if fault:
        cells[FAILURE] = str(fault.get("message") if isinstance(fault, dict) else fault)[:500]
    cells[REPEAT] = isinstance(cells["epoch"], int) and cells["epoch"] > 1
    return TableRow(number, where, cells)


def _attached(text: str | None, sample: Mapping[str, Any]) -> str | None:
    """The text itself where a log has put it apart."""
    attachments = sample.get("attachments")
    if text is None or not text.startswith(_ATTACHED) or not isinstance(attachments, dict):
        return text
    found = attachments.get(text.removeprefix(_ATTACHED))
    return found if isinstance(found, str) else text


def _completion(output: Mapping[str, Any], choice: Mapping[str, Any]) -> str | None:
    """The reply's text: the message's text parts without its reasoning, else `completion`."""
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, list):
        parts = [c.get("text") for c in content if isinstance(c, dict) and c.get("type") == "text"]
        return "".join(part for part in parts if isinstance(part, str))
    if isinstance(content, str):
        return content
    completion = output.get("completion")
    return completion if isinstance(completion, str) else None


def _no_samples(path: Path) -> HarnessError:
    return HarnessError(f"{path.name} has no samples", hint="use a finished log")


def _not_a_log(path: Path, error: Exception) -> HarnessError:
    return HarnessError(
        f"{path.name} is not an inspect-ai log: {error}",
        hint="use the whole .eval file as inspect wrote it",
    )
