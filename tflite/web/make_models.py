"""Put models, an index of them and an example song beside the page.

python make_models.py ../../build/web/models MODEL... [--live MODEL...] [--seconds 6] [--example]

A MODEL is a .tflite file, which is copied, or a run or preset, which is exported with float16
weights. Presets are loaded with their trained weights. The first is the page's default. Those
after --live separate live sound: they are exported for streams.
"""

import argparse
import json
import pathlib
import sys

import kerasep
from kerasep.data import synthetic, write
from kerasep.errors import InputError

MOST_BYTES = 10_000_000  # that a phone can download and keep in memory
# Titles of the presets that `make web` uses; others are shown by their name.
NAMES = {
    "open_unmix_like/karaoke": "Singing voice, fast (Open-Unmix)",
    "mdx_net_like/karaoke": "Singing voice, best (MDX-Net)",
    "unet_like/karaoke": "Singing voice (U-Net)",
    "open_unmix_like/karaoke_causal": "Singing voice (causal Open-Unmix)",
}
EXAMPLE = "A synthetic song.flac"
# Not among the demo's songs, which have seeds from [3, 0] on to [5, 3].
EXAMPLE_SEED, EXAMPLE_SECONDS = [40, 0], 20.0


def make(folder, models, live=(), seconds=6.0, example=False):
    """Write models, index.json and the example; return the index."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = [_placed(folder, model, "separate", seconds) for model in models]
    streams = [_placed(folder, model, "streaming", seconds) for model in live]
    if example:
        about = kerasep.tflite.read_metadata(files[0])
        rate, channels = about["sample_rate"], about["channels"]
        stems = synthetic.song(EXAMPLE_SEED, EXAMPLE_SECONDS, rate, channels)
        write(folder / EXAMPLE, sum(stems.values()), rate, overwrite=True)
    index = {
        "models": _listed(files, models),
        "live": _listed(streams, live),
        "example": EXAMPLE if example else None,
    }
    (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n", "utf-8")
    return index


def _listed(files, models):
    return [
        {"file": path.name, "name": NAMES.get(model) or _name(path)}
        for path, model in zip(files, models, strict=True)
    ]


def _placed(folder, model, mode, seconds):
    """Copy or export one model."""
    name = pathlib.Path(model).stem if pathlib.Path(model).exists() else model.replace("/", "-")
    path = folder / f"{name}.tflite"
    if model.endswith(".tflite"):
        _check_mode(model, mode)
        content = pathlib.Path(model).read_bytes()
        _check_size(model, len(content))
        path.write_bytes(content)
    else:
        chunk = {"seconds": seconds} if mode == "separate" else {}
        kerasep.tflite.export(
            _loaded(model), path, mode=mode, quantization="float16", overwrite=True, **chunk
        )
        try:
            _check_size(model, path.stat().st_size)
        except InputError:
            path.unlink()
            raise
    return path


def _loaded(model):
    """Load a run, or a preset with its published weights."""
    if pathlib.Path(model).exists():
        return kerasep.zoo.load(model)
    if not kerasep.zoo.describe(model)["weights"]:
        raise InputError(
            f"received {model}, which has no trained weights, expected a preset that has some, as "
            f"{next(iter(NAMES))}: use it, or a run of your own"
        )
    return kerasep.zoo.load(model, weights=True)


def _check_mode(model, mode):
    received = kerasep.tflite.read_metadata(model).get("mode", "separate")
    if received != mode:
        raise InputError(
            f"received {model}, exported in mode {received!r}, expected {mode!r}: export it again"
        )


def _check_size(model, size):
    if size > MOST_BYTES:
        raise InputError(
            f"received {model}, which takes {size / 1e6:.1f} MB, expected at most "
            f"{MOST_BYTES / 1e6:.0f} MB beside the page: use a smaller preset, or open "
            f"the file in the page"
        )


def _name(path):
    return f"{path.stem} ({kerasep.tflite.read_metadata(path)['model']})"


def main():
    """Run from a shell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="folder for the files, created if it is missing")
    parser.add_argument("models", nargs="+", metavar="MODEL", help=".tflite file, run or preset")
    parser.add_argument("--live", nargs="+", metavar="MODEL", default=(), help="for live sound")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of an exported chunk")
    parser.add_argument("--example", action="store_true", help="also write a song to try")
    arguments = vars(parser.parse_args())
    try:
        make(**arguments)
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
