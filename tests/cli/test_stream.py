"""`kerasep stream`: files, and a microphone and a speaker that are not there."""

import sys
import types

import av
import numpy as np
import pytest
from typer.testing import CliRunner

import kerasep
from kerasep import data, zoo
from kerasep.cli import app
from kerasep.cli.sound_ends import file_blocks
from kerasep.errors import InputError
from kerasep.streaming.buffering import Buffer, Timing
from tests.streaming.small_streams import SMALL, noise, shaken

RATE = 8000


class Device:
    """A device of sounddevice: gives noise, remembers what is played."""

    made: list = []  # noqa: RUF012
    lost_at = 3

    def __init__(self, **settings):
        self.settings, self.played, self.count, self.open = settings, [], 0, False
        Device.made.append(self)

    def __enter__(self):
        self.open = True
        return self

    def __exit__(self, *error):
        self.open = False

    def read(self, samples):
        assert self.open
        self.count += 1
        if self.count == 1000:
            raise KeyboardInterrupt
        return noise(samples, 1, seed=self.count), self.count == self.lost_at

    def write(self, block):
        assert self.open
        assert block.flags["C_CONTIGUOUS"]
        self.played.append(block)
        return False


@pytest.fixture
def devices(monkeypatch):
    module = types.SimpleNamespace(
        InputStream=Device, OutputStream=Device, PortAudioError=RuntimeError
    )
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr(Device, "made", [])
    return Device.made


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    model = shaken(SMALL["tasnet"]())
    model.save(folder / "model.keras")
    data.write(folder / "voices.wav", noise(6007, 1), RATE)
    return folder


class Halves(Buffer):
    """What stands in for a streamed model: one source is a half of the mixture, one a quarter."""

    sources, sample_rate, hop, latency = ("half", "quarter"), RATE, 40, 40

    def __init__(self):
        timing = Timing(hop=40, frame=40, grain=40, step=80, lag=0, silence=0, ends="fill")
        gains = np.array([0.5, 0.25], "float32")
        super().__init__(lambda x, s: (x[..., None] * gains, s), np.ones((1, 2)), timing, 1, 2)


@pytest.fixture
def halves(monkeypatch):
    module = sys.modules["kerasep.cli.stream"]
    monkeypatch.setattr(module, "_streamer", lambda model, residual: Halves())


def run(*arguments):
    return CliRunner().invoke(app, ["stream", *map(str, arguments)])


def test_a_file_becomes_what_separation_makes_of_it(folder):
    model, wav = folder / "model.keras", folder / "voices.wav"
    result = run("--model", model, "--in", wav, "--out", folder / "out", "--residual", "rest")
    assert result.exit_code == 0, result.output
    assert "latency 5 ms (40 samples at 8000 Hz), blocks of 10.0 ms" in result.output
    assert "76 blocks: load " in result.output
    x, _ = data.read(wav)
    separator = kerasep.Separator(zoo.load(model), residual="rest")
    expected = np.asarray(separator(x[None]))[0]
    for index, name in enumerate(separator.sources):
        stem, rate = data.read(folder / "out" / f"{name}.wav")
        assert rate == RATE
        np.testing.assert_allclose(stem, expected[..., index], atol=1e-4)


def test_stems_that_exist_are_kept(folder, halves, tmp_path):
    ends = ("--in", folder / "voices.wav", "--out", tmp_path)
    assert run("--model", "run", *ends).exit_code == 0
    np.testing.assert_array_equal(data.read(tmp_path / "half.wav")[0], noise(6007, 1) / 2)
    again = run("--model", "run", *ends)
    assert isinstance(again.exception, InputError)
    assert "exists: remove it" in str(again.exception)
    assert run("--model", "run", *ends, "--overwrite").exit_code == 0


def heard(blocks):
    return np.concatenate([noise(80, 1, seed=count) for count in range(1, blocks + 1)])


def test_a_microphone_is_heard_and_played(halves, devices):
    ends = ("--in", "microphone", "--out", "speaker", "--seconds", 0.2, "--source", "quarter")
    result = run("--model", "run", *ends)
    assert result.exit_code == 0, result.output
    output, microphone = devices
    assert microphone.settings == output.settings
    assert output.settings["samplerate"] == RATE
    assert output.settings["channels"] == 1
    np.testing.assert_array_equal(np.concatenate(output.played), heard(20) / 4)
    assert "20 blocks: load " in result.output
    lost = int(result.output.split(";")[-1].split()[0])
    assert lost >= 1


def test_ctrl_c_ends_a_microphone_and_keeps_what_was_heard(tmp_path, halves, devices):
    result = run("--model", "run", "--in", "microphone", "--out", tmp_path / "heard")
    assert result.exit_code == 0, result.output
    stem, _ = data.read(tmp_path / "heard" / "half.wav")
    np.testing.assert_array_equal(stem, heard(999) / 2)


def test_a_microphone_that_is_unplugged_keeps_what_was_heard(
    tmp_path, halves, devices, monkeypatch
):
    read = Device.read

    def unplugged(self, samples):
        if self.count == 5:
            raise RuntimeError("Device unavailable")
        return read(self, samples)

    monkeypatch.setattr(Device, "read", unplugged)
    result = run("--model", "run", "--in", "microphone", "--out", tmp_path / "heard")
    assert result.exit_code == 0, result.output
    stem, _ = data.read(tmp_path / "heard" / "half.wav")
    np.testing.assert_array_equal(stem, heard(5) / 2)


@pytest.mark.parametrize(
    ("method", "message"), [("__enter__", "no device"), ("write", "a speaker that stopped")]
)
def test_a_device_that_fails_is_an_error_in_one_line(halves, devices, monkeypatch, method, message):
    def failing(self, *block):
        raise RuntimeError("Device unavailable")

    monkeypatch.setattr(Device, method, failing)
    ends = ("--in", "microphone", "--out", "speaker", "--seconds", 0.2)
    result = run("--model", "run", *ends)
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
    assert "Device unavailable" in str(result.exception)


@pytest.mark.parametrize("seconds", ["nan", "inf", "-3"])
def test_seconds_that_are_no_duration(halves, devices, seconds):
    ends = ("--in", "microphone", "--out", "speaker", "--seconds", seconds)
    result = run("--model", "run", *ends)
    assert isinstance(result.exception, InputError)
    assert f"received --seconds {float(seconds)}" in str(result.exception)


def test_devices_need_sounddevice(halves, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    result = run("--model", "run", "--in", "microphone", "--out", "speaker")
    assert isinstance(result.exception, InputError)
    assert "pip install 'kerasep[live]'" in str(result.exception)


def test_a_source_that_is_not_there(halves, devices):
    ends = ("--in", "microphone", "--out", "speaker", "--source", "drums")
    result = run("--model", "run", *ends)
    assert "expected one of half, quarter" in str(result.exception)


def test_blocks_of_a_file(tmp_path, monkeypatch):
    slept = []
    clock = types.SimpleNamespace(monotonic=lambda: 5.0 + sum(slept), sleep=slept.append)
    monkeypatch.setattr("kerasep.cli.sound_ends.time", clock)
    stereo = noise(1000, 2)
    data.write(tmp_path / "stereo.wav", stereo, RATE)
    blocks = [block for block, lost in file_blocks(tmp_path / "stereo.wav", RATE, 1, 300, True)]
    assert [len(block) for block in blocks] == [300, 300, 300, 100]
    np.testing.assert_allclose(np.concatenate(blocks)[:, 0], stereo.mean(axis=1), atol=1e-4)
    assert slept == pytest.approx(3 * [300 / RATE])
    data.write(tmp_path / "mono.wav", noise(500, 1), RATE)
    (block,) = [block for block, _ in file_blocks(tmp_path / "mono.wav", RATE, 2, 500, False)]
    np.testing.assert_array_equal(block, np.repeat(noise(500, 1), 2, axis=1))
    data.write(tmp_path / "three.wav", noise(500, 3), RATE)
    with pytest.raises(InputError, match="3 channels, expected 1 or 2"):
        list(file_blocks(tmp_path / "three.wav", RATE, 2, 500, False))


def test_nothing_is_left_of_what_could_not_be_streamed(tmp_path, halves, devices):
    out = tmp_path / "new" / "stems"
    result = run("--model", "run", "--in", "microphone", "--seconds", 0, "--out", out)
    assert "received no audio" in str(result.exception)
    assert not (tmp_path / "new").exists()
    result = run("--model", "none.keras", "--in", tmp_path / "none.wav", "--out", out)
    assert "none.wav" in str(result.exception)


@pytest.mark.parametrize(
    "ends",
    [
        ("--in", "microphone", "--out", "stems", "--pace"),
        ("--in", "voices.wav", "--out", "stems", "--seconds", 1),
        ("--in", "microphone", "--out", "stems", "--source", "speaker_1"),
    ],
)
def test_options_of_another_end_are_refused(ends):
    result = run("--model", "none.keras", *ends)
    assert isinstance(result.exception, InputError)
    assert "which is for" in str(result.exception)


def test_blocks_of_one_of_several_tracks(tmp_path):
    path, levels = tmp_path / "two.mka", (0.25, 0.5)
    with av.open(path, "w") as file:
        streams = [file.add_stream("pcm_s16le", rate=RATE, layout="mono") for _ in levels]
        for stream, level in zip(streams, levels, strict=True):
            values = np.full((1, 600), level * 32768, "int16")
            frame = av.AudioFrame.from_ndarray(values, format="s16", layout="mono")
            frame.sample_rate = RATE
            file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
    for track, level in ((None, 0.25), (1, 0.25), (2, 0.5)):
        blocks = [block for block, _ in file_blocks(path, RATE, 1, 300, False, track)]
        np.testing.assert_array_equal(np.concatenate(blocks), np.full((600, 1), level, "float32"))
