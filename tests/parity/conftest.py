"""What the parity tests compare with; each is skipped where that is not installed."""

import importlib.util
import pathlib
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
def openunmix(torch):
    # Open-Unmix imports torchaudio for files and resampling, which no test here needs.
    if importlib.util.find_spec("torchaudio") is None:
        sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))
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
def asteroid(asteroid_filterbanks):
    # Asteroid imports torchaudio for files and resampling, which no test here needs.
    if importlib.util.find_spec("torchaudio") is None:
        sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))
    reason = "parity needs Asteroid: pip install asteroid --no-deps, and what it imports"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = pytest.importorskip("asteroid", reason=reason)
        importlib.import_module("asteroid.masknn.convolutional")
    return package


def _part(package, path):
    """One module of an installed package, without the package's own imports."""
    found = importlib.util.find_spec(package)
    if found is None:
        pytest.skip(f"parity needs {package}: pip install {package} --no-deps")
    path = pathlib.Path(found.origin).parent / path
    name = f"{package}_{path.parent.name}"
    folder = [str(path.parent)] if path.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def asteroid_losses(torch):
    # Asteroid itself imports its models, and they audio files and training frameworks.
    pytest.importorskip("asteroid_filterbanks", reason="parity needs asteroid-filterbanks")
    return _part("asteroid", "losses/__init__.py")


@pytest.fixture(scope="session")
def nussl_losses(torch):
    return _part("nussl", "ml/train/loss.py")
