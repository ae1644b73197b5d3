"""``python -m tfkit``."""

from tfkit.cli import main

main()
