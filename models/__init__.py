"""models."""

if __name__ != "tfkit.models":
    raise ImportError("this folder is the package tfkit.models; import it by that name")
