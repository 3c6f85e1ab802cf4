"""What zoo/speech makes training material of: voices, noise and their recipe."""

import collections
import importlib.util
import json
import pathlib
import sys

import numpy as np
import pytest

import kerasep
from kerasep.losses import SISDR, CompressedSpectrum
from kerasep.training import recipes

FOLDER = pathlib.Path(__file__).parents[2] / "zoo" / "speech"
RATE = 16000


def script(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def voices():
    return script("voices")


@pytest.fixture(scope="module")
def noises(voices):
    # As a script, noises.py finds voices.py beside it; only here, as others have that name.
    before = sys.modules.get("voices")
    sys.modules["voices"] = voices
    yield script("noises")
    if before is None:
        del sys.modules["voices"]
    else:
        sys.modules["voices"] = before


def tone(hertz, seconds=1.0):
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE).astype("float32")


def peak(samples):
    return np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples)


def test_a_larger_speaker_is_lower_and_slower(voices):
    lower = voices.at_pitch(tone(200), 0.8)
    assert len(lower) == pytest.approx(RATE / 0.8, abs=2)
    assert peak(lower) == pytest.approx(160, abs=1)


def test_silence_at_the_ends_goes_but_for_a_margin(voices):
    padded = np.concatenate([np.zeros(5000), np.ones(700), np.zeros(9000)])
    assert len(voices.trimmed(padded)) == 700
    assert len(voices.trimmed(padded, 300)) == 1300
    assert voices.trimmed(np.zeros(100)).size == 0


@pytest.mark.parametrize("decibels", [20, 45])
def test_contrast_is_that_of_speech_to_the_noise_around_it(voices, decibels):
    noise = np.random.default_rng(0).standard_normal(RATE) * 10 ** (-decibels / 20) / np.sqrt(2)
    spoken = noise + tone(300) * (np.abs(np.arange(RATE) - RATE / 2) < 5000)
    measured = voices.contrast(spoken)
    assert measured == pytest.approx(decibels, abs=1.5)
    # Digital silence around a recording is not what its noise is.
    silence = np.zeros(RATE)
    within = voices.contrast(np.concatenate([silence, spoken, silence]))
    assert within == pytest.approx(measured, abs=0.2)
    assert voices.contrast(silence) == 0


def test_sources_are_found_wherever_they_lie(voices, tmp_path):
    for place in (
        "a/usr/share/asterisk/sounds/en_US_f_Allison/digits/1.g722",
        "a/usr/share/asterisk/sounds/en_US_f_Allison/silence/1.g722",
        "a/usr/share/asterisk/sounds/en_US_f_Allison/beep.g722",
        "a/usr/share/asterisk/sounds/fr_CA_f_June/digits/1.g722",
        "intent/data/speech/clean/0.wav",
        "wake/audio/smart mirror/0.wav",
        "wake/audio/alexa/0.flac",
        "community/amelia/en/0.wav",
        "community/heysavant/not-wake-words/en/IWant/0.wav",
        "community/heysavant/not-wake-words/en/0.wav",
        "community/athena/en/0.wav",
        "community/not-wake-words/noises/0.wav",
        "elsewhere/0.wav",
    ):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    speech, babble = (voices.recordings(tmp_path, use) for use in ("speech", "babble"))
    assert {voice: [path.name for path in paths] for voice, paths in speech.items()} == {
        "asterisk_en_US_f_Allison": ["1.g722"],
        "intent_clean": ["0.wav"],
        "wake_smart-mirror": ["0.wav"],
        "wake_alexa": ["0.flac"],
        "mycroft_amelia": ["0.wav"],
    }
    assert sorted(babble) == ["asterisk_fr_CA_f_June", "mycroft_athena"]


def test_prompts_are_joined_at_one_level_and_at_several_pitches(voices):
    spoken = [tone(200, 3), 0.1 * tone(200, 3)]
    made = list(voices.joined(spoken * 30, np.random.default_rng(0)))
    assert len(made) == pytest.approx(3 * 60 * 3.35 / 0.87 / 21.5, abs=5)
    pitches = np.array([peak(speech[: 2 * RATE]) for speech in made])
    low, high = voices.FACTORS
    assert 200 * low - 1 < pitches.min() < 150
    assert 200 < pitches.max() < 200 * high + 1
    assert len(set(np.round(pitches))) > len(made) / 2
    for speech in made:
        assert 20 * RATE < len(speech) < 26 * RATE
        level = np.sqrt(np.mean(np.square(speech[speech != 0])))
        assert 20 * np.log10(level) == pytest.approx(voices.LEVEL, abs=0.1)


def test_damaged_and_noisy_prompts_are_left_out(voices, tmp_path):
    noise = np.random.default_rng(1).standard_normal(RATE).astype("float32")
    burst = tone(300) * (np.abs(np.arange(RATE) - RATE / 2) < 5000)
    kerasep.data.write(tmp_path / "clean.wav", (0.3 * burst + 1e-4 * noise)[:, None], RATE)
    kerasep.data.write(tmp_path / "noisy.wav", (0.3 * burst + 3e-2 * noise)[:, None], RATE)
    (tmp_path / "damaged.wav").write_bytes(b"RIFF")
    kept = voices.prompts(sorted(tmp_path.iterdir()))
    assert len(kept) == 1
    assert len(kept[0]) == pytest.approx(10000, abs=50)


def test_noise_is_drawn_by_its_share_and_at_one_level(noises):
    assert sum(noises.SHARES.values()) == 100
    assert noises.SHARES["babble"] <= 10
    heard = collections.Counter()

    def kind(name):
        def make(_):
            heard[name] += 1
            return np.array([1.0, -1.0])

        return make

    kinds = {name: kind(name) for name in noises.SHARES}
    for seed in range(2000):
        wave = noises.drawn(kinds, np.random.default_rng(seed))
        assert np.sqrt(np.mean(np.square(wave))) == pytest.approx(10 ** (noises.LEVEL / 20))
    total = sum(heard.values())
    for name, share in noises.SHARES.items():
        assert heard[name] / total == pytest.approx(share / 100, abs=0.025)


def test_a_folder_without_what_it_should_hold_is_named(voices, noises, tmp_path):
    for call in (
        lambda: voices.main(tmp_path, tmp_path / "out", "speech"),
        lambda: noises.makers(tmp_path, None),
        lambda: noises.makers(None, tmp_path),
    ):
        with pytest.raises(SystemExit, match=f"received {tmp_path}, expected"):
            call()


def test_without_babble_and_music_the_other_kinds_are_made(noises):
    kinds = noises.makers(None, None)
    assert sorted(kinds) == ["coloured", "gusts", "hum", "signals", "strokes"]
    assert np.isfinite(noises.drawn(kinds, np.random.default_rng(0))).all()


def test_the_recipe_suits_the_preset(tmp_path, monkeypatch):
    model = kerasep.zoo.load("gtcrn_like", weights=False)
    recipe = recipes.complete_recipe(model, json.loads((FOLDER / "recipe.json").read_text()))
    recipes.compile_model(model, recipe)
    noise = 0.1 * np.random.default_rng(0).standard_normal((2, 3 * RATE, 1)).astype("float32")
    speech = noise[:1, :RATE, :, None]
    true, estimate = np.concatenate([speech, speech], -1), np.concatenate([0.5 * speech] * 2, -1)
    estimate[:, ::2] *= 1.5
    estimate[..., 1] = 0  # the noise has no weight
    parts = [loss(true[..., :1], estimate[..., :1]) for loss in (CompressedSpectrum(), SISDR())]
    assert float(model.loss(true, estimate)) == pytest.approx(
        float(parts[0] + 0.3 * parts[1]), rel=1e-5
    )
    for number, name in enumerate(("calls/speech", "calls/noise")):
        (tmp_path / name).mkdir(parents=True)
        kerasep.data.write(tmp_path / name / "0.wav", noise[number], RATE)
    (tmp_path / "rooms").mkdir()
    kerasep.data.write(tmp_path / "rooms" / "0.wav", np.eye(800, 1, dtype="float32"), RATE)
    monkeypatch.chdir(tmp_path)
    settings = {**recipe["data"], "batch_size": 8, "crop_seconds": 1.0, "crops_per_track": 4}
    mixture, sources = next(iter(kerasep.data.waveforms("calls", model, **settings)))
    np.testing.assert_allclose(mixture, np.sum(sources, axis=-1), atol=1e-5)
    levels = 10 * np.log10(np.mean(np.square(sources), axis=(1, 2)))
    assert -52 < levels[:, 0].min() < levels[:, 0].max() - 6 < -19
    assert np.all(np.abs(levels[:, 0] - levels[:, 1] - 7.5) < 12.6)  # -5 to 20 dB
