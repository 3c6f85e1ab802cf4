"""What the parity tests compare with; each is skipped where that is not installed."""

import contextlib
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


@pytest.fixture(scope="session")
def nussl_networks(torch):
    """nussl's networks and their builders, without the rest, which imports audio frameworks."""
    found = importlib.util.find_spec("nussl")
    if found is None:
        pytest.skip("parity needs nussl: pip install nussl --no-deps")
    folder = pathlib.Path(found.origin).parent
    # Packages whose own files would import them; what these import and no network here needs.
    for name in ("nussl", "nussl.ml", "nussl.ml.unfold"):
        package = types.ModuleType(name)
        package.__path__ = [str(folder.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    sys.modules["nussl"].__spec__ = found
    sys.modules["nussl"].__version__ = "1.1.9"
    sys.modules["nussl"].AudioSignal = None
    sys.modules["nussl.ml.unfold"].GaussianMixtureTorch = None
    if importlib.util.find_spec("librosa") is None:
        sys.modules.setdefault("librosa", types.ModuleType("librosa"))
    return importlib.import_module("nussl.ml.networks")


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


@pytest.fixture(scope="session")
def julius(torch):
    return pytest.importorskip("julius", reason="parity needs julius: pip install julius")


@pytest.fixture(scope="module")
def demucs2(julius):
    """Demucs 2.0.3; its quantiser, which no test needs, is a stand-in."""
    diffq = types.ModuleType("diffq")
    diffq.UniformQuantizer = diffq.DiffQuantizer = object
    sys.modules.setdefault("diffq", diffq)
    with _demucs("2.0.3", ("model", "utils")) as package:
        yield package


@pytest.fixture(scope="module")
def demucs4(julius):
    """Demucs 4.1.0."""
    with _demucs("4.1.0", ("htdemucs", "apply", "states")) as package:
        yield package


@contextlib.contextmanager
def _demucs(version, parts):
    """Import a version of Demucs, which lies beside the environment's packages with the others."""
    major = f"demucs{version[0]}"
    folder = pathlib.Path(sys.prefix) / major / "demucs"
    if not folder.is_dir():
        advice = f"pip install --no-deps --target {major} demucs=={version}"
        pytest.skip(f"parity needs Demucs {version}: {advice}")
    path = str(folder / "__init__.py")
    spec = importlib.util.spec_from_file_location(
        "demucs", path, submodule_search_locations=[str(folder)]
    )
    package = importlib.util.module_from_spec(spec)
    # Under its own name, which its checkpoints refer to, until the module's tests are over.
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if _of_demucs(name)}
    sys.modules["demucs"] = package
    try:
        spec.loader.exec_module(package)
        for part in parts:
            importlib.import_module(f"demucs.{part}")
        yield package
    finally:
        for name in [name for name in sys.modules if _of_demucs(name)]:
            del sys.modules[name]
        sys.modules.update(before)


def _of_demucs(name):
    return name.partition(".")[0] == "demucs"


@pytest.fixture(scope="session")
def pymss(torch):
    """Band-split models of Music-Source-Separation-Training, as the package has them."""
    reason = "parity needs pymss-core: pip install pymss-core --no-deps"
    return pytest.importorskip("pymss_core.modules", reason=reason)
