"""Decoding compared with FFmpeg: containers, codecs, rates and channels."""

import numpy as np
import pytest
import scipy.signal
import soundfile

from kerasep.data import audio
from kerasep.errors import InputError

# The noise that AAC and AC-3 put where they code none is random: it depends on what was decoded
# before. A crop may differ from the whole by as much as the code from the original.
NOISY = ("aac", "ac3", "eac3", "nellymoser")
# Formats that say how much silence an encoder has put first.
GAPLESS = ("ogg", "oga", "opus", "webm", "mkv", "mp4", "m4a", "mov", "mp3", "flac", "w64", "tta")
LOSSLESS = ("pcm", "flac", "alac", "tta", "wavpack", "truehd")

MATRIX = [
    ("pcm_s16le", "wav w64 mkv mov avi caf nut", (44100, 8000), (1, 2, 6)),
    ("pcm_s24le", "wav mov", (96000,), (2,)),
    ("pcm_f32le", "mkv mov", (48000,), (2,)),
    ("pcm_s16be", "aiff au", (22050,), (1,)),
    ("pcm_u8", "wav mkv", (11025,), (1,)),
    ("pcm_alaw", "wav au", (8000,), (1,)),
    ("flac", "flac oga mkv mp4", (44100,), (2,)),
    ("alac", "m4a caf mov", (44100,), (1, 6)),
    ("tta", "tta mkv", (44100,), (2,)),
    ("wavpack", "wv mkv", (48000,), (2,)),
    ("truehd", "thd", (48000,), (2,)),
    ("libmp3lame", "mp3 mkv mov avi flv wav mpg", (44100,), (2,)),
    ("libmp3lame", "mp3", (48000, 22050, 16000), (1,)),
    ("mp2", "mp2 mkv ts mpg", (48000,), (2,)),
    ("aac", "m4a aac mkv mov flv ts avi 3gp", (44100,), (2,)),
    ("aac", "m4a", (16000, 96000), (1, 6)),
    ("libvorbis", "ogg mkv webm", (44100,), (2, 6)),
    ("libvorbis", "ogg", (16000,), (1,)),
    ("libopus", "opus webm mkv mp4 ts", (48000,), (2,)),
    ("libopus", "ogg", (16000,), (1, 6)),
    ("ac3", "ac3 mkv mp4 avi", (48000,), (2, 6)),
    ("eac3", "eac3 mkv", (44100,), (2,)),
    ("dca", "dts mkv", (48000,), (2,)),
    ("wmav2", "wma asf", (44100,), (2,)),
    ("adpcm_ms", "wav", (44100,), (2,)),
    ("adpcm_ima_wav", "wav avi", (22050,), (1,)),
    ("adpcm_swf", "flv", (44100,), (1,)),
    ("nellymoser", "flv", (22050,), (1,)),
]


def cases():
    """Yield (codec, containers of its row, container, rate, channels); heavy repeats are slow."""
    for codec, containers, rates, counts in MATRIX:
        first = {}
        for container in containers.split():
            for rate in rates:
                for channels in counts:
                    if (container, channels) == ("au", 6):
                        continue
                    repeats = first.setdefault(channels, (container, rate)) != (container, rate)
                    heavy = channels == 6 or rate == 96000
                    yield pytest.param(
                        (codec, containers, container, rate, channels),
                        marks=[pytest.mark.slow] if repeats and heavy else [],
                        id=f"{codec}-{container}-{rate}-{channels}",
                    )


CASES = [*cases()]


def test_there_are_many_cases():
    assert len({case.id for case in CASES}) >= 126


@pytest.mark.parametrize("case", CASES)
def test_decoding_equals_ffmpegs(encoded, original, case):
    codec, containers, container, rate, channels = case
    path = encoded(codec, containers, rate, channels)[container]
    expected = np.fromfile(f"{path}.f32", "<f4").reshape(-1, channels)
    whole, own_rate = audio.read(path)
    assert whole.shape == expected.shape
    assert audio.info(path) == (own_rate, len(whole), channels)
    np.testing.assert_allclose(whole, expected, atol=2e-6)

    truth = original(own_rate, channels)
    start, stop = own_rate // 2, 2 * own_rate
    if container in GAPLESS and codec not in ("dca", "wmav2"):
        around = whole[start - 2000 : stop + 2000, 0]
        found = scipy.signal.correlate(around, truth[start:stop, 0], "valid", "fft")
        assert abs(int(np.argmax(found)) - 2000) <= 1

    noise = np.abs(whole[start:stop] - truth[start:stop]).max()
    tolerance = max(noise, 1e-2) if codec in NOISY else 2e-4
    if codec.startswith(LOSSLESS):
        tolerance = 0
    rng = np.random.default_rng(0)
    starts = [0, len(whole) - 1, *rng.integers(0, len(whole), 5)]
    for first in map(int, starts):
        count = min(int(rng.integers(1, own_rate)), len(whole) - first)
        part, _ = audio.read(path, start=first, samples=count)
        np.testing.assert_allclose(part, whole[first : first + count], atol=tolerance)


@pytest.mark.parametrize("samples", [10, 60_000, 200_000])
def test_vorbis_ends_where_its_last_page_says(tmp_path, original, samples):
    path = tmp_path / "a.ogg"
    audio.write(path, original(44100, 2).repeat(2, axis=0)[:samples], 44100)
    assert audio.info(path).samples == samples
    whole, _ = audio.read(path)
    if samples > 10:
        expected, _ = soundfile.read(path)
        np.testing.assert_allclose(whole, expected, atol=1e-5)


@pytest.mark.parametrize("codec", ["libvorbis", "libopus"])
def test_chained_ogg_of_different_channels_is_refused(encoded, tmp_path, codec):
    path = tmp_path / "chained.ogg"
    one, two = (encoded(codec, "ogg", 48000, channels)["ogg"] for channels in (1, 2))
    path.write_bytes(one.read_bytes() + two.read_bytes())
    with pytest.raises(InputError, match="different rates or channels"):
        audio.read(path)


@pytest.mark.parametrize(("codec", "suffix"), [("libvorbis", "ogg"), ("libopus", "opus")])
def test_channels_come_in_the_order_of_wav(tmp_path, ffmpeg, codec, suffix):
    rate = 48000
    tones = [300, 500, 700, 60, 1100, 1300]  # L R C LFE Ls Rs
    time = np.arange(2 * rate) / rate
    source = np.stack([0.1 * np.sin(2 * np.pi * tone * time) for tone in tones], axis=1)
    soundfile.write(tmp_path / "six.wav", source, rate, "PCM_24", format="WAVEX")
    path = tmp_path / f"six.{suffix}"
    # libsndfile writes no channel mask for six channels.
    layout = ("-channel_layout", "5.1")
    ffmpeg(*layout, "-i", tmp_path / "six.wav", "-c:a", codec, "-b:a", "384k", path)
    whole, _ = audio.read(path)
    spectrum = np.abs(np.fft.rfft(whole[rate // 2 : rate // 2 + rate], axis=0))
    np.testing.assert_allclose(spectrum.argmax(axis=0), tones, atol=1)


def test_a_file_with_video_gives_its_sound(originals, ffmpeg, decoded_by_ffmpeg, tmp_path):
    path = tmp_path / "clip.webm"
    video = ("-f", "lavfi", "-i", "testsrc=d=3:s=64x64")
    ffmpeg(*video, "-i", originals(48000), "-c:v", "libvpx", "-c:a", "libopus", path)
    np.testing.assert_array_equal(audio.read(path)[0], decoded_by_ffmpeg(path, 2))


def test_a_name_says_nothing_of_the_format(encoded, tmp_path):
    source, path = encoded("libmp3lame", "mp3")["mp3"], tmp_path / "really_mp3.wav"
    path.write_bytes(source.read_bytes())
    expected = np.fromfile(f"{source}.f32", "<f4").reshape(-1, 2)
    np.testing.assert_array_equal(audio.read(path)[0], expected)
