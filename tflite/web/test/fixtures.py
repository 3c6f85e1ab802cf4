"""What the page's tests compare with: models, songs, and Python's results with them.

python fixtures.py FOLDER [MODEL...]     (further models are compared on songs at their own rate)
"""

import json
import os
import pathlib
import shutil
import sys

import numpy as np

import kerasep
from kerasep import data, tflite, zoo
from kerasep.separation import chunks, recordings
from kerasep.tflite.interpreter import Interpreter

RATE = 8000


def shaken(model):
    """Give every weight a value that shows: untrained, normalisations are identities."""
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if variable.dtype == "float32":
            value = np.asarray(variable)
            noise = 0.1 * rng.standard_normal(value.shape)
            variable.assign(value + (np.abs(noise) if "variance" in variable.path else noise))
    return model


def tiny(name, sources):
    """Make a toy of an entry, its weights shaken."""
    return shaken(zoo.load(name, False, sources=sources, **zoo.describe(name)["tiny"]))


def make_models(folder):
    """Export a stereo model on spectrograms, and a mono one whose sources come in any order."""
    stereo = tiny("open_unmix_like", ["vocals", "drums"])
    separator = kerasep.Separator(stereo, residual="accompaniment")
    tflite.export(separator, folder / "stereo.tflite", seconds=1.0)
    mono = tiny("conv_tasnet_like", ["one", "two"])
    tflite.export(mono, folder / "any_order.tflite", seconds=0.5)
    assert tflite.read_metadata(folder / "any_order.tflite")["interchangeable"]
    tiny_settings = zoo.describe("open_unmix_like")["tiny"] | {"bidirectional": False}
    causal = zoo.load("open_unmix_like/causal", sources=["vocals", "drums"], **tiny_settings)
    tflite.export(shaken(causal), folder / "live.tflite", mode="streaming")
    tflite.export(stereo, folder / "half.tflite", seconds=1.0, quantization="float16")


def make_song(folder, name, seconds, rate, channels):
    """Write a song, and its mixture as NAME.wav."""
    data.write_songs(folder / name, 1, 3, seconds, rate, channels)
    mixture = sum(data.read(stem)[0] for stem in (folder / name).glob("song_0000/*.flac"))
    data.write(folder / f"{name}.wav", mixture, rate)


def make_real(folder, recordings):
    """Write some karaoke clips, one after the other, at 44100 Hz."""
    clips = sorted(pathlib.Path(recordings, "mir1k", "valid").iterdir())[:5]
    stems = ("vocals", "accompaniment")
    mixtures = [sum(data.read(clip / f"{stem}.flac")[0] for stem in stems) for clip in clips]
    data.write(
        folder / "real.wav", data.audio.resample(np.concatenate(mixtures), 16000, 44100), 44100
    )


def compare(folder, model, song):
    """Separate a song in Python; describe the case, and write the stems one after the other."""
    runtime = tflite.Runtime(folder / f"{model}.tflite")
    waveform, rate = data.read(folder / f"{song}.wav")
    own = runtime.sample_rate
    mixture = data.audio.resample(waveform, rate, own)
    stems = runtime.separate(mixture)
    if rate != own:
        stems = {source: back(stem, own, rate, waveform) for source, stem in stems.items()}
        if "accompaniment" in stems:
            # What lies above the model's band.
            stems["accompaniment"] += waveform - back(mixture, own, rate, waveform)
    name = f"{model}-{song}.f32"
    np.concatenate([stems[source].T for source in stems]).tofile(folder / name)
    return {
        "model": f"{model}.tflite",
        "song": f"{song}.wav",
        "expected": name,
        "shape": [len(stems), *waveform.T.shape],
        "rate": rate,
        # Where a song is resampled, the filter is another than soxr's above 0.9 of the bandwidth.
        "gate_db": 100 if rate == own else 50,
    }


def back(samples, own, rate, waveform):
    """Resample to the song's rate and length."""
    result = data.audio.resample(samples, own, rate)[: len(waveform)]
    return np.pad(result, [(0, len(waveform) - len(result)), (0, 0)])


def make_stream(folder):
    """Write blocks for the live model, and the sources that its steps give for them."""
    path = folder / "live.tflite"
    interpreter = Interpreter(path.read_bytes(), 1, path)
    about = tflite.read_metadata(folder / "live.tflite")
    step, channels = about["step"], about["channels"]
    warm = -(-about["lead"] // step) + 8  # steps of silence, as in live_worker.js
    silence = np.zeros([warm * step, channels], "float32")
    waveform = data.read(folder / "song.wav")[0][: 20 * step, :channels]
    blocks = np.concatenate([silence, waveform]).reshape(-1, step, channels)
    state = interpreter("reset")["state"]
    sources = []
    for block in blocks:
        result = interpreter("step", mixture=block[None], state=state)
        state = result["state"]
        sources.append(result["sources"].copy())
    blocks[warm:].tofile(folder / "live.in")
    np.concatenate(sources[warm:]).tofile(folder / "live.out")
    (folder / "live.json").write_text(json.dumps(about), "utf-8")


def make_chunk_cases(folder):
    """Recordings of many lengths through a process that shows where each chunk begins."""
    rng = np.random.default_rng(1)
    cases = []
    for number in range(60):
        hop = int(rng.choice([1, 4, 7]))
        overlap = hop * int(rng.integers(0, 6))
        chunk = max(2 * overlap, hop) + hop * int(rng.integers(0, 12))
        samples, count = int(rng.integers(1, 6 * chunk)), int(rng.integers(1, 4))
        model = {
            "sources": ["a", "b", "c"],
            "channels": int(rng.integers(1, 3)),
            "chunk": chunk,
            "overlap": overlap,
            "hop": hop,
            "interchangeable": bool(number % 2),
        }
        audio = rng.standard_normal((samples, count)).astype("float32")
        result = _separated(audio, model)
        (folder / "chunks").mkdir(exist_ok=True)
        audio.T.tofile(folder / "chunks" / f"{number}.in")
        result.transpose(2, 1, 0).tofile(folder / "chunks" / f"{number}.out")
        cases.append({"samples": samples, "count": count, "model": model})
    return cases


def _separated(audio, model):
    calls = 0

    def process(batch):
        nonlocal calls
        results = []
        for chunk in batch:
            ramp = np.arange(len(chunk), dtype="float32")[:, None] / np.float32(64)
            sources = np.stack([chunk, chunk * np.float32(0.5) + ramp, -chunk + ramp], -1)
            # Sources in another order at each call, which only a model of any order may have.
            results.append(np.roll(sources, calls if model["interchangeable"] else 0, -1))
            calls += 1
        return np.stack(results)

    separator = recordings.ChunkSeparator(
        process,
        tuple(model["sources"]),
        RATE,
        model["channels"],
        model["chunk"],
        model["overlap"],
        model["hop"],
        fixed=True,
        interchangeable=model["interchangeable"],
    )
    waveform = chunks.check_waveform(audio) if len(audio) >= audio.shape[1] else audio
    return np.concatenate(list(recordings.stems(separator, [waveform], RATE, len(waveform))))


def main(folder, others):
    """Write everything; folder/fixtures.json says what there is."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    make_models(folder)
    # Stereo; mono and shorter than a chunk; long enough to cancel.
    for name, seconds, channels in (("song", 5.3, 2), ("short", 0.7, 1), ("long", 240.0, 1)):
        make_song(folder, name, seconds, RATE, channels)
    make_song(folder, "other_rate", 3.0, 44100, 2)
    cases = [
        compare(folder, "stereo", "other_rate"),
        compare(folder, "stereo", "song"),
        compare(folder, "half", "song"),
        compare(folder, "stereo", "short"),
        compare(folder, "any_order", "song"),
        compare(folder, "any_order", "short"),
    ]
    for path in map(pathlib.Path, others):
        shutil.copy(path, folder)
        make_song(folder, f"for_{path.stem}", 15.0, tflite.read_metadata(path)["sample_rate"], 2)
        cases.append(compare(folder, path.stem, f"for_{path.stem}"))
    make_stream(folder)
    if os.environ.get("LONG") == "1" and "KERASEP_AUDIO" in os.environ:
        make_real(folder, os.environ["KERASEP_AUDIO"])
    found = {"cases": cases, "chunks": make_chunk_cases(folder)}
    (folder / "fixtures.json").write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
