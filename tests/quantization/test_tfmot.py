"""What tfkit uses of TF-MOT beyond its public names is where it was."""

from __future__ import annotations

from helpers.keras import keras
from tfkit.quantization import tfmot

layers = keras.layers


def test_supports() -> None:
    assert all(tfmot.supports(layer) for layer in (layers.Conv2D(1, 1), layers.Add(), layers.Dense(1)))
    assert not tfmot.supports(layers.PReLU())


def test_custom_objects_are_complete() -> None:
    from tensorflow_model_optimization.quantization.keras import quantize_scope

    added: dict[str, object] = {}
    before = dict(keras.utils.get_custom_objects())
    with quantize_scope():
        scope = keras.src.saving.object_registration._THREAD_LOCAL_CUSTOM_OBJECTS.__dict__
        added.update({name: value for name, value in scope.items() if name not in before})
    assert set(added) <= set(tfmot.custom_objects()), set(added) - set(tfmot.custom_objects())
    assert added


def test_scale_keeps_the_zero_point() -> None:
    aware_layer = layers.Layer()
    variables = {
        "min_var": aware_layer.add_weight(name="min", initializer=keras.initializers.Constant(-3.0)),
        "max_var": aware_layer.add_weight(name="max", initializer=keras.initializers.Constant(7.0)),
    }
    found = tfmot.Range(aware_layer, "name", variables)
    zero_point = round(3.0 / found.scale)
    found.scale = 0.05
    assert abs(found.scale - 0.05) < 1e-8
    assert round(-float(found.minimum.numpy()) / found.scale) == zero_point
