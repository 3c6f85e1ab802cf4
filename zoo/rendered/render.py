"""Render MIDI songs as tracks with the stems drums, bass and other, 44.1 kHz stereo FLAC.

    pip install mido; apt-get install fluidsynth fluid-soundfont-gm openttd-openmsx
    python zoo/rendered/render.py /usr/share/games/openttd/baseset/openmsx songs \
        --soundfont /usr/share/sounds/sf2/FluidR3_GM.sf2

Each stem is rendered by itself, so the stems add up to the song. Songs without drums, bass or other
instruments lack that stem.
"""

import argparse
import pathlib
import subprocess
import tempfile

import mido
import numpy as np
import soundfile

DRUM_CHANNEL = 9
BASS_PROGRAMS = range(32, 40)
ALL_SOUND_OFF = 120
PEAK = 0.9


def stem_of(channel, program):
    """Return the stem of a General MIDI instrument."""
    if channel == DRUM_CHANNEL:
        return "drums"
    return "bass" if program in BASS_PROGRAMS else "other"


def split(midi, seconds):
    """Return one MIDI file per stem: its notes alone, and everything else."""
    notes = {"drums": False, "bass": False, "other": False}
    parts = {stem: mido.MidiFile(type=1, ticks_per_beat=midi.ticks_per_beat) for stem in notes}
    merged = mido.merge_tracks(midi.tracks)
    programs, tracks, waiting = [0] * 16, {}, dict.fromkeys(notes, 0)
    for stem, part in parts.items():
        tracks[stem] = part.add_track()
    elapsed, tempo = 0.0, mido.bpm2tempo(120)
    for message in merged:
        elapsed += mido.tick2second(message.time, midi.ticks_per_beat, tempo)
        if elapsed > seconds:
            break
        if message.type == "set_tempo":
            tempo = message.tempo
        if message.type == "program_change":
            programs[message.channel] = message.program
        is_note = message.type in ("note_on", "note_off")
        target = stem_of(message.channel, programs[message.channel]) if is_note else None
        for stem, track in tracks.items():
            waiting[stem] += message.time
            # A note may outlast a change of program: every stem gets its end.
            ends = message.type == "note_off" or (is_note and message.velocity == 0)
            if target in (None, stem) or ends:
                track.append(message.copy(time=waiting[stem]))
                waiting[stem] = 0
                notes[stem] |= target == stem and not ends
    for track in tracks.values():
        for channel in range(16):  # fluidsynth waits for the last note to end
            track.append(mido.Message("control_change", channel=channel, control=ALL_SOUND_OFF))
    return {stem: part for stem, part in parts.items() if notes[stem]}


def synthesise(midi, soundfont, seconds):
    """Return the first seconds of a `.mid` file as waveform `(samples, 2)`."""
    path = midi.with_suffix(".wav")
    subprocess.run(
        ["fluidsynth", "-q", "-n", "-i", "-o", "synth.dynamic-sample-loading=1", "-r", "44100"]
        + ["-F", path, soundfont, midi],
        check=True,
        capture_output=True,
    )
    return soundfile.read(path, dtype="float32", frames=seconds * 44100)[0]


def render(midi, soundfont, seconds, path):
    """Return the first seconds of a MIDI song as waveform `(samples, 2)`."""
    midi.save(path)
    return synthesise(path, soundfont, seconds)


def main():
    """Render every song of a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("midi", type=pathlib.Path, help="folder of .mid files")
    parser.add_argument("out", type=pathlib.Path, help="folder of tracks")
    parser.add_argument("--soundfont", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=150, help="of each song at most")
    arguments = parser.parse_args()
    for file in sorted(arguments.midi.rglob("*.mid")):
        with tempfile.TemporaryDirectory() as folder:
            scratch = pathlib.Path(folder)
            stems = {
                stem: render(part, arguments.soundfont, arguments.seconds, scratch / f"{stem}.mid")
                for stem, part in split(mido.MidiFile(file, clip=True), arguments.seconds).items()
            }
        samples = max(map(len, stems.values()))
        stems = {k: np.pad(v, ((0, samples - len(v)), (0, 0))) for k, v in stems.items()}
        scale = PEAK / max(np.abs(sum(stems.values())).max(), 1e-3)
        track = arguments.out / f"{file.stem}_{arguments.soundfont.stem}"
        track.mkdir(parents=True, exist_ok=True)
        for stem, waveform in stems.items():
            soundfile.write(track / f"{stem}.flac", scale * waveform, 44100)


if __name__ == "__main__":
    main()
