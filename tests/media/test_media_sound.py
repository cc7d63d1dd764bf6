"""Sounds of samples: read from WAV files and videos, checked, and written anew."""

from __future__ import annotations

import io
import math
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from harness.core.errors import MediaError
from harness.core.medium import Medium, image
from harness.core.picture import FilePicture
from harness.media.sound import (
    VideoTrack,
    WavFile,
    audio_of,
    read_wav,
    sound_beside,
    wav_bytes,
    wave_at,
)
from harness.media.video_file import VideoFile

TONE = (9_000 * np.sin(np.arange(4_000) / 5)).astype(np.int16)


def wav(width: int, channels: int, rate: int = 8_000) -> bytes:
    """The tone in a format."""
    whole = TONE.astype(np.int64)
    raw = {
        1: lambda: ((whole >> 8) + 128).astype(np.uint8),
        2: lambda: whole.astype("<i2"),
        3: lambda: np.stack([(whole << 8 >> k) & 255 for k in (0, 8, 16)], axis=1).astype(np.uint8),
        4: lambda: (whole << 16).astype("<i4"),
    }[width]()
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(np.repeat(raw.reshape(len(TONE), -1), channels, axis=0).tobytes())
    return made.getvalue()


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_plain_format_gives_the_same_sound(width: int, channels: int) -> None:
    rate, samples = read_wav(wav(width, channels), name="x")
    assert rate == 8_000 and samples.size == TONE.size
    assert np.abs(samples.astype(int) - TONE).max() <= (256 if width == 1 else 1)


@pytest.mark.parametrize("width", [2, 3])
def test_an_extensible_header_and_an_open_length_are_read(width: int) -> None:
    plain = wav(width, 2)
    guid = bytes.fromhex("0100000000001000800000aa00389b71")
    extension = struct.pack("<HHI", 22, 8 * width, 3) + guid
    head = b"WAVEfmt " + struct.pack("<IH", 40, 0xFFFE) + plain[22:36] + extension
    body = head + b"data" + struct.pack("<I", 0xFFFF_FFFF) + plain[44:]
    told = b"RIFF" + struct.pack("<I", 0xFFFF_FFFF) + body
    rate, samples = read_wav(told, name="x")
    assert (rate, samples.tolist()) == (8_000, read_wav(plain, name="x")[1].tolist())
    with pytest.raises(MediaError, match="unknown format"):  # extensible, and no PCM
        read_wav(told.replace(guid, b"\x03" + guid[1:]), name="x")


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("bits", [32, 64])
def test_floating_point_samples_are_read(bits: int, extensible: bool) -> None:
    values = np.repeat(TONE / 32767, 2).astype(f"<f{bits // 8}")
    values[0], values[2], values[4] = math.nan, 7.0, -math.inf
    block = bits // 4
    form = struct.pack(
        "<HHIIHH", 0xFFFE if extensible else 3, 2, 48_000, 48_000 * block, block, bits
    )
    if extensible:
        guid = bytes.fromhex("0300000000001000800000aa00389b71")
        form += struct.pack("<HHI", 22, bits, 3) + guid
    chunks = (
        b"WAVEfmt "
        + struct.pack("<I", len(form))
        + form
        + b"data"
        + struct.pack("<I", values.nbytes)
    )
    rate, samples = read_wav(b"RIFF" + struct.pack("<I", 0) + chunks + values.tobytes(), name="x")
    assert rate == 48_000 and samples.size == TONE.size
    assert np.abs(samples[3:].astype(int) - TONE[3:]).max() <= 1
    assert samples[1] > 16_000 and samples[2] < -14_000  # one of the two channels was clipped


@given(st.integers(0, 3), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=6))
def test_a_broken_header_is_refused_and_nothing_else(
    kind: int, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(wav(kind + 1, 2)[:400])
    data[40:44] = (400 - 44).to_bytes(4, "little")
    for place, value in changes:
        data[place] = value
    try:
        rate, samples = read_wav(bytes(data), name="x")
    except MediaError:
        return
    assert 4_000 <= rate <= 192_000 and 0 < samples.size <= 400


def test_what_else_stands_in_a_file_is_not_sent(tmp_path: Path) -> None:
    plain = wav(2, 1)
    told = plain + b"LIST" + struct.pack("<I", 8) + b"anger!!!"
    (tmp_path / "a.wav").write_bytes(told)
    sent = audio_of(WavFile(tmp_path / "a.wav"))
    assert b"anger" not in sent.data and sent.data == wav_bytes(TONE, 8_000)
    assert sent.seconds == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "unsupported"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "unsupported"),
        (b"<html>", "unsupported"),
        (wav_bytes(TONE[:0], 8_000), "empty"),
        (wav_bytes(TONE, 100), "unsupported"),
        (wav_bytes(np.zeros(8_000 * 121, dtype=np.int16), 8_000), "too-large"),
        (wav(2, 1).replace(b"\x01\x00\x01\x00", b"\x03\x00\x01\x00", 1), "unsupported"),
        (wav(2, 1)[:40] + struct.pack("<I", 2**31) + wav(2, 1)[44:60], "corrupt"),
        (wav(2, 1)[:2_000], "corrupt"),
    ],
)  # fmt: skip
def test_files_are_not_trusted(data: bytes, kind: str) -> None:
    with pytest.raises(MediaError) as failed:
        read_wav(data, name="x.wav")
    assert failed.value.kind == kind and "x.wav" in failed.value.message


def test_a_wav_beside_a_picture_a_clip_or_a_video(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    for place in ("face.png", "clip/1.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / place)
    picture = image(FilePicture(tmp_path / "face.png"))
    clip = Medium("clip", (FilePicture(tmp_path / "clip/1.png"),))
    video = Medium("clip", (VideoFile(tmp_path / "film.mp4"),))
    assert sound_beside(picture) is None and sound_beside(clip) is None
    assert sound_beside(video) == VideoTrack(tmp_path / "film.mp4")
    for name in ("face", "clip", "film"):
        (tmp_path / f"{name}.wav").write_bytes(wav(2, 1))
    assert [sound_beside(m) for m in (picture, clip, video)] == [
        WavFile(tmp_path / f"{name}.wav") for name in ("face", "clip", "film")
    ]
    for name in ("face", "clip", "film"):
        (tmp_path / f"{name}.wav").rename(tmp_path / f"{name}.WAV")
    assert [sound_beside(m) for m in (picture, clip, video)] == [
        WavFile(tmp_path / f"{name}.WAV") for name in ("face", "clip", "film")
    ]


def test_the_track_of_a_video(tmp_path: Path) -> None:
    import av

    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        time = np.arange(16_000) / 16_000
        tone = (12_000 * np.sin(2 * np.pi * 500 * time)).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.sample_rate = 16_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    rate, samples = read_wav(VideoTrack(path).read(), name="film")
    assert rate == 16_000 and 0.9 < samples.size / rate < 1.2
    pitch = np.argmax(np.abs(np.fft.rfft(samples[:16_000]))) * rate / 16_000
    assert pitch == pytest.approx(500, abs=5)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(MediaError):
        VideoTrack(path).read()
    silent = tmp_path / "list.mp4"
    silent.write_bytes(b"#EXTM3U\nfile:///etc/passwd\n")
    with pytest.raises(MediaError, match="unknown video format"):
        VideoTrack(silent).read()


def tone(pitch: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    """A tone that swells and dies away, from -1 to 1."""
    time = np.arange(int(rate * seconds)) / rate
    return 0.5 * np.sin(2 * np.pi * pitch * time) * np.sin(np.pi * time / seconds) ** 2


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_001])
def test_at_another_rate_it_is_the_same_sound(rate: int) -> None:
    data = wav_bytes((tone(440, rate) * 32768).astype(np.int16), rate)
    made = wave_at(data, 16_000, name="x")
    assert made.dtype == np.float32 and made.size == 16_000
    assert np.abs(made - tone(440, 16_000)).max() < 2e-4


def test_what_a_lower_rate_cannot_hold_is_left_out_and_not_folded_down() -> None:
    data = wav_bytes((tone(11_000, 44_100) * 32768).astype(np.int16), 44_100)
    assert np.abs(wave_at(data, 16_000, name="x")).max() < 1e-3
