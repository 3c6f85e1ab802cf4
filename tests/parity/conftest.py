"""What the parity tests compare with; each is skipped where that is not installed."""

import importlib.util
import sys
import types
import warnings

import pytest


@pytest.fixture(scope="session")
def torch():
    torch = pytest.importorskip("torch", reason="parity needs PyTorch: pip install torch")
    torch.manual_seed(0)
    return torch


@pytest.fixture(scope="session")
def torchaudio(torch):
    """Open-Unmix and Asteroid import it for files and resampling, which no test here needs."""
    if "torchaudio" not in sys.modules and importlib.util.find_spec("torchaudio") is None:
        sys.modules["torchaudio"] = types.ModuleType("torchaudio")


@pytest.fixture(scope="session")
def openunmix(torchaudio):
    reason = "parity needs Open-Unmix: pip install openunmix --no-deps"
    package = pytest.importorskip("openunmix", reason=reason)
    for part in ("model", "filtering"):
        importlib.import_module(f"openunmix.{part}")
    return package


@pytest.fixture(scope="session")
def asteroid_filterbanks(torch):
    reason = "parity needs Asteroid's filterbanks: pip install asteroid-filterbanks"
    return pytest.importorskip("asteroid_filterbanks", reason=reason)


@pytest.fixture(scope="session")
def asteroid(torchaudio, asteroid_filterbanks):
    reason = "parity needs Asteroid: pip install asteroid --no-deps, and what it imports"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = pytest.importorskip("asteroid", reason=reason)
        for part in ("dsp.consistency", "masknn.convolutional", "masknn.norms"):
            importlib.import_module(f"asteroid.{part}")
    return package
