"""What the parity tests compare with; each is skipped where that is not installed."""

import importlib.util
import sys
import types

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
