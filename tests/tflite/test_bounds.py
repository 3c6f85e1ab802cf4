"""What metadata may say: the same cases as for the C code, the web page and Kotlin."""

import json
import pathlib

import pytest

from kerasep.errors import InputError
from kerasep.tflite import Runtime, StreamRuntime, read_metadata
from kerasep.tflite.format.metadata import with_metadata
from kerasep.tflite.format.strict_json import load

CASES = json.loads((pathlib.Path(__file__).parent / "metadata_cases.json").read_text())


@pytest.fixture
def lying(exported, tmp_path):
    """Function of changes that returns the path of a file with them."""

    def write(changes, path=exported[1]):
        target = tmp_path / "lying.tflite"
        content = path.read_bytes()
        target.write_bytes(with_metadata(content, read_metadata(path) | changes))
        return target

    return write


@pytest.mark.parametrize("case", CASES["refused"])
def test_what_is_out_of_bounds_is_refused_in_one_line(lying, case):
    with pytest.raises(InputError, match=r"^received .*lying\.tflite") as caught:
        Runtime(lying(CASES["refused"][case]))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("case", CASES["accepted"])
def test_what_is_within_bounds_is_accepted(lying, case):
    changes = CASES["accepted"][case]
    about = read_metadata(lying(changes))
    assert about["format"] == 2
    if "channels" in changes:
        assert type(about["channels"]) is int
    else:
        Runtime(lying(changes))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"chunk": 8064}, "tensor mixture of signature separate is not as its metadata says"),
        ({"channels": 1}, "tensor mixture"),
        ({"sources": ["one"]}, "tensor sources"),
        ({"sources": ["a", "b", "c"]}, "tensor sources"),
        ({"mode": "mask"}, "lacks the signature mask"),
        ({"sources": list("abcdefghi"), "interchangeable": True}, "9 sources in any order"),
    ],
)
def test_what_the_tensors_contradict_is_refused(lying, changes, match):
    with pytest.raises(InputError, match=match):
        Runtime(lying(changes))


def test_frames_that_the_tensors_contradict_are_refused(lying, network_file):
    assert Runtime(lying({}, network_file)).mode == "mask"
    with pytest.raises(InputError, match="tensor magnitude"):
        Runtime(lying({"frames": 63}, network_file))


TIMING = {"hop": 1024, "frame": 4096, "grain": 1024, "step": 4096, "lag": 3072, "silence": 0}
TIMING |= {"ends": "mirror"}


@pytest.mark.parametrize(
    "changes",
    [
        *({key: value} for key in TIMING for value in (None, -1, 2.5, "a", True, 10**12)),
        *({key: 0} for key in ("hop", "frame", "grain", "step")),
        {"hop": 1000},
        {"step": 5000},
        {"step": 8192},
        {"grain": 2048},
        {"lag": 0},
    ],
)
def test_a_timing_that_makes_no_sense_is_refused(lying, stream_file, changes):
    with pytest.raises(InputError, match=r"received .*lying\.tflite"):
        StreamRuntime(lying({"timing": TIMING | changes}, stream_file))


@pytest.mark.parametrize("key", ["timing", "latency", "hop", "model", "sample_rate", "channels"])
def test_a_stream_needs_all_its_keys(lying, stream_file, key):
    assert StreamRuntime(lying({}, stream_file)).metadata["timing"] == TIMING
    with pytest.raises(InputError, match=rf"lying\.tflite, whose metadata is damaged: .*{key}"):
        StreamRuntime(lying({key: None}, stream_file))


@pytest.mark.parametrize("case", CASES["refused_texts"])
def test_texts_that_are_not_strict_json_are_refused(case):
    text = CASES["refused_texts"][case].replace("@", '"format": 2')
    if case in ("a list", "a number"):  # which are JSON, but no metadata
        assert not isinstance(load(text.encode()), dict)
        return
    with pytest.raises(ValueError, match=r"."):
        load(text.encode())


@pytest.mark.parametrize("case", CASES["accepted_texts"])
def test_texts_that_are_strict_json_are_read(case):
    assert load(CASES["accepted_texts"][case].replace("@", '"format": 2').encode())["format"] == 2


def test_bytes_that_are_not_utf8_and_texts_without_end_are_refused():
    for data in (b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}', '{"a": 1}'.encode("utf-16")):
        with pytest.raises(ValueError, match=r"."):
            load(data)
    with pytest.raises(ValueError, match="at most 1048576"):
        load(b" " * 2**20 + b"{}")
    with pytest.raises(ValueError, match="levels"):
        load(b"[" * 10**6)
    with pytest.raises(ValueError, match="5001 letters"):
        load(b'{"a": 1' + b"0" * 5000 + b"}")


def test_an_export_is_within_bounds(small_model, tmp_path):
    from kerasep.models import ConvTasNetLike
    from kerasep.tflite import export

    model = ConvTasNetLike(["a", "b"], sample_rate=500, filters=8, bottleneck=8, hidden=8, blocks=1)
    with pytest.raises(InputError, match="sample_rate=500, expected a whole number from 1000"):
        export(model, tmp_path / "a.tflite", seconds=1)
    assert not list(tmp_path.iterdir())
