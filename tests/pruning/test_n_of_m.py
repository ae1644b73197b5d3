from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from helpers.pruning import begun, convolutional, shake
from tfkit._errors import UsageError
from tfkit.pruning import finish
from tfkit.pruning.n_of_m import NOfM, keeps_pattern

SEED = 7


@pytest.mark.parametrize(("n", "m"), [(2, 4), (1, 5), (3, 7)])
def test_the_largest_of_each_group_are_seen(n: int, m: int) -> None:
    model = shake(convolutional(SEED), SEED)
    pruning = begun(model, NOfM(n, m))
    pruned = finish(pruning.network)
    for wrapper in pruning.wrappers:
        w = wrapper.layer.kernel.numpy()
        got = pruned.get_layer(wrapper.layer.name).kernel.numpy()
        assert keeps_pattern(got, n, m)
        for output in range(w.shape[-1]):
            column = w[..., output].ravel()
            for start in range(0, column.size, m):
                group = column[start : start + m]
                kept = sorted(range(group.size), key=lambda i, g=group: -abs(g[i]))[:n]
                expected = [group[i] if i in kept else 0.0 for i in range(group.size)]
                np.testing.assert_array_equal(got[..., output].ravel()[start : start + m], expected)


def test_a_broken_pattern_is_noticed() -> None:
    kernel = np.zeros((8, 1))
    kernel[[0, 1, 4]] = 1
    assert keeps_pattern(kernel, 2, 4)
    kernel[2] = 1
    assert not keeps_pattern(kernel, 2, 4)


def test_hidden_weights_decay_and_learn() -> None:
    pruning = begun(shake(convolutional(SEED), SEED), NOfM(1, 4, decay=0.5))
    wrapper = pruning.wrappers[-1]
    w = wrapper.layer.kernel.numpy()
    seen = np.asarray(wrapper.effective(True)) != 0
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(wrapper.effective(True) * 3.0)
    np.testing.assert_array_equal(tape.gradient(loss, wrapper.layer.kernel), np.full_like(w, 3.0))
    wrapper.after_step(tf.constant(1), tf.constant(0.1))
    np.testing.assert_allclose(wrapper.layer.kernel, np.where(seen, w, w * (1 - 0.1 * 0.5)), rtol=1e-6)


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(UsageError, match="0 < N < M; got 4:4"):
        NOfM(4, 4)
    with pytest.raises(UsageError, match="decay is not negative"):
        NOfM(decay=-1)
