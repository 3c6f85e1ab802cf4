"""What is put beside the page that separates in a browser."""

import importlib.util
import json
import pathlib
import shutil

import pytest

from kerasep import data
from kerasep.errors import InputError

SCRIPT = pathlib.Path(__file__).parents[2] / "tflite" / "web" / "make_models.py"


@pytest.fixture
def make_models():
    spec = importlib.util.spec_from_file_location("make_models", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_files_are_copied_listed_and_given_an_example(make_models, exported, tmp_path):
    _, path = exported
    make_models.make(tmp_path / "models", [str(path)], example=True)
    index = json.loads((tmp_path / "models" / "index.json").read_text("utf-8"))
    assert index["models"] == [{"file": "small.tflite", "name": "small (OpenUnmixLike)"}]
    assert (tmp_path / "models" / "small.tflite").read_bytes() == path.read_bytes()
    header = data.info(tmp_path / "models" / index["example"])
    assert (header.sample_rate, header.channels, header.samples) == (8000, 2, 160000)


def test_presets_are_exported_with_their_weights_under_a_name_for_people(
    make_models, exported, tmp_path, monkeypatch
):
    _, path = exported
    models = {}

    def export(model, file, *, mode, quantization, overwrite, seconds=None):
        models[model.preset] = (model.licence, mode, seconds, quantization)
        shutil.copy(path, file)

    monkeypatch.setattr(make_models.kerasep.tflite, "export", export, raising=False)
    presets = ["open_unmix_like/karaoke", "mdx_net_like/karaoke"]
    index = make_models.make(tmp_path, presets, live=["open_unmix_like/karaoke_causal"])
    research = "research use only"
    assert models == {
        "open_unmix_like/karaoke": (research, "separate", 6.0, "float16"),
        "mdx_net_like/karaoke": (research, "separate", 6.0, "float16"),
        "open_unmix_like/karaoke_causal": (research, "streaming", None, "float16"),
    }
    assert index["models"] == [
        {"file": "open_unmix_like-karaoke.tflite", "name": "Singing voice, fast (Open-Unmix)"},
        {"file": "mdx_net_like-karaoke.tflite", "name": "Singing voice, best (MDX-Net)"},
    ]
    assert index["live"] == [
        {
            "file": "open_unmix_like-karaoke_causal.tflite",
            "name": "Singing voice (causal Open-Unmix)",
        }
    ]


def test_presets_without_weights_and_files_of_the_other_mode_are_refused(
    make_models, exported, tmp_path
):
    with pytest.raises(InputError, match=r"unet_like/singing, which has no trained weights"):
        make_models.make(tmp_path / "models", ["unet_like/singing"])
    _, path = exported
    with pytest.raises(InputError, match=r"in mode 'separate', expected 'streaming': export"):
        make_models.make(tmp_path / "models", [str(path)], live=[str(path)])


def test_files_too_large_for_a_phone_are_refused(make_models, exported, tmp_path, monkeypatch):
    _, path = exported
    monkeypatch.setattr(make_models, "MOST_BYTES", path.stat().st_size - 1)
    with pytest.raises(InputError, match=r"small\.tflite, which takes .* MB, expected at most"):
        make_models.make(tmp_path, [str(path)])
    assert not list(tmp_path.iterdir())


def test_other_files_are_refused(make_models, tmp_path):
    (tmp_path / "song.tflite").write_bytes(b"no model at all")
    with pytest.raises(InputError, match="not a TFLite file"):
        make_models.make(tmp_path / "models", [str(tmp_path / "song.tflite")])
