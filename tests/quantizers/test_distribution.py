"""Training on several devices: replicas begin at the same scales, and learned ones stay the same on all."""

from __future__ import annotations

import json
import subprocess
import sys

# The logical devices of a process are fixed when TensorFlow starts, so it is one of its own.
PROGRAM = """
import json, sys, warnings
import numpy as np
import tensorflow as tf
warnings.simplefilter("ignore")
count = int(sys.argv[1])
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
from tfkit._keras import legacy_keras
from tfkit.layers import QuantConv2D, QuantDense
keras = legacy_keras()
strategy = tf.distribute.MirroredStrategy([f"CPU:{n}" for n in range(count)])
keras.utils.set_random_seed(1)
with strategy.scope():
    pairs = [("lsq_w2", "lsq_a2"), ("lq_w2", "lq_a2"), ("ttq", "log_a4"), ("xnor_weights", "ste_sign")]
    layers = [QuantConv2D(8, 3, padding="same", kernel_quantizer=k, input_quantizer=i) for k, i in pairs]
    parts = [part for layer in layers for part in (layer, keras.layers.BatchNormalization())]
    model = keras.Sequential([keras.layers.Input((6, 6, 3)), *parts, keras.layers.Flatten(),
                              QuantDense(3, kernel_quantizer="uhlich_w4", input_quantizer="uhlich_a4")])
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
rng = np.random.default_rng(1)
y = np.arange(32) % 3
x = (rng.normal(size=(32, 6, 6, 3)) + np.eye(3)[y][:, None, None]).astype(np.float32)
losses = model.fit(x, y, batch_size=32, epochs=8, verbose=0).history["loss"]
same = [float(np.ptp([np.asarray(v) for v in w.values], axis=0).max()) for w in model.trainable_weights
        if hasattr(w, "values")]
started = [float(w.numpy()) for w in model.weights if "started" in w.name]
steps = [float(layer.input_quantizer.step.numpy()) for layer in (layers[0], model.layers[-1])]
print(json.dumps({"losses": losses, "same": same, "started": started, "steps": steps}))
"""


def test_a_mirrored_strategy_trains_on_two_devices() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "2"], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["losses"][-1] < found["losses"][0]
    assert set(found["started"]) == {1.0}
    assert all(step > 0 and step != 1.0 for step in found["steps"]), "the first step did not find where scales begin"
    assert found["same"], "no variable is mirrored"
    assert max(found["same"]) == 0, "replicas differ"
