"""What a conversion gives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfkit._files import whole_file

if TYPE_CHECKING:
    from tfkit.converters.ledger import Ledger
    from tfkit.converters.parity import Parity


@dataclass(frozen=True)
class Conversion:
    """A flatbuffer with the proof of what is in it; ``parity`` is None when verification was switched off."""

    flatbuffer: bytes
    ledger: Ledger
    parity: Parity | None
    format: str
    metadata: Mapping[str, Any]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the flatbuffer, whole or not at all; raises ``InputError`` when ``path`` cannot be written."""
        with whole_file(path) as temporary:
            temporary.write_bytes(self.flatbuffer)
        return Path(path)
