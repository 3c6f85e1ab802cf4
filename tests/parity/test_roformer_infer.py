"""RoFormers of bs-roformer-infer and melband-roformer-infer: the same weights, the same numbers."""

import pathlib
import sys

import numpy as np
import pytest

from kerasep.importers import roformer, training_settings
from kerasep.ops import mel_bands
from tests.parity.test_roformers import BS, COMMON, MEL, relative_error, written

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning"),
]

CLASSES = {"bs_roformer": "BSRoformer", "mel_band_roformer": "MelBandRoformer"}
# Settings of other versions: masks always have a factor of 4 here, and the lowest bin is kept.
_FIXED = ("mlp_hidden_layers", "zero_dc")
CONFIGS = {
    "one vocal": ("bs_roformer", BS | {"num_stems": 1, "dim_freqs_in": 33}),
    "four stems": ("bs_roformer", BS | {"num_stems": 4, "dim_freqs_in": 33}),
    "mono": ("bs_roformer", BS | {"stereo": False, "dim_freqs_in": 33, "mask_estimator_depth": 3}),
    "mel bands": ("mel_band_roformer", MEL | {"sample_rate": 44100, "mask_estimator_depth": 2}),
    "mel bands, two stems": ("mel_band_roformer", MEL | {"num_stems": 2, "sample_rate": 16000}),
}


@pytest.fixture(scope="module")
def packages(torch):
    """Function that imports one of the packages, past what other tests put in librosa's place."""

    def load(name):
        if not hasattr(sys.modules.get("librosa"), "__path__"):
            sys.modules.pop("librosa", None)
        pip = f"{name.replace('_band_', 'band-').replace('_', '-')}-infer"
        return pytest.importorskip(name, reason=f"parity needs {pip}: pip install {pip}")

    return load


def network(torch, packages, name, **arguments):
    """A network whose norms show: those of a new one do nothing."""
    arguments = {key: value for key, value in arguments.items() if key not in _FIXED}
    net = getattr(packages(name), CLASSES[name])(**COMMON | arguments).eval()
    with torch.no_grad():
        for key, value in net.state_dict().items():
            if key.endswith("gamma"):
                value.add_(0.3 * torch.randn_like(value))
    return net


@pytest.mark.parametrize("config", CONFIGS)
def test_network_of_roformer_infer(torch, packages, tmp_path, config):
    name, arguments = CONFIGS[config]
    net = network(torch, packages, name, **arguments)
    model = roformer.build(written(torch, net, arguments, tmp_path / "model.ckpt"))
    x = 0.1 * torch.randn(2, model.channels, arguments["stft_hop_length"] * 25)
    with torch.no_grad():
        theirs = net(x).numpy().reshape(2, len(model.sources), model.channels, -1)
    ours = model.predict_on_batch(x.numpy().transpose(0, 2, 1))
    assert relative_error(ours, theirs.transpose(0, 3, 2, 1)) < 1e-4


@pytest.mark.parametrize(("sample_rate", "bands"), [(44100, 60), (48000, 64), (44100, 48)])
def test_mel_bands_of_librosa(torch, packages, sample_rate, bands):
    sizes = {"depth": 1, "sample_rate": sample_rate, "num_bands": bands}
    theirs = network(torch, packages, "mel_band_roformer", **sizes).freqs_per_band.numpy()
    ours = np.zeros_like(theirs)
    for row, (start, stop) in zip(ours, mel_bands(2048, sample_rate, bands), strict=True):
        row[start:stop] = True
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("name", "hop", "names"),
    [
        ("bs_roformer", 512, ["bass", "drums", "other", "vocals", "guitar", "piano"]),
        ("mel_band_roformer", 441, ["vocals"]),
    ],
)
def test_settings_of_roformer_infer(packages, name, hop, names):
    """The YAML file that each package ships is read."""
    folder = pathlib.Path(packages(name).__file__).parent / "configs"
    values, found = training_settings.read("model.ckpt", next(folder.glob("*.yaml")))
    assert (values["stft_hop_length"], found) == (hop, names)
