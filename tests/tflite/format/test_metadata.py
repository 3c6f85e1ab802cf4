import numpy as np
import pytest

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.tflite import read_metadata
from kerasep.tflite.exporter import description
from kerasep.tflite.format.metadata import parse_metadata, with_metadata
from kerasep.tflite.interpreter import Interpreter


def test_metadata_says_what_a_runtime_needs(exported):
    report, path = exported
    about = read_metadata(path)
    assert about == report.metadata
    assert about["sources"] == ["vocals", "drums"]
    assert (about["sample_rate"], about["channels"], about["hop"]) == (8000, 2, 64)
    assert about["chunk"] == 8000
    assert about["overlap"] % 64 == 0
    assert 4 * 256 <= about["overlap"] <= about["chunk"] // 2
    assert about["stft"] == {"n_fft": 256, "hop": 64, "window": "hann"}
    assert about["latency"] is None
    assert about["model"] == "OpenUnmixLike"
    assert about["parity"]["snr_db"] >= 100
    assert (about["mode"], about["quantization"], about["state"]) == ("separate", None, None)
    assert (about["preset"], about["licence"]) == (None, None)
    assert len(about["weights_sha256"]) == 64


def test_a_preset_and_its_weights_are_told():
    model = zoo.load("wave_unet_like/m4", **zoo.describe("wave_unet_like")["tiny"])
    model.licence = "CC0"
    about = description(model, "separate", "int8")
    assert (about["preset"], about["licence"]) == ("wave_unet_like/m4", "CC0")
    again = zoo.load("wave_unet_like/m4", **zoo.describe("wave_unet_like")["tiny"])
    again.set_weights(model.get_weights())
    assert description(again, "separate", "int8")["weights_sha256"] == about["weights_sha256"]
    again.weights[0].assign(again.weights[0] + 1)
    assert description(again, "separate", "int8")["weights_sha256"] != about["weights_sha256"]


def test_files_of_the_first_format_are_read(exported):
    _, path = exported
    earlier = {"format": 1, "kerasep": "0.1", "sources": ["a"], "chunk": 8000}
    model = with_metadata(path.read_bytes().replace(b"kerasep", b"another"), earlier)
    about = parse_metadata(model)
    assert (about["mode"], about["chunk"], about["residual"]) == ("separate", 8000, None)
    stems = {"format": 2, "sources": ["vocals", "accompaniment"]}
    for more, residual in (({}, "accompaniment"), ({"interchangeable": True}, None)):
        assert parse_metadata(with_metadata(model, stems | more))["residual"] == residual
    assert parse_metadata(with_metadata(model, stems | {"residual": None}))["residual"] is None


def test_adding_metadata_changes_no_result(exported):
    _, path = exported
    content = path.read_bytes()
    again = with_metadata(content, {"more": 1})
    x = np.random.default_rng(0).standard_normal((1, 8000, 2)).astype("float32")
    results = [Interpreter(data, 1)("separate", mixture=x)["sources"] for data in (content, again)]
    assert np.array_equal(*results)


def test_what_is_no_export_is_refused(tmp_path, exported):
    _, path = exported
    content = path.read_bytes()
    cases = {
        "text.tflite": (b"not a model at all", "not a TFLite file"),
        "empty.tflite": (b"", "not a TFLite file"),
        "cut.tflite": (content[:200], "damaged"),
        "foreign.tflite": (content.replace(b"kerasep", b"another"), "without kerasep's metadata"),
        "later.tflite": (content.replace(b'"format": 2', b'"format": 9'), "later format"),
    }
    for name, (data, match) in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=match):
            read_metadata(tmp_path / name)
    with pytest.raises(InputError, match="no such file"):
        read_metadata(tmp_path / "missing.tflite")


@pytest.mark.parametrize("sources", [["../vocals"], ["vocals", "a/b"], [""]])
def test_sources_that_would_leave_the_folder_are_refused(exported, tmp_path, sources):
    content = exported[1].read_bytes()
    about = {**parse_metadata(content), "sources": sources}
    path = tmp_path / "hostile.tflite"
    path.write_bytes(with_metadata(content, about))
    with pytest.raises(InputError, match="expected names of letters"):
        read_metadata(path)


@pytest.mark.parametrize("about", [[], {}, {"format": 2}, {"format": "2", "sources": ["a"]}])
def test_metadata_that_says_nothing_is_refused(exported, about):
    with pytest.raises(InputError, match="metadata is damaged"):
        parse_metadata(with_metadata(exported[1].read_bytes(), about))
