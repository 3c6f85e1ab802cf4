"""The augmentation that `augment` of the pipelines lists, applied to crops."""

import inspect
from typing import NamedTuple

import numpy as np

from kerasep.data.sampling import augmentation
from kerasep.errors import InputError

# Effects that `on` may apply to the mixture alone, and those for which that is the default.
# All others change the sources, whose sum is the mixture.
_ON_MIXTURE = ("add_noise", "code", "limit_band", "reverberate")
_ON_MIXTURE_BY_DEFAULT = ("add_noise", "code")
# Effects that draw the same numbers for crops that were recorded together.
_TOGETHER = ("change_pitch", "change_tempo", "shift_time")
_SPECTRA = "mask_spectrum"
_EDGE = 4096  # samples that changing pitch or tempo may lose at the end


class Step(NamedTuple):
    """One function of `kerasep.data.augmentation`, how often it is applied, and to what."""

    name: str
    share: float
    on: str
    options: dict


class Effects:
    """The augmentation of a pipeline, in the order in which it is listed."""

    def __init__(self, settings, sample_rate, seed):
        if not isinstance(settings or {}, dict):
            raise InputError(
                f"received augment={settings!r}: expected a dict from names to settings, such as "
                '{"reverberate": {"share": 0.2}}'
            )
        self.sample_rate, self.seed = sample_rate, seed
        self.steps = [_step(*item, sample_rate) for item in (settings or {}).items()]

    def __repr__(self):
        return ", ".join(f"{step.name} {step.options}" for step in self.steps)

    @property
    def masks(self):
        """Return the steps that mask spectrograms."""
        return [step for step in self.steps if step.name == _SPECTRA]

    def samples_needed(self, samples):
        """Compute how many samples to read so that `samples` are left."""
        for step in self.steps:
            if step.name in ("change_tempo", "change_pitch"):
                fastest = max(step.options["factors"]) if step.name == "change_tempo" else 1.0
                samples = round(samples * max(1.0, fastest)) + _EDGE
        return samples

    def on_sources(self, waveforms, crops, key):
        """Change the crops of an example, `key` being its epoch and index."""
        for number, step in enumerate(self.steps):
            if step.on != "sources" or step.name == _SPECTRA:
                continue
            waveforms = [
                waveform
                if waveform is None
                else self._apply(
                    step,
                    waveform,
                    (*key, number, crop.recording if step.name in _TOGETHER else group),
                )
                for group, (waveform, crop) in enumerate(zip(waveforms, crops, strict=True))
            ]
        return waveforms

    def on_mixture(self, mixture, key):
        """Change the mixture of an example in place."""
        for number, step in enumerate(self.steps):
            if step.on == "mixture":
                mixture[:] = self._apply(step, mixture, (*key, number, 0))

    def spectrum_masks(self, frames, bins, epoch, indices):
        """Draw the masks `(batch, frames, bins)` of the spectrograms of some examples."""
        masks = np.ones((len(indices), frames, bins), "float32")
        for number, step in enumerate(self.steps):
            if step.name == _SPECTRA:
                for mask, index in zip(masks, indices, strict=True):
                    mask[:] = self._apply(step, mask, (epoch, index, number, 0))
        return masks

    def _apply(self, step, waveform, key):
        rng = np.random.default_rng([self.seed, *key])
        if rng.random() >= step.share:
            return waveform
        return getattr(augmentation, step.name)(waveform, rng, **step.options)


def _step(name, settings, sample_rate):
    if name not in augmentation.__all__:
        raise InputError(
            f"received augment {name!r}: expected some of {', '.join(augmentation.__all__)}"
        )
    if not isinstance(settings, dict):
        raise InputError(f"received augment {name}: {settings!r}: expected a dict of its settings")
    arguments = inspect.signature(getattr(augmentation, name)).parameters
    options = dict(settings)
    share = options.pop("share", 1.0)
    on = options.pop("on", "mixture" if name in _ON_MIXTURE_BY_DEFAULT else "sources")
    defaults = {
        key: argument.default
        for key, argument in arguments.items()
        if argument.default is not inspect.Parameter.empty
    }
    if not options.keys() <= defaults.keys():
        raise InputError(
            f"received {', '.join(sorted(options.keys() - defaults.keys()))} for {name}: expected "
            f"some of {', '.join(['share', 'on', *defaults])}"
        )
    if not isinstance(share, int | float) or not 0 <= share <= 1:
        raise InputError(f"received share={share!r} for {name}: expected a probability")
    allowed = ("sources", "mixture") if name in _ON_MIXTURE else ("sources",)
    if on not in allowed:
        raise InputError(f"received on={on!r} for {name}: expected {' or '.join(allowed)}")
    options = defaults | options
    if "sample_rate" in arguments:
        options["sample_rate"] = sample_rate
    step = Step(name, share, on, options)
    _try(step)
    return step


def _try(step):
    """Apply a step once, so that wrong settings raise an error before training."""
    probe = np.full((4096, 1), 0.1, "float32")
    try:
        getattr(augmentation, step.name)(probe, np.random.default_rng(0), **step.options)
    except InputError:
        raise
    except (TypeError, ValueError, IndexError) as error:
        options = {key: value for key, value in step.options.items() if key != "sample_rate"}
        raise InputError(
            f"received {step.name} with {options}: expected what its arguments are for ({error})"
        ) from error
