"""The networks of other projects with the weights of a checkpoint, to compare estimates with.

The projects' packages are needed here and nowhere else. Weights are read by kerasep and set in the
project's own network, so nothing in a file is run.
"""

import os
from fractions import Fraction

import numpy as np
from keras.ops import convert_to_numpy

from kerasep import ops
from kerasep.errors import InputError
from kerasep.importers import file_kinds, htdemucs, open_unmix
from kerasep.importers.torch_file import read_checkpoint, read_state_dict
from kerasep.models import MelBandRoFormerLike, SeparationModel


class MissingOriginalError(InputError):
    """Raised if no package has the original of a model, or if it is not installed."""


def separate(
    model: SeparationModel, checkpoint: str | os.PathLike, mixture: np.ndarray
) -> np.ndarray:
    """Separate a mixture by the network of the project that published a checkpoint.

    Args:
        model: a model of the checkpoint's architecture. Its arguments are those of the network.
        checkpoint: path of the file, or of the folder if the project has several.
        mixture: waveform `(samples, channels)` at the model's sample rate. It is cut, or repeated,
            to a length that the network takes, as `numpy.resize` does.

    Returns:
        Waveforms `(samples, channels, sources)`.

    Raises:
        MissingOriginalError: if no package with the original is known, or it is not installed. The
            line names it.

    Example:
    ```python
    import numpy as np
    import kerasep
    from kerasep.importers import originals

    model = kerasep.zoo.load("dtln_like", weights=False)
    try:
        originals.separate(model, "model.h5", np.zeros((16000, 1)))
    except originals.MissingOriginalError as error:
        assert "no package" in str(error)
    ```
    """
    requirement = package_of(model)
    try:
        _, run = _ORIGINALS[type(model).__name__]
        return run(model, checkpoint, mixture.astype("float32"))
    except ImportError as error:
        raise MissingOriginalError(
            f"received no package {error.name}, expected the original of {checkpoint}: "
            f"pip install '{requirement}'"
        ) from error


def package_of(model: SeparationModel) -> str:
    """Return what pip installs to get the original of a model.

    Args:
        model: a model of the zoo.

    Raises:
        MissingOriginalError: if no such package is known.

    Example:
    ```python
    import kerasep
    from kerasep.importers import originals

    model = kerasep.zoo.load("open_unmix_like/umxse", weights=False)
    assert originals.package_of(model) == "openunmix"
    ```
    """
    name = type(model).__name__
    if name not in _ORIGINALS or getattr(model, "bridged", False):
        raise MissingOriginalError(
            f"received a model of {name}, of which no package has the original, expected one of "
            f"{', '.join(_ORIGINALS)}: compare by ear"
        )
    return _ORIGINALS[name][0]


def _open_unmix(model, checkpoint, mixture):
    import torch
    from openunmix.model import OpenUnmix, Separator

    files, networks = open_unmix.files_of(checkpoint, model.sources), {}
    for source in model.sources:
        state = open_unmix.weights(files[source])
        settings = open_unmix.arguments(state)
        network = OpenUnmix(
            nb_bins=settings["n_fft"] // 2 + 1,
            nb_channels=settings["channels"],
            hidden_size=settings["hidden"],
            nb_layers=settings["lstm_layers"],
            unidirectional=not settings["bidirectional"],
            max_bin=settings["bins"],
        )
        networks[source] = _filled(network, state)
    separator = Separator(
        networks,
        sample_rate=model.sample_rate,
        n_fft=model.n_fft,
        n_hop=model.hop,
        nb_channels=model.channels,
    ).eval()
    with torch.no_grad():
        return separator(_batch(mixture))[0].permute(2, 1, 0).numpy()


def _asteroid(model, checkpoint, mixture):
    import torch
    from asteroid import models

    contents, state = read_checkpoint(checkpoint)
    network = getattr(models, contents["model_name"])(**contents["model_args"])
    with torch.no_grad():
        return _filled(network, state)(_batch(mixture))[0].T.numpy()[:, None]


def _demucs(model, checkpoint, mixture):
    import torch
    from demucs.model import Demucs
    from demucs.utils import apply_model

    network = Demucs(
        list(model.sources),
        audio_channels=model.channels,
        samplerate=model.sample_rate,
        channels=model.filters,
        depth=model.levels,
        growth=model.growth,
        kernel_size=model.kernel_size,
        stride=model.stride,
        context=model.context,
        lstm_layers=model.lstm_layers,
        resample=model.resample,
    )
    network = _filled(network, read_state_dict(checkpoint))
    waveform = _batch(mixture)[0]
    # As its script for separation does.
    mono = waveform.mean(0)
    mean, deviation = mono.mean(), mono.std()
    with torch.no_grad():
        estimates = apply_model(network, (waveform - mean) / (deviation + 1e-5))
    return (estimates * deviation + mean).permute(2, 1, 0).numpy()


def _htdemucs(model, checkpoint, mixture):
    import torch
    from demucs.apply import apply_model
    from demucs.htdemucs import HTDemucs

    waveform = _batch(mixture[: round(model.chunk_seconds * model.sample_rate)])
    # As its script for separation does.
    mono = waveform.mean(1)
    mean, deviation = mono.mean(), mono.std() + 1e-8

    def estimates(path, sources):
        network = HTDemucs(
            list(sources),
            audio_channels=model.channels,
            samplerate=model.sample_rate,
            segment=Fraction(model.chunk_seconds).limit_denominator(1000),
            nfft=model.n_fft,
            channels=model.filters,
            depth=model.levels,
            bottom_channels=model.bottleneck,
            dconv_mode=3,
            dconv_comp=model.compression,
            t_layers=model.transformer_layers,
            t_heads=model.heads,
            t_hidden_scale=model.expansion,
        )
        network = _filled(network, read_state_dict(path))
        with torch.no_grad():
            found = apply_model(network, (waveform - mean) / deviation, shifts=0, split=False)
        return (found[0] * deviation + mean).permute(2, 1, 0).numpy()

    if not model.per_source:
        return estimates(checkpoint, model.sources)
    order = htdemucs.SOURCES[:4]  # of every file of the bag
    files = htdemucs.files_of(checkpoint, model.sources)
    found = [estimates(path, order)[..., order.index(source)] for source, path in files.items()]
    return np.stack(found, axis=-1)


def _scnet(model, checkpoint, mixture):
    import torch
    from pymss_core.modules.scnet import SCNet

    shares, strides, kernels, blocks = zip(*model.bands, strict=True)
    network = SCNet(
        list(model.sources),
        audio_channels=model.channels,
        dims=[2 * model.channels, *model.features],
        nfft=model.n_fft,
        hop_size=model.hop,
        win_size=model.n_fft,
        band_SR=shares,
        band_stride=strides,
        band_kernel=kernels,
        conv_depths=blocks,
        compress=model.compression,
        num_dplayer=2 * model.depth,
        expand=model.expansion,
    )
    with torch.no_grad():
        estimates = _filled(network, read_state_dict(checkpoint))(_batch(mixture))
    return estimates[0].permute(2, 1, 0).numpy()


def _roformer(model, checkpoint, mixture):
    import torch
    from pymss_core.modules.bs_roformer import bs_roformer, mel_band_roformer

    arguments = {
        "dim": model.features,
        "depth": model.depth,
        "heads": model.heads,
        "dim_head": model.head_features,
        "stereo": model.channels == 2,
        "num_stems": len(model.sources),
        "time_transformer_depth": 1,
        "freq_transformer_depth": 1,
        "flash_attn": False,
        "stft_n_fft": model.n_fft,
        "stft_win_length": model.n_fft,
        "stft_hop_length": model.hop,
        "mlp_expansion_factor": model.mask_expansion,
    }
    if isinstance(model, MelBandRoFormerLike):
        network = mel_band_roformer.MelBandRoformer(
            num_bands=model.bands,
            sample_rate=model.sample_rate,
            mlp_hidden_layers=model.mask_layers,
            zero_dc=model.zero_dc,
            **arguments,
        )
    else:
        network = bs_roformer.BSRoformer(
            freqs_per_bands=tuple(model.bands),
            mask_estimator_depth=model.mask_layers + 1,
            **arguments,
        )
    samples = len(mixture) // model.hop * model.hop
    with torch.no_grad():
        estimates = _filled(network, read_state_dict(checkpoint))(_batch(mixture[:samples]))
    shape = (len(model.sources), model.channels, samples)
    return estimates.reshape(shape).permute(2, 1, 0).numpy()


def _hs_tasnet(model, checkpoint, mixture):
    import torch
    from hs_tasnet import HSTasNet

    network = HSTasNet(
        dim=model.units,
        small=model.small,
        stereo=model.channels == 2,
        num_basis=model.filters,
        segment_len=model.kernel_size,
        overlap_len=model.kernel_size // 2,
        n_fft=model.kernel_size,
        num_sources=len(model.sources),
    )
    network = _filled(network, read_state_dict(checkpoint))
    samples = len(mixture) // model.kernel_size * model.kernel_size
    with torch.no_grad():
        estimates, *_ = network(_batch(mixture[:samples]))
    return estimates[0].permute(2, 1, 0).numpy()


def _mdx_net(model, checkpoint, mixture):
    """Run the graph of an ONNX file between kerasep's transforms, which are not in the file."""
    if not file_kinds.is_onnx(checkpoint):
        raise MissingOriginalError(
            f"received {checkpoint}, of which no package has the original, expected an ONNX file "
            f"of MDX-Net, which onnxruntime runs"
        )
    import onnxruntime

    session = onnxruntime.InferenceSession(checkpoint, providers=["CPUExecutionProvider"])
    (graph_input,) = session.get_inputs()
    frames = graph_input.shape[-1]
    frames = frames if isinstance(frames, int) else 8 * 2**model.levels
    samples = model.hop * (frames - 1)
    mixture = np.resize(mixture, (samples, model.channels))
    transform = (model.n_fft, model.hop, model.window)
    # `(1, frames, bins, channels, 2)`
    spectrum = np.array(convert_to_numpy(ops.stft(mixture[None], *transform)))
    parts = spectrum[:, :, : model.bins].reshape(1, frames, model.bins, -1).transpose(0, 3, 2, 1)
    parts[:, :, : model.muted_bins] = 0
    (parts,) = session.run(None, {graph_input.name: np.ascontiguousarray(parts)})
    spectrum[:] = 0
    shape = (1, frames, model.bins, model.channels, 2)
    spectrum[:, :, : model.bins] = parts.transpose(0, 3, 2, 1).reshape(shape)
    stem = model.compensate * convert_to_numpy(ops.istft(spectrum, *transform, length=samples))[0]
    return np.stack([stem, mixture - stem], axis=-1)[..., : len(model.sources)]


def _batch(mixture):
    """Return a mixture as PyTorch's networks take it: (1, channels, samples)."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(mixture.T[None]))


def _filled(network, state):
    """Set a network's weights, all of them; buffers that files leave out are constants."""
    import torch

    tensors = {name: torch.from_numpy(np.array(value)) for name, value in state.items()}
    keys = network.load_state_dict(tensors, strict=False)
    missing = set(keys.missing_keys) - {name for name, _ in network.named_buffers()}
    if keys.unexpected_keys or missing:
        raise InputError(
            f"received weights of another network than {type(network).__name__}: missing "
            f"{sorted(missing)[:3]}, not expected {keys.unexpected_keys[:3]}"
        )
    return network.eval()


# What pip installs, and how to run it, by class of models.
_ORIGINALS = {
    "BSRoFormerLike": ("pymss-core", _roformer),
    "ConvTasNetLike": ("asteroid", _asteroid),
    "DPRNNLike": ("asteroid", _asteroid),
    "DemucsLike": ("demucs==2.0.3", _demucs),
    "HSTasNetLike": ("hs-tasnet", _hs_tasnet),
    "HTDemucsLike": ("demucs>=4.1", _htdemucs),
    "MDXNetLike": ("onnxruntime", _mdx_net),
    "MelBandRoFormerLike": ("pymss-core", _roformer),
    "OpenUnmixLike": ("openunmix", _open_unmix),
    "SCNetLike": ("pymss-core", _scnet),
}
