"""Asteroid's published files, into `kerasep.models.ConvTasNetLike` and `DPRNNLike`."""

import os
from collections.abc import Sequence

import keras

from kerasep.errors import InputError
from kerasep.importers import weight_map
from kerasep.importers.torch_file import read_checkpoint, without_buffers
from kerasep.importers.weight_map import some
from kerasep.models import ConvTasNetLike, DPRNNLike

# Asteroid's "cLN" is the norm of each frame, "cgLN" the cumulative one.
_NORMS = {"gLN": "global", "cgLN": "cumulative", "cLN": "layer", "bN": "batch"}
_ACTIVATIONS = (None, "linear", "relu", "sigmoid", "tanh", "gelu", "swish")
# Asteroid's own defaults, for files that leave them out.
_COMMON: dict = {"n_src": 2, "bn_chan": 128, "norm_type": "gLN", "mask_act": "sigmoid"}
_COMMON |= {"fb_name": "free", "kernel_size": 16, "stride": 8, "encoder_activation": None}
_COMMON |= {"sample_rate": 8000, "causal": False, "hop_size": None, "out_chan": None}
_CONV_TASNET = {"n_blocks": 8, "n_repeats": 3, "hid_chan": 512, "skip_chan": 128, "n_filters": 512}
_CONV_TASNET |= {"conv_kernel_size": 3}
_DPRNN: dict = {"n_repeats": 6, "hid_size": 128, "chunk_size": 100, "bidirectional": True}
_DPRNN |= {"n_filters": 64, "rnn_type": "LSTM", "num_layers": 1, "use_mulcat": False}
_DEFAULTS = {"ConvTasNet": _COMMON | _CONV_TASNET, "DPRNNTasNet": _COMMON | _DPRNN}
_OPTIONAL = ("stride", "hop_size", "skip_chan")  # sizes that may be None or 0
_ADVICE = "build the matching model with kerasep.importers.asteroid.build"


def build(path: str | os.PathLike, sources: Sequence[str] | None = None) -> keras.Model:
    """Build the model of an Asteroid file, with its weights.

    Args:
        path: the file, `model.pth` or `pytorch_model.bin`.
        sources: names of the sources. Default: "source_1", "source_2" and so on.

    Returns:
        A `kerasep.models.ConvTasNetLike` or `DPRNNLike`.

    Raises:
        InputError: if the file cannot be read, or holds a model, or settings, that kerasep lacks.

    Example:
    >>> build("model.pth")
    Traceback (most recent call last):
    kerasep.errors.InputError: received model.pth, which is not a file: give the path of a .pth file
    """
    model_class, arguments, state = _read(path)
    count = len(arguments["sources"])
    if sources is not None and len(sources) != count:
        raise InputError(f"received {len(sources)} sources for {path}, expected {count} names")
    arguments["sources"] = sources or arguments["sources"]
    return load(weight_map.build(path, model_class, arguments, state.values()), path)


def load(model: keras.Model, path: str | os.PathLike) -> keras.Model:
    """Set a model's weights from an Asteroid file.

    Args:
        model: a `kerasep.models.ConvTasNetLike` or `DPRNNLike`.
        path: the file, `model.pth` or `pytorch_model.bin`.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: if the file cannot be read or is of another architecture or other settings, or
            if weights are missing, not expected or of another shape.

    Example:
    >>> load(ConvTasNetLike(filters=8, bottleneck=4, hidden=6, blocks=1, repeats=1), "model.pth")
    Traceback (most recent call last):
    kerasep.errors.InputError: received model.pth, which is not a file: give the path of a .pth file
    """
    model_class, arguments, state = _read(path)
    weight_map.check_class(model, model_class)
    # Settings that no shape of a weight shows, with the values that are in effect.
    config = model.get_config()
    if model_class is ConvTasNetLike:
        config["norm"] = config["norm"] or ("cumulative" if config["causal"] else "global")
        names = ("hop", "blocks", "causal", "encoder_activation", "mask_activation", "norm")
        slots = _conv_tasnet_slots(model)
    else:
        config["chunk_hop"] = config["chunk_hop"] or config["chunk"] // 2
        names = ("hop", "chunk", "norm", "encoder_activation", "mask_activation", "chunk_hop")
        slots = _dprnn_slots(model)
    weight_map.check_settings(path, config, {name: arguments[name] for name in names}, _ADVICE)
    weight_map.assign(path, slots, state, _ADVICE)
    model.trained = True
    return model


def _read(path):
    """Return the class of a file's model, its arguments and its tensors."""
    contents, state = read_checkpoint(path)
    keys = ("model_name", "model_args", "state_dict")
    missing = [key for key in keys if type(contents) is not dict or key not in contents]
    if missing:
        raise InputError(
            f"{path} holds no {some(missing)}, expected a file that Asteroid published: model.pth "
            f"or pytorch_model.bin"
        )
    name, settings = contents["model_name"], contents["model_args"]
    if name not in list(_DEFAULTS) or type(settings) is not dict:
        raise InputError(f"{path} holds the model {name!r}, expected {' or '.join(_DEFAULTS)}")
    settings = {**_DEFAULTS[name], **settings}
    state = without_buffers(state)
    _check_settings(path, name, settings)
    arguments = {
        "sources": [f"source_{index + 1}" for index in range(settings["n_src"])],
        "sample_rate": int(settings["sample_rate"]),
        "filters": settings["n_filters"],
        "kernel_size": settings["kernel_size"],
        "hop": settings["stride"] or settings["kernel_size"] // 2,
        "encoder_activation": settings["encoder_activation"] or "linear",
        "bottleneck": settings["bn_chan"],
        "norm": _NORMS[settings["norm_type"]],
        "mask_activation": settings["mask_act"] or "linear",
    }
    if name == "ConvTasNet":
        arguments |= {
            "hidden": settings["hid_chan"],
            "skip": settings["skip_chan"] or 0,
            "blocks": settings["n_blocks"],
            "repeats": settings["n_repeats"],
            "block_kernel_size": settings["conv_kernel_size"],
            "causal": bool(settings["causal"]),
        }
        if arguments["causal"] and arguments["norm"] not in ("cumulative", "layer"):
            arguments["norm"] = "layer"  # as Asteroid does
        # Asteroid saves it without using it: nothing follows the last block but its skip.
        if arguments["skip"]:
            last = f"masker.TCN.{arguments['blocks'] * arguments['repeats'] - 1}.res_conv."
            state = {key: value for key, value in state.items() if not key.startswith(last)}
        return ConvTasNetLike, arguments, state
    arguments |= {
        "hidden": settings["hid_size"],
        "blocks": settings["n_repeats"],
        "chunk": settings["chunk_size"],
        "chunk_hop": settings["hop_size"] or settings["chunk_size"] // 2,
        "bidirectional": bool(settings["bidirectional"]),
    }
    return DPRNNLike, arguments, state


def _check_settings(path, name, settings):
    """Raise an error for settings that kerasep lacks."""
    convolutional = name == "ConvTasNet"
    allowed = {
        "fb_name": ("free", "FreeFB"),
        "norm_type": [norm for norm in _NORMS if convolutional or norm != "cgLN"],
        # DPRNN's softmax is over the filters, not over the sources.
        "mask_act": (*_ACTIVATIONS, "softmax") if convolutional else _ACTIVATIONS,
        "encoder_activation": _ACTIVATIONS,
        "out_chan": (None, settings["n_filters"]),
        "in_chan": (None, settings["n_filters"]),
        "rnn_type": ("LSTM",),
        "num_layers": (1,),
        "use_mulcat": (False,),
    }
    for key, values in allowed.items():
        if key in settings and settings[key] not in values:
            raise InputError(
                f"{path} holds a {name} with {key}={settings[key]!r}, expected one of "
                f"{', '.join(map(repr, values))}"
            )
    sizes = {key for key, value in _DEFAULTS[name].items() if type(value) is int}
    for key in sorted({*sizes, *_OPTIONAL} & settings.keys()):
        value = settings[key]
        whole = isinstance(value, int) or (key == "sample_rate" and isinstance(value, float))
        if not (key in _OPTIONAL and not value) and not (whole and 1 <= value < 1e6):
            raise InputError(f"{path} holds a {name} with {key}={value!r}, expected a whole number")


def _conv_tasnet_slots(model):
    yield from _filterbank("encoder", model)
    yield from _filterbank("decoder", model)
    network = model.get_layer("separator")
    yield from _norm("masker.bottleneck.0", network.input_norm)
    yield from weight_map.pointwise("masker.bottleneck.1", network.input_conv)
    for index, block in enumerate(network.stack):
        name = f"masker.TCN.{index}"
        shared = f"{name}.shared_block"
        yield from weight_map.pointwise(f"{shared}.0", block.conv)
        yield from _prelu(f"{shared}.1", block.prelus[0])
        yield from _norm(f"{shared}.2", block.norms[0])
        depthwise = f"{shared}.3.0" if model.causal else f"{shared}.3"
        kernel = block.depthwise.kernel
        yield weight_map.transposed(f"{depthwise}.weight", kernel, (2, 0, 1))
        yield weight_map.same(f"{depthwise}.bias", block.depthwise.bias)
        yield from _prelu(f"{shared}.4", block.prelus[1])
        yield from _norm(f"{shared}.5", block.norms[1])
        if block.residual is not None:
            yield from weight_map.pointwise(f"{name}.res_conv", block.residual)
        if block.skip is not None:
            yield from weight_map.pointwise(f"{name}.skip_conv", block.skip)
    yield from _prelu("masker.mask_net.0", model.get_layer("mask_prelu"))
    yield from _masks("masker.mask_net.1", model.get_layer("mask_dense"), len(model.sources))


def _dprnn_slots(model):
    yield from _filterbank("encoder", model)
    yield from _filterbank("decoder", model)
    network = model.get_layer("separator")
    yield from _norm("masker.bottleneck.0", network.input_norm)
    yield from weight_map.pointwise("masker.bottleneck.1", network.input_dense)
    for index, path in enumerate(network.paths):
        name = f"masker.net.{index // 2}.{'inter' if index % 2 else 'intra'}"
        yield from weight_map.lstm(f"{name}_RNN.rnn", path.lstm.cells)
        yield from weight_map.dense(f"{name}_linear", path.dense)
        yield from _norm(f"{name}_norm", path.norm)
    yield from _prelu("masker.first_out.0", network.prelu)
    yield from weight_map.dense("masker.first_out.1", network.output_dense, axes=2)
    yield from weight_map.pointwise("masker.net_out.0", model.get_layer("value"))
    yield from weight_map.pointwise("masker.net_gate.0", model.get_layer("gate"))
    yield from weight_map.pointwise("masker.mask_net", model.get_layer("mask_dense"))


def _filterbank(name, model):
    filters = model.get_layer(name).filters
    count, size = filters.shape
    yield weight_map.reshaped(f"{name}.filterbank._filters", filters, (count, 1, size))


def _norm(name, layer):
    if hasattr(layer, "moving_mean"):
        yield from weight_map.batch_norm(name, layer)
    else:
        yield weight_map.same(f"{name}.gamma", layer.gamma)
        yield weight_map.same(f"{name}.beta", layer.beta)


def _prelu(name, layer):
    yield weight_map.reshaped(f"{name}.weight", layer.alpha, (1,))


def _masks(name, dense, sources):
    """Map a layer whose outputs are (sources, filters) in Asteroid, (filters, sources) in ours."""
    width, outputs = dense.kernel.shape
    apart = (sources, outputs // sources)
    yield weight_map.Slot(
        (f"{name}.weight",),
        ((outputs, width, 1),),
        dense.kernel,
        lambda value: value.reshape(*apart, width).transpose(2, 1, 0).reshape(width, outputs),
    )
    yield weight_map.Slot(
        (f"{name}.bias",), ((outputs,),), dense.bias, lambda value: value.reshape(apart).T.ravel()
    )
