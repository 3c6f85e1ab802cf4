"""Writes the golden files beside it, which hold PyTorch's numbers for tests that run without it.

Needs torch, openunmix and asteroid (the latter two by `pip install --no-deps`), and is run by hand:
`python tests/golden/make_golden.py`.
"""

import json
import pathlib
import sys
import types

import numpy as np
import torch

# Open-Unmix imports torchaudio, and its networks do not use it.
sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))

from asteroid.models import ConvTasNet, DPRNNTasNet  # noqa: E402
from openunmix.model import OpenUnmix  # noqa: E402

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "open_unmix"
TRANSFORMS = [(512, 128), (400, 160), (256, 96)]
N_FFT, BINS, BANDWIDTH_BINS, FRAMES = 64, 33, 20, 7
# Names that older releases saved beside the weights.
LEFTOVERS = {
    "stft.window": torch.hann_window(N_FFT),
    "transform.0.window": torch.hann_window(N_FFT),
}


def write_stft():
    """`torch.stft` of (batch, samples, channels), as (batch, frames, bins, channels, 2)."""
    waveform = torch.randn(1, 1501, 1)
    arrays = {"waveform": waveform.numpy()}
    for n_fft, hop in TRANSFORMS:
        for center in (True, False):
            spectrum = torch.stft(
                waveform[:, :, 0],
                n_fft,
                hop,
                window=torch.hann_window(n_fft),
                center=center,
                return_complex=True,
            )
            frames = torch.view_as_real(spectrum).permute(0, 2, 1, 3)[:, :, :, None]
            arrays[f"{n_fft}_{hop}_{'centered' if center else 'inside'}"] = frames.numpy()
    np.savez_compressed(HERE / "stft.npz", **arrays)


def random_model(**arguments):
    """An Open-Unmix whose every number is random, the batch statistics and scales included."""
    model = OpenUnmix(nb_bins=BINS, **arguments).eval()
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith(("running_var", "scale")):
                value.uniform_(0.5, 1.5)
            elif name.startswith(("bn", "input", "output")) and value.is_floating_point():
                value.normal_(0.3, 0.3)
    return model


def output(model, magnitude):
    """The model's answer, both as (batch, frames, bins, channels)."""
    with torch.no_grad():
        return model(magnitude.permute(0, 3, 2, 1)).permute(0, 3, 2, 1).numpy()


def write_open_unmix():
    """A folder as Open-Unmix publishes them (both file formats), and a causal mono model."""
    FOLDER.mkdir(exist_ok=True)
    stereo = {"nb_channels": 2, "hidden_size": 12, "max_bin": BANDWIDTH_BINS}
    magnitude = torch.rand(2, FRAMES, BINS, 2)
    arrays = {"magnitude": magnitude.numpy()}
    for target, name, legacy in [
        ("vocals", "vocals-0a1b2c3d.pth", True),
        ("drums", "drums.pth", False),
    ]:
        model = random_model(**stereo)
        state = model.state_dict() | (LEFTOVERS if legacy else {})
        torch.save(state, FOLDER / name, _use_new_zipfile_serialization=not legacy)
        arrays[target] = output(model, magnitude)
        (FOLDER / f"{target}.json").write_text(
            json.dumps({"args": {"nfft": N_FFT, "nhop": 16, "nb_channels": 2, "hidden_size": 12}})
        )
    (FOLDER / "separator.json").write_text(
        json.dumps({"sample_rate": 8000, "nfft": N_FFT, "nhop": 16, "nb_channels": 2})
    )
    causal = random_model(nb_channels=1, hidden_size=8, nb_layers=2, unidirectional=True)
    torch.save({"epoch": 3, "state_dict": causal.state_dict()}, HERE / "open_unmix_causal.pth")
    arrays["causal"] = output(causal, magnitude[..., :1])
    np.savez_compressed(HERE / "open_unmix.npz", **arrays)


def write_asteroid():
    """Files as Asteroid publishes them, with versions and scores; one of the old format."""
    sizes = {"n_filters": 8, "bn_chan": 4, "n_repeats": 1, "norm_type": "gLN"}
    models = {
        "conv_tasnet": ConvTasNet(2, mask_act="relu", n_blocks=3, hid_chan=6, skip_chan=5, **sizes),
        "dprnn": DPRNNTasNet(3, chunk_size=10, hid_size=3, **sizes),
    }
    waveform = 0.1 * torch.randn(2, 1, 333)
    arrays = {"waveform": waveform.permute(0, 2, 1).numpy()}
    for name, model in models.items():
        with torch.no_grad():
            for value in model.state_dict().values():
                value.add_(0.1 * torch.randn_like(value))
            arrays[name] = model(waveform).permute(0, 2, 1)[:, :, None].numpy()
        contents = {
            "model_name": type(model).__name__,
            "state_dict": model.state_dict(),
            "model_args": model.get_model_args(),
            "infos": {
                "software_versions": {"torch_version": torch.__version__},
                "final_metrics": {"si_sdr": np.float64(12.5)},
                "training_config": {"betas": [0.9, 0.99], "clip": None},
            },
        }
        old = name == "dprnn"
        path = HERE / f"asteroid_{name}.bin"
        torch.save(contents, path, _use_new_zipfile_serialization=not old)
    np.savez_compressed(HERE / "asteroid.npz", **arrays)


def main():
    """Write all of them, from one seed."""
    torch.manual_seed(0)
    write_stft()
    write_open_unmix()
    write_asteroid()


if __name__ == "__main__":
    main()
