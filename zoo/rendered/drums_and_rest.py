"""Arrange rendered stems as tracks of drums and the rest, from which no voice of MIR-1K is heard.

    python zoo/rendered/voices.py speech --train 24 --valid 3 --voices wav --valid-voices wav
    python zoo/rendered/instruments.py choirs --train 24 --valid 3 --stem choir --midi ...
    python zoo/rendered/drums_and_rest.py tracks out --voices speech choirs

`tracks` comes from four_stems.sh, `wav` is the speech in Debian's festvox-ru. The files are linked.
"""

import argparse
import pathlib

import numpy as np

ROUNDS = 3  # how often each recording of drums is used
WITHOUT_VOICE, WITHOUT_BASS = 0.25, 0.15


def main():
    """Link the files: drums, and a folder of those whose sum is the rest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tracks", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--voices", type=pathlib.Path, nargs="+", required=True)
    arguments = parser.parse_args()
    rng = np.random.default_rng(6)
    for split, rounds in (("train", ROUNDS), ("valid", 1)):
        found = {
            stem: sorted((arguments.tracks / split).glob(f"*/{stem}.flac"))
            for stem in ("drums", "bass", "other")
        }
        voices = [path for each in arguments.voices for path in each.glob(f"{split}/*/*.flac")]
        found["voice"] = sorted(voices)
        for number, drums in enumerate(rounds * found["drums"]):
            rest = {stem: found[stem][rng.integers(len(found[stem]))] for stem in found}
            del rest["drums"]
            if rng.random() < WITHOUT_VOICE:
                del rest["voice"]
            if rng.random() < WITHOUT_BASS:
                del rest["bass"]
            track = arguments.out / split / f"{number:04}"
            (track / "rest").mkdir(parents=True)
            (track / "drums.flac").symlink_to(drums.resolve())
            for stem, path in rest.items():
                (track / "rest" / f"{stem}.flac").symlink_to(path.resolve())


if __name__ == "__main__":
    main()
