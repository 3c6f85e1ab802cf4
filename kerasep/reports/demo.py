"""The demo: synthetic songs, training, scores, stems, a .tflite file and a page of the results."""

import contextlib
import os
import pathlib
import shutil

import keras
import rich.console

from kerasep import data, evaluation, tflite, training, zoo
from kerasep.errors import InputError
from kerasep.reports import demo_page, report
from kerasep.reports.rendering import require
from kerasep.separation.recordings import separate
from kerasep.system.console import print_line
from kerasep.training.progress import FitProgress

PRESET = "open_unmix_like/small"
TRAINED = "unet_like/karaoke"
SONGS, HELD_OUT, SECONDS = 40, 3, 10.0
CLIP_SECONDS = 30
_OUTPUTS = {"songs", "run", "stems", "model.tflite", "scores.csv", "report.html"}


def run(
    folder: str | os.PathLike,
    minutes: float,
    console: rich.console.Console,
    overwrite: bool = False,
    clip: str | os.PathLike | None = None,
) -> pathlib.Path:
    """Train a small model on synthetic songs, and report on a song that it never heard.

    Writes songs/, run/ (the model), stems/, model.tflite, scores.csv and report.html. Also
    separates the singing voice of a recording with a preset whose weights come with the package.

    Args:
        folder: the folder for the results, created if it is missing.
        minutes: training time.
        console: a `rich.console.Console` for progress.
        overwrite: whether to replace an earlier demo in the folder. Defaults to False.
        clip: an audio file with singing for the trained preset. Defaults to the held-out song.

    Returns:
        Path of the page.

    Raises:
        InputError: if the folder is not empty, or an extra is not installed.
    """
    folder = pathlib.Path(folder)
    _check(folder, overwrite, clip)
    keras.utils.set_random_seed(0)
    model = zoo.load(PRESET)
    print_line(console, f"1  {SONGS} songs of {SECONDS:.0f} s: {', '.join(model.sources)}")
    _write_songs(folder / "songs", model)
    parameters = f"{model.count_params():,} parameters"
    print_line(console, f"2  training {PRESET}, {parameters}, {minutes:g} minutes")
    history = _train(model, folder, minutes, console)
    model = zoo.load(folder / "run")
    tracks = data.find_tracks(folder / "songs" / "held_out", model.sources)
    print_line(console, f"3  scoring {len(tracks)} held-out songs")
    rows = evaluation.evaluate(model, tracks)
    evaluation.write_csv(rows, folder / "scores.csv")

    print_line(console, "4  exporting, and separating a held-out song with the .tflite file")
    exported = tflite.export(model, folder / "model.tflite", seconds=6.0)
    mixture, stems = tracks[0].read(model.sources, model.sample_rate, model.channels)
    estimates = separate(model, mixture)
    (folder / "stems").mkdir(exist_ok=True)
    for source, waveform in estimates.items():
        data.write(folder / "stems" / f"{source}.wav", waveform, model.sample_rate)
    on_phone = tflite.Runtime(exported.path).separate(mixture)

    print_line(console, f"5  {TRAINED}, trained on real singing, on {clip or 'the same song'}")
    summary = demo_page.summarise(rows)
    page = folder / "report.html"
    text = demo_page.demo_page(
        title="kerasep: a song separated",
        lead=f"{PRESET} with {parameters}, trained for {history[-1]['seconds'] / 60:.1f} minutes "
        f"on {SONGS} synthetic songs, applied to songs that it never heard.",
        sample_rate=model.sample_rate,
        mixture=mixture,
        stems={name: stems[..., index] for index, name in enumerate(model.sources)},
        estimates=estimates,
        on_phone=on_phone,
        exported=exported,
        history=history,
        scores=summary,
        trained=_trained(clip, mixture, model.sample_rate),
    )
    report.write_page(text, page)
    for row in summary:
        print_line(
            console,
            f"   {row['source']:8s} SI-SDR {row['estimate']:6.2f} dB   mixture "
            f"{row['mixture']:6.2f}   ideal ratio mask {row['IRM']:6.2f}",
        )
    for line in str(exported).splitlines():
        print_line(console, line)
    return page


def _check(folder, overwrite, clip):
    """Raise InputError now for what would fail after minutes of training."""
    if clip is not None:
        data.info(clip)
    require("ai_edge_litert", "edge")
    require("matplotlib")
    require("jinja2")
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"received KERAS_BACKEND={keras.backend.backend()}, expected tensorflow: the demo "
            f"exports to TFLite"
        )
    if folder.exists() and any(folder.iterdir()):
        if not overwrite or {path.name for path in folder.iterdir()} - _OUTPUTS:
            raise InputError(
                f"received --out {folder}, which holds files: choose another folder, or "
                f"--overwrite an earlier demo"
            )
        shutil.rmtree(folder)


def _write_songs(folder, model):
    for part, first, count in (("train", 0, SONGS), ("held_out", SONGS, HELD_OUT)):
        data.write_songs(
            folder / part,
            count,
            seed=first,
            seconds=SECONDS,
            sample_rate=model.sample_rate,
            channels=model.channels,
        )


def _train(model, folder, minutes, console):
    with contextlib.closing(FitProgress(console)) as progress:
        return training.train(
            model,
            folder / "songs" / "train",
            folder / "run",
            recipe={"data": {"crops_per_track": 12}},
            max_minutes=minutes,
            callbacks=[progress],
        )


def _trained(clip, mixture, sample_rate):
    """Separate the clip, or the song, with the trained preset."""
    if clip is not None:
        sample_rate, samples, _ = data.info(clip)
        mixture, _ = data.read(clip, samples=min(samples, CLIP_SECONDS * sample_rate))
    estimates = separate(zoo.load(TRAINED, weights=True), mixture, sample_rate)
    waveforms = {"mixture": mixture, **estimates}
    return {
        "preset": TRAINED,
        "clip": clip is not None,
        "waveforms": report.player_data(waveforms, sample_rate),
    }
