"""MDX-Net in PyTorch, its ONNX file in onnxruntime, and the model here: the same numbers."""

import numpy as np
import pytest

from kerasep.importers import mdx_net
from tests.parity import mdx_net_network

pytestmark = pytest.mark.parity

BINS, N_FFT, HOP, FRAMES = 32, 96, 16, 24
SIZES = {"growth": 4, "levels": 3, "convolutions": 2, "bottleneck": 4}


def network(torch, **sizes):
    return mdx_net_network.network(torch, **{"bins": BINS, **sizes})


def spectrum(torch, waveform):
    """`(batch, 2, samples)` to real and imaginary parts, without the bins that are not seen."""
    window = torch.hann_window(N_FFT)
    flat = waveform.reshape(-1, waveform.shape[-1])
    z = torch.stft(flat, N_FFT, HOP, window=window, center=True, return_complex=True)
    parts = torch.view_as_real(z).permute(0, 3, 1, 2)[:, :, :BINS]
    return parts.reshape(len(waveform), 4, BINS, -1)


def waveform(torch, parts, samples):
    batch, _, _, frames = parts.shape
    whole = torch.zeros(batch, 4, N_FFT // 2 + 1, frames)
    whole[:, :, :BINS] = parts
    z = torch.view_as_complex(
        whole.reshape(batch * 2, 2, -1, frames).permute(0, 2, 3, 1).contiguous()
    )
    out = torch.istft(z, N_FFT, HOP, window=torch.hann_window(N_FFT), center=True)
    assert out.shape[-1] == samples
    return out.reshape(batch, 2, samples)


def export(torch, monkeypatch, net, path, folded):
    """Write the file as PyTorch's exporter does, which needs ONNX's package for nothing else."""
    from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

    monkeypatch.setattr(onnx_proto_utils, "_add_onnxscript_fn", lambda content, _: content)
    mode = torch.onnx.TrainingMode.EVAL if folded else torch.onnx.TrainingMode.PRESERVE
    torch.onnx.export(
        net,
        (torch.zeros(1, 4, BINS, FRAMES),),
        path,
        dynamo=False,
        opset_version=12,
        training=mode,
        do_constant_folding=folded,
        input_names=["input"],
        dynamic_axes={"input": {0: "batch"}},
    )
    return path


def relative_error(ours, theirs):
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


@pytest.mark.parametrize("kind", ["folded", "whole", "newer", "older"])
@pytest.mark.parametrize("groups", [None, 2, 4])
@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning", "ignore:Converting a tensor"
)
def test_mdx_net(torch, monkeypatch, tmp_path, kind, groups):
    net = network(torch, **SIZES, groups=groups)
    samples = HOP * (FRAMES - 1)
    mixture = 0.3 * torch.randn(2, 2, samples)
    parts = spectrum(torch, mixture)
    parts[:, :, :3] = 0
    if kind in ("folded", "whole"):
        onnxruntime = pytest.importorskip("onnxruntime", reason="parity needs onnxruntime")
        path = export(torch, monkeypatch, net, tmp_path / "vocals.onnx", kind == "folded")
        session = onnxruntime.InferenceSession(str(path))
        (stem,) = session.run(None, {"input": parts.numpy()})
        norms = sum(node.op == "BatchNormalization" for node in mdx_net.read_graph(path).nodes)
        # PyTorch merges those behind convolutions; not behind transposed ones and dense layers.
        merged = 7 * SIZES["convolutions"] + SIZES["levels"] + 1
        kept = 7 * 2 + SIZES["levels"] + (0 if kind == "folded" else merged)
        assert norms == (0 if groups else kept)
    else:
        with torch.no_grad():
            stem = net(parts).numpy()
        path = tmp_path / "vocals.ckpt"
        torch.save({"state_dict": checkpoint(torch, net, kind)}, path)
    stem = waveform(torch, torch.from_numpy(stem), samples).numpy().transpose(0, 2, 1)

    n_fft = N_FFT if path.suffix == ".onnx" else None
    # A PyTorch file does not show the number of groups.
    shown = {"norm_groups": groups} if groups and n_fft is None else {}
    model = mdx_net.build(path, n_fft=n_fft, compensate=1.03, hop=HOP, **shown)
    assert model.norm_groups == groups
    assert {name: getattr(model, name) for name in SIZES} == SIZES
    x = mixture.numpy().transpose(0, 2, 1)
    ours = model.predict_on_batch(x)
    assert relative_error(ours[..., 0], 1.03 * stem) < 1e-4
    assert relative_error(ours[..., 1], x - 1.03 * stem) < 1e-4


def checkpoint(torch, net, kind):
    """Weights as both generations of the training code save them."""
    state = {"window": torch.hann_window(N_FFT), "freq_pad": torch.zeros(1, 4, 17, FRAMES)}
    for name, value in net.state_dict().items():
        if kind == "older":
            for newer, older in (
                ("encoding_blocks", "ds_dense"),
                ("bottleneck_block", "mid_dense"),
                ("decoding_blocks", "us_dense"),
            ):
                name = name.replace(newer, older)
        state[name] = value
    return state


def test_published_sizes_of_mdx_net(torch):
    """The numbers of a PyTorch file and of one of ours, at both published sizes."""
    from kerasep import zoo
    from kerasep.models import MDXNetLike
    from kerasep.models.building import build_without_values

    for preset in ("vocals_g32", "vocals_g48"):
        arguments = zoo.describe(f"mdx_net_like/{preset}")["arguments"]
        sizes = {name: arguments[name] for name in (*SIZES, "bins")}
        with torch.device("meta"):
            state = network(torch, **sizes).state_dict()
        numbers = sum(value.numel() for value in state.values() if value.ndim)
        assert build_without_values(MDXNetLike, arguments).count_params() == numbers
