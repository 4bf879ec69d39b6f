"""Logs of a training in its run folder: a file each, and a line here."""

from eventsim.trainer.logs.jsonl import JSONLines
from eventsim.trainer.logs.table import CSV
from eventsim.trainer.logs.tensorboard import TensorBoard

LOGS = {"jsonl": JSONLines, "csv": CSV, "tensorboard": TensorBoard}
# Those that every run with a folder keeps.
ALWAYS = ("jsonl", "csv")

__all__ = ["ALWAYS", "CSV", "LOGS", "JSONLines", "TensorBoard"]
