"""Play real MIDI songs by soundfonts: the stems bass, other and choir of unrelated tracks.

    pip install pretty_midi; apt-get install fluidsynth fluid-soundfont-gm
    python zoo/rendered/instruments.py tracks --stem bass --midi freedoom openmsx POP909 \
        --soundfonts FluidR3_GM.sf2 MuseScore_General_Full.sf3

Every tenth song is validated on. Instruments are exchanged for others of their family at random,
songs are transposed, guitars and basses go through simulated amplifiers. Where a song has no bass,
its lowest notes are one. A choir sings the highest part.
"""

import pathlib

import amplifiers
import numpy as np
import recordings
import render
import songs

from kerasep.data.sampling.augmentation import reverberate

PART = 30
BASSES = (32, 33, 33, 33, 34, 34, 35, 36, 37, 38, 39)
# General MIDI families; choirs would be vocals, and the last two are percussion and effects.
FAMILIES = {
    program: range(first, last)
    for first, last in ((0, 8), (8, 16), (16, 24), (24, 31), (40, 44), (48, 52), (56, 64), (64, 72))
    for program in range(first, last)
} | dict.fromkeys(range(80, 96), (80, 81, 82, 83, 84, 86, 87, 88, 89, 90, 92, 93, 94, 95))
CHOIRS = (52, 53, 54)
SUNG_BY = (52, 53, 54, 54, 85)
GUITARS = range(24, 32)
# What an unnamed piano part of a pop song may be played on.
ACCOMPANIMENTS = (0, 1, 4, 5, 16, 18, 24, 25, 26, 27, 28, 29, 30, 48, 50, 62, 81, 88, 90)


def bass(song, begin, soundfont, rng):
    """Return the bass of a part, mono, or None."""
    found = [each for each in song.instruments if each.program in render.BASS_PROGRAMS]
    found = [each for each in found if not each.is_drum]
    lines = found or [songs.bass_line([each for each in song.instruments if not each.is_drum])]
    cut = songs.part(lines, begin, PART, int(rng.integers(-3, 4)))
    program = BASSES[rng.integers(len(BASSES))]
    for each in cut:
        each.program = program
    if sum(len(each.notes) for each in cut) < 12:
        return None
    waveform = songs.play(cut, soundfont, PART).mean(axis=1)
    if rng.random() < 0.5:
        clean = recordings.levelled(waveform)
        driven = amplifiers.amplifier(waveform, rng.uniform(0, 24), (20, 60), (1500, 5000), rng)
        waveform = clean + rng.uniform(0.3, 1) * recordings.levelled(driven)
    return waveform[:, None]


def choir(song, begin, soundfont, rng):
    """Return the melody of a part as a choir sings it, mono, or None."""
    cut = songs.part([each for each in song.instruments if not each.is_drum], begin, PART, 0)
    cut = [each for each in cut if len(each.notes) >= 12]
    if not cut:
        return None
    melody = max(cut, key=lambda each: np.mean([note.pitch for note in each.notes]))
    melody.program = SUNG_BY[rng.integers(len(SUNG_BY))]
    for note in melody.notes:
        note.pitch -= 12 * max(0, (note.pitch - 66) // 12)  # where people sing
    return songs.play([melody], soundfont, PART).mean(axis=1)[:, None]


def _recast(instrument, rng):
    """Return another program of an instrument's family, or None for what is not `other`."""
    program = instrument.program
    if program in CHOIRS:
        program = 48
    if program in render.BASS_PROGRAMS or program >= 112:
        return None
    family = FAMILIES.get(program, [program])
    if instrument.name in ("PIANO", "BRIDGE", "MELODY"):
        family = ACCOMPANIMENTS
    instrument.program = int(family[rng.integers(len(family))])
    return instrument


def _narrowed(stereo, width):
    """Bring both channels closer to each other; a width of 0 is mono."""
    middle = stereo.mean(axis=1, keepdims=True)
    return middle + width * (stereo - middle)


def other(song, begin, soundfont, rng):
    """Return what is neither drums nor bass of a part, stereo, or None."""
    melodic = [each for each in song.instruments if not each.is_drum]
    if rng.random() < 0.7:  # somebody sings it
        melodic = [each for each in melodic if each.name != "MELODY"]
    named = {id(each): each.name for each in melodic}
    cut = []
    raised = int(rng.integers(-4, 5))
    for each in melodic:
        for copied in songs.part([each], begin, PART, raised):
            copied.name = named[id(each)]
            cut.append(_recast(copied, rng))
    cut = [each for each in cut if each is not None]
    if sum(len(each.notes) for each in cut) < 12:
        return None
    guitars = [each for each in cut if each.program in GUITARS]
    rest = [each for each in cut if each.program not in GUITARS]
    waveforms = [recordings.levelled(songs.play(rest, soundfont, PART))] if rest else []
    if guitars:
        clean = songs.play(guitars, soundfont, PART)
        amplified = rng.random() < 0.7
        clean = amplifiers.two_guitars(clean.mean(axis=1), rng) if amplified else clean
        waveforms.append(rng.uniform(0.5, 1.5) * recordings.levelled(clean))
    return _narrowed(sum(waveforms), rng.uniform(0.1, 1))


def parts(stem, paths, soundfonts, rng):
    """Yield parts of songs, some of them in a room."""
    function = {"bass": bass, "other": other, "choir": choir}[stem]
    while True:
        for place in rng.permutation(len(paths)):
            song = songs.read(paths[place])
            if song is None:
                continue
            begin = rng.uniform(0, max(0.0, song.get_end_time() - PART))
            soundfont = soundfonts[rng.integers(len(soundfonts))]
            waveform = function(song, begin, soundfont, rng)
            if waveform is None or np.abs(waveform).max(initial=0) < 1e-3:
                continue
            if rng.random() < (0.5 if stem == "other" else 0.1):
                waveform = reverberate(waveform, rng, recordings.RATE, (0.2, 1.8), (3.0, 16.0))
            yield waveform


def found_songs(folders, most=80):
    """Return (training, validation) songs, at most `most` of each folder."""
    train, valid = [], []
    for folder in folders:
        paths = sorted(path for path in folder.rglob("*.mid") if path.parent.name != "versions")
        paths = paths[:: max(1, len(paths) // most)]
        valid += paths[::10]
        train += [path for number, path in enumerate(paths) if number % 10]
    return train, valid


def main():
    """Write the recordings."""
    parser = recordings.parser_of(__doc__)
    parser.add_argument("--stem", choices=("bass", "other", "choir"), required=True)
    parser.add_argument("--midi", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--soundfonts", type=pathlib.Path, nargs="+", required=True)
    arguments = parser.parse_args()
    rng = np.random.default_rng({"bass": 2, "other": 3, "choir": 5}[arguments.stem])
    train, valid = found_songs(arguments.midi)
    for split, paths in (("train", train), ("valid", valid)):
        made = parts(arguments.stem, paths, arguments.soundfonts, rng)
        for number in range(getattr(arguments, split)):
            waveform = recordings.joined(made)
            recordings.write(arguments.out, split, number, arguments.stem, waveform)


if __name__ == "__main__":
    main()
