import hashlib

import numpy as np
import pytest

from kerasep import importers
from kerasep.errors import InputError
from kerasep.importers import mdx_net, mdx_net_files
from kerasep.models import MDXNetLike, OpenUnmixLike
from tests.importers.onnx_writer import node, write

SIZES = {"bins": 32, "growth": 2, "levels": 2, "convolutions": 2, "bottleneck": 4}


def small(**changes):
    return MDXNetLike(**{**SIZES, "n_fft": 64, "hop": 16, **changes})


@pytest.fixture
def state(state_of):
    return state_of(mdx_net._slots(small()))


def write_graph(
    path, state, levels=2, transposed=False, kept=(), op="BatchNormalization", groups=None
):
    """Write the operations with weights, and all group norms, or batch norms named like `kept`."""
    nodes, arrays = [], {}

    def name(array):
        arrays[str(len(arrays))] = np.ascontiguousarray(array)
        return str(len(arrays) - 1)

    for module, norm, _ in mdx_net._modules(levels, SIZES["convolutions"]):
        weight = state[f"{module}.weight"]
        if weight.ndim == 2 and transposed:
            nodes.append(node("Transpose", [name(weight)], [f"{module}.t"]))
            nodes.append(node("MatMul", ["x", f"{module}.t"], ["x"]))
        elif weight.ndim == 2:
            nodes.append(node("MatMul", ["x", name(weight.T)], ["x"]))
        else:
            kind = "ConvTranspose" if module.startswith("us.") else "Conv"
            names = [name(weight), name(state[f"{module}.bias"])]
            nodes.append(node(kind, ["x", *names], ["x"]))
        if norm and groups and op == "GroupNormalization":
            names = [name(state[f"{norm}.{part}"]) for part in ("weight", "bias")]
            nodes.append(node(op, ["x", *names], ["x"], num_groups=groups))
        elif norm and groups:
            ones = [name(make(groups, "float32")) for make in (np.ones, np.zeros)]
            nodes.append(node("Reshape", ["x"], ["x"]))
            nodes.append(node("InstanceNormalization", ["x", *ones], ["x"], epsilon=1e-5))
            nodes.append(node("Reshape", ["x"], ["x"]))
            for part, step in (("weight", "Mul"), ("bias", "Add")):
                factor = state[f"{norm}.{part}"].reshape(-1, 1, 1)
                nodes.append(node(step, ["x", name(factor)], ["x"]))
        elif norm and any(part in norm for part in kept):
            names = [name(state[f"{norm}.{part}"]) for part in mdx_net._NORMS]
            nodes.append(node(op, ["x", *names], ["x"], epsilon=1e-3))
        nodes.append(node("Relu", ["x"], ["x"]))
    return write(path, nodes, arrays)


def refused(message, function, *arguments, **options):
    with pytest.raises(InputError, match=message) as caught:
        function(*arguments, **options)
    assert "\n" not in str(caught.value)


def array(variable):
    return np.asarray(variable)


@pytest.mark.parametrize("older", [False, True])
def test_both_generations_of_names(write_checkpoint, state, older):
    expected = state["decoding_blocks.0.tfc.H.1.0.weight"]
    if older:
        for ours, newer in mdx_net._OLDER.items():
            state = {name.replace(newer, ours): value for name, value in state.items()}
    state |= {"window": np.hanning(64), "freq_pad": np.zeros((1, 4, 1, 8))}
    state["first_conv.1.num_batches_tracked"] = np.array(7)
    path = write_checkpoint("vocals.ckpt", {"state_dict": state})
    model = mdx_net.build(path, ["drums"], hop=16, compensate=1.5, muted_bins=0)
    assert {name: getattr(model, name) for name in SIZES} == SIZES
    assert (model.sources, model.n_fft, model.hop, model.trained) == (("drums",), 64, 16, True)
    assert (model.compensate, model.muted_bins, model.channels) == (1.5, 0, 2)
    # Blocks of the decoder are numbered from the bottom there.
    kernel = array(model.get_layer("decoder_1_1_conv").kernel)
    np.testing.assert_array_equal(kernel, expected.transpose(2, 3, 1, 0))


@pytest.mark.parametrize("transposed", [False, True])
def test_graph_with_some_norms(tmp_path, state, transposed):
    """Those of the dense layers, as in published files; the others do nothing then."""
    path = write_graph(tmp_path / "vocals.onnx", state, transposed=transposed, kept=["tdf"])
    model = importers.load(small(), path)
    for dense, norm in (("0", "1"), ("3", "4")):
        name = f"lowest_dense_{int(dense) // 3}"
        kernel = array(model.get_layer(name).kernel)
        np.testing.assert_array_equal(kernel, state[f"bottleneck_block.tdf.{dense}.weight"].T)
        layer = model.get_layer(f"{name}_norm")
        np.testing.assert_array_equal(layer.gamma, state[f"bottleneck_block.tdf.{norm}.weight"])
        # The file's constant beside the variance is another.
        variance = state[f"bottleneck_block.tdf.{norm}.running_var"] + 1e-3
        np.testing.assert_allclose(layer.moving_variance, variance - 1e-5, rtol=1e-6)
    up = model.get_layer("up_0_conv")
    np.testing.assert_array_equal(up.kernel, state["us.1.0.weight"].transpose(2, 3, 1, 0))
    np.testing.assert_array_equal(up.bias, state["us.1.0.bias"])
    x = np.random.default_rng(0).standard_normal((1, 4, 4, 2)).astype("float32")
    np.testing.assert_allclose(model.get_layer("up_0_norm")(x), x, rtol=1e-6)


@pytest.mark.parametrize("op", ["GroupNormalization", "InstanceNormalization"])
def test_graph_with_group_norms(tmp_path, state_of, op):
    """As one operation, or as PyTorch writes it for ONNX before 18: instance norms of groups."""
    state = state_of(mdx_net._slots(small(norm_groups=2)))
    path = write_graph(tmp_path / "vocals.onnx", state, op=op, groups=2)
    model = mdx_net.build(path, n_fft=64, hop=16)
    assert model.norm_groups == 2
    for norm, ours in (("first_conv.1", "input"), ("bottleneck_block.tdf.4", "lowest_dense_1")):
        layer = model.get_layer(f"{ours}_norm")
        np.testing.assert_array_equal(layer.gamma, state[f"{norm}.weight"])
        np.testing.assert_array_equal(layer.beta, state[f"{norm}.bias"])
    refused("norm_groups=2, received one with norm_groups=None", mdx_net.load, small(), path)
    refused(
        "norm_groups=2, received one with norm_groups=1", mdx_net.load, small(norm_groups=1), path
    )


def test_group_norms_of_a_pytorch_file(write_checkpoint, state_of):
    """Their number of groups is not in the file."""
    state = state_of(mdx_net._slots(small(norm_groups=1))) | {"window": np.ones(64)}
    path = write_checkpoint("bass.pt", state)
    assert mdx_net.build(path, ["bass"], hop=16).norm_groups == 2
    model = mdx_net.build(path, ["bass"], hop=16, norm_groups=1)
    np.testing.assert_array_equal(model.get_layer("down_1_norm").beta, state["ds.1.1.bias"])
    refused("holds weights of another model", mdx_net.load, small(), path)
    refused("expected a divisor of growth=2", mdx_net.build, path, hop=16, norm_groups=4)


def test_a_graph_with_norms_of_two_kinds(tmp_path, state_of, state):
    graph = write_graph(tmp_path / "a.onnx", state, kept=["tdf"])
    nodes = [node("InstanceNormalization", ["x", "0"], ["x"])]
    both = write(tmp_path / "b.onnx", nodes)
    refused("is not an MDX-Net", mdx_net.load, small(), both)
    read = mdx_net.read_graph(graph)
    first = next(i for i, each in enumerate(read.nodes) if each.op == "BatchNormalization")
    read.nodes[first] = read.nodes[first]._replace(
        op="GroupNormalization", attributes={"num_groups": 2}
    )
    read.nodes[first] = read.nodes[first]._replace(inputs=read.nodes[first].inputs[:3])
    refused("with norms of several kinds", mdx_net._graph_state, graph, read)


def test_a_published_file_shows_its_transform(tmp_path, state, monkeypatch):
    """By the MD5 of its last bytes, as Ultimate Vocal Remover recognises it."""
    path = write_graph(tmp_path / "renamed.onnx", state, kept=["tdf"])
    monkeypatch.setattr(mdx_net_files, "_TAIL", 1000)
    fingerprint = hashlib.md5(path.read_bytes()[-1000:]).hexdigest()
    files = mdx_net_files._FILES | {fingerprint: ("Instrumental", 64, 1.02)}
    monkeypatch.setattr(mdx_net_files, "_FILES", files)
    model = mdx_net.build(path, hop=16)
    assert (model.sources, model.n_fft) == (("instrumental", "vocals"), 64)
    assert (model.compensate, model.muted_bins) == (1.02, 3)
    model = mdx_net.build(path, ["music"], n_fft=128, compensate=1.0, hop=16)
    assert (model.sources, model.n_fft, model.compensate) == (("music",), 128, 1.0)
    refused("n_fft=64, received one with n_fft=128", mdx_net.load, small(n_fft=128), path)
    refused("separates instrumental, .* first source is vocals", mdx_net.load, small(), path)
    mdx_net.load(small(sources=["instrumental", "singing"]), path)


def test_table_of_published_files():
    assert len(mdx_net_files._FILES) == 44
    for stem, n_fft, compensate in mdx_net_files._FILES.values():
        assert stem in mdx_net_files._SOURCES
        assert n_fft in (4096, 5120, 6144, 7680, 8192, 16384)
        assert 1 < compensate < 1.1 or compensate == 1.75


def test_a_graph_does_not_show_its_transform(tmp_path, state):
    path = write_graph(tmp_path / "vocals.onnx", state, kept=["tdf"])
    refused("pass n_fft=.*this one has 32", mdx_net.build, path)
    model = mdx_net.build(path, n_fft=128, hop=32)
    assert (model.sources, model.n_fft, model.levels) == (("vocals", "accompaniment"), 128, 2)


def test_weights_of_another_model_leave_the_model_as_it_was(tmp_path, write_checkpoint, state):
    graph = write_graph(tmp_path / "vocals.onnx", state, kept=["tdf"])
    for other in (small(growth=3), small(levels=1), small(convolutions=1), small(bins=16)):
        before = other.get_weights()
        refused("vocals.onnx holds weights of another model", mdx_net.load, other, graph)
        for weight, value in zip(other.get_weights(), before, strict=True):
            np.testing.assert_array_equal(weight, value)
    path = write_checkpoint("vocals.ckpt", state | {"window": np.ones(128)})
    refused("n_fft=128, received one with n_fft=64", mdx_net.load, small(), path)
    refused("a model of OpenUnmixLike", mdx_net.load, OpenUnmixLike(n_fft=256, hop=64), path)


def test_refusals(tmp_path, write_checkpoint, state):
    path = write(tmp_path / "empty.onnx")
    refused("empty.onnx is not an MDX-Net: .* graph of 0 convolutions", mdx_net.load, small(), path)
    refused("expected the weights", mdx_net.build, write_checkpoint("a.pth", {"a": np.ones(1)}))
    path = write_graph(tmp_path / "vocals.onnx", state)
    refused("rate", mdx_net.build, path, n_fft=64, rate=3)
    refused("received bins=32, expected", mdx_net.build, path, n_fft=32, hop=8)
    refused("40 missing .*tdf", mdx_net.load, small(), path)
