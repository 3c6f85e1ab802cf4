"""`kerasep separate`: which files it takes, and what it writes where and how."""

import numpy as np
import pytest
import soundfile

from kerasep import data
from kerasep.cli import options
from kerasep.data.audio.tags import Tags, read_tags
from kerasep.separation.chunks import ChunkSeparator

RATE = 44100
SHARES = {"vocals": 0.75, "drums": 0.25}


class Shares:
    """What stands in for an exported file: each source has its share of the mixture."""

    def __init__(self, gain=1.0):
        self.gain = gain

    def chunk_separator(self):
        shares = self.gain * np.array([*SHARES.values()], "float32")
        return ChunkSeparator(lambda x: x[..., None] * shares, (*SHARES,), RATE, 2, 20000, 2000)


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setattr(options, "trained", lambda name: Shares(float(name[-10:-7])))
    for gain in (1.0, 2.0):
        (tmp_path / f"shares_{gain}.tflite").touch()
    return tmp_path / "shares_1.0.tflite"


@pytest.fixture
def separate(model, tmp_path, call):
    """Function that separates into tmp_path / "out" and returns the status."""
    return lambda *arguments: call("separate", "-m", model, "--out", tmp_path / "out", *arguments)


@pytest.fixture
def song(tmp_path):
    """Function that writes a song of two channels, and returns its waveform."""

    def write(path, samples=30011, peak=0.4):
        path = tmp_path / path
        path.parent.mkdir(parents=True, exist_ok=True)
        time = np.arange(samples) / RATE
        drift = np.cumsum(np.random.default_rng(samples).normal(0, 0.01, samples))
        tones = [peak * np.sin(2 * np.pi * hertz * time + drift) for hertz in (330, 550)]
        waveform = np.stack(tones, axis=1).astype("float32")
        data.write(path, waveform, RATE)
        return waveform

    return write


def snr(reference, estimate):
    error = np.sum((reference - estimate) ** 2, dtype="float64")
    return 10 * np.log10(np.sum(reference**2, dtype="float64") / error)


def test_a_folder_keeps_its_structure(separate, song, files, tmp_path):
    waveforms = {
        name: song(f"my songs/{name}", 20000 + number)
        for number, name in enumerate(("a.wav", "live/a.wav", "日 {x}/b {stem}.flac"))
    }
    (tmp_path / "my songs" / "notes.txt").write_text("none")
    (tmp_path / "my songs" / ".hidden.wav").write_text("none")
    assert separate(tmp_path / "my songs") == 0
    tracks = [name.rsplit(".", 1)[0] for name in waveforms]
    assert files(tmp_path / "out") == sorted(
        f"my songs/{track}/{stem}.wav" for track in tracks for stem in SHARES
    )
    for track, waveform in zip(tracks, waveforms.values(), strict=True):
        for stem, share in SHARES.items():
            written = data.read(tmp_path / "out" / "my songs" / track / f"{stem}.wav")[0]
            np.testing.assert_allclose(written, share * waveform, atol=1e-6)


def test_a_folder_that_holds_the_results_is_not_separated_again(
    model, call, song, files, tmp_path, monkeypatch, capsys
):
    song("album/a.wav")
    monkeypatch.chdir(tmp_path / "album")
    for _ in range(2):
        assert call("separate", ".", "-m", model) == 0
    assert files(tmp_path / "album") == [
        "a.wav",
        "stems/album/a/drums.wav",
        "stems/album/a/vocals.wav",
    ]
    assert capsys.readouterr().out.count("exists: kept") == 2


def test_stems_and_minus(separate, song, files, tmp_path):
    waveform = song("a.wav")
    assert separate(tmp_path / "a.wav", "--stems", "drums", "--minus", "vocals") == 0
    assert files(tmp_path / "out") == ["a/drums.wav", "a/minus_vocals.wav"]
    drums, rest = (
        data.read(tmp_path / "out" / "a" / f"{name}.wav")[0] for name in ("drums", "minus_vocals")
    )
    np.testing.assert_allclose(drums, 0.25 * waveform, atol=1e-6)
    np.testing.assert_allclose(rest, 0.25 * waveform, atol=1e-6)
    assert separate(tmp_path / "a.wav", "--minus", "drums, vocals") == 0
    other = data.read(tmp_path / "out" / "a" / "minus_drums.wav")[0]
    np.testing.assert_allclose(other, 0.75 * waveform, atol=1e-6)
    assert not (tmp_path / "out" / "a" / "vocals.wav").exists()


@pytest.mark.parametrize("suffix", ["mp3", "m4a", "opus"])
def test_lossy_stems_line_up_and_are_kept(separate, song, tmp_path, capsys, suffix):
    waveform = song("a.wav", 100_003)
    assert separate(tmp_path / "a.wav", "--suffix", suffix) == 0
    for stem, share in SHARES.items():
        written, rate = data.read(tmp_path / "out" / "a" / f"{stem}.{suffix}")
        reference = data.audio.resample(waveform, RATE, rate)
        assert rate == (48000 if suffix == "opus" else RATE)
        assert len(written) == round(len(waveform) * rate / RATE)
        inside = slice(3000, -3000)
        shifted = [
            snr(share * reference[: len(written)][inside], np.roll(written, lag, 0)[inside])
            for lag in (-1, 0, 1)
        ]
        assert shifted[1] == max(shifted)
        assert shifted[1] > 25
    capsys.readouterr()
    assert separate(tmp_path / "a.wav", "--suffix", suffix) == 0
    assert capsys.readouterr().out.count("exists: kept") == 2


def test_bits_clipping_and_normalization(model, call, song, tmp_path, capsys):
    waveform = song("a.wav", peak=0.9)  # vocals of the louder model peak at 1.35
    command = ("separate", tmp_path / "a.wav", "-m", tmp_path / "shares_2.0.tflite")
    assert call(*command, "--out", tmp_path / "loud", "--bits", 16) == 0
    count = np.sum(np.abs(1.5 * waveform) > 1)
    said = capsys.readouterr().out
    assert f"vocals.wav: {count} samples beyond full scale are clipped" in said
    assert "drums.wav:" not in said
    vocals = tmp_path / "loud" / "a" / "vocals.wav"
    assert soundfile.info(vocals).subtype == "PCM_16"
    np.testing.assert_allclose(
        data.read(vocals)[0], np.clip(1.5 * waveform, -1, 1), atol=1.1 / 2**15
    )

    assert call(*command, "--out", tmp_path / "even", "--bits", 24, "--normalize") == 0
    said = capsys.readouterr().out
    assert "clipped" not in said
    assert "turned down by 2.6 dB" in said
    written = {stem: data.read(tmp_path / "even" / "a" / f"{stem}.wav")[0] for stem in SHARES}
    gain = (1 - 2**-15) / np.abs(1.5 * waveform).max()
    for stem, share in SHARES.items():
        np.testing.assert_allclose(written[stem], 2 * share * gain * waveform, atol=1e-6)
    # A stem that is made again gets the same gain.
    whole = (tmp_path / "even" / "a" / "drums.wav").read_bytes()
    (tmp_path / "even" / "a" / "drums.wav").unlink()
    assert call(*command, "--out", tmp_path / "even", "--bits", 24, "--normalize") == 0
    assert (tmp_path / "even" / "a" / "drums.wav").read_bytes() == whole


def test_soft_stems_are_not_normalized(separate, song, tmp_path):
    waveform = song("a.wav")
    assert separate(tmp_path / "a.wav", "--normalize") == 0
    vocals = data.read(tmp_path / "out" / "a" / "vocals.wav")[0]
    np.testing.assert_allclose(vocals, 0.75 * waveform, atol=1e-6)
    assert sorted(path.name for path in (tmp_path / "out" / "a").iterdir()) == [
        "drums.wav",
        "vocals.wav",
    ]


def test_stems_of_other_bits_are_not_taken_for_whole(separate, song, tmp_path, refused, model):
    song("a.wav")
    assert separate(tmp_path / "a.wav", "--bits", 16) == 0
    error = refused("separate", tmp_path / "a.wav", "-m", model, "--out", tmp_path / "out")
    assert "has not 32f bits" in error


def test_names(separate, song, files, tmp_path):
    song("a {b}.wav")
    song("c.wav")
    names = ("--name", "{stem}/by {track}")
    assert separate(tmp_path / "a {b}.wav", tmp_path / "c.wav", *names) == 0
    expected = [f"{stem}/by {track}.wav" for stem in SHARES for track in ("a {b}", "c")]
    assert files(tmp_path / "out") == sorted(expected)
    assert separate(tmp_path / "c.wav", "--name", "only", "--minus", "vocals") == 0
    assert files(tmp_path / "out") == sorted([*expected, "only.wav"])


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("../{track}/{stem}", "leads out of the folder"),
        ("/tmp/{track}{stem}", "leads out of the folder"),
        ("{track}/{model}", "{model} is unknown"),
        ("{track.__class__}/{stem}", "is unknown"),
        ("{track}/{stem!r}", "is unknown"),
        ("{track}/{stem", "expected '}'"),
        ("{track}", "expected {stem} in it"),
        ("{stem}", "expected {track} in it"),
        ("{stem}/{track}/..", "leads out of the folder"),
    ],
)
def test_names_that_are_refused(song, tmp_path, refused, files, model, template, words):
    song("a.wav")
    song("b.wav")
    command = ("separate", tmp_path / "a.wav", tmp_path / "b.wav", "-m", model)
    assert words in refused(*command, "--out", tmp_path / "out", "--name", template)
    assert not (tmp_path / "out").exists()


def test_two_results_under_one_name_are_refused(song, tmp_path, refused, model):
    song("a.wav")
    song("aminus_.wav")
    command = ("separate", tmp_path / "a.wav", tmp_path / "aminus_.wav", "-m", model)
    wanted = ("--stems", "vocals", "--minus", "vocals", "--name", "{track}{stem}")
    error = refused(*command, "--out", tmp_path / "out", *wanted)
    assert "aminus_vocals.wav would hold stems of a and of aminus_" in error
    assert not (tmp_path / "out").exists()
    (tmp_path / "x").mkdir()
    song("x/a.wav")
    error = refused("separate", tmp_path / "a.wav", tmp_path / "x" / "a.wav", "-m", model)
    assert "both called a, expected different names" in error


def test_tags_are_copied(separate, song, tmp_path):
    waveform = song("a.wav")
    tags = Tags({"title": "Song", "artist": "Ä"}, b"\xff\xd8\xff\xe0fake", "image/jpeg")
    with data.audio.Writer(tmp_path / "b.flac", RATE, 2, tags=tags) as writer:
        writer.write(waveform)
    assert separate(tmp_path / "b.flac", "--suffix", "flac") == 0
    for stem in SHARES:
        copied = read_tags(tmp_path / "out" / "b" / f"{stem}.flac")
        assert copied == Tags({"title": f"Song ({stem})", "artist": "Ä"}, tags.cover, "image/jpeg")


def test_an_ensemble(call, song, model, tmp_path):
    waveform = song("a.wav")
    models = ("-m", model, "-m", tmp_path / "shares_2.0.tflite", "--weights", "3,1")
    assert call("separate", tmp_path / "a.wav", *models, "--out", tmp_path / "out") == 0
    vocals = data.read(tmp_path / "out" / "a" / "vocals.wav")[0]
    np.testing.assert_allclose(vocals, 1.25 * 0.75 * waveform, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--stems", "vocal"], "received the stem 'vocal', expected some of vocals, drums"),
        (["--minus", "bass"], "received the stem 'bass'"),
        (["--bits", "16", "--suffix", "mp3"], "expected no bits for this format"),
        (["--bits", "32f", "--suffix", "flac"], "received 32f bits, expected one of 24, 16"),
        (["--bits", "8"], "'8' is not one of"),
        (["--weights", "1,2"], "expected a number for each --model"),
        (["--weights", "x"], "expected a number for each --model"),
        (["--runner", "direct", "--name", "{stem}"], "received --name for an archive"),
        (["-m", "unet_lik"], "did you mean unet_like"),
        (["-m", "missing.keras"], "which is missing"),
    ],
)
def test_contradictions(song, tmp_path, refused, model, arguments, words):
    song("a.wav")
    given = ("-m", model) if "-m" not in arguments else ()
    error = refused("separate", tmp_path / "a.wav", *given, "--out", tmp_path / "out", *arguments)
    assert words in error
    assert not (tmp_path / "out").exists()


def test_folders_without_audio_and_files_that_are_none(tmp_path, refused, model):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp3").write_text("hello, I am not audio")
    (tmp_path / "zero.wav").touch()
    (tmp_path / "file").touch()
    out = ("-m", model, "--out", tmp_path / "out")
    assert "expected audio files in it" in refused("separate", tmp_path / "empty", *out)
    assert "text.mp3 is not audio" in refused("separate", tmp_path / "text.mp3", *out)
    assert "zero.wav is empty" in refused("separate", tmp_path / "zero.wav", *out)
    inside = ("-m", model, "--out", tmp_path / "file" / "out")
    assert "which is a file" in refused("separate", tmp_path / "zero.wav", *inside)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("separate text.mp3 --out out", "text.mp3 is not audio"),
        ("separate a.wav -m unet_like --out out", "unet_like/singing, which has no trained"),
        ("evaluate -m unet_like --data .", "unet_like/singing, which has no trained"),
        ("export -m unet_lik --out a.tflite", "did you mean unet_like"),
    ],
)
def test_inputs_are_checked_before_keras_is_loaded(tmp_path, start, song, arguments, words):
    (tmp_path / "text.mp3").write_text("hello")
    song("a.wav")
    first = "import atexit, sys; atexit.register(lambda: print('keras' in sys.modules))"
    process = start(*arguments.split(), first=first, cwd=tmp_path)
    out, error = process.communicate(timeout=300)
    assert (process.returncode, out) == (2, "False\n")
    assert words in error


def test_a_stem_s_folder_of_tracks_is_resumed(separate, song, files, tmp_path, capsys):
    song("a.wav")
    song("b.wav", 20000)
    command = (tmp_path / "a.wav", tmp_path / "b.wav", "--name", "{stem}/{track}")
    assert separate(*command) == 0
    stems = files(tmp_path / "out")
    assert stems == ["drums/a.wav", "drums/b.wav", "vocals/a.wav", "vocals/b.wav"]
    (tmp_path / "out" / "drums" / "b.wav").rename(tmp_path / "out" / "drums" / ".b.wav.1.partial")
    capsys.readouterr()
    assert separate(*command) == 0
    assert capsys.readouterr().out.count("exists: kept") == 3
    assert files(tmp_path / "out") == stems


def test_an_ensemble_is_refused_once_and_not_for_each_file(song, tmp_path, refused, model):
    song("a.wav")
    song("b.wav")
    both = ("-m", model, "-m", tmp_path / "shares_2.0.tflite", "--weights", "0,0")
    error = refused("separate", tmp_path / "a.wav", tmp_path / "b.wav", *both)
    assert error.startswith("kerasep: received weights [0.0, 0.0] for 2 models")
