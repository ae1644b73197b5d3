"""Learning rates as functions of the step."""

from __future__ import annotations

import math
from typing import Any

from tfkit._keras import legacy_keras
from tfkit.training.recipes import Recipe

keras = legacy_keras()


@keras.utils.register_keras_serializable(package="tfkit")
class RecipeSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[name-defined]
    """The learning rate of step t = 0 ... T - 1, after a linear warm-up of W steps to ``rate``.

        t < W:     rate · (t + 1) / W
        cosine:    rate · (1 + cos(π · (t - W) / (T - W))) / 2
        step:      rate · decay^n, n the number of milestones m with t >= m · T
        constant:  rate

    Warm-up: Goyal et al., https://arxiv.org/abs/1706.02677, section 2.2. Cosine: Loshchilov and Hutter,
    https://arxiv.org/abs/1608.03983, equation 5, without restarts.
    """

    def __init__(
        self,
        rate: float,
        steps: int,
        warmup_steps: int = 0,
        schedule: str = "cosine",
        milestones: tuple[float, ...] = (),
        decay: float = 0.1,
    ) -> None:
        self.rate = rate
        self.steps = steps
        self.warmup_steps = warmup_steps
        self.schedule = schedule
        self.milestones = tuple(milestones)
        self.decay = decay

    @classmethod
    def of(cls, recipe: Recipe, steps: int) -> RecipeSchedule:
        """The schedule of a recipe for a run of ``steps`` steps."""
        warmup = round(recipe.warmup * steps)
        return cls(recipe.learning_rate, steps, warmup, recipe.schedule, recipe.milestones, recipe.decay)

    def __call__(self, step: Any) -> Any:
        import tensorflow as tf

        t = tf.cast(step, tf.float32)
        if self.schedule == "cosine":
            share = (t - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
            rate = self.rate * (1 + tf.cos(math.pi * tf.clip_by_value(share, 0.0, 1.0))) / 2
        elif self.schedule == "step":
            passed = [tf.cast(t >= round(milestone * self.steps), tf.float32) for milestone in self.milestones]
            rate = self.rate * tf.pow(self.decay, tf.add_n(passed) if passed else 0.0)
        else:
            rate = tf.constant(self.rate, tf.float32)
        warming = self.rate * (t + 1) / max(1, self.warmup_steps)
        return tf.where(t < self.warmup_steps, warming, rate)

    def get_config(self) -> dict[str, Any]:
        return {
            "rate": self.rate,
            "steps": self.steps,
            "warmup_steps": self.warmup_steps,
            "schedule": self.schedule,
            "milestones": list(self.milestones),
            "decay": self.decay,
        }
