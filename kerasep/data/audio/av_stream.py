"""Blocks of samples of one audio stream, decoded by FFmpeg through PyAV."""

import os
from typing import NamedTuple

import av
import numpy as np

from kerasep.data.audio.audio_info import not_audio
from kerasep.errors import InputError

# Demuxers that read one file only: playlists (HLS, concat, DASH, VobSub) would open other files and
# addresses, and headerless formats would take any file for samples.
_DEMUXERS = (
    "mov,matroska,webm,aac,loas,ogg,mp3,flac,wav,w64,aiff,au,caf,asf,xwma,avi,mpegts,mpeg,flv,"
    "live_flv,nut,mxf,gxf,ape,wv,tta,tak,shn,mpc,mpc8,dts,dtshd,ac3,eac3,truehd,mlp,amr,oma,aea,"
    "rm,dsf,iff,voc,ircam,nistsphere,pvf,avr,paf,sbc,aptx,aptx_hd,gsm,qcp,smk,bink,swf,nsv,qoa,osq,"
    "bonk,rka,wavarc,adx,act,aix,xa,vqf,wtv,dv,ivf,obu,codec2,dss,sox,wve,sds,ast,brstm,spx"
)
_PLANES = 7  # PyAV counts planes up to a null pointer, which a frame of more of them lacks
_SCALES = {"u8": 2.0**-7, "s16": 2.0**-15, "s32": 2.0**-31, "flt": 1.0, "dbl": 1.0}


class SampleFormat(NamedTuple):
    """The format of a stream's first frame, to which all others are converted."""

    sample_rate: int
    channels: int
    layout: str  # FFmpeg's name of the channels
    dtype: str  # "int16" if the codec decodes to 16 bits, else "float32"


def format_of(frame):
    """Return the `SampleFormat` of a frame."""
    dtype = "int16" if _kind(frame) == "s16" else "float32"
    return SampleFormat(frame.rate, frame.layout.nb_channels, frame.layout.name, dtype)


def open_stream(path, index):
    """Return an open file and its audio stream number `index`."""
    try:
        file = av.open(
            os.fspath(path), options={"format_whitelist": _DEMUXERS}, metadata_errors="replace"
        )
    except (av.FFmpegError, ValueError) as error:
        raise not_audio(path) from error
    streams = file.streams.audio
    problem = None
    if not streams:
        problem = "has no audio track: expected a recording"
    elif index >= len(streams):
        problem = f"has {len(streams)} audio streams: there is no stream {index}"
    elif streams[index].codec_context is None:
        problem = "is in a codec that FFmpeg cannot decode: convert it to WAV"
    if problem:
        file.close()
        raise InputError(f"{path} {problem}")
    return file, streams[index]


def describe_tracks(path):
    """Return one line per audio track: codec, rate, channels, language and title."""
    file, _ = open_stream(path, 0)
    with file:
        return [_description(stream) for stream in file.streams.audio]


def _description(stream):
    codec = stream.codec_context
    parts = ["unknown codec"]
    if codec is not None:
        count = codec.layout.nb_channels
        channels = f"{count} channel{'s' if count > 1 else ''}"
        parts = [codec.codec.canonical_name, f"{codec.sample_rate} Hz,", channels]
    parts += [stream.metadata.get(key) for key in ("language", "title")]
    return " ".join(part for part in parts if part)


def frames(file, stream):
    """Yield decoded frames, and None per packet that cannot be decoded."""
    packets = file.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.PatchWelcomeError as error:
            raise InputError(
                f"{os.fsdecode(file.name)} joins recordings of different rates or channels: "
                "convert it to WAV"
            ) from error
        except av.FFmpegError:
            yield None  # the next packet cannot be located
            return
        if packet is None:
            return
        try:
            decoded = packet.decode()
        except av.FFmpegError:
            yield None
            continue
        yield from decoded


def blocks(file, stream, form):
    """Yield (time stamp, samples) in one `SampleFormat`; both are None for a damaged packet."""
    resampler = source = None
    for frame in frames(file, stream):
        if frame is None:
            yield None, None
            continue
        fits = frame.rate == form.sample_rate and frame.layout.name == form.layout
        same = fits and _kind(frame) in _SCALES and format_of(frame).dtype == form.dtype
        planes = form.channels if frame.format.is_planar else 1
        if same and planes <= _PLANES:
            yield frame.pts, _samples(frame)
            continue
        # The format changes where two files were joined: convert to that of the first frame.
        if source != (frame.rate, frame.layout.name, frame.format.name):
            yield from _rest(resampler)
            source = frame.rate, frame.layout.name, frame.format.name
            resampler = av.AudioResampler(
                "s16" if form.dtype == "int16" else "flt", form.layout, form.sample_rate
            )
        for converted in resampler.resample(frame):
            yield frame.pts if fits else None, _samples(converted)
    yield from _rest(resampler)


def _rest(resampler):
    if resampler is not None:
        for converted in resampler.resample(None):
            yield None, _samples(converted)


def _kind(frame):
    return frame.format.name.removesuffix("p")


def _samples(frame):
    array = frame.to_ndarray()
    array = array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels)
    if array.dtype == np.int16:
        return array
    kind, array = _kind(frame), array.astype("float32")
    if kind == "u8":
        array -= 128
    return array if _SCALES[kind] == 1 else array * np.float32(_SCALES[kind])
