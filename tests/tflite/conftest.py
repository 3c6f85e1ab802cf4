import numpy as np
import pytest


def shaken(model, seed=0):
    """Give every weight of a model a value that shows: normalisations start as identities."""
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        if variable.dtype != "float32":
            continue
        value = np.asarray(variable)
        noise = 0.1 * rng.standard_normal(value.shape)
        variable.assign(value + (np.abs(noise) if "variance" in variable.path else noise))
    return model


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
def exported(small_model, tmp_path_factory):
    """An exported model: (report, path)."""
    from kerasep.tflite import export

    path = tmp_path_factory.mktemp("exported") / "small.tflite"
    return export(small_model, path, seconds=1.0), path


@pytest.fixture(scope="session")
def network_file(small_model, tmp_path_factory):
    """Path of an exported network alone."""
    from kerasep.tflite import export

    path = tmp_path_factory.mktemp("network") / "network.tflite"
    return export(small_model, path, mode="mask", seconds=0.5).path


@pytest.fixture(scope="session")
def stream_file(tmp_path_factory):
    """Path of an exported causal model."""
    from kerasep import zoo
    from kerasep.tflite import export

    model = shaken(zoo.load("open_unmix_like/causal", sources=["vocals"], hidden=16, weights=False))
    path = tmp_path_factory.mktemp("streaming") / "stream.tflite"
    return export(model, path, mode="streaming", check=False).path
