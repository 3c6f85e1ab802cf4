"""What holds for every function, then what each of them does."""

import inspect

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasep.data import audio
from kerasep.data.sampling import augmentation
from kerasep.errors import InputError

RATE = 16000
NAMES = [name for name in augmentation.__all__ if name != "mask_spectrum"]


def apply(name, waveform, seed=0, **options):
    function = getattr(augmentation, name)
    if "sample_rate" in inspect.signature(function).parameters:
        options.setdefault("sample_rate", RATE)
    return function(waveform, np.random.default_rng(seed), **options)


def tone(frequency, seconds=1.0, channels=1):
    time = np.arange(round(seconds * RATE)) / RATE
    return np.repeat(0.3 * np.sin(2 * np.pi * frequency * time)[:, None], channels, 1).astype("f4")


def hiss(seconds=1.0, channels=1, cutoff=0.5):
    noise = np.random.default_rng(1).standard_normal((round(seconds * RATE), channels)) / 10
    filters = scipy.signal.butter(6, cutoff, output="sos")
    return scipy.signal.sosfiltfilt(filters, noise, axis=0).astype("float32")


def lag(first, second):
    """By how many samples the second is late."""
    found = scipy.signal.correlate(second[:, 0], first[:, 0], method="fft")
    return int(np.abs(found).argmax()) - (len(first) - 1)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_seeded_float32_and_the_input_is_left_alone(name, channels):
    waveform = hiss(0.5, channels)
    before = waveform.copy()
    changed = apply(name, waveform, seed=3)
    np.testing.assert_array_equal(waveform, before)
    assert changed.dtype == np.float32
    assert changed.shape[1] == channels
    assert np.isfinite(changed).all()
    np.testing.assert_array_equal(changed, apply(name, waveform, seed=3))
    if name != "change_tempo":
        assert changed.shape == waveform.shape
    if name not in ("flip_polarity", "swap_channels"):
        assert not np.array_equal(changed, apply(name, waveform, seed=4)[: len(changed)])


@pytest.mark.parametrize("name", NAMES)
def test_silence_stays_silent(name):
    assert np.abs(apply(name, np.zeros((4000, 2), "float32"))).max() < 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_the_shortest_waveforms(name):
    for samples in (1, 2, 30):
        changed = apply(name, np.full((samples, 1), 0.1, "float32"))
        assert np.abs(changed).max(initial=0) < 1
        if name != "change_tempo":
            assert changed.shape == (samples, 1)


def pitch(waveform):
    middle = waveform[len(waveform) // 4 : -len(waveform) // 4, 0]
    length = 1 << 18
    peak = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), length)).argmax()
    return peak * RATE / length


@settings(max_examples=12, deadline=None)
@given(semitones=st.floats(-12, 12), frequency=st.floats(200, 900))
def test_pitch_changes_and_tempo_does_not(semitones, frequency):
    waveform = tone(frequency, 2.0)
    changed = apply("change_pitch", waveform, semitones=(semitones, semitones))
    assert abs(12 * np.log2(pitch(changed) / pitch(waveform)) - semitones) < 0.1
    assert len(changed) == len(waveform)


@settings(max_examples=12, deadline=None)
@given(factor=st.floats(0.6, 1.8))
def test_tempo_changes_and_pitch_does_not(factor):
    waveform = tone(440.0, 2.0)
    clicks = waveform.copy()
    clicks[RATE : RATE + 800] *= 3  # a louder piece from one second on
    changed = apply("change_tempo", clicks, factors=(factor, factor))
    assert len(changed) == round(len(clicks) / factor)
    assert abs(12 * np.log2(pitch(changed) / 440.0)) < 0.1
    loud = np.flatnonzero(np.abs(changed[:, 0]) > 0.6)
    assert abs(loud[0] * factor / RATE - 1) < 0.08


@pytest.mark.parametrize("format_", ["mp3", "ogg"])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_coding_keeps_stems_aligned(format_, rate):
    waveform = hiss(1.0, 2, cutoff=0.2)
    options = {"formats": [format_], "sample_rate": rate}
    light = apply("code", waveform, compression=(0.1, 0.1), **options)
    heavy = apply("code", waveform, compression=(0.9, 0.9), **options)
    assert lag(waveform, light) == lag(waveform, heavy) == 0
    losses = [np.mean((coded - waveform) ** 2) for coded in (light, heavy)]
    assert 0 < losses[0] < losses[1]


def test_coding_refuses():
    with pytest.raises(InputError, match="MP3 cannot hold 6 channels"):
        apply("code", np.zeros((100, 6), "float32"), formats=["mp3"])
    with pytest.raises(InputError, match="expected some of mp3, ogg"):
        apply("code", np.zeros((100, 1), "float32"), formats=["aac"])


@pytest.mark.parametrize(("colour", "slope"), [("white", 0), ("pink", -3), ("brown", -6)])
def test_noise_has_its_level_and_its_colour(colour, slope):
    waveform = tone(440.0, 4.0)
    noise = apply("add_noise", waveform, snr=(12, 12), colours=[colour]) - waveform
    found = 10 * np.log10(np.mean(waveform**2) / np.mean(noise**2))
    assert abs(found - 12) < 0.01
    power = np.abs(np.fft.rfft(noise[:, 0])) ** 2
    octaves = [power[start : 2 * start].mean() for start in (800, 1600, 3200, 6400)]
    np.testing.assert_allclose(np.diff(10 * np.log10(octaves)), slope, atol=0.6)


def test_noise_refuses_colours():
    with pytest.raises(InputError, match="received colours green of noise"):
        apply("add_noise", tone(440.0), colours=["green"])


def test_bands():
    limited = apply("limit_band", hiss(2.0, cutoff=0.99), low=(500, 500), high=(2000, 2000))
    power = np.abs(np.fft.rfft(limited[:, 0])) ** 2
    per_hertz = len(limited) / RATE
    inside = power[round(800 * per_hertz) : round(1600 * per_hertz)].mean()
    assert power[: round(200 * per_hertz)].mean() < 1e-3 * inside
    assert power[round(4500 * per_hertz) :].mean() < 1e-3 * inside
    assert lag(hiss(2.0, cutoff=0.99), limited) == 0


def test_a_made_room_has_its_decay_and_its_direct_sound():
    click = np.zeros((RATE, 1), "float32")
    click[0] = 1
    room = apply("reverberate", click, seconds=(0.4, 0.4), direct=(6, 6))[:, 0]
    assert room[0] == pytest.approx(1, abs=1e-5)
    assert 10 * np.log10(1 / np.sum(room[1:] ** 2)) == pytest.approx(6, abs=0.2)
    early, late = (np.sum(room[start : start + 1600] ** 2) for start in (100, 100 + 3200))
    assert 10 * np.log10(early / late) == pytest.approx(30, abs=1.5)  # 60 dB in 0.4 s


def test_measured_rooms_start_with_their_peak(tmp_path):
    response = np.zeros((400, 2), "float32")
    response[100], response[200] = -0.5, 0.1
    audio.write(tmp_path / "hall.wav", response, RATE)
    click = np.zeros((1000, 2), "float32")
    click[10] = 1
    room = apply("reverberate", click, responses=str(tmp_path))
    np.testing.assert_allclose(room[[10, 110]], [[-1, -1], [0.2, 0.2]], atol=1e-5)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="has no impulse responses"):
        apply("reverberate", click, responses=str(tmp_path / "none"))


def test_shifts():
    waveform = hiss(0.5)
    late = apply("shift_time", waveform, seconds=(0.1, 0.1))
    early = apply("shift_time", waveform, seconds=(-0.1, -0.1))
    np.testing.assert_array_equal(late[1600:], waveform[:-1600])
    np.testing.assert_array_equal(early[:-1600], waveform[1600:])
    assert not late[:1600].any()
    assert not apply("shift_time", waveform, seconds=(9, 9)).any()


def test_masks_are_spans_of_time_and_bands_of_frequency():
    rng = np.random.default_rng(0)
    spectrum = np.ones((60, 50, 2))
    masked = augmentation.mask_spectrum(spectrum, rng, times=1, frames=10, bands=1, bins=8)
    times, bands = (masked.sum(axis=axes) == 0 for axes in ((1, 2), (0, 2)))
    np.testing.assert_array_equal(masked[..., 0] == 0, times[:, None] | bands[None])
    for gone, most in ((times, 10), (bands, 8)):
        assert 0 < gone.sum() <= most
        assert np.abs(np.diff(gone.astype(int))).sum() <= 2
    assert spectrum.all()


@pytest.mark.parametrize(
    ("rate", "channels", "compression"),
    [
        (1, 1, (0.3, 0.9)),
        (1 << 24, 1, (0.3, 0.9)),
        (8000, 1024, (0.3, 0.9)),
        (8000, 1, (-5, 1e308)),
    ],
)
def test_code_refuses_what_crashes_the_encoder(rate, channels, compression):
    waveform = np.full((4096, channels), 0.1, "float32")
    with pytest.raises(InputError, match="expected a range from 0 to 1"):
        augmentation.code(
            waveform, np.random.default_rng(0), rate, formats=("ogg",), compression=compression
        )


def test_equalize_gives_each_band_its_gain():
    # One draw of gains for two tones: the level of each follows the curve between its neighbours.
    rng = np.random.default_rng(5)
    gains = rng.uniform(-6, 6, 6)
    centres = np.geomspace(50, RATE / 2, 6)
    for centre, gain in zip(centres[1:-1], gains[1:-1], strict=True):
        changed = apply("equalize", tone(centre), seed=5)
        level = 20 * np.log10(np.std(changed[2000:-2000]) / np.std(tone(centre)[2000:-2000]))
        assert abs(level - gain) < 0.1


def test_equalize_has_no_delay():
    assert lag(hiss(), apply("equalize", hiss())) == 0


@pytest.mark.parametrize("channels", [1, 2])
def test_distort_keeps_level_and_adds_odd_harmonics(channels):
    pure = tone(500, channels=channels)
    changed = apply("distort", pure, drive=(20, 20))
    np.testing.assert_allclose(np.std(changed), np.std(pure), rtol=1e-4)
    spectrum = np.abs(np.fft.rfft(changed[:, 0]))
    # A square wave's third harmonic is at a third; its second is missing.
    assert 0.2 < spectrum[1500] / spectrum[500] < 0.34
    assert spectrum[1000] < 1e-3 * spectrum[500]
