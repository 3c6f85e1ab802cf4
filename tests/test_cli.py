"""The command line as its user meets it: what it writes, what it says, how it ends."""

import io
import logging
import pathlib
import resource
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import soundfile
from rich.console import Console

from kerasep import cli, data, zoo
from kerasep.cli.terminal import show_log
from kerasep.training.progress import FitProgress
from kerasep.zoo import registry

GOLDEN = pathlib.Path(__file__).parent / "golden" / "open_unmix"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A few short songs and a run of one epoch on them."""
    folder = tmp_path_factory.mktemp("cli")
    data.write_songs(folder / "songs", 3, seconds=2.0)
    status = call(*train_command(folder / "songs", folder / "run"))
    assert status == 0
    data.write(folder / "mixture.wav", np.random.default_rng(0).normal(0, 0.1, (9000, 1)), 16000)
    return folder


def train_command(songs, out, *more):
    return (
        *("train", "open_unmix_like/small", "--data", songs, "--out", out),
        *("--epochs", 1, "--batch-size", 2, "--crop-seconds", 1, *more),
    )


def call(*arguments):
    """Run the command line in this process; return its exit status."""
    before, sys.argv = sys.argv, ["kerasep", *map(str, arguments)]
    try:
        cli.main()
    except SystemExit as end:
        return end.code or 0
    finally:
        sys.argv = before
    raise AssertionError("main() ends by exiting")


def refused(capsys, *arguments):
    """Run a command that must fail; return the one line that it says."""
    status = call(*arguments)
    error = capsys.readouterr().err
    assert status == 2, error
    assert error.startswith("kerasep: ")
    assert error.count("\n") == 1, error
    assert "Traceback" not in error
    return error


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_train_separate_evaluate(folder, tmp_path, capsys):
    assert {"model.keras", "history.csv", "recipe.json"} <= set(files(folder / "run"))
    run = folder / "run"
    assert call("separate", folder / "mixture.wav", "--model", run, "--out", tmp_path) == 0
    stems = ["bass", "drums", "other", "vocals"]
    assert files(tmp_path) == [f"mixture/{name}.wav" for name in stems]
    assert soundfile.info(tmp_path / "mixture/bass.wav").frames == 9000

    table = tmp_path / "scores.csv"
    capsys.readouterr()
    assert call("evaluate", "--model", run, "--data", folder / "songs", "--csv", table) == 0
    printed = capsys.readouterr().out
    assert "usdr: uSDR" in printed
    assert "…" not in printed  # no number is cut at 80 columns
    assert str(table) in printed
    lines = table.read_text().splitlines()
    assert len(lines) == 1 + 3 * len(stems)
    assert lines[0].startswith("track,source,si_sdr,si_sdr_improvement,usdr")
    assert {"ibm_si_sdr", "irm_si_sdr", "tpsa_si_sdr"} <= set(lines[0].split(","))


def test_evaluate_by_other_measures(folder, tmp_path, capsys):
    command = ("evaluate", "--model", folder / "run", "--data", folder / "songs", "--no-oracles")
    table = tmp_path / "scores.csv"
    assert call(*command, "--csv", table, "--measures", "snr, bss_eval") == 0
    printed = capsys.readouterr().out
    for name in ("snr: SNR of each", "bss_sir: SIR, of source to interference, of BSS Eval v4"):
        assert name in printed
    assert "si_sdr" not in printed
    header = "track,source,snr,snr_improvement,bss_sdr,bss_sdr_improvement,bss_isr,bss_sir"
    assert table.read_text().startswith(header)
    assert "expected some of" in refused(
        capsys, *command, "--csv", tmp_path / "other.csv", "--measures", "sdr"
    )
    assert files(tmp_path) == ["scores.csv"]


def test_import_and_separate(folder, tmp_path, monkeypatch, capsys):
    cards = registry._cards()
    cards["open_unmix_like"]["arguments"] |= {"n_fft": 64, "hop": 16, "hidden": 12, "max_hz": 2400}
    cards["open_unmix_like"]["arguments"] |= {"sample_rate": 8000}
    monkeypatch.setattr(registry, "_cards", lambda: cards)
    command = ("import", GOLDEN, "--as", "open_unmix_like/umx")
    command += ("--sources", "vocals,drums", "--out")
    model = tmp_path / "umx.keras"
    for path in (tmp_path / "umx.weights.h5", model):
        assert call(*command, path) == 0
        assert "vocals, drums" in capsys.readouterr().out
    assert "umx.keras exists" in refused(capsys, *command, model)
    assert "expected a name that ends in" in refused(capsys, *command, tmp_path / "umx.h5")
    assert "bass, other" in refused(capsys, *command[:4], "--out", tmp_path / "four.keras")
    assert files(tmp_path) == ["umx.keras", "umx.weights.h5"]
    assert call("separate", folder / "mixture.wav", "--model", model, "--out", tmp_path / "o") == 0
    assert files(tmp_path / "o") == ["mixture/drums.wav", "mixture/vocals.wav"]


def test_residual_and_other_formats(folder, tmp_path):
    command = ("separate", folder / "mixture.wav", "--model", folder / "run", "--out", tmp_path)
    assert call(*command, "--suffix", "flac", "--residual", "rest") == 0
    mixture = data.read(folder / "mixture.wav")[0]
    stems = sum(data.read(path)[0] for path in (tmp_path / "mixture").glob("*.flac"))
    np.testing.assert_allclose(stems, mixture, atol=1e-5)


def test_export_and_separate_with_the_file(folder, tmp_path, capsys):
    file = tmp_path / "model.tflite"
    assert call("export", "--model", folder / "run", "--out", file, "--seconds", 0.5) == 0
    assert "dB" in capsys.readouterr().out
    # The file alone, where neither Keras nor TensorFlow is there.
    bare = "import sys; sys.modules.update(keras=None, tensorflow=None)"
    process = start(
        *("separate", folder / "mixture.wav", "--model", file, "--out", tmp_path / "bare"),
        first=bare,
    )
    _, error = process.communicate(timeout=120)
    assert (process.returncode, error) == (0, "")
    for model, out in ((file, tmp_path / "edge"), (folder / "run", tmp_path / "keras")):
        assert call("separate", folder / "mixture.wav", "--model", model, "--out", out) == 0
    assert files(tmp_path / "edge") == files(tmp_path / "keras")
    assert "exists" in refused(capsys, "export", "--model", folder / "run", "--out", file)


@pytest.mark.slow
def test_export_of_the_network_with_small_weights(folder, tmp_path, capsys):
    command = ("export", "--model", folder / "run", "--seconds", 0.5, "--out")
    file = tmp_path / "network.tflite"
    assert call(*command, file, "--mode", "mask", "--quantization", "int8") == 0
    printed = capsys.readouterr().out
    assert "magnitude (1," in printed
    assert "int8" in printed
    assert "SI-SDR" in printed
    error = refused(capsys, "separate", folder / "mixture.wav", "--model", file, "--out", tmp_path)
    assert "mode='mask'" in error
    other = tmp_path / "other.tflite"
    again = ("export", "--model", file, "--out", other, "--quantization", "float16")
    assert "int8 already" in refused(capsys, *again)
    assert "expected one of" in refused(capsys, *command, other, "--mode", "masks")
    assert "expected one of" in refused(capsys, *command, other, "--quantization", "int4")
    assert files(tmp_path) == ["network.tflite"]


def test_list_and_show(capsys):
    assert call("list") == 0
    assert "open_unmix_like/karaoke" in capsys.readouterr().out
    assert call("show", "open_unmix_like/umx") == 0
    assert '"hidden": 512' in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        *("show", "prepare", "train", "separate", "stream", "evaluate", "export", "bench", "demo"),
        *("data", "data check"),
    ],
)
def test_every_command_has_help(command, capsys):
    assert call(*command.split(), "--help") == 0
    assert "Usage" in capsys.readouterr().out


@pytest.mark.parametrize("group", [(), ("data",)])
def test_a_group_without_a_command_shows_its_help(group, capsys):
    assert call(*group) == 2
    said = capsys.readouterr()
    assert "Usage" in said.out
    assert said.err == ""


def test_checking_a_data_set(tmp_path, capsys):
    songs = tmp_path / "[live] songs"
    data.write_songs(songs / "train", 3, seconds=1.0)
    data.write_songs(songs / "test", 1, seed=9, seconds=1.0)
    (songs / "train" / "song_0001" / "bass.flac").write_bytes(b"")
    page, table = tmp_path / "page.html", tmp_path / "table.csv"
    command = ("data", "check", songs, "--html", page, "--csv", table)
    assert call(*command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{songs}: stems folders, 4 tracks (1 unusable), 3.0 s"
    assert "splits: test (1), train (3)" in lines
    (problem,) = [line for line in lines if line.startswith("unreadable: ")]
    assert problem.startswith("unreadable: song_0001/bass: ")
    assert "bass.flac is empty" in problem
    assert "problems: 1 unreadable" in lines
    assert table.read_text().count("\n") == 17
    assert "[live] songs" in page.read_text()
    assert "exists: choose another, or --overwrite" in refused(capsys, *command)
    assert call(*command, "--overwrite") == 0
    capsys.readouterr()
    error = refused(capsys, "data", "check", songs, "--strict")
    assert "has 1 problems, expected none (--strict)" in error


def test_checking_a_data_set_without_anything_to_use(tmp_path, capsys):
    (tmp_path / "songs" / "a").mkdir(parents=True)
    assert "has no track or recording in a known layout" in refused(
        capsys, "data", "check", tmp_path / "songs"
    )
    (tmp_path / "songs" / "a" / "vocals.wav").write_text("no audio at all")
    error = refused(capsys, "data", "check", tmp_path / "songs")
    assert "has nothing that can be used" in error
    table = tmp_path / "nowhere" / "table.csv"
    error = refused(capsys, "data", "check", tmp_path / "songs", "--csv", table)
    assert f"there is no folder {table.parent}" in error


def test_training_says_what_it_recognised(tmp_path, capsys):
    data.write_songs(tmp_path / "songs", 3, seconds=0.5)
    (tmp_path / "songs" / "song_0001" / "bass.flac").write_bytes(b"")
    command = train_command(tmp_path / "songs", tmp_path / "run", "--batch-size", 99)
    assert call(*command) == 2
    said = capsys.readouterr()
    assert "batch_size=99" in said.err
    lines = said.out.splitlines()
    (skipped,) = [line for line in lines if line.startswith("skipped ")]
    assert "track 'song_0001'" in skipped
    assert "bass.flac is empty" in skipped
    assert f"{tmp_path / 'songs'}: stems folders, 2 tracks (1 skipped)" in lines


@pytest.mark.slow
def test_prepare_and_train_on_the_shards(tmp_path, capsys):
    data.write_songs(tmp_path / "songs", 3, seconds=2.0)
    out = tmp_path / "shards"
    command = ("prepare", tmp_path / "songs", "--out", out)
    assert call(*command, "--model", "open_unmix_like/small") == 0
    said = capsys.readouterr().out
    assert "3 tracks, 0.00 hours" in said
    assert f"{out}/index.json: int16, rounding" in said
    assert call(*train_command(out, tmp_path / "run")) == 0
    assert "val_loss" in capsys.readouterr().out
    message = refused(capsys, *command, "--sources", "vocals", "--sample-rate", 8000)
    assert "received no --model and no channels" in message
    other = ("--sources", "vocals", "--sample-rate", 8000, "--channels", 1)
    assert "was prepared with another" in refused(capsys, *command, *other)


def test_names_with_brackets(folder, tmp_path, capsys):
    path = tmp_path / "[live] song.wav"
    path.write_bytes((folder / "mixture.wav").read_bytes())
    assert call("separate", path, "--model", folder / "run", "--out", tmp_path) == 0
    assert str(tmp_path / "[live] song" / "bass.wav") in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    "option",
    [
        *[("--epochs", 0), ("--seed", -1), ("--channels", 0)],
        *[("--batch-size", 0), ("--batch-size", "some"), ("--devices", 0), ("--devices", "few")],
    ],
)
def test_numbers_out_of_range(folder, tmp_path, capsys, option):
    command = train_command(folder / "songs", tmp_path / "run", *option)
    assert option[0] in refused(capsys, *command)
    assert not (tmp_path / "run").exists()


def test_a_table_in_a_missing_folder_is_refused_at_once(folder, tmp_path, capsys):
    command = ("evaluate", "--model", folder / "run", "--data", tmp_path / "nowhere")
    error = refused(capsys, *command, "--csv", tmp_path / "missing" / "scores.csv")
    assert "there is no folder" in error


def test_training_that_is_stopped_gives_the_cursor_back(folder, tmp_path, monkeypatch):
    def fit(_model, *_arguments, callbacks, **_options):
        [progress] = [each for each in callbacks if isinstance(each, FitProgress)]
        progress.on_train_begin()
        raise KeyboardInterrupt

    terminal = io.StringIO()
    monkeypatch.setattr(keras.Model, "fit", fit)
    command = sys.modules["kerasep.cli.train"]  # its name in the package is the function's
    monkeypatch.setattr(command, "out", Console(file=terminal, force_terminal=True))
    assert call(*train_command(folder / "songs", tmp_path / "run")) == 130
    text = terminal.getvalue()
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_what_is_logged_is_shown(capsys):
    logger = logging.getLogger("kerasep")
    before = logger.level
    try:
        show_log()
        show_log()
        logging.getLogger("kerasep.training").info("batch size %d [found]", 8)
    finally:
        for handler in [*logger.handlers]:
            logger.removeHandler(handler)
        logger.setLevel(before)
    assert capsys.readouterr().out == "batch size 8 [found]\n"


def test_ctrl_c_is_told(monkeypatch, capsys):
    def stopped():
        raise KeyboardInterrupt

    monkeypatch.setattr(zoo, "list_entries", stopped)
    assert call("list") == 130
    assert capsys.readouterr().err.startswith("kerasep: stopped")


def test_mistyped_names(folder, capsys):
    assert "did you mean open_unmix_like" in refused(capsys, "show", "open_unmx_like")
    assert "train" in refused(capsys, "trian")
    refused(capsys, "train", "open_unmix_like/small")


def test_a_preset_without_weights_does_not_separate(folder, tmp_path, capsys):
    error = refused(
        capsys, "separate", folder / "mixture.wav", "-m", "open_unmix_like/small", "--out", tmp_path
    )
    assert "train it first" in error
    assert files(tmp_path) == []


def damage_nothing(folder):
    for path in folder.iterdir():
        for stem in path.iterdir():
            stem.unlink()


def damage_stem(folder):
    (folder / "song_0001" / "bass.flac").unlink()


def damage_truncated(folder):
    stem = folder / "song_0001" / "bass.flac"
    stem.write_bytes(stem.read_bytes()[: stem.stat().st_size // 2])


def damage_empty(folder):
    for song in folder.iterdir():
        (song / "bass.flac").write_bytes(b"")


def damage_text(folder):
    for song in folder.iterdir():
        (song / "bass.flac").write_text("no audio at all, but long enough to look at")


def damage_nan(folder):
    for song in folder.iterdir():
        (song / "bass.flac").unlink()
        soundfile.write(song / "bass.wav", np.full(32000, np.nan, "float32"), 16000, "FLOAT")


def damage_silent(folder):
    for stem in folder.rglob("*.flac"):
        soundfile.write(stem, np.zeros(32000, "float32"), 16000)


def damage_channels(folder):
    stem = folder / "song_0001" / "bass.flac"
    soundfile.write(stem, np.zeros((32000, 3), "float32"), 16000)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (damage_nothing, "has no track or recording in a known layout"),
        (damage_stem, "has no stem 'bass'"),
        (damage_truncated, "bass.flac"),
        (damage_empty, "bass.flac is empty"),
        (damage_text, "bass.flac is not audio"),
        (damage_nan, "NaN"),
        (damage_silent, "silent"),
        (damage_channels, "3 channels"),
    ],
)
def test_bad_training_data(tmp_path, capsys, damage, said):
    data.write_songs(tmp_path / "songs", 2, seconds=2.0)
    damage(tmp_path / "songs")
    channels = ("--channels", 2) if damage is damage_channels else ()
    error = refused(capsys, *train_command(tmp_path / "songs", tmp_path / "run", *channels))
    assert said in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [b"", b"hello", None])
def test_bad_recordings(folder, tmp_path, capsys, content):
    path = tmp_path / "bad.wav"
    if content is not None:
        path.write_bytes(content)
    error = refused(capsys, "separate", path, "--model", folder / "run", "--out", tmp_path / "out")
    assert "bad.wav" in error
    assert files(tmp_path) == ([] if content is None else ["bad.wav"])
    assert not (tmp_path / "out").exists()


def test_a_silent_recording(folder, tmp_path, capsys):
    path = tmp_path / "silent.wav"
    data.write(path, np.zeros((16000, 1), "float32"), 16000)
    assert call("separate", path, "--model", folder / "run", "--out", tmp_path / "out") == 0
    assert "silent.wav is silent throughout" in capsys.readouterr().out.replace("\n", " ")
    for stem in (tmp_path / "out" / "silent").iterdir():
        waveform, rate = data.read(stem)
        assert (waveform.shape, rate) == ((16000, 1), 16000)
        assert not waveform.any()


@pytest.mark.parametrize("model", ["open_unmix_like/small", "model.tflite"])
def test_nothing_to_export(tmp_path, capsys, model):
    error = refused(capsys, "export", "--model", model, "--out", tmp_path / "new.tflite")
    assert "no published weights" in error or "exported already" in error
    assert not files(tmp_path)


@pytest.mark.parametrize(
    ("model", "more", "message"),
    [
        ("model.tflite", ("--quantization", "int8"), "was settled when it was exported"),
        ("run", ("--mode", "streaming"), "--seconds with --mode streaming"),
    ],
)
def test_seconds_that_would_be_ignored_are_refused(tmp_path, capsys, model, more, message):
    command = ("export", "--model", model, "--out", tmp_path / "new.tflite", "--seconds", 6)
    assert message in refused(capsys, *command, *more)


def test_existing_outputs_are_kept(folder, tmp_path, capsys):
    kept = tmp_path / "mixture" / "bass.wav"
    kept.parent.mkdir()
    kept.write_text("mine")
    command = ("separate", folder / "mixture.wav", "--model", folder / "run", "--out", tmp_path)
    assert "exists" in refused(capsys, *command)
    assert kept.read_text() == "mine"
    assert files(tmp_path) == ["mixture/bass.wav"]
    assert call(*command, "--overwrite") == 0
    assert soundfile.info(kept).frames == 9000


def test_a_finished_run_is_not_trained_over(folder, capsys):
    before = (folder / "run" / "model.keras").read_bytes()
    assert "finished" in refused(capsys, *train_command(folder / "songs", folder / "run"))
    assert (folder / "run" / "model.keras").read_bytes() == before


def test_weights_of_another_model(folder, tmp_path, capsys):
    other = tmp_path / "other.weights.h5"
    zoo.load("open_unmix_like/small", hidden=8).save_weights(other)
    command = train_command(folder / "songs", tmp_path / "run", "--weights", other)
    assert "other.weights.h5" in refused(capsys, *command)


def test_a_file_that_is_no_model(folder, tmp_path, capsys):
    for name in ("model.keras", "model.tflite"):
        (tmp_path / name).write_text("not a model")
        error = refused(
            capsys, "separate", folder / "mixture.wav", "-m", tmp_path / name, "--out", tmp_path
        )
        assert name in error


def test_sources_of_the_same_name(folder, tmp_path, capsys):
    command = train_command(folder / "songs", tmp_path / "run", "--sources", "vocals,vocals")
    assert "different names" in refused(capsys, *command)


def start(*arguments, first="", **options):
    # A shell's background jobs ignore Ctrl-C, and what they start does too.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    script = f"{heard}\n{first}\nfrom kerasep.cli import main; main()"
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


@pytest.mark.slow
def test_interrupted_training_goes_on(folder, tmp_path):
    command = list(train_command(folder / "songs", tmp_path / "run"))
    command[command.index("--epochs") + 1] = 400
    process = start(*command)
    history = tmp_path / "run" / "history.csv"
    for _ in range(600):
        if history.exists() and len(history.read_text().splitlines()) > 3:
            break
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.startswith("kerasep: stopped")
    assert error.count("\n") == 1
    done = len(history.read_text().splitlines()) - 1
    again = start(*command, "--max-minutes", 0.001)
    again.communicate(timeout=120)
    assert again.returncode == 0
    lines = history.read_text().splitlines()
    assert len(lines) - 1 == done + 1
    assert [int(line.split(",")[0]) for line in lines[1:]] == list(range(1, done + 2))


@pytest.mark.slow
def test_a_full_disk(folder, tmp_path):
    # A limit on the size of files fails writes as a full disk does, with another errno.
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    process = start(
        *("separate", folder / "mixture.wav", "--model", folder / "run", "--out", tmp_path),
        preexec_fn=limit,
    )
    _, error = process.communicate(timeout=120)
    assert process.returncode == 2, error
    assert error.count("\n") == 1
    assert "Traceback" not in error
    assert files(tmp_path) == []
