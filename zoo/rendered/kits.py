"""Sampled drum kits: a folder of hits becomes a kit that plays notes.

A kit is a dict from a General MIDI note to variants, of which a performance uses one. A variant is
a list of (largest velocity, file), softest first.
"""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import soundfile
import soxr

RATE = 44100
LONGEST = 4.0  # seconds that a hit may ring
CLOSED, PEDAL, OPEN = 42, 44, 46
# What an electronic kit sends for its edges and rims, as General MIDI.
GENERAL = {22: 42, 26: 46, 40: 38, 50: 48, 47: 45, 58: 43, 55: 49, 52: 57, 59: 51}
# Which piece stands in for one that a kit lacks.
INSTEAD = {
    57: (49, 51),
    49: (57, 51),
    53: (51, 49),
    51: (53, 49),
    44: (42,),
    46: (42,),
    37: (38,),
    48: (45, 43),
    45: (48, 43),
    43: (45, 48),
}
PIECES = (
    (r"stick", 37),
    (r"snare(?!.*roll)", 38),
    (r"kick|bass ?drum", 36),
    (r"pedal hh|hat.*(pedal|pd)|foot", PEDAL),
    (r"open hh|hat.*(open|op\b|free)", OPEN),
    (r"hi-?hat|hat|closed hh", CLOSED),
    (r"floor|tom.*low|low tom", 43),
    (r"tom.*(mid|2)|mid.*tom", 45),
    (r"tom", 48),
    (r"bell|cup", 53),
    (r"ride", 51),
    (r"crash|splash|cymbal", 49),
)
PAN = {48: -0.4, 45: 0.1, 43: 0.5, 42: 0.3, 44: 0.3, 46: 0.3, 49: -0.5, 57: 0.6, 51: 0.5, 53: 0.5}


def piece_of(name):
    """Return the note of an instrument by its name, or None."""
    return next((note for words, note in PIECES if re.search(words, name.lower())), None)


def hydrogen_kit(folder):
    """Read a kit of the Hydrogen drum machine."""
    root = ElementTree.parse(folder / "drumkit.xml").getroot()
    for element in root.iter():
        element.tag = element.tag.split("}")[-1]
    kit = {}
    for instrument in root.iter("instrument"):
        layers = [
            (float(layer.findtext("max")), folder / layer.findtext("filename"))
            for layer in instrument.iter("layer")
        ]
        if not layers and instrument.findtext("filename"):
            layers = [(1.0, folder / instrument.findtext("filename"))]
        layers = [pair for pair in layers if pair[1].exists() and "empty" not in pair[1].name]
        note = piece_of(instrument.findtext("name") or "")
        if note and layers:
            kit.setdefault(note, []).append(sorted(layers))
    return kit


def folder_kit(folders):
    """Build a kit of hits that only their loudness tells apart; `folders` is a dict from notes."""
    kit = {}
    for note, paths in folders.items():
        paths = sorted(paths, key=lambda path: np.abs(soundfile.read(path)[0]).max())
        edges = np.linspace(0, 1, len(paths) + 1)[1:]
        kit[note] = [list(zip(edges, paths, strict=True))]
    return kit


def open_source_kit(folder):
    """Build The Open Source Drumkit of a few hits of each piece."""
    patterns = {
        36: "kick/kick*.wav",
        38: "snare/snare-top[0-9]*.wav",
        42: "hihat/closed-hihat/*.wav",
        44: "hihat/foot-hihat/*.wav",
        46: "hihat/half-open-hihat/*.wav",
        48: "toms/small-tom[0-9]*.wav",
        45: "toms/medium-tom[0-9]*.wav",
        43: "toms/large-tom[0-9]*.wav",
        49: "crash/crash[0-9]*.wav",
        51: "ride/ride-mid-out[0-9]*.wav",
        53: "ride/ride-bell[0-9]*.wav",
    }
    found = {note: sorted(folder.glob(pattern))[::4] for note, pattern in patterns.items()}
    return folder_kit({note: paths for note, paths in found.items() if paths})


def _hit(path, tuning):
    """Read a hit as stereo at our rate; `tuning` above 1 is higher."""
    waveform, rate = soundfile.read(path, dtype="float32", always_2d=True)
    waveform = soxr.resample(waveform[: round(LONGEST * rate)], rate * tuning, RATE)[:, :2]
    fade = min(len(waveform), RATE // 20)
    waveform[len(waveform) - fade :] *= np.linspace(1, 0, fade, dtype="float32")[:, None]
    return waveform


def _panned(hit, note):
    if hit.shape[1] == 2:
        return hit
    angle = (PAN.get(note, 0.0) + 1) * np.pi / 4
    return hit * np.array([np.cos(angle), np.sin(angle)], "float32") * np.float32(np.sqrt(2))


def _available(kit, note):
    """Return the note, or the one that stands in for it, or None."""
    for candidate in (note, *INSTEAD.get(note, ())):
        if candidate in kit:
            return candidate
    return None


def play(kit, notes, seconds, rng):
    """Play notes (start, General MIDI note, velocity) as waveform `(samples, 2)`."""
    samples = round(seconds * RATE)
    out, cache = np.zeros((samples, 2), "float32"), {}
    chosen = {note: variants[rng.integers(len(variants))] for note, variants in kit.items()}
    tunings = {note: 2 ** (rng.uniform(-2, 2) / 12) for note in kit}
    closings = [start for start, note, _ in notes if note in (CLOSED, PEDAL)]
    for start, wanted, velocity in notes:
        note = _available(kit, wanted)
        if note is None:
            continue
        loud = velocity / 127
        path = next((path for edge, path in chosen[note] if loud <= edge), chosen[note][-1][1])
        if path not in cache:
            cache[path] = _panned(_hit(path, tunings[note]), note)
        hit = cache[path]
        if wanted == OPEN:
            closing = min((time for time in closings if time > start), default=start + LONGEST)
            rings = round((closing - start) * RATE)
            if rings < len(hit):
                tail = hit[rings : rings + RATE // 50]
                fade = np.linspace(1, 0, len(tail), dtype="float32")[:, None]
                hit = np.concatenate([hit[:rings], tail * fade])
        first = round(start * RATE)
        hit = hit[: max(0, samples - first)]
        out[first : first + len(hit)] += hit * np.float32(loud)
    return out
