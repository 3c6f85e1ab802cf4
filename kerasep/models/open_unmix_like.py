"""Open-Unmix: a bidirectional LSTM that estimates the magnitude of each source."""

from collections.abc import Iterable

import keras
import numpy as np
from keras import layers as kl

from kerasep.errors import InputError
from kerasep.layers import RecurrentStack, ShiftScale
from kerasep.models.separation_model import SeparationModel, check_signal
from kerasep.ops import check_transform, running_statistics


@keras.saving.register_keras_serializable("kerasep")
class OpenUnmixLike(SeparationModel):
    """Open-Unmix as published: one network per source, joined into one model.

    Each network normalises the mixture's magnitude below `max_hz` by a learned shift and scale and
    compresses it (dense, batch norm, tanh). Three LSTM layers follow, and their output is joined
    with their input. It is expanded again (dense, batch norm, ReLU, dense, batch norm) to a mask of
    full bandwidth, with a learned scale and shift and a ReLU at the end. The estimate is the mask
    times the mixture.

    Args:
        sources: names of the sources. Defaults to ("vocals",).
        sample_rate: in Hz. Defaults to 44100.
        channels: number of channels of the mixture. Defaults to 2.
        n_fft: FFT length in samples. Defaults to 4096.
        hop: samples between frames. Defaults to 1024.
        window: analysis window. Defaults to "hann".
        hidden: width of the network. Each direction of a bidirectional LSTM has half of it.
            Defaults to 512.
        lstm_layers: number of LSTM layers. Defaults to 3.
        bidirectional: whether LSTM layers also run backwards in time. If False, the model is
            causal. Defaults to True.
        dropout: rate between LSTM layers. Defaults to 0.4.
        max_hz: highest frequency that the network sees; None for all. The output has full
            bandwidth. Defaults to 16000.
        bridged: whether to bridge the sources' networks, as in X-UMX. The LSTM layers of each take
            the mean of all compressed mixtures, and each mask is computed from the mean output of
            all LSTM layers. Defaults to False.
        name: name of the model.

    Input shape:
        Magnitude `(batch, frames, n_fft / 2 + 1, channels)`.

    Output shape:
        Source magnitudes `(batch, frames, n_fft / 2 + 1, channels, sources)`.

    Raises:
        InputError: for arguments out of range.

    Example:
    ```python
    import numpy as np
    from kerasep.models import OpenUnmixLike

    model = OpenUnmixLike(["vocals", "drums"], 8000, 1, n_fft=256, hop=64, hidden=16)
    magnitude = np.random.rand(1, 20, 129, 1).astype("float32")
    assert model.predict_on_batch(magnitude).shape == (1, 20, 129, 1, 2)
    ```

    Reference:
        Stoeter, Uhlich, Liutkus and Mitsufuji 2019, "Open-Unmix - a reference implementation for
        music source separation", JOSS 4(41). Sawata, Uhlich, Takahashi and Mitsufuji 2021, "All for
        one and one for all: improving music separation by bridging networks", ICASSP (`bridged`).
    """

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("vocals",),
        sample_rate: float = 44100,
        channels: int = 2,
        n_fft: int = 4096,
        hop: int = 1024,
        window: str = "hann",
        hidden: int = 512,
        lstm_layers: int = 3,
        bidirectional: bool = True,
        dropout: float = 0.4,
        max_hz: float | None = 16000,
        bridged: bool = False,
        name: str = "open_unmix_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        check_transform(n_fft, hop, window)
        if hidden < 1 or (bidirectional and hidden % 2):
            raise InputError(
                f"received hidden={hidden}, expected 1 or more, and an even number if "
                f"bidirectional: each direction has half of them"
            )
        bins = n_fft // 2 + 1
        seen = bins_below(max_hz, n_fft, sample_rate)

        # Functional model
        mixture = keras.Input((None, bins, channels), name="magnitude")
        by_channel = kl.Permute((1, 3, 2), name="channels_first", dtype="float32")(mixture)
        units = hidden // 2 if bidirectional else hidden

        def normalised(x, features, name):
            source, layer = name
            x = kl.Dense(features, use_bias=False, name=f"{source}_fc{layer}")(x)
            return kl.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{source}_bn{layer}")(x)

        def joined(features, name):
            """Return the mean of all networks for each of them if bridged, else the features."""
            if not bridged or len(sources) == 1:
                return features
            return [kl.Average(name=name)(features)] * len(sources)

        encoded = []
        for source in sources:
            x = ShiftScale(name=f"{source}_input")(by_channel[..., :seen])
            x = kl.Reshape((-1, channels * seen), name=f"{source}_flat")(x)
            x = normalised(x, hidden, (source, 1))
            encoded.append(kl.Activation("tanh", name=f"{source}_tanh")(x))
        skipped = []
        for source, direct, x in zip(sources, encoded, joined(encoded, "bridge_1"), strict=True):
            recurrent = RecurrentStack(
                units, lstm_layers, bidirectional, dropout, name=f"{source}_lstm"
            )(x)
            skipped.append(kl.Concatenate(name=f"{source}_skip")([direct, recurrent]))
        estimates = []
        for source, x in zip(sources, joined(skipped, "bridge_2"), strict=True):
            x = kl.ReLU(name=f"{source}_relu")(normalised(x, hidden, (source, 2)))
            x = normalised(x, channels * bins, (source, 3))
            x = kl.Reshape((-1, channels, bins), name=f"{source}_unflat")(x)
            x = ShiftScale("scale_shift", "ones", "ones", name=f"{source}_output")(x)
            mask = kl.ReLU(name=f"{source}_mask", dtype="float32")(x)
            estimates.append(
                kl.Multiply(name=f"{source}_estimate", dtype="float32")([mask, by_channel])
            )
        # Whole spectra side by side, then one transposition: interleaving them number by number
        # takes several times as long, especially in TFLite.
        stacked = keras.ops.stack(estimates, axis=2)
        outputs = kl.Permute((1, 4, 3, 2), name="source_magnitudes", dtype="float32")(stacked)
        super().__init__(mixture, outputs, name=name)

        self.stft = {"n_fft": n_fft, "hop": hop, "window": window}
        self.latency = None if bidirectional else n_fft

    def adapt(self, dataset: Iterable) -> None:
        """Set the input's shift and scale by the mean and deviation of each bin of the mixture."""
        # As in the original training script.
        mean, deviation = bin_statistics(magnitude for magnitude, *_ in dataset)
        deviation = np.maximum(deviation, 1e-4 * deviation.max())
        for source in self.sources:
            layer = self.get_layer(f"{source}_input")
            seen = layer.shift.shape[0]
            layer.shift.assign(-mean[:seen])
            layer.scale.assign(1 / deviation[:seen])


def bins_below(max_hz, n_fft, sample_rate):
    """Return the number of bins up to `max_hz`, or of all bins for None."""
    if max_hz is None:
        return n_fft // 2 + 1
    if max_hz <= 0:
        raise InputError(f"received max_hz={max_hz}, expected a frequency above 0 Hz, or None")
    return min(int(max_hz * n_fft / sample_rate), n_fft // 2) + 1


def bin_statistics(magnitudes):
    """Compute mean and standard deviation of each bin of the mono magnitude."""
    arrays = (keras.ops.convert_to_numpy(magnitude) for magnitude in magnitudes)
    return running_statistics(array.mean(axis=-1, dtype="float64") for array in arrays)
