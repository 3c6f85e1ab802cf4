"""Prints what is heard of each source before and after a model, as a table for its card.

    python zoo/heard.py unet_like/karaoke mir1k/valid

For each source, medians over the tracks, in dB: how much softer than the mixture its stem is in its
pauses, and in each band how far the source lies above all that differs from it, remains of others
and what it has lost itself, first in the mixture, then in its stem.
"""

import argparse

import numpy as np

from kerasep import data, evaluation, zoo

FRAME_SECONDS = 0.05
PAUSE = -40.0  # dB below a source's loudest frame
EDGES = (250, 1000, 4000)  # of bands, in Hz


def decibels(energy, reference):
    """Energies beside each other, in dB; NaN where one of them is nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 10 * np.log10(energy / reference)
    return np.where(np.isfinite(ratio), ratio, np.nan)


def softer_in_pauses(mixture, stem, estimate, rate):
    """How far an estimate lies below the mixture where the source itself is silent, in dB."""
    size = round(FRAME_SECONDS * rate)
    mixture, stem, estimate = (
        np.square(x[: len(x) // size * size]).reshape(-1, size * x.shape[1]).sum(1)
        for x in (mixture, stem, estimate)
    )
    pauses = stem < stem.max() * 10 ** (PAUSE / 10)
    return decibels(mixture[pauses].sum(), estimate[pauses].sum())


def above_the_rest(stem, signal, rate):
    """Level of a source above that of a signal's remainder in each band, in dB."""
    bins = np.searchsorted(np.fft.rfftfreq(len(stem), 1 / rate), edges_below_nyquist(rate))
    source, rest = (
        [np.square(np.abs(band)).sum() for band in np.split(np.fft.rfft(x, axis=0), bins)]
        for x in (stem, signal - stem)
    )
    return decibels(np.array(source), np.array(rest))


def edges_below_nyquist(rate):
    """Those of the edges that divide what a rate can hold."""
    return [edge for edge in EDGES if edge < rate / 2]


def median(values):
    """Median of the tracks that have a value; NaN where none has."""
    finite = values[np.isfinite(values)]
    return np.median(finite) if finite.size else np.nan


def main():
    """Separate every track, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("preset", help="one that comes trained")
    parser.add_argument("data", help="folder of tracks")
    options = parser.parse_args()
    model = zoo.load(options.preset, weights=True)
    found = {source: [] for source in model.sources}
    for track in data.find_tracks(options.data, model.sources):
        mixture, stems = track.read(model.sources, model.sample_rate, model.channels)
        estimates = evaluation.estimates(model, mixture, stems)
        for index, source in enumerate(model.sources):
            stem, estimate = stems[..., index], estimates[..., index]
            before, after = (
                above_the_rest(stem, signal, model.sample_rate) for signal in (mixture, estimate)
            )
            pauses = softer_in_pauses(mixture, stem, estimate, model.sample_rate)
            found[source].append([pauses, *before, *after])
    lowest, *edges = edges_below_nyquist(model.sample_rate)
    names = ["in its pauses", f"below {lowest} Hz", *(f"from {edge}" for edge in (lowest, *edges))]
    print("| |", " | ".join(names), "|")
    print("|" + "---|" * (1 + len(names)))
    for source, values in found.items():
        pauses, *levels = map(median, np.transpose(values))
        before, after = np.split(np.array(levels), 2)
        pairs = [f"{low:.1f} to {high:.1f}" for low, high in zip(before, after, strict=True)]
        print(f"| {source} | {pauses:.1f} |", " | ".join(pairs), "|")


if __name__ == "__main__":
    main()
