"""The tag in the first frame of an MP3 file that says how many samples the encoder added."""

import os

from kerasep.errors import InputError

SPARE = 1152  # samples of silence to append: decoders leave out an end only if it exceeds 528
# Positions from the word Xing or Info.
_FRAMES = 8
_DELAY_AND_PADDING = 141  # 12 bits each
_CHECKSUM = 154  # of the frame up to here


def write_padding(path: str | os.PathLike, samples: int, frame_size: int) -> None:
    """Write in the tag how many samples follow the first `samples`, for decoders to leave out."""
    with open(path, "r+b") as file:
        head = file.read(1 << 16)
        word = max(head.find(b"Xing"), head.find(b"Info"))
        frame = head.rfind(b"\xff", 0, word)
        if word < 0 or frame < 0:
            raise InputError(f"{path} has no tag that says where its samples begin and end")
        tag = bytearray(head[frame : word + _CHECKSUM])
        frames = int.from_bytes(head[word + _FRAMES : word + _FRAMES + 4], "big")
        place = slice(word - frame + _DELAY_AND_PADDING, word - frame + _DELAY_AND_PADDING + 3)
        delay = int.from_bytes(tag[place], "big") >> 12
        padding = frames * frame_size - delay - samples
        tag[place] = (delay << 12 | padding).to_bytes(3, "big")
        file.seek(frame)
        file.write(tag + _crc(tag).to_bytes(2, "big"))


def _crc(content):
    """Return the CRC-16 of polynomial 0x8005, as the LAME tag has it."""
    value = 0
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return value
