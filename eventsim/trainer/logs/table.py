"""history.csv: a row an epoch, for spreadsheets and data frames."""

import csv
import io

from eventsim.trainer.logs.base import Log, columns


class CSV(Log):
    """A header, then a row an epoch; a cell is empty where an epoch has no such figure. Warnings are one cell."""

    file_name = "history.csv"

    def text(self):
        """Every record: the columns are those that any of them has."""
        names = self.trainer.network.layer_names
        rows = [columns(record, names) | _warnings(record) for record in self.trainer.history]
        out = io.StringIO()
        writer = csv.DictWriter(out, dict.fromkeys(name for row in rows for name in row), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()


def _warnings(record):
    """What was wrong, in short: silent dense2; at_chance."""
    found = [" ".join(filter(None, (one["kind"], one["layer"]))) for one in record.get("warnings", [])]
    return {"warnings": "; ".join(found)}
