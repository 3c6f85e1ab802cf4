"""The PyTorch packages that the zoo's models come from, imported without what they need elsewhere.

Each of the functions makes a network; the audio and training frameworks that the packages import
beside it are stood in for by empty modules.
"""

import fractions
import importlib
import importlib.util
import pathlib
import sys
import types


def asteroid(name, **arguments):
    """Make a model of Asteroid's."""
    _stand_in("torchaudio", "soundfile", "librosa")
    _stand_in("huggingface_hub", HUGGINGFACE_CO_URL_HOME="")
    module = importlib.import_module(f"asteroid.models.{name}")
    classes = {"conv_tasnet": "ConvTasNet", "dprnn_tasnet": "DPRNNTasNet"}
    return getattr(module, classes[name])(**arguments)


def openunmix(**arguments):
    """Make Open-Unmix's network of one target."""
    _stand_in("torchaudio")
    return importlib.import_module("openunmix.model").OpenUnmix(**arguments)


def nussl(builder, **arguments):
    """Make one of nussl's recurrent networks."""
    _stand_in("librosa")
    if "nussl.ml.networks" not in sys.modules:
        _prepare_nussl(pathlib.Path(importlib.util.find_spec("nussl").origin).parent)
    networks = importlib.import_module("nussl.ml.networks")
    build = getattr(networks.builders, f"build_recurrent_{builder}")
    return networks.SeparationModel(build(**arguments))


def _prepare_nussl(folder):
    """Packages of nussl whose own files would import frameworks that its networks do not need."""
    for name in ("nussl", "nussl.ml", "nussl.ml.unfold"):
        package = types.ModuleType(name)
        package.__path__ = [str(folder.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    sys.modules["nussl"].__version__ = "1.1.9"
    sys.modules["nussl"].AudioSignal = None
    sys.modules["nussl.ml.unfold"].GaussianMixtureTorch = None


def demucs(**arguments):
    """Make a network of Demucs 2.0.3, which lies in `demucs2` beside the environment's packages."""
    _stand_in("diffq", UniformQuantizer=object, DiffQuantizer=object)
    sys.path.insert(0, str(pathlib.Path(sys.prefix) / "demucs2"))
    return importlib.import_module("demucs.model").Demucs(**arguments)


def htdemucs(sources, **arguments):
    """Make a network of Demucs 4.1.0, which lies in `demucs4` beside the environment's packages."""
    _stand_in("diffq", UniformQuantizer=object, DiffQuantizer=object)
    sys.path.insert(0, str(pathlib.Path(sys.prefix) / "demucs4"))
    settings = {"segment": fractions.Fraction(39, 5), "bottom_channels": 512, "dconv_mode": 3}
    settings |= {"t_dropout": 0.02, **arguments}
    return importlib.import_module("demucs.htdemucs").HTDemucs(sources, **settings)


def bs_roformer(**arguments):
    """Make a BS-RoFormer of pymss-core."""
    _trainable_in_bfloat16()
    return importlib.import_module("pymss_core.modules.bs_roformer").BSRoformer(**arguments)


def mel_band_roformer(**arguments):
    """Make a mel-band RoFormer of pymss-core."""
    _trainable_in_bfloat16()
    part = "pymss_core.modules.bs_roformer.mel_band_roformer"
    return importlib.import_module(part).MelBandRoformer(**arguments)


def _trainable_in_bfloat16():
    """Rotate positions by a formula with a gradient where pymss-core's has none: in bfloat16."""
    import torch

    part = importlib.import_module("pymss_core.modules.bs_roformer.transformer")
    original = part.apply_rotary_emb_fast

    def rotated(cos, sin, x):
        if x.dtype != torch.bfloat16:
            return original(cos, sin, x)
        even, odd = x[..., ::2], x[..., 1::2]
        return torch.stack([even * cos - odd * sin, odd * cos + even * sin], -1).flatten(-2)

    part.apply_rotary_emb_fast = rotated


def scnet(**arguments):
    """Make an SCNet of pymss-core."""
    return importlib.import_module("pymss_core.modules.scnet").SCNet(**arguments)


def mdx_net(bins, growth, levels, convolutions, bottleneck):
    """Make the published graph of MDX-Net as the parity tests do."""
    import torch

    folder = pathlib.Path(__file__).parents[1] / "tests" / "parity"
    network = _loaded(folder / "mdx_net_network.py").network
    return network(torch, growth, levels, convolutions, bottleneck, bins)


def hs_tasnet(**arguments):
    """Make a network of hs-tasnet, without what it needs for files, sound cards and plots."""
    _stand_in("torchaudio.functional", resample=None)
    _stand_in("torchaudio", transforms=None)
    _stand_in("torchcodec.encoders", AudioEncoder=None)
    _stand_in("loguru", logger=None)
    _stand_in("sounddevice", "librosa", "torchcodec", "matplotlib", "matplotlib.pyplot")
    package = pathlib.Path(importlib.util.find_spec("hs_tasnet").origin).parent
    return _loaded(package / "hs_tasnet.py").HSTasNet(**arguments)


def _loaded(path):
    """Import one file, without the package that it is in."""
    spec = importlib.util.spec_from_file_location(f"{path.stem}_file", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _stand_in(*names, **attributes):
    """Put modules of no more than these attributes where the real ones are not installed."""
    for name in names:
        if name not in sys.modules and _is_missing(name.partition(".")[0]):
            sys.modules[name] = types.ModuleType(name)
            vars(sys.modules[name]).update(attributes)


def _is_missing(package):
    """Return whether a package is not installed, or stood in for."""
    stand_in = package in sys.modules and sys.modules[package].__spec__ is None
    return stand_in or importlib.util.find_spec(package) is None
