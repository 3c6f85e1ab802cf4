import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from kerasep import data, zoo
from kerasep.errors import InputError
from kerasep.models import ConvTasNetLike
from kerasep.separation.separator import Separator
from kerasep.tflite import export, quantize, read_metadata
from kerasep.tflite.interpreter import Interpreter
from kerasep.tflite.parity import agreement
from kerasep.tflite.quantization import SCOPE, quantize_weights
from tests.tflite.small_models import convolution


def weight_types(content):
    """Types of constants that products take: those in the float scope, and other large ones."""
    found = list(weights(content))
    inside = {kind for name, _, kind in found if SCOPE in name}
    return inside, {kind for name, size, kind in found if SCOPE not in name and size >= 1024}


def weights(content):
    """Yield the output's name, size and type of the constants that products take."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    taken = {schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOperator.CONV_2D}
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            weight = graph.tensors[operator.inputs[1]] if len(operator.inputs) > 1 else None
            if code.builtinCode in taken and model.buffers[weight.buffer].data is not None:
                name = graph.tensors[operator.outputs[0]].name.decode()
                yield name, int(np.prod(weight.shape)), weight.type


@pytest.fixture
def float_file(exported):
    return exported[1]


@pytest.mark.parametrize("mode", [pytest.param("separate", marks=pytest.mark.slow), "mask"])
def test_float16_is_nearly_keras(small_model, tmp_path, mode):
    report = export(
        small_model, tmp_path / "a.tflite", mode=mode, seconds=0.5, quantization="float16"
    )
    assert report.snr_db >= 55
    assert report.operations["DEQUANTIZE"] >= 8
    assert abs(report.si_sdr_change_db) < 0.1
    assert "the built-in synthetic clip" in str(report)


@pytest.fixture(scope="module")
def judged(small_model, tmp_path_factory):
    """Report of an export in int8, with a residual, judged by two tracks."""
    folder = tmp_path_factory.mktemp("judged")
    data.write_songs(folder / "songs", 2, seconds=3.0, sample_rate=8000)
    separator, path = Separator(small_model, residual="rest"), folder / "a.tflite"
    return export(separator, path, seconds=0.2, quantization="int8", tracks=folder / "songs")


def test_int8_leaves_the_transforms_alone(judged, float_file):
    assert judged.snr_db > 20
    content = judged.path.read_bytes()
    assert len(content) < float_file.stat().st_size
    assert weight_types(content) == ({schema.TensorType.FLOAT32}, {schema.TensorType.INT8})


def test_int8_leaves_small_weights_alone(judged):
    sizes = {kind: [] for kind in (schema.TensorType.FLOAT32, schema.TensorType.INT8)}
    for name, size, kind in weights(judged.path.read_bytes()):
        if SCOPE not in name:
            sizes[kind].append(size)
    assert max(sizes[schema.TensorType.FLOAT32]) < 1024 <= min(sizes[schema.TensorType.INT8])


def test_tracks_are_judged_by_their_middle(judged):
    assert judged.judged_on == "the middle of 2 reference tracks"
    assert judged.metadata["parity"]["judged_on"] == judged.judged_on
    assert abs(judged.si_sdr_change_db) < 3
    assert judged.metadata["parity"]["si_sdr_change_db"] == judged.si_sdr_change_db
    assert judged.metadata["sources"] == ["vocals", "drums", "rest"]


def test_a_waveform_model_s_filterbank_and_mask_head_stay_float(tmp_path):
    tiny = zoo.describe("conv_tasnet_like")["tiny"]
    model = ConvTasNetLike(["a", "b"], **tiny)
    export(model, tmp_path / "a.tflite", seconds=0.1, quantization="int8", check=False)
    inside, outside = weight_types((tmp_path / "a.tflite").read_bytes())
    assert inside == {schema.TensorType.FLOAT32}
    assert outside == {schema.TensorType.INT8}


@pytest.mark.parametrize("quantization", ["float16", "int8", "weight_int8"])
def test_a_file_that_exists_is_quantised_too(float_file, tmp_path, quantization):
    report = quantize(float_file, tmp_path / "b.tflite", quantization)
    content = (tmp_path / "b.tflite").read_bytes()
    assert report.bytes == len(content) < float_file.stat().st_size
    # All bytes belong to the flatbuffer: no reader looks for weights behind it.
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    assert not any(buffer.offset for buffer in model.buffers)
    about = read_metadata(tmp_path / "b.tflite")
    assert about == report.metadata
    assert (about["quantization"], about["parity"]) == (quantization, None)
    assert "not checked" in str(report)
    x = 0.1 * np.random.default_rng(0).standard_normal((1, 8000, 2)).astype("float32")
    expected, received = (
        Interpreter(path.read_bytes())("separate", mixture=x)["sources"]
        for path in (float_file, tmp_path / "b.tflite")
    )
    ratio, _ = agreement(expected, received)
    assert (55 if quantization == "float16" else 20) <= ratio < 110
    with pytest.raises(InputError, match="already"):
        quantize(tmp_path / "b.tflite", tmp_path / "c.tflite", "int8")


def test_what_cannot_be_quantised_is_refused(float_file, tmp_path):
    with pytest.raises(InputError, match="expected one of float16"):
        quantize(float_file, tmp_path / "b.tflite", "int4")
    with pytest.raises(InputError, match="exists"):
        quantize(float_file, float_file, "int8")
    (tmp_path / "text.tflite").write_bytes(b"not a model at all")
    with pytest.raises(InputError, match="not a TFLite file"):
        quantize(tmp_path / "text.tflite", tmp_path / "b.tflite", "int8")


def test_without_the_quantizer_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ai_edge_quantizer", None)
    with pytest.raises(InputError, match=r"kerasep\[edge\]"):
        quantize_weights(b"", "int8")


def test_silent_tracks_leave_no_figure(tmp_path):
    names = ("vocals", "drums")
    for name in names:
        (tmp_path / "songs" / "a").mkdir(parents=True, exist_ok=True)
        data.write(tmp_path / "songs" / "a" / f"{name}.wav", np.zeros((8000, 1)), 8000)
    path = tmp_path / "a.tflite"
    report = export(convolution(names), path, seconds=0.1, tracks=tmp_path / "songs")
    assert np.isnan(report.si_sdr_change_db)
    assert read_metadata(path)["parity"]["si_sdr_change_db"] is None


def test_tracks_are_read_before_anything_is_converted(small_model, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasep.tflite.exporter._converted", None)
    with pytest.raises(InputError, match="missing"):
        export(small_model, tmp_path / "a.tflite", tracks=tmp_path / "missing")
    with pytest.raises(InputError, match="compares nothing"):
        export(small_model, tmp_path / "a.tflite", tracks=tmp_path, check=False)
