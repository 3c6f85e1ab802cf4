"""`kerasep separate` on several files: bad ones, second runs, signals, two runs at once."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import kerasep
from kerasep import cli, data, zoo
from kerasep.cli import options
from kerasep.files.folder_lock import locked
from kerasep.separation.recordings import ChunkSeparator

RATE = 16000


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.keras"
    zoo.load("open_unmix_like/small", sources=["vocals", "drums"], hidden=8).save(path)
    return path


class Halves:
    """What stands in for an exported file: each source is half of the mixture."""

    def chunk_separator(self):
        return ChunkSeparator(
            lambda x: np.stack([x / 2, x / 2], -1), ("vocals", "drums"), RATE, 1, 2000, 200
        )


@pytest.fixture
def halves(monkeypatch, tmp_path):
    monkeypatch.setattr(options, "trained", lambda name: Halves())
    (tmp_path / "halves.tflite").touch()
    return tmp_path / "halves.tflite"


@pytest.fixture
def files(tmp_path):
    """Two recordings, and between them one that is none."""
    rng = np.random.default_rng(0)
    for name, samples in (("a", 3000), ("c", 4000)):
        data.write(tmp_path / f"{name}.wav", rng.normal(0, 0.1, (samples, 1)), RATE)
    (tmp_path / "b.mp3").write_bytes(b"hello")
    return [tmp_path / name for name in ("a.wav", "b.mp3", "c.wav")]


def separate(model, out, *arguments):
    """Run the command in this process; return its exit status."""
    before, sys.argv = sys.argv, ["kerasep", "separate", "--model", str(model), "--out", str(out)]
    sys.argv += map(str, arguments)
    try:
        cli.main()
    except SystemExit as end:
        return end.code or 0
    finally:
        sys.argv = before


def found(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


STEMS = [f"{name}/{source}.wav" for name in "ac" for source in ("drums", "vocals")]


def test_one_bad_file_does_not_end_the_rest(model, files, tmp_path, capsys):
    out = tmp_path / "out"
    assert separate(model, out, *files, tmp_path / "lost.wav") == 1
    assert found(out) == STEMS
    expected = kerasep.separate(zoo.load(model), files[2])["drums"]
    np.testing.assert_allclose(data.read(out / "c" / "drums.wav")[0], expected, atol=1e-6)
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 2
    assert "b.mp3" in failed[0]
    assert "lost.wav is missing" in failed[1]


def test_the_same_command_again_does_what_is_missing(halves, files, tmp_path, capsys):
    out = tmp_path / "out"
    assert separate(halves, out, files[0]) == 0
    kept = [out / "a" / "vocals.wav", out / "a" / "drums.wav"]
    before = [path.stat().st_mtime_ns for path in kept]
    (out / "c").mkdir()
    (out / "c" / ".vocals.wav.123.partial").write_text("half")
    capsys.readouterr()
    assert separate(halves, out, files[0], files[2]) == 0
    assert found(out) == STEMS
    assert [path.stat().st_mtime_ns for path in kept] == before
    said = capsys.readouterr().out.splitlines()
    assert f"{kept[0]} exists: kept" in said
    assert f"{out / 'c' / 'vocals.wav'}" in said


def test_a_stem_that_is_missing_is_made_and_the_others_kept(halves, files, tmp_path):
    out = tmp_path / "out"
    assert separate(halves, out, files[0]) == 0
    whole = (out / "a" / "vocals.wav").read_bytes()
    (out / "a" / "vocals.wav").unlink()
    before = (out / "a" / "drums.wav").stat().st_mtime_ns
    assert separate(halves, out, files[0]) == 0
    assert whole == (out / "a" / "vocals.wav").read_bytes()
    assert (out / "a" / "drums.wav").stat().st_mtime_ns == before


@pytest.mark.parametrize("samples", [None, 2999])
def test_what_is_from_something_else_is_kept(halves, files, tmp_path, capsys, samples):
    mine = tmp_path / "out" / "a" / "vocals.wav"
    mine.parent.mkdir(parents=True)
    if samples:
        data.write(mine, np.ones((samples, 1), "float32"), RATE)
    else:
        mine.write_text("mine")
    before = mine.read_bytes()
    assert separate(halves, tmp_path / "out", files[0], files[2]) == 1
    assert "vocals.wav exists" in capsys.readouterr().out
    assert mine.read_bytes() == before
    assert found(tmp_path / "out") == ["a/vocals.wav", *STEMS[2:]]
    assert separate(halves, tmp_path / "out", files[0], files[2], "--overwrite") == 0
    assert found(tmp_path / "out") == STEMS
    np.testing.assert_array_equal(data.read(mine)[0], data.read(files[0])[0] / 2)


def test_overwrite_makes_all_anew(halves, files, tmp_path, capsys):
    assert separate(halves, tmp_path / "out", files[0]) == 0
    stem = tmp_path / "out" / "a" / "vocals.wav"
    os.utime(stem, (0, 0))  # time stamps of some file systems are coarse
    assert separate(halves, tmp_path / "out", files[0], "--overwrite") == 0
    assert stem.stat().st_mtime_ns > 0
    assert "kept" not in capsys.readouterr().out


def test_a_file_twice_is_done_once(halves, files, tmp_path, capsys):
    again = tmp_path / "x" / ".." / "a.wav"
    (tmp_path / "x").mkdir()
    assert separate(halves, tmp_path / "out", files[0], again, files[0]) == 0
    assert found(tmp_path / "out") == STEMS[:2]
    assert capsys.readouterr().out.count("vocals.wav") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a.wav", "x/a.wav"], "both called a, expected different names"),
        (["a.wav", "--suffix", ".mp9"], "received suffix '.mp9', expected one of .wav"),
        (["b.mp3"], "b.mp3"),
        (["b.mp3", "lost.wav"], "none of the 2 files"),
    ],
)
def test_what_cannot_work_at_all(halves, files, tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    data.write("x/a.wav", np.ones((900, 1), "float32"), RATE)
    assert separate(halves, tmp_path / "out", *arguments) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_second_run_is_refused(halves, files, tmp_path, capsys):
    with locked(tmp_path / "out"):
        assert separate(halves, tmp_path / "out", files[0]) == 2
    assert "out, where another run is at work" in capsys.readouterr().err
    assert separate(halves, tmp_path / "out", files[0]) == 0


SLOW = """
import signal, sys, time
import numpy as np
from kerasep.separation import ensembles

def stems(separator, blocks, *settings):
    for block in blocks:
        yield np.zeros((*block.shape, len(separator.sources)), "float32")
        print("begun", flush=True)
        for _ in range(600):  # a signal between print and one long sleep would wait for its end
            time.sleep(0.1)

ensembles.stems = stems
# What the tests themselves ignore, run by nohup or as a shell's background job, does not count.
signal.signal(signal.SIGHUP, signal.SIG_IGN if sys.argv[1] == "nohup" else signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.SIG_IGN if sys.argv[1] == "job" else signal.default_int_handler)
sys.argv[1:] = sys.argv[2:]
from kerasep.cli import main; main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "numbers", "status"),
    [
        ("plain", ["SIGINT"], 130),
        ("plain", ["SIGHUP", "SIGHUP", "SIGTERM"], 129),
        ("job", ["SIGTERM"], 143),
        ("nohup", ["SIGHUP", "SIGTERM"], 143),
        ("plain", ["SIGKILL"], -signal.SIGKILL),
    ],
)
def test_signals(model, files, tmp_path, kind, numbers, status):
    out = tmp_path / "out"
    command = [sys.executable, "-c", SLOW, kind, "separate", "-m", model, "--out", out, files[0]]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        while process.stdout.readline() != "begun\n":
            assert process.poll() is None, process.stderr.read()
        assert [name.endswith(".partial") for name in os.listdir(out / "a")] == [True, True]
        for number in numbers:
            process.send_signal(getattr(signal, number))
        _, error = process.communicate(timeout=300)
    assert process.returncode == status
    if status > 0:
        assert error == "kerasep: stopped: run the same command again to resume\n"
        assert not out.exists()
    else:
        assert separate(model, out, files[0]) == 0
        assert found(out) == STEMS[:2]


def test_overlap(model, tmp_path, monkeypatch):
    """It reaches the models; a file for phones has its own."""
    from kerasep.separation import recordings

    overlaps = []

    def note(separators, *arguments, **settings):
        overlaps.append(separators.overlap / separators.chunk)
        return {}

    data.write(tmp_path / "a.wav", np.full((3000, 1), 0.1), RATE)
    monkeypatch.setattr(recordings, "separate_file", note)
    for arguments in ((), ("--overlap", "0.5")):
        assert separate(model, tmp_path / "out", tmp_path / "a.wav", *arguments) == 0
    assert overlaps == pytest.approx([4 / 30, 0.5], abs=1e-3)


def test_overlap_of_a_file_for_phones(halves, tmp_path, capsys):
    data.write(tmp_path / "a.wav", np.full((3000, 1), 0.1), RATE)
    assert separate(halves, tmp_path / "out", tmp_path / "a.wav", "--overlap", "0.5") == 2
    assert "a .tflite file has its own" in capsys.readouterr().err.replace("\n", " ")


def test_both_polarities_of_a_file_for_phones(monkeypatch, tmp_path):
    """What the file adds to either polarity cancels."""

    class Offset:
        def chunk_separator(self):
            return ChunkSeparator(lambda x: x[..., None] / 2 + 0.3, ("a",), RATE, 1, 2000, 200)

    monkeypatch.setattr(options, "trained", lambda name: Offset())
    (tmp_path / "offset.tflite").touch()
    data.write(tmp_path / "a.wav", np.full((3000, 1), 0.1), RATE)
    for arguments, level in (((), 0.35), (("--both-polarities",), 0.05)):
        out = tmp_path / f"out{len(arguments)}"
        assert separate(tmp_path / "offset.tflite", out, tmp_path / "a.wav", *arguments) == 0
        stem, _ = data.read(out / "a" / "a.wav")
        np.testing.assert_allclose(stem, level, atol=1e-4)
