"""The demo: synthetic songs, fine-tuning, scores, stems, a .tflite file and a page."""

import os
import pathlib

import keras
import rich.console

from kerasep import data, evaluation, tflite, zoo
from kerasep.errors import InputError
from kerasep.files.atomic import replacing, temporary_beside
from kerasep.files.text_files import write_table
from kerasep.reports import demo_page, report
from kerasep.reports.clip import loudest_part
from kerasep.reports.fine_tuning import fine_tune
from kerasep.reports.rendering import check_installed
from kerasep.separation.recordings import separate
from kerasep.system.console import print_line
from kerasep.tflite.format.graphs import litert_schema

PRESET = "open_unmix_like/phone"
CLIP_PRESET = zoo.BEST_FOR_SONGS
# Song i is made from the seed [seed, i]. The shipped weights saw those of the seeds 0 and 1, and
# were scored on those of 2.
SONGS = {
    "train": {"count": 16, "seed": 3, "seconds": 10.0},
    "valid": {"count": 4, "seed": 4, "seconds": 5.0},
    "test": {"count": 4, "seed": 5, "seconds": 10.0},
}
_OUTPUTS = {"songs", "run", "stems", "model.tflite", "scores.csv", "report.html"}


def run(
    folder: str | os.PathLike,
    minutes: float,
    console: rich.console.Console,
    overwrite: bool = False,
    clip: str | os.PathLike | None = None,
) -> pathlib.Path:
    """Fine-tune shipped weights on synthetic songs, and report on songs that they never heard.

    Writes songs/, run/ (the model and its history), stems/, model.tflite, scores.csv and
    report.html. The folder appears once all are complete.

    Args:
        folder: the folder for the results.
        minutes: time for fine-tuning.
        console: a `rich.console.Console` for progress.
        overwrite: whether to replace an earlier demo in the folder. Defaults to False.
        clip: an audio file, whose loudest 30 seconds are separated into vocals and accompaniment.
            Defaults to None: only synthetic songs.

    Returns:
        Path of the page.

    Raises:
        InputError: if the folder is not empty, the clip is silent, shorter than a second or cannot
            be read, or an extra is not installed.
    """
    folder = pathlib.Path(folder)
    _check(folder, overwrite)
    part = None if clip is None else loudest_part(clip)
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    with replacing(folder) as partial:
        partial.mkdir()
        _write(partial, minutes, console, part)
        with temporary_beside(folder) as earlier:
            if folder.exists():
                os.replace(folder, earlier)
    return folder / "report.html"


def _check(folder, overwrite):
    """Raise InputError now for problems that would show after minutes of training."""
    litert_schema()
    check_installed()
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"received KERAS_BACKEND={keras.backend.backend()}, expected tensorflow: the demo "
            f"exports to TFLite"
        )
    if folder.exists() and not folder.is_dir():
        raise InputError(f"received --out {folder}, which is a file: choose a folder")
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if names - _OUTPUTS or (names and not overwrite):
        raise InputError(
            f"received --out {folder}, which holds files: choose another folder, or --overwrite "
            f"an earlier demo"
        )


def _write(folder, minutes, console, clip):
    """Write all results."""
    keras.utils.set_random_seed(0)
    model = zoo.load(PRESET, weights=True)
    counts = ", ".join(f"{songs['count']} to {part}" for part, songs in SONGS.items())
    print_line(console, f"1  songs: {counts}")
    tracks = {part: _songs(folder / "songs" / part, model, songs) for part, songs in SONGS.items()}
    shipped = evaluation.evaluate(model, tracks["test"], oracles=False)

    parameters = f"{model.count_params() / 1e6:.1f} million parameters"
    print_line(console, f"2  fine-tuning {PRESET}, {parameters}, {minutes:g} minutes")
    history = fine_tune(
        model, tracks["train"], tracks["valid"], 60 * minutes, lambda row: _say(console, row)
    )
    (folder / "run").mkdir()
    model.save(folder / "run" / "model.keras")
    write_table(folder / "run" / "history.csv", history)

    print_line(console, f"3  scoring {len(tracks['test'])} songs that the model never heard")
    rows = evaluation.evaluate(model, tracks["test"])
    evaluation.write_csv(rows, folder / "scores.csv")

    print_line(console, "4  exporting, and separating a song with the .tflite file")
    exported = tflite.export(model, folder / "model.tflite", seconds=6.0)
    mixture, stems = tracks["test"][0].read(model.sources, model.sample_rate, model.channels)
    estimates = separate(model, mixture)
    (folder / "stems").mkdir()
    for source, waveform in estimates.items():
        data.write(folder / "stems" / f"{source}.wav", waveform, model.sample_rate)
    on_phone = tflite.Runtime(exported.path).separate(mixture)

    if clip:
        print_line(console, f"5  separating {clip.name} with {CLIP_PRESET}")
        separator = zoo.load(CLIP_PRESET, weights=True)
        clip_stems = separate(separator, clip.waveform, clip.sample_rate)
    scores = demo_page.summarise(shipped, rows)
    text = demo_page.demo_page(
        title="A song, taken apart",
        lead=f"kerasep separates music into its instruments. This page shows {PRESET}, a model "
        f"for phones with {parameters}, on songs that a program played.",
        training=_training(history, model.sources),
        songs=len(tracks["test"]),
        sample_rate=model.sample_rate,
        stems={name: stems[..., index] for index, name in enumerate(model.sources)},
        estimates=estimates,
        on_phone=on_phone,
        exported=exported,
        history=history,
        scores=scores,
        clip=demo_page.clip_values(clip, clip_stems, CLIP_PRESET) if clip else None,
    )
    report.write_page(text, folder / "report.html")
    for row in scores:
        print_line(
            console,
            f"   {row['source']:8s} SI-SDR {row['tuned']:6.2f} dB, {row['improvement']:+.2f} dB "
            f"over the mixture",
        )
    agreement = f"{exported.snr_db:.0f} dB"
    print_line(
        console, f"   model.tflite: {exported.bytes / 1e6:.1f} MB, agrees with Keras to {agreement}"
    )


def _songs(folder, model, songs):
    data.write_songs(folder, sample_rate=model.sample_rate, channels=model.channels, **songs)
    return data.find_tracks(folder, model.sources)


def _say(console, row):
    """Print a row of the history."""
    scores = ", ".join(
        f"{name} {value:+.1f}"
        for name, value in row.items()
        if name not in ("steps", "seconds", "loss")
    )
    print_line(console, f"   {row['seconds']:5.1f} s, {row['steps']:4d} steps: {scores} dB")


def _training(history, sources):
    """Return what fine-tuning did, in words."""
    means = [sum(row[source] for source in sources) / len(sources) for row in history]
    best = max(range(len(history)), key=means.__getitem__)
    return (
        f"The weights come with kerasep and learned from 100 other songs of this kind. "
        f"{history[-1]['steps']} steps on {SONGS['train']['count']} new songs took "
        f"{history[-1]['seconds']:.0f} seconds on this computer. The best weights by "
        f"validation are kept, those of round {best}: the improvement, mean over sources, "
        f"went from {means[0]:.2f} to {means[best]:.2f} dB."
    )
