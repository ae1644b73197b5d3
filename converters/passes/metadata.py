"""Where a flatbuffer came from: written into it, read back from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tfkit import __version__
from tfkit._errors import ModelError
from tfkit.converters import flatbuffer
from tfkit.converters.flatbuffer import Edit
from tfkit.metadata import ModelMetadata

ENTRY = "tfkit"
SCHEMA_VERSION = 1


def describe(
    metadata: ModelMetadata,
    *,
    format: str,
    io: str,
    runtime: str,
    source: str,
    digest: str,
    rewritten: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The metadata of one conversion, JSON-ready.

    ``source_sha256`` is over the source model's architecture and weights; ``preprocessing`` maps raw data to input;
    ``rewritten`` is there when layers were: their paths and how ("Dense as 1x1").
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "tfkit_version": __version__,
        "format": format,
        "io": io,
        "runtime": runtime,
        "source": source,
        "source_sha256": digest,
        **({"rewritten": dict(rewritten)} if rewritten else {}),
        **{k: v for k, v in metadata.to_json().items() if k != "extra"},
    }


def embed_metadata(edit: Edit, content: Mapping[str, Any]) -> None:
    """Write ``content`` into the flatbuffer."""
    edit.set_metadata(ENTRY, json.dumps(content, sort_keys=True, allow_nan=True).encode())
    edit.describe(f"converted by tfkit {__version__}")


def read_metadata(data: bytes) -> dict[str, Any] | None:
    """What tfkit wrote into a flatbuffer; None for files of other origin.

    Raises:
        ModelError: the flatbuffer or its tfkit metadata is damaged.
    """
    content = flatbuffer.parse(data).metadata.get(ENTRY)
    if content is None:
        return None
    try:
        found = json.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ModelError(f"the flatbuffer's tfkit metadata is damaged: {error}") from error
    if not isinstance(found, dict):
        raise ModelError("the flatbuffer's tfkit metadata is damaged: not an object")
    return found


def model_metadata(content: Mapping[str, Any] | None) -> ModelMetadata:
    """The model's own part of what ``read_metadata`` found."""
    if content is None:
        return ModelMetadata()
    fields = {k: content[k] for k in ("name", "scheme", "preprocessing") if k in content}
    return ModelMetadata.from_json(fields)
