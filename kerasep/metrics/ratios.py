"""Keras metrics: signal-to-distortion ratios in dB, and their improvement over the mixture."""

import keras
from keras import ops

from kerasep.errors import InputError
from kerasep.ops import best_permutation, mixture_phase, ratios
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor
from kerasep.targets import unpack_reference

# From this ratio in dB on, the mixture equals the source up to rounding and cannot be improved.
PERFECT = 80.0


class _Ratio(Arguments, keras.metrics.Mean):
    """Mean of `self.ratio`, along `self.axis`, over all signals that are not silent."""

    axis: int | tuple[int, int] = 1
    _direction = "up"  # for callbacks: larger values are better

    def __init__(
        self,
        improvement: bool = False,
        permutation: bool = False,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        name = name or f"{self.short}{'_improvement' * bool(improvement)}"
        super().__init__(name=name, dtype=dtype)

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Add a batch to the mean, with one weight per example."""
        sources, estimates, mixture = self.signals(y_true, y_pred)
        audible = ops.cast(ops.any(sources != 0, axis=self.axis), "float32")
        values = self._values(sources, estimates, audible)
        if self.improvement:
            before, improvable = self._before(sources, mixture)
            values, audible = values - before, audible * improvable
        if sample_weight is not None:
            weight = ops.cast(sample_weight, "float32")
            audible = audible * ops.reshape(weight, (-1, *[1] * (len(audible.shape) - 1)))
        super().update_state(ops.reshape(values, (-1,)), ops.reshape(audible, (-1,)))

    def signals(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return sources, estimates and mixture, each `(batch, values, channels, sources)`."""
        shape = tuple(y_true.shape)
        packed = len(shape) == 6
        wanted = (*shape[:4], shape[4] - 1) if packed else shape
        same = all(a == b or None in (a, b) for a, b in zip(wanted, y_pred.shape, strict=False))
        if len(shape) not in (4, 6) or len(wanted) != len(y_pred.shape) or not same:
            raise InputError(
                f"received y_true {shape} and y_pred {tuple(y_pred.shape)}, expected "
                f"(batch, samples, channels, sources) twice, or the packed reference (batch, "
                f"frames, bins, channels, 1 + sources, 2) and source magnitudes"
            )
        if packed:
            return _spectral_signals(y_true, y_pred)
        if self.improvement and shape[3] == 1:
            raise InputError(
                f"received y_true {shape} for {self.name}, expected two sources or more, whose sum "
                f"is the mixture: use the packed reference, which contains the mixture, or "
                f"improvement=False"
            )
        sources, estimates = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        return sources, estimates, ops.sum(sources, axis=-1, keepdims=True)

    def _before(self, sources, mixture):
        """Compute the mixture's own ratio, and 1 for each signal that can be improved, else 0."""
        mixture = ops.broadcast_to(mixture, ops.shape(sources))
        # At a level of one, since soft signals hardly differ from silence.
        power = ops.mean(ops.square(sources), axis=self.axis, keepdims=True)
        scale = 1.0 / ops.sqrt(ops.where(power > 0, power, 1.0))
        improvable = self._ratio(scale * sources, scale * mixture) < PERFECT
        return self._ratio(sources, mixture), ops.cast(improvable, "float32")

    def _ratio(self, sources, estimates):
        return type(self).ratio(sources, estimates, axis=self.axis)

    def _values(self, sources, estimates, audible):
        if not self.permutation:
            return self._ratio(sources, estimates)
        count = estimates.shape[-1]
        sources, estimates = sources[..., None], estimates[..., None, :]
        shape = ops.shape(sources * estimates)
        pairs = self._ratio(*(ops.broadcast_to(x, shape) for x in (sources, estimates)))
        costs = -pairs * audible[..., None]
        if self.axis == 1:
            costs = ops.sum(costs, axis=1)
        chosen = ops.one_hot(best_permutation(costs), count)
        return ops.sum(pairs * (chosen[:, None] if self.axis == 1 else chosen), axis=-1)


def _spectral_signals(reference, magnitudes):
    """Scale spectra to signals that have the energies of the waveforms."""
    mixture, sources = unpack_reference(ops.cast(reference, "float32"))
    estimates = mixture_phase(mixture, magnitudes)
    bins = reference.shape[2]
    # Except the first and the last, each bin stands for a positive and a negative frequency.
    single = ops.cast((ops.arange(bins) == 0) | (ops.arange(bins) == bins - 1), "float32")
    scale = ops.reshape(ops.sqrt(2.0 - single), (bins, 1, 1, 1))
    return [_flat(scale * spectra) for spectra in (sources, estimates, mixture[..., None, :])]


def _flat(spectra):
    """Reshape frames, bins, real and imaginary parts to `(batch, values, channels, sources)`."""
    moved = ops.transpose(spectra, (0, 1, 2, 5, 3, 4))
    return ops.reshape(moved, (ops.shape(moved)[0], -1, *moved.shape[4:]))


@keras.saving.register_keras_serializable("kerasep.metrics")
class SDSDR(_Ratio):
    """Scale-dependent signal-to-distortion ratio in dB, which penalises a wrong level.

    `10 log10(|a s|^2 / |s - e|^2)` with `a = <e, s> / |s|^2`.

    The result is the mean over examples, channels and sources, without silent ones. Spectrograms
    are combined with the mixture's phase and compared as spectra, with the score of the waveforms
    or slightly less.

    Args:
        improvement: whether to subtract the mixture's own score. The mixture is the sum of two or
            more sources, or index 0 of the packed reference. Sources equal to it are ignored.
            Defaults to False.
        permutation: whether to reorder the estimates of each example for the best score. Defaults
            to False.
        name: name of the metric. Default: "sd_sdr", or "sd_sdr_improvement".
        dtype: as in `keras.metrics.Metric`.

    Call arguments:
        y_true: waveforms `(batch, samples, channels, sources)`, or the packed reference.
        y_pred: waveforms of that shape, or magnitudes `(batch, frames, bins, channels, sources)`.
        sample_weight: one weight per example, `(batch,)`. Default: 1 for every example.

    Raises:
        InputError: if the shapes do not match, there is only one waveform but `improvement` is set,
            or there are more than 12 sources but `permutation` is set.

    Example:
    >>> import numpy as np
    >>> s = np.random.randn(2, 100, 1, 3).astype("float32")
    >>> bool(SDSDR(improvement=True, permutation=True)(s, s[..., ::-1] + 0.1) > 10)
    True

    Reference:
        Le Roux et al. 2019, "SDR - half-baked or well done?".
    """

    short = "sd_sdr"
    ratio = staticmethod(ratios.sd_sdr)


@keras.saving.register_keras_serializable("kerasep.metrics")
class SISDR(_Ratio):
    """Scale-invariant signal-to-distortion ratio in dB, without subtracting the means.

    `10 log10(|a s|^2 / |a s - e|^2)` with `a = <e, s> / |s|^2`.

    The result is the mean over examples, channels and sources, without silent ones. Spectrograms
    are combined with the mixture's phase and compared as spectra, with the score of the waveforms
    or slightly less.

    Args:
        improvement: whether to subtract the mixture's own score. The mixture is the sum of two or
            more sources, or index 0 of the packed reference. Sources equal to it are ignored.
            Defaults to False.
        permutation: whether to reorder the estimates of each example for the best score. Defaults
            to False.
        name: name of the metric. Default: "si_sdr", or "si_sdr_improvement".
        dtype: as in `keras.metrics.Metric`.

    Call arguments:
        y_true: waveforms `(batch, samples, channels, sources)`, or the packed reference.
        y_pred: waveforms of that shape, or magnitudes `(batch, frames, bins, channels, sources)`.
        sample_weight: one weight per example, `(batch,)`. Default: 1 for every example.

    Raises:
        InputError: if the shapes do not match, there is only one waveform but `improvement` is set,
            or there are more than 12 sources but `permutation` is set.

    Example:
    >>> import numpy as np
    >>> s = np.random.randn(2, 100, 1, 3).astype("float32")
    >>> bool(SISDR(improvement=True, permutation=True)(s, s[..., ::-1] + 0.1) > 10)
    True

    Reference:
        Le Roux et al. 2019, "SDR - half-baked or well done?".
    """

    short = "si_sdr"
    ratio = staticmethod(ratios.si_sdr)


@keras.saving.register_keras_serializable("kerasep.metrics")
class SISNR(_Ratio):
    """Scale-invariant signal-to-noise ratio in dB, the `SISDR` of zero-mean signals.

    `10 log10(|a s|^2 / |a s - e|^2)` with `a = <e, s> / |s|^2`.

    The result is the mean over examples, channels and sources, without silent ones. Only waveforms
    are accepted, since a spectrum has no mean to subtract.

    Args:
        improvement: whether to subtract the mixture's own score. The mixture is the sum of two or
            more sources. Sources equal to it are ignored. Defaults to False.
        permutation: whether to reorder the estimates of each example for the best score. Defaults
            to False.
        name: name of the metric. Default: "si_snr", or "si_snr_improvement".
        dtype: as in `keras.metrics.Metric`.

    Call arguments:
        y_true: source waveforms `(batch, samples, channels, sources)`.
        y_pred: estimates of the same shape.
        sample_weight: one weight per example, `(batch,)`. Default: 1 for every example.

    Raises:
        InputError: if the shapes do not match, there is only one waveform but `improvement` is set,
            or there are more than 12 sources but `permutation` is set.

    Example:
    >>> import numpy as np
    >>> s = np.random.randn(2, 100, 1, 3).astype("float32")
    >>> bool(SISNR(improvement=True, permutation=True)(s, s[..., ::-1] + 0.1) > 10)
    True

    Reference:
        Luo and Mesgarani 2018, "TasNet".
    """

    short = "si_snr"
    ratio = staticmethod(ratios.si_snr)

    def signals(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return sources, estimates and mixture, which must be waveforms."""
        if len(y_true.shape) == 6:
            raise InputError(
                f"received y_true {tuple(y_true.shape)}, expected waveforms, since SI-SNR "
                f"subtracts their mean: use SISDR for spectra"
            )
        return super().signals(y_true, y_pred)


@keras.saving.register_keras_serializable("kerasep.metrics")
class SNR(_Ratio):
    """Signal-to-noise ratio of each channel in dB.

    `10 log10(|s|^2 / |s - e|^2)`.

    The result is the mean over examples, channels and sources, without silent ones. Spectrograms
    are combined with the mixture's phase and compared as spectra, with the score of the waveforms
    or slightly less.

    Args:
        improvement: whether to subtract the mixture's own score. The mixture is the sum of two or
            more sources, or index 0 of the packed reference. Sources equal to it are ignored.
            Defaults to False.
        permutation: whether to reorder the estimates of each example for the best score. Defaults
            to False.
        name: name of the metric. Default: "snr", or "snr_improvement".
        dtype: as in `keras.metrics.Metric`.

    Call arguments:
        y_true: waveforms `(batch, samples, channels, sources)`, or the packed reference.
        y_pred: waveforms of that shape, or magnitudes `(batch, frames, bins, channels, sources)`.
        sample_weight: one weight per example, `(batch,)`. Default: 1 for every example.

    Raises:
        InputError: if the shapes do not match, there is only one waveform but `improvement` is set,
            or there are more than 12 sources but `permutation` is set.

    Example:
    >>> import numpy as np
    >>> s = np.random.randn(2, 100, 1, 3).astype("float32")
    >>> bool(SNR(improvement=True, permutation=True)(s, s[..., ::-1] + 0.1) > 10)
    True

    Reference:
        Le Roux et al. 2019, "SDR - half-baked or well done?".
    """

    short = "snr"
    ratio = staticmethod(ratios.snr)


@keras.saving.register_keras_serializable("kerasep.metrics")
class USDR(_Ratio):
    """uSDR in dB, the signal-to-noise ratio over all channels together.

    `10 log10(|s|^2 / |s - e|^2)` with energies summed over samples and channels. BSS Eval version 4
    calls this ratio SDR and computes it for every second.

    The result is the mean over examples and sources, without silent ones. Spectrograms are combined
    with the mixture's phase and compared as spectra, with the score of the waveforms or slightly
    less.

    Args:
        improvement: whether to subtract the mixture's own score. The mixture is the sum of two or
            more sources, or index 0 of the packed reference. Sources equal to it are ignored.
            Defaults to False.
        permutation: whether to reorder the estimates of each example for the best score. Defaults
            to False.
        name: name of the metric. Default: "usdr", or "usdr_improvement".
        dtype: as in `keras.metrics.Metric`.

    Call arguments:
        y_true: waveforms `(batch, samples, channels, sources)`, or the packed reference.
        y_pred: waveforms of that shape, or magnitudes `(batch, frames, bins, channels, sources)`.
        sample_weight: one weight per example, `(batch,)`. Default: 1 for every example.

    Raises:
        InputError: if the shapes do not match, there is only one waveform but `improvement` is set,
            or there are more than 12 sources but `permutation` is set.

    Example:
    >>> import numpy as np
    >>> s = np.random.randn(2, 100, 1, 3).astype("float32")
    >>> bool(USDR(improvement=True, permutation=True)(s, s[..., ::-1] + 0.1) > 10)
    True

    Reference:
        Mitsufuji et al. 2021, "Music Demixing Challenge 2021".
    """

    short = "usdr"
    ratio = staticmethod(ratios.snr)
    axis = (1, 2)
