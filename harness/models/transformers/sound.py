"""Sounds as a checkpoint's own processor takes them: samples of one channel at the rate of its feature extractor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.core.errors import MediaError
from harness.core.message import Audio
from harness.models.transformers.prepared import PreparedRequest

if TYPE_CHECKING:
    from harness.media.sound import Wave


def heard_by(processor: Any, sound: Audio) -> Wave:
    """A sound at the processor's rate. Raises MediaError where it is longer than the processor reads: what is longer is
    cut there, and nothing would tell."""
    from harness.media.sound import wave_at

    extractor = processor.feature_extractor
    made = wave_at(sound.data, int(extractor.sampling_rate), name=sound.name)
    most = getattr(extractor, "n_samples", None)
    if isinstance(most, int) and made.size > most:
        raise MediaError(
            f"sound is longer than the {most / extractor.sampling_rate:g} s that this checkpoint reads: {sound.name}",
            kind="too-large", hint="cut it",
        )  # fmt: skip
    return made


def sounds_of(processor: Any, prompts: Sequence[PreparedRequest]) -> dict[str, Any]:
    """The sounds of a batch as a processor takes them, in the order of its prompts."""
    if not prompts[0].sounds:
        return {}
    rate = int(processor.feature_extractor.sampling_rate)
    return {"audio": [wave for p in prompts for wave in p.sounds], "sampling_rate": rate}
