"""Event files for TensorBoard, by the package ``tensorboardX`` (MIT), the extra ``eventsim[tensorboard]``.

A file is a list of records: length uint64, its checksum uint32, an ``Event`` as a protocol buffer, its checksum uint32.
The first one says the version; here every other is one epoch with all that is known of it, so that an epoch is in the
file as a whole or not at all, and a run that goes on appends to the records that agree with its checkpoint.

Sources: https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto and
https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details.
"""

import os
import struct
import time

from eventsim.errors import ConfigError
from eventsim.files import reading, writing
from eventsim.trainer.logs.base import Log, columns

_LENGTH, _CHECKSUM = struct.Struct("<Q"), struct.Struct("<I")
_VERSION = "brain.Event:2"
_BINS = 64
# Tags, where they are not the names of the columns; what stands before the slash is a group of charts.
_TAGS = {"loss": "loss/train", "val_loss": "loss/validation", "accuracy": "accuracy/train",
         "val_accuracy": "accuracy/validation"}
_LEFT_OUT = ("epoch", "samples", "seconds")


class TensorBoard(Log):
    """Scalars of every epoch, and histograms of the weights; raises `ConfigError` where tensorboardX is missing."""

    file_name = "events.out.tfevents.eventsim"

    def __init__(self):
        try:
            from tensorboardX import record_writer, summary
            from tensorboardX.proto.event_pb2 import Event
        except ImportError:
            raise ConfigError("event files for TensorBoard need the package tensorboardX; install it with "
                              "`pip install 'eventsim[tensorboard]'`") from None
        self._checksum, self._summary, self._event = record_writer.masked_crc32c, summary, Event

    def epoch(self, record):
        """Append the epoch, and the weights that it ended with."""
        self._append(record, histograms=True)

    def write(self):
        """Cut off what is not in the checkpoint, or was cut off itself, and append what is missing."""
        with writing(self.path):
            self.path.touch()
            kept, end = self._known()
            os.truncate(self.path, end)
        for record in self.trainer.history[kept:]:
            self._append(record)

    def _known(self):
        """How many epochs of the history the file has from its start on, and the byte where they end."""
        with reading(self.path):
            records = list(self._records(self.path.read_bytes()))
        if not records or records[0][0].file_version != _VERSION:
            return 0, 0
        end, kept = records[0][1], 0
        for (event, place), record in zip(records[1:], self.trainer.history, strict=False):
            if event.step != record["epoch"]:
                break
            end, kept = place, kept + 1
        return kept, end

    def _records(self, data):
        """(event, where its record ends) of all records up to the first one that is damaged or incomplete."""
        start = 0
        while start + _LENGTH.size <= len(data):
            length, = _LENGTH.unpack_from(data, start)
            first = start + _LENGTH.size + _CHECKSUM.size
            start = first + length + _CHECKSUM.size
            if start > len(data) or _CHECKSUM.unpack_from(data, first + length)[0] != self._checksum(
                    data[first : first + length]):
                return
            yield self._event.FromString(data[first : first + length]), start

    def _append(self, record, histograms=False):
        """One epoch at the end of the file, after the version where it is the first."""
        event = self._event(wall_time=time.time(), step=record["epoch"])
        for tag, value in self._scalars(record):
            event.summary.MergeFrom(self._summary.scalar(tag, value))
        if histograms:
            network = self.trainer.network
            for name, layer in zip(network.layer_names, network.layers, strict=True):
                if layer.n_weights:
                    event.summary.MergeFrom(self._summary.histogram(f"weights/{name}", layer.weight, _BINS))
        with writing(self.path), open(self.path, "ab") as file:
            begins = [] if file.tell() else [self._event(wall_time=time.time(), file_version=_VERSION)]
            file.write(b"".join(map(self._framed, [*begins, event])))

    def _framed(self, event):
        data = event.SerializeToString()
        length = _LENGTH.pack(len(data))
        return b"".join((length, _CHECKSUM.pack(self._checksum(length)), data, _CHECKSUM.pack(self._checksum(data))))

    def _scalars(self, record):
        for name, value in columns(record, self.trainer.network.layer_names, "/").items():
            if name not in _LEFT_OUT:
                yield _TAGS.get(name, name), value
        yield "ms_a_sample", 1000.0 * record["seconds"] / max(record["samples"], 1)
