"""Compare the estimates of an imported model with those of the original."""

import numpy as np

from kerasep.cli.terminal import say, spinner
from kerasep.errors import InputError

SECONDS = 6.0  # of the synthetic song
EQUAL = 60.0  # dB; float32 leaves 80 and more, a wrong weight far less


def compare_with_original(model, checkpoint):
    """Print how far a model agrees with the original, or which package has it.

    Raises `InputError` if they differ.
    """
    from kerasep import data
    from kerasep.importers import originals
    from kerasep.separation.separator import Separator

    mixture = sum(data.song(0, SECONDS, model.sample_rate, model.channels).values())
    try:
        with spinner("separating a synthetic song by the original"):
            theirs = originals.separate(model, checkpoint, mixture)
    except originals.MissingOriginalError as error:
        say(f"not compared with the original: {error}")
        return
    mixture = np.resize(mixture, theirs.shape[:2])
    ours = Separator(model).predict_on_batch(mixture[None])[0]
    package = originals.package_of(model)
    agreements = agreement(ours, theirs, mixture)
    for source, decibels in zip(model.sources, agreements, strict=True):
        say(f"{source}: agrees with {package} to {decibels:.1f} dB")
    if not min(agreements) >= EQUAL:
        raise InputError(
            f"received {checkpoint}, whose estimates agree with those of {package} to "
            f"{min(agreements):.1f} dB, expected at least {EQUAL:.0f} dB: report it, with the "
            f"address of the file"
        )
    say(f"equal to the original: at least {EQUAL:.0f} dB for all sources")


def agreement(ours, theirs, mixture):
    """Return the ratio of the energy of each estimate to that of the difference, in dB.

    An estimate that is almost silent counts as one 60 dB below the mixture.
    """

    def energy(waveforms):
        return np.sum(np.square(waveforms, dtype="float64"), axis=(0, 1))

    whole = np.maximum(energy(theirs), 1e-6 * energy(mixture[..., None]))
    return 10 * np.log10(whole / np.maximum(energy(ours - theirs), 1e-30 * whole))
