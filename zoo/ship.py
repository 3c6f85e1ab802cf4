r"""Puts a trained model's weights into the package, as 16-bit floats, and into its preset.

    python zoo/ship.py run open_unmix_like/karaoke mir1k --data "MIR-1K, ..." --licence "..." \
        --command "kerasep train open_unmix_like/karaoke ..." --hardware "NVIDIA H100" --hours 0.3

writes kerasep/zoo/weights/open_unmix_like_karaoke.weights.h5 and the set `mir1k` of the preset,
with its checksum and how it was made.
"""

import argparse
import hashlib
import json
import pathlib

import h5py
import numpy as np

import kerasep

ZOO = pathlib.Path(kerasep.__file__).parent / "zoo"
KEPT_BITS = 8  # of the ten of a 16-bit float's mantissa
LARGEST = 65408.0  # of such a number


def rounded(value):
    """Round to 16-bit floats, and to fewer bits than they have: what is zero packs well.

    No weight changes by more than 0.2 %, half of what int8 changes the largest by.
    """
    bits = value.astype("float16").view("uint16").astype("uint32")
    dropped = 10 - KEPT_BITS
    odd = bits >> dropped & 1  # a tie goes to the even one
    bits = bits + (1 << dropped - 1) - 1 + odd >> dropped << dropped
    return bits.astype("uint16").view("float16")


def halve(path):
    """Rewrite a weights file with 16-bit floats; numbers beyond their range are refused."""
    with h5py.File(path, "r") as file:
        found = {}
        file.visititems(
            lambda name, item: found.update({name: item[()]} if hasattr(item, "dtype") else {})
        )
        attributes = {name: dict(file[name].attrs) for name in ["/", *found]}
    # The newer format says less about each of hundreds of arrays.
    with h5py.File(path, "w", track_order=False, libver="latest") as file:
        for name, value in found.items():
            if value.dtype == np.float32:
                assert np.abs(value).max(initial=0) < LARGEST, name
                value = rounded(value)
            options = {"compression": "gzip", "shuffle": True} if value.size > 1000 else {}
            file.create_dataset(name, data=value, track_times=False, **options)
        for name, each in attributes.items():
            file[name].attrs.update(each)


def main():
    """Write the file and the preset."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", help="a run's folder, or a .keras file")
    parser.add_argument("preset", help="entry/preset")
    parser.add_argument("set", help="name of the set of weights")
    parser.add_argument("--data", required=True, help="what it was trained on")
    parser.add_argument("--licence", required=True)
    parser.add_argument("--command", required=True, help="that trained it")
    parser.add_argument("--hours", type=float, required=True, help="that it took")
    parser.add_argument("--hardware", required=True, help="on which")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--card", help="page that describes it; default: zoo/ENTRY/card.md")
    options = parser.parse_args()
    options.card = options.card or f"zoo/{options.preset.split('/')[0]}/card.md"
    entry, preset = options.preset.split("/")
    model = kerasep.zoo.load(options.run)
    file = ZOO / "weights" / f"{entry}_{preset}.weights.h5"
    file.parent.mkdir(exist_ok=True)
    model.save_weights(file)
    halve(file)
    card = ZOO / "presets" / f"{entry}.json"
    content = json.loads(card.read_text("utf-8"))
    content["presets"][preset]["weights"] = {
        options.set: {
            "origin": f"kerasep, {options.card}",
            "data": options.data,
            "licence": options.licence,
            "command": options.command,
            "hours": options.hours,
            "hardware": options.hardware,
            "seed": options.seed,
            "file": file.name,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        }
    }
    card.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    kerasep.zoo.load(options.preset, weights=True)
    print(f"{file}: {file.stat().st_size / 1e6:.2f} MB, {model.count_params():,} parameters")


if __name__ == "__main__":
    main()
