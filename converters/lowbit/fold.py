"""What stands between few-bit layers goes into their own constants: activations stay in bits from layer to layer."""

from __future__ import annotations

from tfkit.converters import flatbuffer as fb
from tfkit.converters.lowbit.bits import is_packed
from tfkit.converters.lowbit.into_scales import into_scales
from tfkit.converters.lowbit.into_thresholds import into_thresholds
from tfkit.converters.lowbit.shared_quantizers import with_shared_quantizers


def folded(flatbuffer: bytes) -> bytes:
    """The model with float ops and quantizers behind few-bit layers as thresholds on their sums, others as scales."""
    model = fb.parse(flatbuffer)
    if len(model.graphs) != 1 or not any(is_packed(op) for op in model.main.ops):
        return flatbuffer
    return into_scales(into_thresholds(with_shared_quantizers(flatbuffer)))
