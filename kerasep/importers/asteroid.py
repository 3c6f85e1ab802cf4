"""Asteroid's published files, into `kerasep.models.ConvTasNetLike` and `DPRNNLike`."""

import numpy as np

from kerasep.errors import InputError
from kerasep.importers import asteroid_weights, weight_map
from kerasep.importers.torch_file import read_checkpoint, without_buffers
from kerasep.importers.weight_map import some
from kerasep.models import ConvTasNetLike, DPRNNLike

# Asteroid's "cLN" is the norm of each frame, "cgLN" the cumulative one.
_NORMS = {"gLN": "global", "cgLN": "cumulative", "cLN": "layer", "bN": "batch"}
_ACTIVATIONS = (None, "linear", "relu", "sigmoid", "tanh", "gelu", "swish")
# Asteroid's own defaults, for files that leave them out.
_COMMON = {"n_src": 2, "out_chan": None, "bn_chan": 128, "norm_type": "gLN", "mask_act": "sigmoid"}
_COMMON |= {"fb_name": "free", "kernel_size": 16, "stride": 8, "encoder_activation": None}
_COMMON |= {"sample_rate": 8000}
_DEFAULTS = {
    "ConvTasNet": {
        **_COMMON,
        "n_blocks": 8,
        "n_repeats": 3,
        "hid_chan": 512,
        "skip_chan": 128,
        "conv_kernel_size": 3,
        "causal": False,
        "n_filters": 512,
    },
    "DPRNNTasNet": {
        **_COMMON,
        "n_repeats": 6,
        "hid_size": 128,
        "chunk_size": 100,
        "hop_size": None,
        "bidirectional": True,
        "n_filters": 64,
        "rnn_type": "LSTM",
        "num_layers": 1,
        "use_mulcat": False,
    },
}
_SIZES = (
    "n_src",
    "bn_chan",
    "kernel_size",
    "stride",
    "n_filters",
    "n_repeats",
    "sample_rate",
    "n_blocks",
    "hid_chan",
    "conv_kernel_size",
    "hid_size",
    "chunk_size",
    "hop_size",
)
_ADVICE = "make the fitting model with kerasep.importers.asteroid.build"


def build(path, sources=None):
    """Make the model that a file of Asteroid's holds, with its weights.

    Args:
        path: the file, `model.pth` or `pytorch_model.bin`.
        sources: their names. Default: "source_1", "source_2" and so on.

    Returns:
        A `kerasep.models.ConvTasNetLike` or `DPRNNLike`.

    Raises:
        InputError: if the file cannot be read, or holds a model, or settings of one, that the zoo
            has no equal of.

    Example:
    ```python
    from kerasep.importers import asteroid

    try:
        asteroid.build("model.pth")
    except ValueError as error:
        assert "model.pth" in str(error)
    ```
    """
    model_class, found, state = _read(path)
    count = len(found["sources"])
    if sources is not None and len(sources) != count:
        raise InputError(f"received {len(sources)} sources for {path}, expected {count} names")
    found["sources"] = sources or found["sources"]
    return load(weight_map.build(path, model_class, found, state.values()), path)


def load(model, path):
    """Set a model's weights from a file of Asteroid's.

    Args:
        model: a `kerasep.models.ConvTasNetLike` or `DPRNNLike`.
        path: the file, `model.pth` or `pytorch_model.bin`.

    Returns:
        The model.

    Raises:
        InputError: if the file cannot be read or is of another architecture or other settings, or
            if weights are missing, not expected or of another shape; the model stays as it was.

    Example:
    ```python
    from kerasep.importers import asteroid
    from kerasep.models import ConvTasNetLike

    model = ConvTasNetLike(filters=32, bottleneck=8, hidden=16, skip=8, blocks=3, repeats=1)
    try:
        asteroid.load(model, "model.pth")
    except ValueError as error:
        assert "model.pth" in str(error)
    ```
    """
    model_class, found, state = _read(path)
    if type(model) is not model_class:
        raise InputError(
            f"received a {type(model).__name__} for {path}, expected a {model_class.__name__}"
        )
    # Settings that shapes of weights do not tell, each as it comes to act.
    have = model.get_config()
    if model_class is ConvTasNetLike:
        acting = {"norm": have["norm"] or ("cumulative" if have["causal"] else "global")}
        names = ("hop", "blocks", "causal", "encoder_activation", "mask_activation")
        slots = asteroid_weights.conv_tasnet(model)
    else:
        acting = {"chunk_hop": have["chunk_hop"] or have["chunk"] // 2}
        names = ("hop", "chunk", "norm", "encoder_activation", "mask_activation")
        slots = asteroid_weights.dprnn(model)
    have |= acting
    other = [
        f"{name}={have[name]!r} where the file has {found[name]!r}"
        for name in (*names, *acting)
        if have[name] != found[name]
    ]
    if other:
        raise InputError(f"received for {path} a model with {some(other)}: {_ADVICE}")
    weight_map.assign(path, slots, state, _ADVICE)
    return model


def _read(path):
    """Give the class of a file's model, its arguments and its tensors."""
    contents, state = read_checkpoint(path)
    keys = ("model_name", "model_args", "state_dict")
    missing = [key for key in keys if type(contents) is not dict or key not in contents]
    if missing:
        raise InputError(
            f"{path} holds no {some(missing)}, expected a file that Asteroid published: model.pth "
            f"or pytorch_model.bin"
        )
    name, given = contents["model_name"], contents["model_args"]
    if name not in list(_DEFAULTS) or type(given) is not dict:
        raise InputError(f"{path} holds the model {name!r}, expected {' or '.join(_DEFAULTS)}")
    given = {**_DEFAULTS[name], **given}
    state = without_buffers(state)
    _check_settings(path, name, given)
    found = {
        "sources": [f"source_{index + 1}" for index in range(given["n_src"])],
        "sample_rate": int(given["sample_rate"]),
        "filters": given["n_filters"],
        "kernel_size": given["kernel_size"],
        "hop": given["stride"] or given["kernel_size"] // 2,
        "encoder_activation": given["encoder_activation"] or "linear",
        "bottleneck": given["bn_chan"],
        "norm": _NORMS[given["norm_type"]],
        "mask_activation": given["mask_act"] or "linear",
    }
    if name == "ConvTasNet":
        if given["causal"] and found["norm"] not in ("cumulative", "layer"):
            found["norm"] = "layer"  # as Asteroid does
        found |= {"hidden": given["hid_chan"], "skip": given["skip_chan"] or 0}
        found |= {"blocks": given["n_blocks"], "repeats": given["n_repeats"]}
        found |= {"block_kernel_size": given["conv_kernel_size"], "causal": bool(given["causal"])}
        # Made by Asteroid, and without effect: nothing follows the last block but its skip.
        if found["skip"]:
            last = f"masker.TCN.{found['blocks'] * found['repeats'] - 1}.res_conv."
            state = {key: value for key, value in state.items() if not key.startswith(last)}
        _check_sizes(path, found, state, "bottleneck.1", "TCN.{}.shared_block.0", "mask_net.1")
        return ConvTasNetLike, found, state
    found |= {"hidden": given["hid_size"], "blocks": given["n_repeats"]}
    found |= {"chunk": given["chunk_size"], "bidirectional": bool(given["bidirectional"])}
    found |= {"chunk_hop": given["hop_size"] or given["chunk_size"] // 2}
    _check_sizes(path, found, state, "bottleneck.1", "net.{}.intra_RNN.rnn", "first_out.1")
    return DPRNNLike, found, state


def _check_settings(path, name, given):
    """Refuse settings that the zoo has no equal of."""
    # DPRNN's softmax runs over the filters, which makes no masks of sources.
    masks = (*_ACTIVATIONS, "softmax") if name == "ConvTasNet" else _ACTIVATIONS
    allowed = {
        "fb_name": ("free", "FreeFB"),
        "norm_type": [norm for norm in _NORMS if name == "ConvTasNet" or norm != "cgLN"],
        "mask_act": masks,
        "encoder_activation": _ACTIVATIONS,
        "out_chan": (None, given["n_filters"]),
        "in_chan": (None, given["n_filters"]),
        "rnn_type": ("LSTM",),
        "num_layers": (1,),
        "use_mulcat": (False,),
    }
    for key, values in allowed.items():
        if key in given and given[key] not in values:
            raise InputError(
                f"{path} holds a {name} with {key}={given[key]!r}, expected one of "
                f"{', '.join(map(repr, values))}"
            )
    for key in (*_SIZES, "skip_chan"):
        value, none = given.get(key, 1), key in ("stride", "hop_size", "skip_chan")
        whole = isinstance(value, int) or (key == "sample_rate" and isinstance(value, float))
        if not (none and not value) and not (whole and 1 <= value < 1e6):
            raise InputError(f"{path} holds a {name} with {key}={value!r}, expected a whole number")


def _check_sizes(path, found, state, bottleneck, block, masks):
    """Refuse sizes that the weights do not have: a model of them could dwarf the file."""
    inner = block.format(0)
    width = found.get("skip") or found["bottleneck"]
    depth = found["blocks"] * found.get("repeats", 1)
    lstm = "rnn" in block
    out = len(found["sources"]) * (found["bottleneck"] if lstm else found["filters"])
    hidden = found["hidden"] * (4 if lstm else 1)
    name = f"masker.{inner}.{'weight_ih_l0' if lstm else 'weight'}"
    expected = {
        "encoder.filterbank._filters": (found["filters"], 1, found["kernel_size"]),
        f"masker.{bottleneck}.weight": (found["bottleneck"], found["filters"], 1),
        name: (hidden, found["bottleneck"], *([] if lstm else [1])),
        f"masker.{masks}.weight": (out, width, *([1, 1] if lstm else [1])),
    }
    wrong = [
        f"{key} received {np.shape(state.get(key))} expected {shape}"
        for key, shape in expected.items()
        if np.shape(state.get(key)) != shape
    ]
    last, after = (f"masker.{block.format(index)}." for index in (depth - 1, depth))
    if not any(key.startswith(last) for key in state):
        wrong.append(f"no {last}*")
    if any(key.startswith(after) for key in state):
        wrong.append(f"{after}* beyond the blocks")
    if wrong:
        raise InputError(f"{path} holds weights that are not its model's: {some(wrong)}")
