"""What metadata may say: the same cases as for the C code, the web page and Kotlin."""

import json
import pathlib

import pytest

from kerasep.errors import InputError
from kerasep.tflite import Runtime, StreamRuntime, read_metadata
from kerasep.tflite.format.metadata import with_metadata

CASES = json.loads((pathlib.Path(__file__).parents[1] / "metadata_cases.json").read_text())


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
        ({"residual": "rest"}, "residual='rest', expected one of the sources or null"),
        ({"residual": ["vocals"]}, "expected one of the sources or null"),
        ({"residual": False}, "residual=False, expected one of the sources or null"),
    ],
)
def test_what_the_tensors_contradict_is_refused(lying, changes, match):
    with pytest.raises(InputError, match=match):
        Runtime(lying(changes))


def test_frames_that_the_tensors_contradict_are_refused(lying, network_file):
    assert Runtime(lying({}, network_file)).mode == "mask"
    with pytest.raises(InputError, match="tensor magnitude"):
        Runtime(lying({"frames": 63}, network_file))


TIMING = {"hop": 40, "frame": 40, "grain": 40, "step": 160, "lag": 0, "silence": 0, "ends": "fill"}


@pytest.mark.parametrize(
    "changes",
    [
        *({key: value} for key in TIMING for value in (None, -1, 2.5, "a", True, 10**12)),
        *({key: 0} for key in ("hop", "frame", "grain", "step")),
        {"hop": 30},  # no divisor of the grain
        {"step": 150},  # no multiple of it
        {"step": 320},  # not as the tensors are
        {"grain": 80},
        {"lag": 20},  # not as the latency says
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
