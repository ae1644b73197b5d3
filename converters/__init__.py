"""converters."""

if __name__ != "tfkit.converters":
    raise ImportError("this folder is the package tfkit.converters; import it by that name")
