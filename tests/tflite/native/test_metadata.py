"""The C code's reading of `.tflite` files: what is damaged or contradicts itself is refused."""

import json

import pytest
import soundfile

from kerasep.tflite.metadata import with_metadata


def test_damaged_metadata_does_no_harm(sanitized, run, tiny_parts, tmp_path):
    (tmp_path / "about.json").write_text(json.dumps(tiny_parts[1]))
    done = run(sanitized / "fuzz", "json", tmp_path / "about.json", 5000)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) > 10


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": 3}, "later format (3, expected 2): update kerasep"),
        ({"mode": "mask"}, "holds no whole separator: export it in the mode separate or stream"),
        ({"sources": []}, "metadata is damaged"),
        ({"timing": {"hop": 4}}, "metadata is damaged"),
        ({"sources": ["../same", "square"]}, "metadata is damaged"),
        ({"sources": ["same", "same"]}, "metadata is damaged"),
        ({"sources": ["one"]}, "sources is not as its metadata says"),
        ({"channels": 2}, "mixture is not as its metadata says"),
        ({"chunk": 402}, "mixture is not as its metadata says"),
        ({"chunk": 401}, "metadata is damaged"),
        ({"chunk": 1e300}, "metadata is damaged"),
        ({"overlap": 8000}, "metadata is damaged"),
        ({"overlap": -2}, "metadata is damaged"),
        ({"hop": 0}, "metadata is damaged"),
        ({"hop": "2"}, "metadata is damaged"),
        ({"sample_rate": 8000.5}, "metadata is damaged"),
    ],
)
def test_metadata_that_is_wrong_is_refused(
    sanitized, run, tiny_parts, noise, tmp_path, changed, message
):
    content, about = tiny_parts
    soundfile.write(tmp_path / "a.wav", noise(500, 2), 8000)
    (tmp_path / "a.tflite").write_bytes(with_metadata(content, about | changed))
    command = sanitized / "kerasep-native"
    done = run(command, tmp_path / "a.tflite", tmp_path / "a.wav", tmp_path / "stems")
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]
    assert not list((tmp_path / "stems").glob("*"))


def test_damaged_models_are_refused(sanitized, run, exported, tiny_parts, tmp_path):
    content = exported[1].read_bytes()
    kinds = {
        "no TFLite": b"RIFF" * 100,
        "empty": b"",
        "without metadata": tiny_parts[0],
        **{f"cut at {part} %": content[: len(content) * part // 100] for part in (1, 10, 50, 99)},
    }
    for kind, damaged in kinds.items():
        (tmp_path / "a.tflite").write_bytes(damaged)
        done = run(sanitized / "kerasep-native", tmp_path / "a.tflite")
        assert done.returncode == 1, kind
        assert done.stderr.splitlines()[-1].startswith("error: received "), kind
    missing = run(sanitized / "kerasep-native", tmp_path / "missing.tflite")
    assert "there is no such file" in missing.stderr
