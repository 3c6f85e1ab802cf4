"""The C code's WAV files: all kinds are read, others refused in one line, damage does no harm."""

import struct

import numpy as np
import pytest
import soundfile

from kerasep.tflite import Runtime


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("kind", ["WAV", "WAVEX"])
def test_wav_files_of_all_kinds_are_read(
    built, separated, assert_agrees, tiny, noise, tmp_path, subtype, kind
):
    soundfile.write(tmp_path / "a.wav", noise(3000, 2), 8000, subtype, format=kind)
    audio = soundfile.read(tmp_path / "a.wav", dtype="float32")[0]
    received = separated(built, tiny, tmp_path / "a.wav", tmp_path / "stems")
    assert_agrees(received, Runtime(tiny, threads=1).separate(audio))


def wav(data, *, size=None, before=b"", rate=8000, channels=1, bits=16, format=1, block=None):
    """The bytes of a WAV file, right or wrong."""
    block = channels * bits // 8 if block is None else block
    per_second = rate * block & 0xFFFFFFFF
    about = struct.pack("<HHIIHH", format, channels, rate, per_second, block, bits)
    chunks = before + b"fmt " + struct.pack("<I", 16) + about
    chunks += b"data" + struct.pack("<I", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def rf64(data, size):
    """The bytes of a file that may be larger than 4 GiB."""
    sizes = b"ds64" + struct.pack("<IQQQI", 28, 0, size, 0, 0)
    content = wav(data, size=0xFFFFFFFF, before=sizes)
    return b"RF64\xff\xff\xff\xff" + content[8:]


def samples_of(count):
    return (np.arange(count) % 1000 - 500).astype("<i2").tobytes()


ODD_WAVS = {
    "an odd chunk before": wav(samples_of(500), before=b"LIST\x03\0\0\0abc\0"),
    "many chunks before": wav(samples_of(500), before=b"junk\x04\0\0\0abcd" * 1000),
    "a chunk behind": wav(samples_of(500), size=1000) + b"LIST\x03\0\0\0abc\0",
    "a length that was not known": wav(samples_of(500), size=0xFFFFFFFF),
    "half a sample at the end": wav(samples_of(500) + b"\1"),
    "a recorder that stopped": wav(samples_of(500), size=0),
    "RF64": rf64(samples_of(500), 1000),
    "RF64 without its length": rf64(samples_of(500), 0),
    "RF64 with a chunk behind": rf64(samples_of(500), 1000) + b"LIST\x04\0\0\0abcd",
}
# Of these a header does not say how long they are.
GUESSED = ("a length that was not known", "a recorder that stopped", "RF64 without its length")


@pytest.mark.parametrize("kind", ODD_WAVS)
def test_odd_wav_files_are_read(sanitized, separated, assert_agrees, tiny, tmp_path, kind):
    (tmp_path / "a.wav").write_bytes(ODD_WAVS[kind])
    audio = np.frombuffer(samples_of(500), "<i2").astype("float32") / 32768
    received = separated(sanitized, tiny, tmp_path / "a.wav", tmp_path / "stems")
    assert_agrees(received, Runtime(tiny, threads=1).separate(audio))


@pytest.mark.parametrize("kind", ODD_WAVS)
def test_a_length_that_is_guessed_is_said(sanitized, run, tiny, tmp_path, kind):
    (tmp_path / "a.wav").write_bytes(ODD_WAVS[kind])
    done = run(sanitized / "kerasep-native", tiny, tmp_path / "a.wav", tmp_path / "stems")
    said = (
        "warning:" in done.stderr and "does not say how long it is: read to its end" in done.stderr
    )
    assert said == (kind in GUESSED), done.stderr


BAD_WAVS = {
    "nothing": (b"", "is no WAV file"),
    "another file": (b"fLaC" + bytes(100), "is no WAV file"),
    "cut short": (wav(samples_of(500))[:500], "truncated: its header says 1000 bytes"),
    "cut in its header": (wav(samples_of(500))[:30], "damaged: its format is cut short"),
    "no samples": (wav(b""), "holds no samples"),
    "no samples, but chunks": (wav(b"") + b"LIST\x03\0\0\0abc\0", "holds no samples"),
    "RF64 cut short": (rf64(samples_of(500), 1002), "truncated: its header says 1002 bytes"),
    "1 Hz": (wav(samples_of(9), rate=1), "at 1 Hz, expected 1 to 64 at 1000 to 768000 Hz"),
    "2 Hz": (wav(samples_of(9), rate=2), "at 2 Hz, expected"),
    "999 Hz": (wav(samples_of(9), rate=999), "at 999 Hz, expected"),
    "768001 Hz": (wav(samples_of(9), rate=768001), "at 768001 Hz, expected"),
    "2^31 - 1 Hz": (wav(samples_of(9), rate=2**31 - 1, block=2), "at 2147483647 Hz, expected"),
    "65 channels": (wav(bytes(130), channels=65), "65 channels at 8000 Hz, expected 1 to 64"),
    "no audio": (b"RIFF\4\0\0\0WAVE", "there is no audio in it"),
    "audio first": (b"RIFF\4\0\0\0WAVEdata\4\0\0\0abcd", "audio before its format"),
    "no channels": (wav(samples_of(9), channels=0), "makes no sense"),
    "no rate": (wav(samples_of(9), rate=0), "makes no sense"),
    "64-bit integers": (wav(bytes(80), bits=64), "64-bit audio of format 1"),
    "A-law": (wav(bytes(80), bits=8, format=6), "8-bit audio of format 6"),
    "a block of another size": (wav(samples_of(9), block=1), "contradict"),
    "silence": (wav(bytes(1000)), "silent throughout"),
    "not a number": (wav(b"\0\0\xc0\x7f" * 9, bits=32, format=3), "NaN or infinite"),
    "a double beyond float": (wav(struct.pack("<d", 1e300), bits=64, format=3), "NaN or inf"),
}


@pytest.mark.parametrize("kind", BAD_WAVS)
def test_bad_wav_files_are_refused_in_one_line(sanitized, run, tiny, tmp_path, kind):
    content, message = BAD_WAVS[kind]
    (tmp_path / "a.wav").write_bytes(content)
    done = run(sanitized / "kerasep-native", tiny, tmp_path / "a.wav", tmp_path / "stems")
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith("error: ")
    assert message in line
    assert not list((tmp_path / "stems").glob("*"))


def test_damaged_wav_headers_do_no_harm(sanitized, run, tmp_path):
    for kind, content in {"pcm": wav(samples_of(2000)), **ODD_WAVS}.items():
        path = tmp_path / f"{kind}.wav"
        path.write_bytes(content)
        done = run(sanitized / "fuzz", "wav", path, 2000)
        assert done.returncode == 0, done.stderr
        accepted, refused = (int(part.split()[0]) for part in done.stdout.split(", "))
        assert accepted > 10, kind
        assert refused > 100, kind
