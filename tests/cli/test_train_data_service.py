"""`kerasep train --data-service` and `--workers`: batches from other processes."""

import csv
import os
import signal
import sys

import pytest

from kerasep import cli, data
from kerasep.data.service import servers


def call(*arguments):
    before, sys.argv = sys.argv, ["kerasep", *map(str, arguments)]
    try:
        cli.main()
    except SystemExit as end:
        return end.code or 0
    finally:
        sys.argv = before


@pytest.mark.slow
def test_training_by_a_service_that_loses_a_worker(songs, tmp_path, monkeypatch):
    with data.serving(workers=2) as service:
        command = ("train", "open_unmix_like/small", "--data", songs, "--sample-rate", 8000)
        command += ("--batch-size", 2, "--crop-seconds", 0.5, "--crops-per-track", 8)
        command += ("--data-service", service.address, "--epochs", 2)
        from kerasep.training.progress import FitProgress

        usual = FitProgress.on_epoch_end

        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                os.kill(service.workers[0].process.pid, signal.SIGKILL)
            usual(self, epoch, logs)

        monkeypatch.setattr(FitProgress, "on_epoch_end", on_epoch_end)
        assert call(*command, "--out", tmp_path / "run") == 0
    with open(tmp_path / "run" / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]


@pytest.mark.slow
def test_training_with_workers_of_its_own(songs, tmp_path, monkeypatch):
    started = []
    usual = servers.Worker.start
    monkeypatch.setattr(servers.Worker, "start", lambda self: (started.append(self), usual(self)))
    command = ("train", "unet_like/karaoke", "--data", songs, "--sources", "vocals,drums")
    command += ("--batch-size", 2, "--crop-seconds", 0.5, "--crops-per-track", 4, "--epochs", 2)
    assert call(*command, "--workers", 2, "--out", tmp_path / "run") == 0
    assert len(started) == 2
    assert all(worker.process.poll() is not None for worker in started)
    with open(tmp_path / "run" / "history.csv", newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]


def test_refuses_workers_beside_a_service(songs, tmp_path, capsys):
    command = ("train", "open_unmix_like/small", "--data", songs, "--out", tmp_path / "run")
    assert call(*command, "--workers", 2, "--data-service", "tcp://127.0.0.1:1") == 2
    said = capsys.readouterr().err
    assert "received --workers 2 and --data-service tcp://127.0.0.1:1, expected one" in said


def test_nobody_answers(songs, tmp_path, capsys):
    command = ("train", "open_unmix_like/small", "--data", songs, "--sample-rate", 8000)
    command += ("--batch-size", 2, "--crop-seconds", 0.5, "--out", tmp_path / "run")
    assert call(*command, "--data-service", "tcp://127.0.0.1:1") == 2
    assert "nobody answers at tcp://127.0.0.1:1" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
