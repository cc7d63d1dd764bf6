"""`specialist:fer`, `specialist:onnx:FILE` and `specialist:tflite:FILE`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.core.errors import HarnessError
from harness.core.model import Card
from harness.core.text import digest_file, digest_json
from harness.models.registry import OpenOptions
from harness.models.specialists.card import SpecialistCard, read_card
from harness.models.specialists.engine import SpecialistEngine
from harness.models.specialists.network import Floats, Network, open_onnx, open_tflite
from harness.models.transformers.libraries import import_libraries
from harness.models.transformers.model import BATCH, WINDOW, LocalModel

READER = 1
"""Changes whenever the same picture would reach a network otherwise, or its outputs be read otherwise."""
FER = SpecialistCard(
    labels=("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
    size=64,
    colour="grey",
    layout="nchw",
    range=(-1.0, 1.0),
    gives="probabilities",
    source="fer 25.10.3, mini-Xception trained on FER2013",
    licence="MIT",
)
_OF_FILES: dict[str, Callable[[Path, SpecialistCard], Network]] = {
    "onnx": open_onnx,
    "tflite": open_tflite,
}
_FORMS = "specialist:fer, specialist:onnx:FILE or specialist:tflite:FILE"


def weights_file() -> Path:
    """The weights of `specialist:fer`."""
    return Path(__file__).parent / "weights" / "fer_mini_xception.safetensors"


def labels_of(argument: str) -> tuple[str, ...]:
    """What a specialist's outputs stand for, by its card; none where there is no such card. Raises HarnessError for a
    card that is wrong."""
    if argument == "fer":
        return FER.labels
    file = Path(argument.partition(":")[2]).expanduser()
    known = bool(file.name) and file.with_suffix(".yaml").is_file()
    return read_card(file).labels if known else ()


def open_specialist(argument: str, *, name: str, options: OpenOptions) -> LocalModel:
    """The classifier that is shipped, or one in a file with its card beside it.

    The file is opened at once, so that what does not fit is known before anything is asked. Raises HarnessError where
    there is no such file or card, where they do not fit each other, and where a package is missing.
    """
    del options  # none of them concerns a classifier
    kind, _, path = argument.partition(":")
    if argument == "fer":
        return _serve(_fer, FER, weights_file(), name=name, kind="fer")
    if kind not in _OF_FILES or not path:
        raise HarnessError(f"unknown specialist {argument!r}", hint=f"write {_FORMS}")
    file = Path(path).expanduser()
    if not file.is_file():
        raise HarnessError(f"{name}: not found: {file}", hint="check the path")
    card = read_card(file)
    network = _OF_FILES[kind](file, card)
    return _serve(lambda: network, card, file, name=name, kind=kind)


def _serve(
    load: Callable[[], Network], card: SpecialistCard, file: Path, *, name: str, kind: str
) -> LocalModel:
    weights, settings = digest_file(file), digest_json(card.model_dump(mode="json"))
    told = Card(
        name=name,
        identity=f"specialist {kind} weights={weights} card={settings} reader={READER}",
        estimators=("distribution",),
        families=("none",),
        labels=card.labels,
        window=WINDOW,
        details={
            "file": file.name,
            "weights": weights,
            "labels": ", ".join(card.labels),
            "size": "x".join(map(str, card.height_width)),
            **({"source": card.source} if card.source else {}),
            **({"licence": card.licence} if card.licence else {}),
        },
    )
    return LocalModel(lambda: SpecialistEngine(load(), card), told, batch=BATCH)


def _fer() -> Network:
    torch, _ = import_libraries()
    from safetensors.torch import load_file

    from harness.models.specialists.mini_xception import MiniXception

    network = MiniXception(load_file(weights_file()), labels=len(FER.labels))

    def run(given: Floats) -> Floats:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # so small a network spends 50 times as long on handing work out
        try:
            with torch.inference_mode():
                found: Floats = network(torch.from_numpy(given))[0].numpy()
        finally:
            torch.set_num_threads(threads)
        return found

    return run
