"""The whole way in a few minutes: songs, training, stems, scores, a phone's model, a page."""

import contextlib
import pathlib
import shutil

import keras

from kerasep import data, evaluation, tflite, training, zoo
from kerasep.errors import InputError
from kerasep.metrics import scores
from kerasep.reports import report
from kerasep.separation.apply import separate
from kerasep.system.console import print_line
from kerasep.training.progress import FitProgress

PRESET = "open_unmix_like/small"
TRAINED = "unet_like/karaoke"
SONGS, HELD_OUT, SECONDS = 40, 3, 10.0
CLIP_SECONDS = 30


def run(folder, minutes, console, overwrite=False, clip=None):
    """Train a small model on synthetic songs, and show what it does with one that it never heard.

    Writes songs/, run/ (the model), stems/, model.tflite, scores.csv and report.html. A preset
    whose weights come with the package then takes the singing voice out of a recording.

    Args:
        folder: gets all of it; made if it is missing.
        minutes: of training.
        console: a `rich.console.Console` for progress.
        overwrite: whether an earlier demo in the folder may be replaced. Defaults to False.
        clip: an audio file with singing, for that preset. Default: the held-out song.

    Returns:
        Path of the page.

    Raises:
        InputError: for a folder that holds something, or extras that are not installed.
    """
    folder = pathlib.Path(folder)
    _check(folder, overwrite, clip)
    keras.utils.set_random_seed(0)
    model = zoo.load(PRESET)
    print_line(console, f"1  {SONGS} songs of {SECONDS:.0f} s: {', '.join(model.sources)}")
    for part, first, count in (("train", 0, SONGS), ("held_out", SONGS, HELD_OUT)):
        data.write_songs(
            folder / "songs" / part,
            count,
            seed=first,
            seconds=SECONDS,
            sample_rate=model.sample_rate,
            channels=model.channels,
        )
    print_line(
        console, f"2  training {PRESET}, {model.count_params():,} parameters, {minutes:g} minutes"
    )
    with contextlib.closing(FitProgress(console)) as progress:
        history = training.train(
            model,
            folder / "songs" / "train",
            folder / "run",
            recipe={"data": {"crops_per_track": 12}},
            max_minutes=minutes,
            callbacks=[progress],
        )
    model = zoo.load(folder / "run")
    tracks = data.find_tracks(folder / "songs" / "held_out", model.sources)
    print_line(console, f"3  scoring {len(tracks)} held-out songs")
    rows = evaluation.evaluate(model, tracks)
    evaluation.write_csv(rows, folder / "scores.csv")

    print_line(console, "4  exporting, and separating a held-out song with the .tflite file")
    exported = tflite.export(model, folder / "model.tflite", seconds=6.0)
    runtime = tflite.Runtime(exported.path)
    mixture, stems = tracks[0].read(model.sources, model.sample_rate, model.channels)
    estimates = separate(model, mixture)
    on_phone = runtime.separate(mixture)
    for source, waveform in estimates.items():
        (folder / "stems").mkdir(exist_ok=True)
        data.write(folder / "stems" / f"{source}.wav", waveform, model.sample_rate)
    print_line(console, f"5  {TRAINED}, trained on real singing, on {clip or 'the same song'}")
    voice = _trained(clip, mixture, model.sample_rate)
    page = folder / "report.html"
    page.write_text(
        _page(model, history, rows, exported, mixture, stems, estimates, on_phone, voice), "utf-8"
    )
    for row in _summary(rows):
        print_line(
            console,
            f"   {row['source']:8s} SI-SDR {row['estimate']:6.2f} dB   mixture "
            f"{row['mixture']:6.2f}   ideal ratio mask {row['IRM']:6.2f}",
        )
    for line in str(exported).splitlines():
        print_line(console, line)
    return page


def _trained(clip, mixture, sample_rate):
    """Separate a clip, or the song, by the preset; return the page's section."""
    if clip is not None:
        sample_rate, samples, _ = data.info(clip)
        mixture, _ = data.read(clip, samples=min(samples, CLIP_SECONDS * sample_rate))
    estimates = separate(zoo.load(TRAINED, weights=True), mixture, sample_rate)
    what = (
        f"<p>{TRAINED} comes with kerasep; it learned from recordings of two singers. "
        + ("Your clip:" if clip else "The song above is synthetic, and so is its voice:")
        + "</p>"
    )
    return what + report.players({"mixture": mixture, **estimates}, sample_rate)


def _check(folder, overwrite, clip):
    """Refuse what would fail only after minutes of training."""
    if clip is not None:
        data.info(clip)
    for package, extra in (("ai_edge_litert", "edge"), ("matplotlib", "report")):
        try:
            __import__(package)
        except ImportError as error:
            raise InputError(
                f"the demo needs {package}, which is not installed: pip install 'kerasep[{extra}]'"
            ) from error
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"received KERAS_BACKEND={keras.backend.backend()}, expected tensorflow: the demo "
            f"exports to TFLite"
        )
    if folder.exists() and any(folder.iterdir()):
        ours = {"songs", "run", "stems", "model.tflite", "scores.csv", "report.html"}
        if not overwrite or {path.name for path in folder.iterdir()} - ours:
            raise InputError(
                f"received --out {folder}, which holds files: choose another folder, or "
                f"--overwrite an earlier demo"
            )
        shutil.rmtree(folder)


def _summary(rows):
    """Medians of SI-SDR over the held-out songs, and of what is compared with it."""
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


def _page(model, history, rows, exported, mixture, stems, estimates, on_phone, voice):
    summary = _summary(rows)
    listen = report.players({"mixture": mixture}, model.sample_rate)
    same_song = []
    for index, source in enumerate(model.sources):
        truth = stems[..., index]
        three = {
            f"{source}: true": truth,
            f"{source}: separated": estimates[source],
            f"{source}: separated by the .tflite file": on_phone[source],
        }
        listen += report.players(three, model.sample_rate)
        agreement = scores(estimates[source], on_phone[source])["usdr"]
        same_song.append(
            {
                "source": source,
                "Keras: SI-SDR": scores(truth, estimates[source])["si_sdr"],
                ".tflite: SI-SDR": scores(truth, on_phone[source])["si_sdr"],
                "Keras and .tflite agree to (SNR)": agreement,
            }
        )
    about = exported.metadata
    parity = report.facts(
        {
            "file": f"{exported.path.name}, {exported.bytes / 1e6:.2f} MB, TFLite builtin "
            f"operations only",
            "takes": f"{about['chunk']} samples, {about['channels']} channel(s) at "
            f"{about['sample_rate']} Hz; gives {', '.join(about['sources'])}",
            "one chunk": f"agrees with Keras to {exported.snr_db:.1f} dB, largest difference "
            f"{exported.max_abs_error:.1e}",
        }
    )
    note = (
        "<p>The whole song below; the file works on chunks, Keras on the song at once, so they "
        "differ a little where chunks meet.</p>"
    )
    curve = report.curve(history, {"loss": "training", "val_loss": "validation"})
    conventions = (
        "<p>SI-SDR in dB, medians over the held-out songs. IBM, IRM and tPSA are masks made from "
        "the true sources: a ceiling for masks with the mixture's phase.</p>"
    )
    minutes = history[-1]["seconds"] / 60
    return report.page(
        "kerasep: a song taken apart",
        f"{PRESET} with {model.count_params():,} parameters, trained for {minutes:.1f} minutes on "
        f"{SONGS} synthetic songs, on songs that it never heard.",
        [
            ("Scores", conventions + report.table(summary)),
            ("Listen to a held-out song", listen),
            ("Training", curve),
            ("The model for a phone", parity + note + report.table(same_song)),
            ("A trained model", voice),
        ],
    )
