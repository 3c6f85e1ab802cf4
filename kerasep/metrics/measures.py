"""Names and conventions of the measures, and scores of whole recordings."""

import math
from collections.abc import Iterable

import keras
import numpy as np

from kerasep import ops
from kerasep.errors import InputError
from kerasep.system.types import Tensor

_BSS_EVAL = "BSS Eval v4 (Stöter et al. 2018, 512 taps, median over frames of 1 s)"
_DNSMOS = "DNSMOS P.835 (Reddy et al. 2022, 1 to 5, without a reference)"
_CHANNELS = "of each channel, averaged over those with sound"
MEASURES = {
    "si_sdr": f"SI-SDR {_CHANNELS} (Le Roux et al. 2019, means kept)",
    "si_snr": f"SI-SNR {_CHANNELS} (Luo and Mesgarani 2018, means subtracted)",
    "sd_sdr": f"SD-SDR {_CHANNELS} (Le Roux et al. 2019, penalises a wrong level)",
    "snr": f"SNR {_CHANNELS}",
    "usdr": "uSDR: SNR over both channels and the whole track at once (Mitsufuji et al. 2021)",
    "bss_sdr": f"SDR of {_BSS_EVAL}",
    "bss_isr": f"ISR, of image to spatial distortion, of {_BSS_EVAL}",
    "bss_sir": f"SIR, of source to interference, of {_BSS_EVAL}",
    "bss_sar": f"SAR, of sources to artifacts, of {_BSS_EVAL}",
    "pesq_wb": f"wide-band PESQ {_CHANNELS} (ITU-T P.862.2 at 16 kHz, 1 to 4.64)",
    "pesq_nb": f"narrow-band PESQ {_CHANNELS} (ITU-T P.862.1 at 8 kHz, 1 to 4.55)",
    "stoi": f"STOI {_CHANNELS} (Taal et al. 2011, 0 to 1)",
    "estoi": f"extended STOI {_CHANNELS} (Jensen and Taal 2016, 0 to 1)",
    "dnsmos_sig": f"rating of the speech by {_DNSMOS}",
    "dnsmos_bak": f"rating of the background by {_DNSMOS}",
    "dnsmos_ovrl": f"overall rating by {_DNSMOS}",
}
RATIOS = {"si_sdr": ops.si_sdr, "si_snr": ops.si_snr, "sd_sdr": ops.sd_sdr, "snr": ops.snr}
BSS_EVAL = tuple(name for name in MEASURES if name.startswith("bss_"))
SPEECH = ("pesq_wb", "pesq_nb", "stoi", "estoi")
DNSMOS = tuple(name for name in MEASURES if name.startswith("dnsmos_"))
_GROUPS = {"bss_eval": BSS_EVAL, "dnsmos": DNSMOS}


def scores(
    reference: Tensor, estimate: Tensor, measures: Iterable[str] = ("si_sdr", "usdr")
) -> dict[str, float]:
    """Score the estimate of one source of one recording.

    Args:
        reference: the true waveform `(samples, channels)`.
        estimate: its estimate, of the same shape.
        measures: names of ratios in `MEASURES`. BSS Eval also needs the other sources: see
            `bss_eval`. For PESQ and STOI see `speech_scores`. Defaults to SI-SDR and uSDR.

    Returns:
        Dict from measure to its score in dB. If the reference is silent, scores are NaN.

    Raises:
        InputError: if the shapes differ or do not have two axes, or a name is unknown.

    Example:
    >>> import numpy as np
    >>> s = np.ones((100, 2), "float32")
    >>> round(scores(s, 0.9 * s)["usdr"], 1)
    20.0
    """
    if np.ndim(reference) != 2 or np.shape(reference) != np.shape(estimate):
        raise InputError(
            f"received a reference {np.shape(reference)} and an estimate {np.shape(estimate)}, "
            f"expected (samples, channels) twice"
        )
    results, audible = {}, np.any(reference, axis=0)
    for name in measures:
        if name in RATIOS:
            of_channels = keras.ops.convert_to_numpy(RATIOS[name](reference, estimate, axis=0))
            results[name] = float(of_channels[audible].mean()) if audible.any() else math.nan
        elif name == "usdr":
            ratio = ops.snr(reference, estimate, axis=(0, 1))
            results[name] = float(ratio) if audible.any() else math.nan
        else:
            known = ", ".join([*RATIOS, "usdr"])
            raise InputError(f"received the measure {name!r}, expected one of {known}")
    return results


def unit(measure: str) -> str:
    """Return the unit of a measure: "dB", or "" for ratings and STOI.

    Args:
        measure: a name in `MEASURES`.

    Example:
    >>> unit("usdr"), unit("stoi")
    ('dB', '')
    """
    return "" if measure in SPEECH + DNSMOS else "dB"


def check_measures(names: Iterable[str]) -> tuple[str, ...]:
    """Validate names of measures, and expand "bss_eval" and "dnsmos" to the measures of these.

    Args:
        names: names in `MEASURES`, "bss_eval" or "dnsmos".

    Returns:
        Tuple of names in `MEASURES` in the same order, without duplicates.

    Raises:
        InputError: if there are no names, or a name is unknown.

    Example:
    >>> check_measures(["usdr", "bss_eval"])
    ('usdr', 'bss_sdr', 'bss_isr', 'bss_sir', 'bss_sar')
    """
    expanded: list[str] = []
    for name in names:
        expanded += _GROUPS.get(name, (name,))
    unknown = [name for name in expanded if name not in MEASURES]
    if unknown or not expanded:
        raise InputError(
            f"received the measures {', '.join(unknown) or 'none'}, expected some of "
            f"{', '.join(MEASURES)}, or bss_eval or dnsmos for all of them"
        )
    return tuple(dict.fromkeys(expanded))
