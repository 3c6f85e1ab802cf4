"""Exported files that the tests share: exports are what takes time."""

import numpy as np
import pytest

from tests.streaming.small_streams import separated, shaken


@pytest.fixture(scope="session")
def small_model():
    from kerasep.models import OpenUnmixLike

    return shaken(
        OpenUnmixLike(
            ["vocals", "drums"],
            sample_rate=8000,
            n_fft=256,
            hop=64,
            hidden=16,
            lstm_layers=1,
            max_hz=3000,
        )
    )


@pytest.fixture(scope="session")
def before_export(small_model):
    """A magnitude, and what the small model makes of it before it is exported."""
    x = np.random.default_rng(1).random((1, 20, 129, 2)).astype("float32")
    return x, np.asarray(small_model(x))


@pytest.fixture(scope="session")
def exported(small_model, before_export, tmp_path_factory):
    """An exported model: (report, path)."""
    from kerasep.tflite import export

    path = tmp_path_factory.mktemp("exported") / "small.tflite"
    return export(small_model, path, seconds=1.0), path


@pytest.fixture(scope="session")
def whole_model():
    """A mono model whose sources make up the whole mixture."""
    from kerasep.models import OpenUnmixLike

    sizes = {"n_fft": 256, "hop": 64, "hidden": 8, "lstm_layers": 1, "max_hz": 3000}
    sources = ["vocals", "accompaniment"]
    return shaken(OpenUnmixLike(sources, sample_rate=8000, channels=1, **sizes))


@pytest.fixture(scope="session")
def exported_whole(whole_model, tmp_path_factory):
    """Report of the exported model whose sources make up the whole mixture."""
    from kerasep.tflite import export

    path = tmp_path_factory.mktemp("whole") / "whole.tflite"
    return export(whole_model, path, seconds=1.0)


@pytest.fixture(scope="session")
def network_report(small_model, tmp_path_factory):
    """Report of an exported network alone."""
    from kerasep.tflite import export

    path = tmp_path_factory.mktemp("network") / "network.tflite"
    return export(small_model, path, mode="mask", seconds=0.5)


@pytest.fixture(scope="session")
def network_file(network_report):
    return network_report.path


@pytest.fixture(scope="session")
def stream(tmp_path_factory):
    """A separator of a causal model, mono, and the report of its export."""
    from kerasep.tflite import export

    model, separator = separated("tasnet")
    path = tmp_path_factory.mktemp("streaming") / "tasnet.tflite"
    return separator, export(model, path, mode="streaming")


@pytest.fixture(scope="session")
def stream_file(stream):
    return stream[1].path
