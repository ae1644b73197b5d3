"""What a run leaves for people and plots: one CSV file and one TensorBoard folder per stage."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from tfkit._errors import InputError
from tfkit._files import whole_file
from tfkit.training.checkpoint import Row


class Logs:
    """Writes ``FOLDER/NAME.csv`` and event files into ``FOLDER/NAME/``.

    The CSV file is written anew from all rows after every epoch, so a resumed run leaves no gap and no double.

    Raises:
        InputError: the folder cannot be made.
    """

    def __init__(self, folder: str | os.PathLike[str], name: str) -> None:
        import tensorflow as tf

        self._csv = Path(folder) / f"{name}.csv"
        events = Path(folder) / name
        try:
            events.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write logs into {folder}: {error.strerror}; choose another folder") from error
        self._writer = tf.summary.create_file_writer(str(events))

    def write(self, rows: Sequence[Row]) -> None:
        """Write the table of all epochs, and the last one as an event."""
        if not rows:
            return
        self.table(rows)
        import tensorflow as tf

        # tf.summary.scalar would need the tensorboard package here; whoever looks at the files has it.
        plugin = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
        metadata = tf.compat.v1.SummaryMetadata(plugin_data=plugin)
        with self._writer.as_default():
            for name, value in rows[-1].items():
                tf.summary.write(name, tf.constant(value, tf.float32), step=len(rows), metadata=metadata)
        self._writer.flush()

    def table(self, rows: Sequence[Row]) -> None:
        """Write the table alone."""
        with whole_file(self._csv) as temporary, temporary.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", *rows[0]])
            writer.writerows([number, *row.values()] for number, row in enumerate(rows, 1))

    def close(self) -> None:
        """Close the event file."""
        self._writer.close()
