"""The page of the demo."""

from collections.abc import Mapping

import numpy as np

from kerasep import evaluation
from kerasep.metrics import scores as score
from kerasep.reports.learning_curve import learning_curve
from kerasep.reports.mixer import mixer
from kerasep.reports.rendering import render
from kerasep.reports.spectrograms import COLOURS


def summarise(shipped: list[dict], tuned: list[dict]) -> list[dict]:
    """Return median SI-SDR over songs per source: mixture, before and after training, ideal."""
    before = {row["source"]: row["si_sdr"] for row in evaluation.summarise(shipped)}
    return [
        {
            "source": row["source"],
            "mixture": row["si_sdr"] - row["si_sdr_improvement"],
            "shipped": before[row["source"]],
            "tuned": row["si_sdr"],
            "improvement": row["si_sdr_improvement"],
            "ideal": row["tpsa_si_sdr"],
        }
        for row in evaluation.summarise(tuned)
    ]


def demo_page(
    *, sample_rate, stems, estimates, on_phone, exported, history, scores, clip, **texts
) -> str:
    """Build the page from the waveforms of one song and the results of the demo."""
    return render(
        "demo.html",
        clip=clip,
        song=mixer({"true": stems, "separated": estimates}, sample_rate),
        scores=scores,
        colours=COLOURS,
        curve=learning_curve(history, list(stems)),
        file=_file_facts(exported),
        chunk_seconds=exported.seconds,
        agreement=[
            {
                "source": source,
                "keras": score(stem, estimates[source])["si_sdr"],
                "tflite": score(stem, on_phone[source])["si_sdr"],
                "snr": score(estimates[source], on_phone[source])["usdr"],
            }
            for source, stem in stems.items()
        ],
        **texts,
    )


def clip_values(clip, estimates: Mapping[str, np.ndarray], preset: str) -> dict:
    """Return the values of the section about the visitor's own song."""
    modes = {"original": {"mixture": clip.waveform}, "separated": estimates}
    return {"place": clip.place, "preset": preset, "mixer": mixer(modes, clip.sample_rate)}


def _file_facts(exported):
    about = exported.metadata
    return {
        "file": f"{exported.path.name}, {exported.bytes / 1e6:.2f} MB, TFLite builtin operations "
        f"only",
        "input": f"{about['chunk']} samples, {about['channels']} channels at "
        f"{about['sample_rate']} Hz",
        "output": ", ".join(about["sources"]),
        "one chunk": f"agrees with Keras to {exported.snr_db:.1f} dB, largest difference "
        f"{exported.max_abs_error:.1e}",
    }
