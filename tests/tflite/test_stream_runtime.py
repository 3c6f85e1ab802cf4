"""A causal model as a file of steps: as Keras for any blocks, with one flat state."""

import keras
import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.tflite import Runtime, StreamRuntime, export, read_metadata
from kerasep.tflite.parity import agreement
from tests.streaming.small_streams import SMALL, noise, separated


def check(separator, path, gate=110.0):
    runtime = StreamRuntime(path)
    x = noise(2003, separator.channels)
    expected = keras.ops.convert_to_numpy(separator(x[None]))[0]
    for size in (1 + runtime.hop // 3, 701):
        parts = [runtime.process(x[start : start + size]) for start in range(0, len(x), size)]
        received = np.concatenate([*parts, runtime.flush()])
        assert received.shape == expected.shape
        worst = min(agreement(expected[..., i], received[..., i])[0] for i in range(2))
        assert worst >= gate


def test_a_file_streams_as_keras(stream):
    separator, report = stream
    assert report.snr_db >= 110
    check(separator, report.path)


def test_its_signatures_and_metadata(stream):
    _, report = stream
    about = read_metadata(report.path)
    assert (about["mode"], about["hop"], about["step"], about["latency"]) == (
        *("streaming", 40, 160, 40),
    )
    size = about["state"]
    assert report.signatures == {
        "reset": ({}, {"state": (1, size)}),
        "step": (
            {"mixture": (1, 160, 1), "state": (1, size)},
            {"sources": (1, 160, 1, 2), "state": (1, size)},
        ),
        "step1": (
            {"mixture": (1, 40, 1), "state": (1, size)},
            {"sources": (1, 40, 1, 2), "state": (1, size)},
        ),
    }
    assert not any("VAR" in name or name.startswith("custom") for name in report.operations)


def test_it_begins_with_a_graph_that_kernels_can_be_fitted_to(stream):
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    _, report = stream
    model = schema.ModelT.InitFromPackedBuf(report.path.read_bytes(), 0)
    assert model.subgraphs[0].operators
    names = {entry.subgraphIndex: entry.signatureKey.decode() for entry in model.signatureDefs}
    assert sorted(names.values()) == ["reset", "step", "step1"]
    assert names[0] != "reset"


def test_each_runtime_refuses_the_other_s_file(stream, exported):
    _, report = stream
    with pytest.raises(InputError, match="mode separate, expected one of mode streaming"):
        StreamRuntime(exported[1])
    with pytest.raises(InputError, match="streaming"):
        Runtime(report.path).separate(np.zeros((9000, 1), "float32"))


def test_a_model_that_cannot_stream_leaves_no_file(tmp_path):
    model = SMALL["tasnet"](bidirectional=True)
    with pytest.raises(InputError, match="runs backwards in time"):
        export(model, tmp_path / "no.tflite", mode="streaming")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(set(SMALL) - {"tasnet"}))
def test_every_kind_streams_as_keras(kind, tmp_path):
    model, separator = separated(kind)
    report = export(model, tmp_path / "small.tflite", mode="streaming")
    assert report.snr_db >= 110
    check(separator, report.path)


@pytest.mark.slow
def test_weights_are_stored_once(tmp_path):
    model = SMALL["open_unmix"](hidden=128)
    report = export(model, tmp_path / "wide.tflite", mode="streaming")
    assert report.bytes < 1.5 * 4 * model.count_params()


@pytest.mark.slow
@pytest.mark.parametrize(("quantization", "least"), [("float16", 40), ("int8", 15)])
def test_fewer_bits(quantization, least, tmp_path):
    model, separator = separated("open_unmix")
    path = tmp_path / "few.tflite"
    export(model, path, mode="streaming", quantization=quantization, check=False)
    check(separator, path, gate=least)
