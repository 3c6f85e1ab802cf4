"""The PyTorch packages that the zoo's models come from, imported without what they need elsewhere.

Each of the functions makes a network; the audio and training frameworks that the packages import
beside it are stood in for by empty modules.
"""

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
    if importlib.util.find_spec("demucs") is None:
        sys.path.append(str(pathlib.Path(sys.prefix) / "demucs2"))
    return importlib.import_module("demucs.model").Demucs(**arguments)


def bs_roformer(**arguments):
    """Make a BS-RoFormer of pymss-core."""
    return importlib.import_module("pymss_core.modules.bs_roformer").BSRoformer(**arguments)


def hs_tasnet(**arguments):
    """Make a network of hs-tasnet, without what it needs for files, sound cards and plots."""
    _stand_in("torchaudio.functional", resample=None)
    _stand_in("torchaudio", transforms=None)
    _stand_in("torchcodec.encoders", AudioEncoder=None)
    _stand_in("loguru", logger=None)
    _stand_in("sounddevice", "librosa", "torchcodec", "matplotlib", "matplotlib.pyplot")
    path = pathlib.Path(importlib.util.find_spec("hs_tasnet").origin).parent / "hs_tasnet.py"
    spec = importlib.util.spec_from_file_location("hs_tasnet_networks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.HSTasNet(**arguments)


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
