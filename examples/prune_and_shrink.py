"""Half the MACs in five lines: drop the filters of the smallest norm, train on, convert, and time before and after."""

import tfkit
from tfkit import bench, data, models, training
from tfkit.pruning.shrink import filter_norms, select

digits = data.load("digits")
model = models.build("small_cnn", seed=1)
training.fit(model, digits, epochs=4, seed=1)
tfkit.convert(model, data="digits").save("before.tflite")

# Channels that are added to each other go together; every layer keeps a multiple of 8.
shrunk = tfkit.shrink(model, keep=select(model, filter_norms(model), target_macs=0.5, multiple_of=8))
training.fit(shrunk.model, digits, epochs=2, seed=1)
conversion = tfkit.convert(shrunk.model, data="digits", strict=True)
conversion.save("after.tflite")
report = bench.run(["before.tflite", "after.tflite"], preset="quick")

print(shrunk.table())
print(conversion.parity.summary)
print(bench.as_table(report))
