"""A backbone of keras.applications with a head of one's own, trained for int8 and converted: hard-swish and all."""

import tf_keras as keras

import tfkit
from tfkit import data, training

shapes = data.load("shapes:0.2")
few = data.Dataset(
    shapes.x_train[:1000], shapes.y_train[:1000], shapes.x_test[:200], shapes.y_test[:200], shapes.classes
)

backbone = keras.applications.MobileNetV3Small(
    input_shape=(32, 32, 3), alpha=0.35, minimalistic=False, include_top=False, weights=None, pooling="avg"
)
model = keras.Sequential([backbone, keras.layers.Dense(shapes.classes, name="logits")])
training.fit(model, few, epochs=2, seed=1)

# The nested model is opened, its operators get int8 forms, and the ranges start at what the data shows.
aware = tfkit.quantize_aware(model, few.x_train[:128])
training.fit(aware, few, epochs=1, seed=1)

conversion = tfkit.convert(aware, format="int8", io="int8", strict=True)
print(tfkit.inspect(conversion.flatbuffer).table())
print(conversion.parity.summary)
