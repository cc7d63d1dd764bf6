"""The sound of a sample: a WAV beside a picture or clip, or a video's own track, as plain WAV of one channel.

What is sent is written anew: 16-bit samples of one channel at the rate of the recording, and no other chunk of the file,
which may tell more than a listener hears. Files are not trusted: their kind, size, length and rate are checked before they
are decoded.
"""

from __future__ import annotations

import io
import math
import stat
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError, MediaError, missing_extra
from harness.core.medium import Medium
from harness.core.message import Audio
from harness.core.picture import FilePicture, Remembered, refuse_exhausted
from harness.core.sound import Sound
from harness.media.video_file import VideoFile, check_file

MOST_BYTES = 64 << 20
"""A sound file above this size is refused unread."""
MOST_SECONDS = 120.0
"""A longer sound is refused: cut it."""
RATES = (4_000, 192_000)
"""Least and greatest samples per second."""
MOST_CHANNELS = 8
SUFFIX = ".wav"
_SUFFIXES = (SUFFIX, ".WAV")
"""As recorders write it, too."""

Samples = NDArray[np.int16]
Wave = NDArray[np.float32]
"""Samples of one channel from -1 to 1."""


@dataclass(frozen=True, slots=True)
class WavFile:
    """A sound in a WAV file."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    def read(self) -> bytes:
        try:
            status = self.path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise MediaError(f"sound is not a file: {self.path}", kind="unsupported")
            if status.st_size > MOST_BYTES:
                raise MediaError(
                    f"sound file is larger than {MOST_BYTES >> 20} MiB: {self.path}",
                    kind="too-large", hint="cut it, or lower its rate",
                )  # fmt: skip
            return self.path.read_bytes()
        except OSError as error:
            refuse_exhausted(error, f"reading {self.path}")
            raise MediaError(
                f"sound cannot be read: {self.path}: {error.strerror}", kind="missing"
            ) from None


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """The first sound track of a video file, by PyAV (the extra `sound`)."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    def read(self) -> bytes:
        check_file(self.path)
        av = _pyav()
        try:
            with av.open(str(self.path), options={"protocol_whitelist": "file"}) as container:
                if not container.streams.audio:
                    raise MediaError(
                        f"video has no sound track: {self.path}", kind="unsupported",
                        hint=f"lay a WAV beside it: {self.path.with_suffix(SUFFIX).name}",
                    )  # fmt: skip
                return _track(av, container, str(self.path))
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(
                f"sound track cannot be decoded: {self.path}: {error}", kind="corrupt"
            ) from None


def _track(av: Any, container: Any, name: str) -> bytes:
    stream = container.streams.audio[0]
    rate = int(stream.rate or 0)
    _check_rate(rate, name)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    pieces: list[Samples] = []
    held = 0
    for frame in container.decode(stream):
        for made in resampler.resample(frame):
            pieces.append(made.to_ndarray().reshape(-1).astype(np.int16))
            held += pieces[-1].size
        _check_length(held / rate, name)
    for made in resampler.resample(None):
        pieces.append(made.to_ndarray().reshape(-1).astype(np.int16))
    return wav_bytes(np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16), rate)


def sound_beside(medium: Medium) -> Sound | None:
    """The sound that belongs to a medium whose source names none: `x.wav` beside `x.png`, `x.mp4` or the folder `x` of
    a clip's frames; else the own track of a video file; None where there is neither."""
    if not medium.frames:
        return None
    first = medium.frames[0]
    handle = first.origin if isinstance(first, Remembered) else first
    if isinstance(handle, VideoFile):
        return _wav_of(str(handle.path.with_suffix(""))) or VideoTrack(handle.path)
    if not isinstance(handle, FilePicture):
        return None
    is_image = medium.kind == "image"
    return _wav_of(str(handle.path.with_suffix("") if is_image else handle.path.parent))


def _wav_of(stem: str) -> WavFile | None:
    """The WAV of a path without its ending; None where there is none."""
    found = (Path(f"{stem}{suffix}") for suffix in _SUFFIXES)
    return next((WavFile(path) for path in found if path.is_file()), None)


def audio_of(sound: Sound) -> Audio:
    """A sound as it is sent. Raises MediaError for a file that is no plain WAV, too long, empty, or of an odd rate."""
    rate, samples = read_wav(sound.read(), name=sound.name)
    return Audio(sound.name, wav_bytes(samples, rate), seconds=samples.size / rate)


def read_wav(data: bytes, *, name: str) -> tuple[int, Samples]:
    """(samples per second, (n,) samples of one channel) of PCM of 8, 16, 24 or 32 bits, or of floating point numbers from
    -1 to 1 of 32 or 64 bits. Raises MediaError."""
    if len(data) > MOST_BYTES:
        raise MediaError(f"sound is larger than {MOST_BYTES >> 20} MiB: {name}", kind="too-large")
    data = _plain_headers(data, name)
    try:
        with wave.open(io.BytesIO(data)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            _check_rate(rate, name)
            if not 1 <= channels <= MOST_CHANNELS or width not in {1, 2, 3, 4}:
                raise _odd(name, f"{channels} channels of {8 * width} bits")
            _check_length(file.getnframes() / rate, name)
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError, ValueError, ZeroDivisionError, RuntimeError) as error:
        raise _odd(name, str(error) or "it ends early") from None
    raw = raw[: len(raw) // (width * channels) * width * channels]
    if not raw:
        raise MediaError(f"sound is empty: {name}", kind="empty", hint="get the file again")
    table = _samples(raw, width).reshape(-1, channels)
    return rate, np.rint(table.mean(axis=1)).clip(-32768, 32767).astype(np.int16)


_PCM = bytes.fromhex("0100000000001000800000aa00389b71")
"""The subformat of WAVE_FORMAT_EXTENSIBLE that is PCM."""
_FLOAT = bytes.fromhex("0300000000001000800000aa00389b71")
"""The one that is floating point numbers."""
_UNKNOWN = 0xFFFF_FFFF
"""A length that was not known when the header was written, as by programs that write into a pipe."""


def _plain_headers(data: bytes, name: str) -> bytes:
    """A WAV whose headers `wave` reads: PCM said to be extensible as plain PCM (24 bits and more than two channels are
    often written so), floating point numbers as PCM of 32 bits, and a length that was left open as what is there. Raises
    MediaError for a sound that is cut off."""
    made = bytearray(data)
    floats = 0  # bits of each, where samples are such
    form, place = 0, 12  # behind RIFF, the length, and WAVE
    while place + 8 <= len(data):
        kind, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        body = place + 8
        extensible = kind == b"fmt " and data[body : body + 2] == b"\xfe\xff"
        if extensible and data[body + 24 : body + 40] == _PCM:
            made[body : body + 2] = b"\x01\x00"
        if kind == b"fmt ":
            form, floats = body, _float_bits(data[body : body + 40])
        if kind == b"data":
            held = len(data) - body
            if size == _UNKNOWN:
                made[place + 4 : body] = held.to_bytes(4, "little")
            elif size > held:
                raise MediaError(
                    f"sound is cut off: {name}: {held:,} of {size:,} bytes are there",
                    kind="corrupt", hint="get the file again",
                )  # fmt: skip
            if floats:
                return _as_pcm(data[form : form + 16], data[body : body + min(size, held)], floats)
            break
        place = body + size + size % 2
    return bytes(made)


def _float_bits(form: bytes) -> int:
    """32 or 64 where a format says that samples are floating point numbers of so many bits; else 0."""
    bits = int.from_bytes(form[14:16], "little")
    real = form[:2] == b"\x03\x00" or (form[:2] == b"\xfe\xff" and form[24:40] == _FLOAT)
    return bits if real and bits in {32, 64} else 0


def _as_pcm(form: bytes, raw: bytes, bits: int) -> bytes:
    """Floating point samples as a WAV of 32-bit PCM; what is beyond -1 to 1 is clipped, what is no number is silence."""
    channels = int.from_bytes(form[2:4], "little")
    rate = form[4:8]
    given = np.frombuffer(raw[: len(raw) // (bits // 8) * (bits // 8)], dtype=f"<f{bits // 8}")
    kept = np.nan_to_num(given.astype(np.float64), nan=0.0).clip(-1, 1)
    samples: bytes = np.rint(kept * 0x7FFF_0000).astype("<i4").tobytes()
    block = 4 * channels
    second = int.from_bytes(rate, "little") * block & 0xFFFF_FFFF
    head = (
        b"\x01\x00"
        + form[2:4]
        + rate
        + second.to_bytes(4, "little")
        + (block & 0xFFFF).to_bytes(2, "little")
        + b"\x20\x00"
    )
    chunks = b"WAVEfmt " + len(head).to_bytes(4, "little") + head
    chunks += b"data" + len(samples).to_bytes(4, "little") + samples
    return b"RIFF" + len(chunks).to_bytes(4, "little") + chunks


def wave_at(data: bytes, rate: int, *, name: str) -> Wave:
    """The samples of a WAV file at another rate, band-limited: what the lower of the two rates cannot hold is left out.

    By Fourier transform, as `scipy.signal.resample`, behind the sound at least as much silence as keeps its end from
    running into its beginning. Raises MediaError.
    """
    own, samples = read_wav(data, name=name)
    given = samples.astype(np.float64) / 32768
    if own == rate:
        return given.astype(np.float32)
    shared = math.gcd(own, rate)
    least = -(-int(given.size + own * _SILENCE) // (own // shared))
    blocks = (
        1 << (least - 1).bit_length()
    )  # whole numbers of samples at both rates, quickly transformed
    before, after = blocks * (own // shared), blocks * (rate // shared)
    spectrum = np.fft.rfft(given, before)
    kept = np.zeros(after // 2 + 1, dtype=np.complex128)
    count = min(kept.size, spectrum.size)
    kept[:count] = spectrum[:count]
    made = np.fft.irfft(kept, after) * (after / before)
    return made[: -(-given.size * rate // own)].astype(np.float32)


_SILENCE = 0.05
"""Seconds."""


def _samples(raw: bytes, width: int) -> NDArray[np.float64]:
    """Little-endian samples on the scale of 16 bits."""
    if width == 1:
        return (np.frombuffer(raw, dtype=np.uint8).astype(np.float64) - 128) * 256
    if width == 3:
        parts = np.frombuffer(raw, dtype=np.uint8).reshape(-1, 3)
        whole = np.zeros((len(parts), 4), dtype=np.uint8)
        whole[:, 1:] = parts
        return whole.reshape(-1).view("<i4").astype(np.float64) / 65536
    given = np.frombuffer(raw, dtype="<i2" if width == 2 else "<i4").astype(np.float64)
    return given if width == 2 else given / 65536


def wav_bytes(samples: Samples, rate: int) -> bytes:
    """16-bit samples of one channel as a WAV file with no further chunk."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return made.getvalue()


def _check_rate(rate: int, name: str) -> None:
    if not RATES[0] <= rate <= RATES[1]:
        raise _odd(name, f"{rate} samples per second, outside {RATES[0]} to {RATES[1]}")


def _check_length(seconds: float, name: str) -> None:
    if seconds > MOST_SECONDS:
        raise MediaError(
            f"sound is longer than {MOST_SECONDS:g} s: {name}", kind="too-large", hint="cut it"
        )


def _odd(name: str, why: str) -> MediaError:
    return MediaError(
        f"sound is no plain WAV: {name}: {why}", kind="unsupported",
        hint="convert it to PCM, such as: ffmpeg -i SOUND -ac 1 -ar 16000 -c:a pcm_s16le NAME.wav",
    )  # fmt: skip


def _pyav() -> Any:
    try:
        import av
    except ImportError:
        error = missing_extra("PyAV", "sound")
        raise HarnessError(
            f"{error.message}, which reads the sound of video files",
            hint=f"{error.hint}; or lay a WAV beside each video",
        ) from None
    return av
