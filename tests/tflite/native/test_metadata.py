"""The C code's reading of `.tflite` files: what is damaged or contradicts itself is refused."""

import json

import pytest
import soundfile

from kerasep.errors import InputError
from kerasep.tflite import Runtime
from kerasep.tflite.format.metadata import with_metadata
from tests.tflite.native.metadata_texts import metadata_texts


def test_damaged_metadata_does_no_harm(sanitized, run, tiny_parts, tmp_path):
    (tmp_path / "about.json").write_text(json.dumps(tiny_parts[1]))
    done = run(sanitized / "fuzz", "json", tmp_path / "about.json", 5000)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) > 10


def test_it_refuses_and_accepts_what_python_does(sanitized, run, tiny_parts, tmp_path):
    about = tiny_parts[1]
    whole = json.dumps(about)
    texts = metadata_texts(about)
    path = tmp_path / "about.json"
    for (kind, name), text in texts.items():
        path.write_text(text)
        done = run(sanitized / "fuzz", "json", path, 1)
        expected = "1 accepted" if kind.startswith("accepted") else "0 accepted"
        assert done.stdout.startswith(expected), (name, done.stdout, done.stderr)
    for data in (b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80", b"\xe4"):
        path.write_bytes(whole[:-1].encode() + b', "later": "' + data + b'"}')
        assert run(sanitized / "fuzz", "json", path, 1).stdout.startswith("0 accepted"), data


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


def test_samples_that_are_not_finite_are_refused(sanitized, run, tiny_parts, noise, tmp_path):
    import tensorflow as tf

    def separate(mixture):
        return {"sources": tf.stack([mixture, mixture * float("nan")], -1)}

    spec = tf.TensorSpec((1, 400, 1), name="mixture")
    signature = tf.function(separate, autograph=False).get_concrete_function(spec)
    tf.saved_model.save(tf.Module(), tmp_path / "saved", signatures={"separate": signature})
    content = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved")).convert()
    (tmp_path / "a.tflite").write_bytes(with_metadata(content, tiny_parts[1]))
    soundfile.write(tmp_path / "a.wav", noise(500, 1), 8000)
    command = sanitized / "kerasep-native"
    done = run(command, tmp_path / "a.tflite", tmp_path / "a.wav", tmp_path / "stems")
    assert done.returncode == 1
    assert "a.tflite, which computes NaN or infinite values" in done.stderr.splitlines()[-1]
    assert not list((tmp_path / "stems").glob("*"))
    with pytest.raises(InputError, match=r"a\.tflite, which computes NaN or infinite values"):
        Runtime(tmp_path / "a.tflite").separate(noise(500, 1))
