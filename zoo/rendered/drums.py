"""Play sampled kits by human performances: the stem drums of unrelated tracks.

    pip install pretty_midi; apt-get install fluidsynth
    python zoo/rendered/drums.py tracks --groove groove --soundfonts FluidR3_GM.sf2 \
        --kit-soundfonts Black_Pearl_4_LV2.sf2 --hydrogen drumkits --open-source drumkit

`groove` is the Groove MIDI Dataset, with its info.csv. Its test and validation performances are
validated on. Every recording joins performances of other drummers on other kits.
"""

import csv
import functools
import pathlib
import tempfile

import kits
import numpy as np
import pretty_midi
import recordings
import render

from kerasep.data.sampling.augmentation import distort, reverberate

PART = 30  # seconds of a performance, at most
LONG_ENOUGH = 8
GENERAL_KITS = (0, 0, 8, 16, 24, 25, 32, 40)  # programs of bank 128
NOT_A_KIT = ("circAfrique v4", "Gimme A Hand 1.0", "Audiophob")  # percussion, effects


def performances(folder):
    """Return the files of (training, validation) performances."""
    with open(folder / "info.csv") as file:
        rows = [row for row in csv.DictReader(file) if float(row["duration"]) > LONG_ENOUGH]
    parts = {True: [], False: []}
    for row in rows:
        path = folder / row["midi_filename"]
        if path.exists():
            parts[row["split"] == "train"].append(path)
    return parts[True], parts[False]


def notes_of(path, rng):
    """Read notes (start, General MIDI note, velocity) of a part of a performance."""
    song = pretty_midi.PrettyMIDI(str(path))
    notes = [note for instrument in song.instruments for note in instrument.notes]
    begin = rng.uniform(0, max(0.0, song.get_end_time() - PART))
    return sorted(
        (note.start - begin, kits.GENERAL.get(note.pitch, note.pitch), note.velocity)
        for note in notes
        if begin <= note.start < begin + PART
    )


def by_soundfont(soundfont, program, is_drum, notes, _seconds, _rng):
    """Play notes on a kit of a soundfont."""
    midi = pretty_midi.PrettyMIDI()
    instrument = pretty_midi.Instrument(program, is_drum=is_drum)
    for start, note, velocity in notes:
        instrument.notes.append(pretty_midi.Note(velocity, note, start, start + 0.2))
    midi.instruments.append(instrument)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "drums.mid"
        midi.write(str(path))
        return render.synthesise(path, soundfont, PART)


def players(arguments):
    """Return a function of (notes, seconds, rng) for each kit; those that are rare more often."""
    found = []
    for soundfont in arguments.soundfonts:
        for program in GENERAL_KITS:
            found.append(functools.partial(by_soundfont, soundfont, program, True))
    for soundfont in arguments.kit_soundfonts:
        found += 3 * [functools.partial(by_soundfont, soundfont, 0, False)]
    sampled = [
        kits.hydrogen_kit(folder)
        for folder in sorted(arguments.hydrogen.iterdir())
        if (folder / "drumkit.xml").exists() and folder.name not in NOT_A_KIT
    ]
    sampled += 3 * [kits.open_source_kit(arguments.open_source)]
    found += [functools.partial(kits.play, kit) for kit in sampled]
    return found


def parts(files, kits_in_turn, rng):
    """Yield performances on one kit after the other, some in rooms, some compressed."""
    while True:
        notes = notes_of(files[rng.integers(len(files))], rng)
        if not notes:
            continue
        seconds = min(PART, notes[-1][0] + 1)
        waveform = next(kits_in_turn)(notes, seconds, rng)[: round(seconds * recordings.RATE)]
        if np.abs(waveform).max(initial=0) < 1e-3:
            continue
        if rng.random() < 0.4:
            waveform = reverberate(waveform, rng, recordings.RATE, (0.15, 0.9), (4.0, 16.0))
        if rng.random() < 0.5:
            waveform = distort(waveform, rng, (0.0, 9.0))
        yield waveform


def shuffled(items, rng):
    """Yield all items in a random order, again and again."""
    while True:
        for place in rng.permutation(len(items)):
            yield items[place]


def main():
    """Write the recordings."""
    parser = recordings.parser_of(__doc__)
    parser.add_argument("--groove", type=pathlib.Path, required=True)
    parser.add_argument("--soundfonts", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--kit-soundfonts", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--hydrogen", type=pathlib.Path, required=True)
    parser.add_argument("--open-source", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    rng = np.random.default_rng(1)
    kits_in_turn = shuffled(players(arguments), rng)
    train, valid = performances(arguments.groove)
    for split, files in (("train", train), ("valid", valid)):
        for number in range(getattr(arguments, split)):
            waveform = recordings.joined(parts(files, kits_in_turn, rng))
            recordings.write(arguments.out, split, number, "drums", waveform)


if __name__ == "__main__":
    main()
