"""Everything that ``tfkit report`` writes."""

from __future__ import annotations

import os
from pathlib import Path

from tfkit._files import check_writable, whole_file
from tfkit.tradeoffs.report.page import to_html
from tfkit.tradeoffs.report.spreadsheet import write_csv
from tfkit.tradeoffs.report.study import Study


def write(
    folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    csv: str | os.PathLike[str] | None = None,
    figures: str | os.PathLike[str] | None = None,
) -> Study:
    """Read the sweep in ``folder`` and write the page ``output``; a CSV file and a folder of figures if asked.

    Nothing of the sweep is changed, so one that is still running may be looked at.

    Raises:
        SweepError: ``folder`` holds no sweep, or a damaged one.
        InputError: a file cannot be written where it is to go.
        MissingToolError: ``figures`` are asked for and matplotlib is not installed.
    """
    for path in (output, csv):
        if path is not None:
            check_writable(path)
    if figures is not None:
        from tfkit.tradeoffs.report.figures import check_matplotlib

        check_matplotlib()
    study = Study.read(folder)
    with whole_file(Path(output)) as temporary:
        temporary.write_text(to_html(study), encoding="utf-8")
    if csv is not None:
        write_csv(study.points, csv)
    if figures is not None:
        from tfkit.tradeoffs.report.figures import write_figures

        write_figures(study, Path(figures))
    return study
