"""Which weight of Asteroid's networks goes where in ours."""

from kerasep.importers import weight_map


def conv_tasnet(model):
    """Map the weights of Asteroid's ConvTasNet.

    Args:
        model: a `kerasep.models.ConvTasNetLike`.

    Yields:
        A `weight_map.Slot` for each weight.
    """
    yield from _filterbank(model)
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


def dprnn(model):
    """Map the weights of Asteroid's DPRNNTasNet.

    Args:
        model: a `kerasep.models.DPRNNLike`.

    Yields:
        A `weight_map.Slot` for each weight.
    """
    yield from _filterbank(model)
    network = model.get_layer("separator")
    yield from _norm("masker.bottleneck.0", network.input_norm)
    yield from weight_map.pointwise("masker.bottleneck.1", network.input_dense)
    for index, path in enumerate(network.paths):
        name = f"masker.net.{index // 2}.{'inter' if index % 2 else 'intra'}"
        yield from weight_map.lstm(f"{name}_RNN.rnn", path.lstm.cells)
        yield from weight_map.dense(f"{name}_linear", path.dense)
        yield from _norm(f"{name}_norm", path.norm)
    yield from _prelu("masker.first_out.0", network.prelu)
    dense = network.output_dense
    shape = (*dense.kernel.shape[::-1], 1, 1)
    yield weight_map.Slot(
        ("masker.first_out.1.weight",), (shape,), dense.kernel, lambda value: value[..., 0, 0].T
    )
    yield weight_map.same("masker.first_out.1.bias", dense.bias)
    yield from weight_map.pointwise("masker.net_out.0", model.get_layer("value"))
    yield from weight_map.pointwise("masker.net_gate.0", model.get_layer("gate"))
    yield from weight_map.pointwise("masker.mask_net", model.get_layer("mask_dense"))


def _filterbank(model):
    for part in ("encoder", "decoder"):
        filters = model.get_layer(part).filters
        count, size = filters.shape
        yield weight_map.reshaped(f"{part}.filterbank._filters", filters, (count, 1, size))


def _norm(name, layer):
    if hasattr(layer, "moving_mean"):
        yield from weight_map.batch_norm(name, layer)
    else:
        yield weight_map.same(f"{name}.gamma", layer.gamma)
        yield weight_map.same(f"{name}.beta", layer.beta)


def _prelu(name, layer):
    yield weight_map.reshaped(f"{name}.weight", layer.alpha, (1,))


def _masks(name, dense, sources):
    """Asteroid's outputs are sources of filters, ours filters of sources."""
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
