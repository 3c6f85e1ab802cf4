"""Parts of MIDI songs, by instrument, as pretty_midi objects that can be played elsewhere."""

import copy
import pathlib
import tempfile

import numpy as np
import pretty_midi
import render

LOWEST_BASS, HIGHEST_BASS = 28, 52


def read(path):
    """Read a song, or return None for a file that is not one."""
    try:
        return pretty_midi.PrettyMIDI(str(path))
    except (OSError, ValueError, EOFError, IndexError, KeyError):
        return None


def part(instruments, begin, seconds, raised):
    """Cut copies of instruments to some seconds, and raise them by semitones."""
    cut = []
    for instrument in instruments:
        each = pretty_midi.Instrument(instrument.program)
        for note in instrument.notes:
            if begin <= note.start < begin + seconds and 0 <= note.pitch + raised < 128:
                moved = copy.copy(note)
                moved.start, moved.end = note.start - begin, min(note.end - begin, seconds)
                moved.pitch += raised
                each.notes.append(moved)
        bends = [bend for bend in instrument.pitch_bends if begin <= bend.time < begin + seconds]
        each.pitch_bends = [pretty_midi.PitchBend(b.pitch, b.time - begin) for b in bends]
        if each.notes:
            cut.append(each)
    return cut


def bass_line(instruments):
    """Make a bass of the lowest notes of a piano, in the octaves of a bass guitar."""
    notes = sorted((n for each in instruments for n in each.notes), key=lambda n: n.start)
    lowest = {}
    for note in notes:
        beat = round(note.start * 4)
        if beat not in lowest or note.pitch < lowest[beat].pitch:
            lowest[beat] = note
    line, kept = pretty_midi.Instrument(33), [n for n in lowest.values() if n.pitch < 60]
    for note, following in zip(kept, [*kept[1:], None], strict=True):
        pitch = note.pitch
        while pitch > HIGHEST_BASS - 12:
            pitch -= 12
        while pitch < LOWEST_BASS:
            pitch += 12
        end = note.end if following is None else min(note.end, following.start)
        line.notes.append(
            pretty_midi.Note(note.velocity, pitch, note.start, max(end, note.start + 0.1))
        )
    return line


def play(instruments, soundfont, seconds):
    """Return instruments as waveform `(samples, 2)`."""
    midi = pretty_midi.PrettyMIDI()
    midi.instruments += instruments
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "part.mid"
        midi.write(str(path))
        waveform = render.synthesise(path, soundfont, seconds)
    samples = seconds * 44100
    return np.pad(waveform, ((0, samples - len(waveform)), (0, 0)))
