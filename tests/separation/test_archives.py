"""Archives by Apache Beam's own local runner, with several processes."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from kerasep import data
from kerasep.data.prepared import preparation, shards
from kerasep.errors import InputError
from kerasep.separation import archives
from kerasep.separation.recordings import ChunkSeparator

TWO = ["direct_num_workers=2"]
HERE = ["direct_num_workers=1", "direct_running_mode=in_memory"]  # in this process
MODEL = SimpleNamespace(sources=("vocals", "bass"), sample_rate=8000, channels=1, stft=None)


def load():
    """What stands in for a model: halves, and a note of which process loaded it."""
    if "KERASEP_TEST_LOADS" in os.environ:
        with open(os.environ["KERASEP_TEST_LOADS"], "a") as file:
            file.write(f"{os.getpid()}\n")

    def process(batch):
        time.sleep(float(os.environ.get("KERASEP_TEST_SECONDS", "0")))
        return np.stack([batch / 2, batch / 2], axis=-1)

    return ChunkSeparator(process, ("left", "right"), 8000, 1, 4000, 400)


@pytest.fixture
def beam():
    pytest.importorskip("apache_beam", reason="the extra beam is not installed")


@pytest.fixture
def recordings(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(6):
        data.write(folder / f"r{number}.wav", rng.normal(0, 0.1, (2000, 1)), 8000)
    return {path.stem: path for path in sorted(folder.iterdir())}


@pytest.fixture
def importable(monkeypatch):
    """Let worker processes import this file."""
    paths = [os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.syspath_prepend(paths[0])
    import test_archives

    return test_archives


def test_each_file_once_and_failures_listed(beam, recordings, importable, tmp_path, monkeypatch):
    monkeypatch.setenv("KERASEP_TEST_LOADS", str(tmp_path / "loads"))
    bad = tmp_path / 'no "audio", that.wav'
    bad.write_bytes(b"RIFF")
    files = {**recordings, "bad": bad, "lost": tmp_path / "lost.wav"}
    out = tmp_path / "out"
    failures = archives.separate(files, out, importable.load, options=TWO)
    assert [file for file, _ in failures] == sorted([str(bad), str(tmp_path / "lost.wav")])
    assert "is missing" in dict(failures)[str(tmp_path / "lost.wav")]
    with open(out / "failures.csv", newline="") as file:
        assert [tuple(row) for row in csv.reader(file)][1:] in (failures, failures[::-1])
    assert sorted(os.listdir(out)) == sorted([*recordings, "failures.csv"])
    assert sorted(os.listdir(out / "r3")) == ["left.wav", "right.wav"]
    expected = data.read(recordings["r3"])[0] / 2
    np.testing.assert_allclose(data.read(out / "r3" / "left.wav")[0], expected, atol=1e-6)
    loads = (tmp_path / "loads").read_text().split()
    # Once here, for the names of the sources, and at most once in each of two processes.
    assert len(loads) == len(set(loads)) <= 3


def test_names_that_are_not_utf_8(beam, recordings, importable, tmp_path):
    folder = recordings["r0"].parent
    good, bad = recordings["r0"].rename(folder / "=\udcff\n.wav"), folder / "=\udce9.wav"
    bad.touch()
    out = tmp_path / "out"
    files = {path.stem: path for path in (good, bad)}
    failures = archives.separate(files, out, importable.load, options=HERE)
    assert sorted(os.listdir(os.fsencode(out))) == [b"=\xff\n", b"failures.csv"]
    ((file, reason),) = failures
    assert file == f"{folder}/=\\xe9.wav"
    assert reason.startswith(f"{folder}/=\\xe9.wav is empty")
    (out / "failures.csv").read_text("utf-8")
    with pytest.raises(InputError, match=r"out\\xff, expected a name in UTF-8"):
        archives.separate(files, tmp_path / "out\udcff", importable.load, options=HERE)
    assert not (tmp_path / "out\udcff").exists()


def test_a_second_run_does_what_is_missing(beam, recordings, tmp_path):
    out = tmp_path / "out"
    for name in list(recordings)[:5]:
        (out / name).mkdir(parents=True)
        for source in ("left", "right"):
            (out / name / f"{source}.wav").write_text("as it was")
    (out / ".r5.0123.partial").mkdir()
    assert archives.separate(recordings, out, load, options=HERE) == []
    assert (out / "r0" / "left.wav").read_text() == "as it was"
    assert data.info(out / "r5" / "left.wav").samples == 2000
    assert (out / "failures.csv").read_text() == "file,reason\n"
    assert not list(out.glob(".*"))


@pytest.mark.slow
def test_a_killed_run_goes_on(beam, recordings, importable, tmp_path):
    out = tmp_path / "out"
    script = (
        "import sys, test_archives; from kerasep.separation import archives\n"
        f"files = { ({name: str(path) for name, path in recordings.items()})!r}\n"
        f"archives.separate(files, {str(out)!r}, test_archives.load, options={TWO!r})\n"
    )
    environment = {**os.environ, "KERASEP_TEST_SECONDS": "2"}
    with subprocess.Popen([sys.executable, "-c", script], env=environment) as process:
        finished = set()
        while process.poll() is None and not finished:
            time.sleep(0.1)
            finished = {name for name in recordings if (out / name).exists()}
        process.send_signal(signal.SIGKILL)
    assert 0 < len(finished) < len(recordings)
    before = {name: (out / name / "left.wav").stat().st_mtime_ns for name in finished}
    assert archives.separate(recordings, out, importable.load, options=TWO) == []
    assert {name for name in recordings if (out / name).exists()} == recordings.keys()
    for name, changed in before.items():
        assert (out / name / "left.wav").stat().st_mtime_ns == changed
    assert not list(out.glob(".*"))


@pytest.mark.slow
def test_a_run_that_is_told_to_end_leaves_nothing(beam, recordings, importable, tmp_path):
    out = tmp_path / "out"
    script = (
        "import test_archives; from kerasep.separation import archives\n"
        "from kerasep.system import stop_signals\n"
        f"files = { ({name: str(path) for name, path in recordings.items()})!r}\n"
        "with stop_signals.like_ctrl_c() as status:\n"
        "    try:\n"
        f"        archives.separate(files, {str(out)!r}, test_archives.load, options={TWO!r})\n"
        "    except KeyboardInterrupt:\n"
        "        raise SystemExit(status())\n"
    )
    environment = {**os.environ, "KERASEP_TEST_SECONDS": "60"}
    with subprocess.Popen([sys.executable, "-c", script], env=environment) as process:
        while process.poll() is None and not list(out.glob(".r*.partial")):
            time.sleep(0.1)
        workers = psutil.Process(process.pid).children()
        assert workers
        with pytest.raises(InputError, match="another run is at work"):
            archives.separate(recordings, out, importable.load, options=TWO)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=300) == 143
    assert not any(worker.is_running() for worker in workers)
    assert not list(out.glob(".*"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # Beam's own
def test_a_killed_worker_ends_the_run(beam, recordings, importable, tmp_path):
    with pytest.raises(
        InputError, match=r"a worker process was killed, .* repeat the call to resume"
    ):
        archives.separate(recordings, tmp_path / "out", importable.load_and_die, options=TWO)


def load_and_die():
    separator = load()
    if "apache_beam.runners.worker.sdk_worker_main" in " ".join(sys.orig_argv):
        return separator._replace(process=lambda batch: os.kill(os.getpid(), signal.SIGKILL))
    return separator


@pytest.mark.slow
def test_shards_are_those_of_one_process(beam, songs, tmp_path):
    plan = shards.plan(data.find_tracks(songs), MODEL, shard_bytes=1)
    assert len(plan.shards) > 2
    index, failures = archives.prepare(plan, tmp_path / "beam", options=TWO)
    assert failures == []
    assert index == preparation.carry_out(plan, tmp_path / "here")
    for path in (tmp_path / "here").iterdir():
        assert path.read_bytes() == (tmp_path / "beam" / path.name).read_bytes()
    assert sorted(os.listdir(tmp_path / "here")) == sorted(os.listdir(tmp_path / "beam"))


@pytest.mark.slow
def test_shards_that_are_there_stay(beam, songs, tmp_path):
    plan = shards.plan(data.find_tracks(songs), MODEL, shard_bytes=1)
    preparation.begin(plan, tmp_path / "out")
    shards.write_shard(plan, 0, tmp_path / "out")
    before = (tmp_path / "out" / plan.name(0)).stat().st_mtime_ns
    index, _ = archives.prepare(plan, tmp_path / "out", options=TWO)
    assert (tmp_path / "out" / plan.name(0)).stat().st_mtime_ns == before
    assert json.loads((tmp_path / "out" / shards.INDEX).read_text()) == index


def test_without_beam(recordings, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(InputError, match=r"pip install 'kerasep\[beam\]'"):
        archives.separate(recordings, tmp_path / "out", load)


def test_a_folder_that_is_not_finished_is_kept(recordings, tmp_path):
    (tmp_path / "r0").mkdir()
    (tmp_path / "r0" / "left.wav").touch()
    with pytest.raises(InputError, match=r"r0 exists without right\.wav: remove it"):
        archives.separate(recordings, tmp_path, load)
