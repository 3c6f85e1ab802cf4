"""An export agrees with Keras, leaves the model alone, and reports on the file."""

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.layers import KMeans
from kerasep.separation.separator import Separator
from kerasep.tflite import ExportError, export
from kerasep.tflite.format.graphs import operations
from kerasep.tflite.format.metadata import parse_metadata
from kerasep.tflite.forms import registry
from kerasep.tflite.interpreter import Interpreter
from kerasep.tflite.parity import agreement
from tests.tflite.small_models import convolution, waveform_model


def test_an_exported_model_agrees_with_keras(exported, small_model):
    report, path = exported
    assert report.snr_db >= 100
    assert report.bytes == path.stat().st_size
    x = 0.1 * np.random.default_rng(5).standard_normal((1, 8000, 2)).astype("float32")
    expected = np.asarray(Separator(small_model)(x))
    received = Interpreter(path.read_bytes(), threads=1)("separate", mixture=x)["sources"]
    assert received.shape == (1, 8000, 2, 2)
    assert min(agreement(expected[..., i], received[..., i])[0] for i in range(2)) >= 100


def test_it_is_made_of_builtins_and_loops(exported):
    report, path = exported
    counts = operations(path.read_bytes())
    assert counts == report.operations
    assert counts["WHILE"] >= 8
    assert not any(name.startswith("custom") or "VAR" in name for name in counts)
    assert "RFFT2D" not in counts


def test_no_slice_has_more_dimensions_than_runtimes_of_2024_take(exported):
    model = schema.ModelT.InitFromPackedBuf(exported[1].read_bytes(), 0)
    slices = [
        graph.tensors[operator.inputs[0]].shape
        for graph in model.subgraphs
        for operator in graph.operators
        if model.operatorCodes[operator.opcodeIndex].builtinCode
        == schema.BuiltinOperator.STRIDED_SLICE
    ]
    assert slices
    assert max(map(len, slices)) <= 5


def test_the_report_fits_on_a_screen(exported):
    report, path = exported
    text = str(report)
    assert path.name in text
    assert "vocals, drums" in text
    assert f"{report.snr_db:.1f} dB" in text
    assert len(text.splitlines()) < 25


def test_the_model_is_left_as_it_was(exported, small_model, before_export):
    x, before = before_export
    assert np.array_equal(small_model(x), before)
    assert not any("call" in vars(layer) for layer in small_model._flatten_layers())


def test_seconds_are_rounded_up_to_samples_and_nothing_is_printed(tmp_path, capfd):
    report = export(convolution(), tmp_path / "conv.tflite", seconds=0.10001)
    assert report.seconds == 801 / 8000
    assert report.metadata["stft"] is None
    assert capfd.readouterr() == ("", "")


def test_silent_sources_are_compared_by_their_error(tmp_path):
    inputs = keras.Input((None, 1))
    outputs = keras.ops.stack([inputs, 0 * inputs], axis=-1)
    report = export(waveform_model(inputs, outputs), tmp_path / "a.tflite", seconds=0.1)
    assert report.max_abs_error == 0


class Transform(keras.layers.Layer):
    def call(self, x):
        x = keras.ops.transpose(x, (0, 2, 1))
        return keras.ops.transpose(keras.ops.irfft(keras.ops.rfft(x, 64), 64), (0, 2, 1))


@pytest.mark.filterwarnings("ignore:.*complex.*")
def test_what_tflite_lacks_is_named_with_its_layer_and_a_way_out(tmp_path):
    inputs = keras.Input((None, 1))
    x = Transform(name="there_and_back")(inputs)
    outputs = keras.ops.stack([inputs[:, :64], x], axis=-1)
    with pytest.raises(
        ExportError, match=r"tf\.Complex.* in \S*there_and_back\S*, which"
    ) as caught:
        export(waveform_model(inputs, outputs), tmp_path / "a.tflite", seconds=0.008)
    assert "no builtin operation" in str(caught.value)
    assert "kerasep.layers.STFT" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_export_form_fails_and_is_named(tmp_path, monkeypatch):
    right = registry.FORMS[keras.layers.LSTM]

    def wrong(layer):
        form = right(layer)
        return lambda *args, **kwargs: form(*args, **kwargs) * 1.001

    monkeypatch.setitem(registry.FORMS, keras.layers.LSTM, wrong)
    inputs = keras.Input((None, 1))
    outputs = keras.layers.LSTM(2, return_sequences=True)(inputs)[:, :, None]
    with pytest.raises(ExportError, match=r"[ab] agrees to .* LSTM .* departs first") as caught:
        export(waveform_model(inputs, outputs), tmp_path / "a.tflite", seconds=0.005)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def clustering_model():
    keras.utils.set_random_seed(0)
    return zoo.load("deep_clustering_like", **zoo.describe("deep_clustering_like")["tiny"])


def test_a_tie_between_clusters_is_not_taken_for_a_wrong_file(
    clustering_model, tmp_path, monkeypatch
):
    """One decision of one signal is turned over, as rounding might: the next signal counts."""
    calls = []

    class Turned(Interpreter):
        def __call__(self, signature, **inputs):
            calls.append(inputs)
            received = super().__call__(signature, **inputs)["estimates"]
            return {"estimates": received[..., ::-1] if len(calls) == 1 else received}

    monkeypatch.setattr("kerasep.tflite.exporter.Interpreter", Turned)
    report = export(clustering_model, tmp_path / "a.tflite", mode="mask", seconds=0.2)
    assert report.snr_db > 100
    assert len(calls) == 3
    frames = report.metadata["frames"]
    assert report.signatures["mask"][1] == {"estimates": (1, frames, 129, 1, 2)}


def test_a_clustering_that_is_wrong_fails(clustering_model, tmp_path, monkeypatch):
    def wrong(layer):
        own = layer.call
        return lambda *args: own(*args)[..., ::-1]

    monkeypatch.setitem(registry.FORMS, KMeans, wrong)
    with pytest.raises(ExportError, match=r"KMeans clusters, .* dB departs first"):
        export(clustering_model, tmp_path / "a.tflite", mode="mask", seconds=0.2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_clusters_are_part_of_a_whole_separator(clustering_model, tmp_path):
    assert export(clustering_model, tmp_path / "a.tflite", seconds=0.5).snr_db > 100


def test_existing_files_are_kept_unless_told_otherwise(tmp_path):
    path = tmp_path / "a.tflite"
    path.write_bytes(b"mine")
    with pytest.raises(InputError, match="exists"):
        export(convolution(), path)
    assert path.read_bytes() == b"mine"
    report = export(convolution(), path, seconds=0.1, overwrite=True)
    assert path.stat().st_size == report.bytes
    assert [p.name for p in tmp_path.iterdir()] == ["a.tflite"]


@pytest.mark.parametrize(
    ("name", "seconds", "match"),
    [
        ("a.onnx", 1, "ending in .tflite"),
        ("missing/a.tflite", 1, "no folder"),
        ("a.tflite", 0.01, "at least 0.032"),
        ("a.tflite", -1, "at least 0.032"),
    ],
)
def test_bad_arguments_are_refused(small_model, tmp_path, name, seconds, match):
    with pytest.raises(InputError, match=match):
        export(small_model, tmp_path / name, seconds=seconds)


def test_what_is_no_separator_is_refused(tmp_path):
    inputs = keras.Input((None, 1))
    with pytest.raises(InputError, match="without sources, sample_rate, channels"):
        export(keras.Model(inputs, inputs), tmp_path / "a.tflite")
    with pytest.raises(InputError, match="received str"):
        export("open_unmix_like", tmp_path / "a.tflite")


def test_other_backends_are_told_how(small_model, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match="KERAS_BACKEND=tensorflow"):
        export(small_model, tmp_path / "a.tflite")


@pytest.mark.parametrize("argument", ["mode", "quantization"])
def test_unknown_choices_are_listed(small_model, tmp_path, argument):
    with pytest.raises(InputError, match=f"received {argument}='int4', expected one of .*, "):
        export(small_model, tmp_path / "a.tflite", **{argument: "int4"})


def test_the_network_alone(network_report, small_model):
    assert network_report.snr_db >= 100
    assert network_report.signatures == {
        "mask": ({"magnitude": (1, 64, 129, 2)}, {"estimates": (1, 64, 129, 2, 2)})
    }
    content = network_report.path.read_bytes()
    x = np.random.default_rng(0).random((1, 64, 129, 2), "float32")
    received = Interpreter(content)("mask", magnitude=x)["estimates"]
    np.testing.assert_allclose(received, small_model(x), atol=1e-5)
    about = parse_metadata(content)
    assert (about["mode"], about["frames"], about["chunk"]) == ("mask", 64, 4032)


def test_a_difference_of_several_mono_sources(tmp_path):
    # The converter refused what a sum of these outputs, one after the other, became.
    sizes = {"filters": 4, "levels": 2, "kernel_size": 5}
    model = zoo.load("wave_unet_like/small", sources=["a", "b", "c"], **sizes)
    assert export(model, tmp_path / "wave_unet.tflite", seconds=0.1).snr_db >= 100


@pytest.mark.parametrize(
    "settings", [{"residual": "rest"}, {"wiener_iterations": 1}, {"consistent": True}]
)
def test_masks_are_a_spectrogram_network_s_own(small_model, tmp_path, settings):
    with pytest.raises(InputError, match="the network alone"):
        export(Separator(small_model, **settings), tmp_path / "a.tflite", mode="mask")
    with pytest.raises(InputError, match="takes waveforms"):
        export(convolution(), tmp_path / "a.tflite", mode="mask")


def test_estimates_add_up_to_the_mixture_where_sources_are_all_of_it(
    exported_whole, whole_model, tmp_path
):
    mixture = 0.1 * np.random.default_rng(0).standard_normal((1, 8000, 1)).astype("float32")

    def total(report):
        return Interpreter(report.path.read_bytes(), 1)("separate", mixture=mixture)["sources"]

    np.testing.assert_allclose(total(exported_whole).sum(-1), mixture, atol=1e-6)
    assert exported_whole.snr_db > 100
    loose = export(whole_model, tmp_path / "loose.tflite", seconds=1.0, consistent=False)
    expected = np.asarray(Separator(whole_model)(mixture))
    np.testing.assert_allclose(total(loose), expected, atol=1e-5)
    assert np.abs(expected.sum(-1) - mixture).max() > 0.01
    assert loose.metadata["residual"] == "accompaniment"
    network = export(whole_model, tmp_path / "mask.tflite", seconds=0.5, mode="mask", check=False)
    assert network.metadata["residual"] == "accompaniment"


def test_a_separator_s_own_setting_is_not_overruled(whole_model, tmp_path):
    with pytest.raises(InputError, match="set it in kerasep"):
        export(Separator(whole_model), tmp_path / "a.tflite", consistent=True)
    with pytest.raises(InputError, match="the network alone"):
        export(whole_model, tmp_path / "a.tflite", mode="mask", consistent=True)
    assert not list(tmp_path.iterdir())


def test_a_file_may_be_left_unchecked(tmp_path, monkeypatch):
    monkeypatch.setattr("kerasep.tflite.parity.compare", None)
    report = export(convolution(), tmp_path / "a.tflite", seconds=0.1, check=False)
    assert report.snr_db is None
    assert "not checked" in str(report)
    assert report.metadata["parity"]["snr_db"] is None


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    model = convolution()
    model.layers[1].bias.assign([0.0, np.nan])
    with pytest.raises(ExportError, match="NaN or infinite"):
        export(model, tmp_path / "a.tflite", seconds=0.1)


def test_an_export_is_within_bounds(tmp_path):
    model = convolution()
    model.sample_rate = 500
    with pytest.raises(InputError, match="sample_rate=500, expected a whole number from 1000"):
        export(model, tmp_path / "a.tflite", seconds=1)
    assert not list(tmp_path.iterdir())
