"""history.jsonl: a JSON object an epoch."""

import json

from eventsim.trainer.logs.base import Log


class JSONLines(Log):
    """The records of the history as they are, a line each."""

    file_name = "history.jsonl"

    def text(self):
        """Every record, rather than the last one more."""
        return "".join(json.dumps(record, allow_nan=False) + "\n" for record in self.trainer.history)
