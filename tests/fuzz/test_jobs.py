"""Hostile jobs and messages for the workers of a data service: refused in one line, or right."""

import contextlib
import json
import pathlib
import pickle
import socket
import struct
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from kerasep import data
from kerasep.data.sampling.settings import Sampling
from kerasep.data.service import jobs, wire
from kerasep.errors import InputError

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from lies import lie

MODEL = SimpleNamespace(sources=("vocals", "bass"), sample_rate=8000, channels=1)
SETTINGS = {"batch_size": 2, "crop_seconds": 0.25, "crops_per_track": 4, "gain": None}
AUGMENT = {"reverberate": {"share": 0.5}, "change_tempo": {"factors": [0.9, 1.1]}, "code": {}}


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz") / "songs"
    data.write_songs(folder, 3, seconds=1.0, sample_rate=8000)
    return folder


@pytest.fixture(scope="module")
def truths(songs):
    """Jobs of tracks and of a pool."""
    tracks = data.find_tracks(songs)
    stems = {name: tuple(t.stems[name] for t in tracks) for name in MODEL.sources}
    sampling = Sampling(
        **{**SETTINGS, "gain": (0.25, 1.25)},
        swap=False,
        semitones=1,
        snr=(-3.0, 3.0),
        min_sources=1,
        level=-25.0,
        augment=AUGMENT,
        threads=2,
        seed=1,
    )
    return [
        json.loads(jobs.pack(jobs.describe(source, MODEL, sampling, steps)))
        for source, steps in ((tracks, 6), (data.Pool("pool", stems), 4))
    ]


@pytest.mark.slow
def test_jobs_that_lie(truths, cases):
    made = 0
    for seed, rng in cases(2000):
        packed = lie(truths[rng.integers(len(truths))], rng)
        start = time.process_time()
        try:
            job = jobs.unpack(packed)
            batch = jobs.batches_of(packed)
            samples = round(job.sampling.crop_seconds * job.model.sample_rate)
            size = job.sampling.batch_size
            if samples * size * len(job.model.sources) < 1_000_000:
                made += 1
                mixture, sources = batch(0, 0)
                shape = size, samples, job.model.channels
                assert mixture.shape == shape, seed
                assert sources.shape == (*shape, len(job.model.sources)), seed
                assert np.isfinite(mixture).all(), seed
                assert np.isfinite(sources).all(), seed
        except InputError as error:
            if "\n" in str(error):
                raise AssertionError(f"seed {seed}: {error}") from error
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        assert time.process_time() - start < 20, seed
    assert 0 < made < seed / 2


def say(address, message, *, read=True):
    """Send bytes to a worker; return what it answers."""
    answer = b""
    # The worker may close the connection before it has read everything.
    with (
        socket.create_connection(address, 20) as connection,
        contextlib.suppress(ConnectionError),
    ):
        connection.sendall(message)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        while read and (part := connection.recv(1 << 16)):
            answer += part
    return answer


def framed(message):
    return struct.pack(">I", len(message)) + message


@pytest.mark.slow
def test_a_worker_outlives_whatever_it_is_sent(truths, songs, cases):
    with data.serving(workers=1) as service:
        (worker,) = service.workers
        pid, places = worker.process.pid, [worker.address, service.address]
        for place in map(wire.host_and_port, places):
            for message in (
                b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                b"",
                b"\x00",
                struct.pack(">I", 0xFFFFFFFF),
                struct.pack(">I", 100) + b"{",
                framed(b""),
                framed(pickle.dumps(np.dtype("O"))),
                framed(b"[" * 100_000),
                framed(b'{"type": "join", "workers": ["x"]}'),
                framed(b'{"type": "join", "workers": [1]}'),
                framed(jobs.pack(truths[0])) + framed(b'{"epoch": -1, "step": 0}'),
                framed(jobs.pack(truths[0])) + framed(b'{"epoch": 0, "step": 1000000000000}'),
                framed(jobs.pack(truths[0])) + framed(b'{"epoch": 1e30, "step": 0}'),
            ):
                answer = say(place, message)
                assert b"Traceback" not in answer
            say(
                place, framed(jobs.pack(truths[0])) + framed(b'{"epoch": 0, "step": 0}'), read=False
            )
            for _, rng in cases(20):
                say(place, framed(lie(truths[rng.integers(2)], rng)))
        served = data.waveforms(songs, MODEL, data_service=service.address, **SETTINGS)
        local = data.waveforms(songs, MODEL, **SETTINGS)
        for one, other in zip(served.take(6), local, strict=True):
            np.testing.assert_array_equal(one[0], other[0])
        assert worker.process.poll() is None
        assert worker.process.pid == pid
