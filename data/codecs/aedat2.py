"""AEDAT 2.0, ``.aedat`` of jAER: text, then eight bytes an event.

    byte   0..3      4..7
          address    time      big-endian, the time in microseconds

The time's 32 bits wrap after 71.6 minutes: one that jumps back by more than half of them has passed them once more. So
a silence of more than 35 minutes is not told from a shorter one.

What the bits of an address mean depends on the chip:

    DVS128     15 external input or other camera, 14..8 y, 7..1 x, 0 OFF
    DAVIS      31 no event, 30..22 y, 21..12 x, 11 ON, 10 external input; with 31, 11 and 10 set it is a value of the
               IMU, with 31 set otherwise a sample of a frame
    cochlea    13 sample of the ADC, 9..0 the neuron: 9..8 threshold, 7..2 channel, 1 ear, 0 filter

A DVS128 with any bit above 14 and a cochlea with one above 9 that is no sample is a special record. These, samples and
values of the IMU are counted and skipped. A cochlea's neurons are a sensor of 1024x1x1 pixels, x its address.

The chip is that of the line ``# AEChip:``, by its class, which jAER writes since 2014; other chips than those above are
refused, as nobody would see that their pixels are wrong. Without that line ``# HardwareInterface:`` tells it, where it
names one. Without either the addresses of the first block do: the half of them or more above 16 bits is a DAVIS, which
of them is not known; all below 1024 is a cochlea; and the rest a DVS128.

Two things are disputed for the DVS128. Which bits are x and y: here as iniVation documents it and jAER decodes it,
while tonic's reader exchanges them. And the polarity: iniVation's document of AEDAT 1.0 says that a set bit is ON,
while jAER, which writes these files, and iniVation's drivers of the camera invert it, and so does this reader: p = 1
is ON.

Pixels are as stored. jAER counts x from the right and y from the bottom, and mirrors x to show it.

Sources: https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-2.0.html and aedat-1.0.html;
jAER's DVS128.java, DavisChip.java and CochleaAMS1cHardwareInterface.java.
"""

import re
from typing import NamedTuple

import numpy as np

from eventsim import kernels
from eventsim.data.codecs.aedat import AEDATReader, sensor_of
from eventsim.data.codecs.base import BLOCK, Codec, empty_columns, named
from eventsim.errors import FormatError
from eventsim.sensor import Sensor

_RECORD = 8  # bytes
_NEVER = 1 << 32  # a bit that no address has


class _Layout(NamedTuple):
    """The bits of an address, see the kernel ``decode_aedat2``."""

    no_event: int
    sample: int
    imu: int
    x_shift: int
    x_mask: int
    y_shift: int
    y_mask: int
    p_shift: int
    p_mask: int
    p_flip: int


class _Chip(NamedTuple):
    name: str
    layout: _Layout
    sensor: Sensor | None
    sample: str  # what its samples are called


_DVS128 = _Chip("DVS128", _Layout(0xFFFF8000, 0, _NEVER, 1, 127, 8, 127, 0, 1, 1), Sensor(128, 128), "sample")
_DAVIS = _Chip("DAVIS", _Layout(0x80000400, 1 << 31, 0xC00, 12, 1023, 22, 511, 11, 1, 0), None, "frame sample")
_COCHLEA = _Chip("cochlea", _Layout(0xFFFFFC00, 0x2000, _NEVER, 0, 1023, 0, 0, 0, 0, 0), Sensor(1024, 1, 1),
                 "ADC sample")
_CHIPS = {r"(dvs|tmpdiff)128(?!and)": _DVS128, r"davis(128|208|240|346|640)|sbret|davis\b": _DAVIS,
          r"cochleaams|das1": _COCHLEA}
_KEYS = {"AEChip:": "chip", "HardwareInterface:": "hardware", "created ": "created"}


class AEDAT2Reader(AEDATReader):
    """Reads records; what is no event is counted as ``special``, ``imu``, ``frame sample`` or ``ADC sample``."""

    version = "2.0"
    unit = f"a record of {_RECORD} bytes"

    def __init__(self, file, source):
        super().__init__(file, source)
        self.state = np.zeros(2, np.int64)
        for line in self.header("End Of ASCII Header"):
            for begin, key in _KEYS.items():
                if line.startswith(begin):
                    self.about.setdefault(key, line.removeprefix(begin).strip())
        chip = self._chip()
        self.sensor = sensor_of(self.about["chip"]) or chip.sensor
        self._layout, self._sample = np.array(chip.layout, np.int64), chip.sample

    def _chip(self):
        """The chip that the header names, else that of the addresses."""
        about = self.about
        if "chip" in about:
            about["chip"] = about["chip"].rpartition(".")[2]
            if chip := _named(about["chip"]):
                return chip
            raise FormatError(f"{self.source}: is of the chip {about['chip']!r}, whose addresses are not known; known "
                              "are DVS128, DAVIS and CochleaAMS; save its events in another format")
        if chip := _named(about.get("hardware", "")):
            about["chip"] = chip.name
            return chip
        block = self.read(BLOCK)
        self.unread(block)
        chip = _guessed(np.frombuffer(block[: len(block) - len(block) % _RECORD], ">u4")[::2])
        about["chip"] = f"{chip.name}, by its addresses"
        return chip

    def decode(self, data, state):
        out, facts = empty_columns(len(data) // _RECORD), np.empty(5, np.int64)
        kernels.call("decode_aedat2", data=data, layout=self._layout, **named(out),
                     state=state, facts=facts)
        return out, facts

    def count(self, at, facts):
        for kind, n in zip(("special", self._sample, "imu"), facts[2:].tolist(), strict=True):
            self.skipped[kind] += n


def _named(name):
    for pattern, chip in _CHIPS.items():
        if re.match(pattern, name.lower()):
            return chip
    return None


def _guessed(addresses):
    """The chip by some of its addresses, uint32[E]."""
    if np.count_nonzero(addresses >= 1 << 16) > len(addresses) // 2:
        return _DAVIS
    return _COCHLEA if len(addresses) and addresses.max() < 1024 else _DVS128


def _matches(head):
    return head.startswith(b"#!AER-DAT2.")


CODEC = Codec("aedat2", "AEDAT 2.0", (".aedat",), AEDAT2Reader, _matches)
decode = CODEC.decode
