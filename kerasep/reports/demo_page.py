"""The page of the demo."""

from kerasep import evaluation
from kerasep.metrics import scores as score
from kerasep.reports import plots, report
from kerasep.reports.rendering import render


def summarise(rows: list[dict]) -> list[dict]:
    """Return median SI-SDR over songs, of mixture, estimates and ideal masks, per source."""
    return [
        {
            "source": row["source"],
            "mixture": row["si_sdr"] - row["si_sdr_improvement"],
            "estimate": row["si_sdr"],
            "improvement": row["si_sdr_improvement"],
            "IBM": row["ibm_si_sdr"],
            "IRM": row["irm_si_sdr"],
            "tPSA": row["tpsa_si_sdr"],
        }
        for row in evaluation.summarise(rows)
    ]


def demo_page(
    *, sample_rate, mixture, stems, estimates, on_phone, exported, history, scores, trained, **texts
):
    """Build the page from the waveforms of one song and the results of the demo."""
    song = [{"mixture": mixture}] + [
        {
            f"{source}: true": stem,
            f"{source}: separated": estimates[source],
            f"{source}: separated by the .tflite file": on_phone[source],
        }
        for source, stem in stems.items()
    ]
    agreement = [
        {
            "source": source,
            "Keras: SI-SDR": score(stem, estimates[source])["si_sdr"],
            ".tflite: SI-SDR": score(stem, on_phone[source])["si_sdr"],
            "Keras and .tflite agree to (SNR)": score(estimates[source], on_phone[source])["usdr"],
        }
        for source, stem in stems.items()
    ]
    return render(
        "demo.html",
        scores=scores,
        song=[report.player_data(waveforms, sample_rate) for waveforms in song],
        curve=plots.curve(history, {"loss": "training", "val_loss": "validation"}),
        file=_file_facts(exported),
        agreement=agreement,
        trained=trained,
        **texts,
    )


def _file_facts(exported):
    about = exported.metadata
    return {
        "file": f"{exported.path.name}, {exported.bytes / 1e6:.2f} MB, TFLite builtin operations "
        f"only",
        "input": f"{about['chunk']} samples, {about['channels']} channel(s) at "
        f"{about['sample_rate']} Hz",
        "output": ", ".join(about["sources"]),
        "one chunk": f"agrees with Keras to {exported.snr_db:.1f} dB, largest difference "
        f"{exported.max_abs_error:.1e}",
    }
