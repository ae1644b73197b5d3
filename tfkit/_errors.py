"""Every exception tfkit raises on purpose.

TfkitError                 exit code 1
├── UsageError             2   the call itself is wrong: unknown name, options that exclude each other
├── InputError             1   something handed to tfkit cannot be used
│   ├── ModelError             a model file or object (damaged, foreign, unsafe)
│   └── DataError              arrays: wrong names, shapes, types, range
├── ConversionError        1   the underlying converter refused
├── UnsupportedError       1   tfkit knows the case and declines it, with the reason
├── InferenceError         1   a runtime could not load or run a flatbuffer
├── TrainingError          1   training diverged
├── DeviceError            1   a device is missing, refuses, or went away
├── MissingToolError       1   a program or package is not installed; names the command that brings it
└── CheckError             3   a check said no
    ├── ParityError            flatbuffer and Keras model disagree
    ├── StrictError            ``strict`` was asked and a layer fell back
    ├── GoldenError            a device computed something else than the reference
    └── RegressionError        a model became slower
"""

from __future__ import annotations


class TfkitError(Exception):
    """Base of all errors; ``exit_code`` is what the command line returns for it."""

    exit_code = 1


class UsageError(TfkitError):
    """The call is wrong: an unknown name or options that exclude each other."""

    exit_code = 2


class InputError(TfkitError):
    """Something handed to tfkit cannot be used."""


class ModelError(InputError):
    """A model file or object is damaged, foreign or unsafe."""


class DataError(InputError):
    """Arrays have the wrong names, shapes, types or range."""


class ConversionError(TfkitError):
    """The underlying converter refused the model."""


class UnsupportedError(TfkitError):
    """A case that tfkit knows and declines, with the reason."""


class InferenceError(TfkitError):
    """A runtime could not load or run a flatbuffer."""


class TrainingError(TfkitError):
    """Training diverged: the loss is not finite any more."""


class DeviceError(TfkitError):
    """A device is missing, refuses, or went away."""


class MissingToolError(TfkitError):
    """A program or package is not installed; the message names the command that brings it."""


class CheckError(TfkitError):
    """A check said no."""

    exit_code = 3


class ParityError(CheckError):
    """Flatbuffer and Keras model disagree by more than the derived bound."""


class StrictError(CheckError):
    """``strict`` was asked and at least one layer fell back."""


class GoldenError(CheckError):
    """A device computed something else than the host reference."""


class RegressionError(CheckError):
    """A model became slower than it was."""
