"""One network with binary and int8 layers: int8 input, output and residual adds, equal to Keras bit for bit."""

import tfkit
from tfkit import data, models, training

digits = data.load("digits")
model = models.build("small_cnn", scheme="binary", seed=1)
training.fit(model, digits, epochs=4, seed=1)

# Everything but the binary layers learns its int8 ranges; the binary layers stay as they are.
mixed = tfkit.quantize_aware(model)
training.fit(mixed, digits, epochs=2, seed=1)

conversion = tfkit.convert(mixed, format="lce", io="int8", data="digits", strict=True)
print(conversion.ledger.table())
print(conversion.parity.summary)

inspection = tfkit.inspect(conversion.flatbuffer)
print(inspection.table())
