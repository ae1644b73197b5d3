"""Recipes: how a family of networks is trained, as data. Importing this module imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from tfkit._errors import UsageError
from tfkit._registry import Registry

OPTIMIZERS = ("adam", "sgd", "bop")
SCHEDULES = ("cosine", "step", "constant")
PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a network is trained, besides the network, the data and the seed.

    The learning rate of step t of T rises linearly during the first ``warmup`` · T steps and then follows
    ``schedule``; every length is a share of the run, so that a recipe scales with the number of epochs.

    Attributes:
        summary: one line.
        source: where the numbers come from.
        optimizer: "adam", "sgd" (Nesterov momentum) or "bop" (Bop for binary kernels, Adam for the rest).
        learning_rate: the highest one.
        schedule: "cosine" (to zero along half a cosine), "step" (times ``decay`` at each milestone) or "constant".
        warmup: share of the run that warms up, in [0, 1).
        milestones: shares of the run at which a "step" schedule falls.
        decay: the factor of a "step" schedule.
        momentum: of "sgd".
        weight_decay: decoupled (Loshchilov and Hutter, https://arxiv.org/abs/1711.05101): every step takes
            ``learning rate · weight_decay · w`` off each kernel; never off biases, normalizations or latent
            binary weights. Papers give the factor λ of an L2 penalty; with momentum m the equivalent for slowly
            changing weights is λ / (1 - m).
        label_smoothing: share of the target that is spread over all classes, in [0, 1).
        clip_latent: keep latent binary weights in [-1, 1] also where their layer has no constraint.
        batch_size, epochs: defaults of ``fit``.
        augment: change training images at random, as suits the data set.
        precision: "float32", "bfloat16" or "float16" arithmetic with float32 weights.
        gamma, threshold: of "bop": adaptivity rate and the signal that flips a weight.
        partitions: of networks with ``INQ`` kernels: rising shares of the run at which weights are fixed, each time
            half of those that are left and at last all.
        settle: share of the run after which quantizers that draw values at random take the likeliest, as inference
            does.
    """

    summary: str
    source: str
    optimizer: str = "adam"
    learning_rate: float = 3e-3
    schedule: str = "cosine"
    warmup: float = 0.0
    milestones: tuple[float, ...] = ()
    decay: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    clip_latent: bool = True
    batch_size: int = 64
    epochs: int = 15
    augment: bool = False
    precision: str = "float32"
    gamma: float = 1e-3
    threshold: float = 1e-7
    partitions: tuple[float, ...] = (0.4, 0.55, 0.7, 0.85)
    settle: float = 0.5

    def check(self) -> Recipe:
        """The recipe itself; raises ``UsageError`` naming the first value that makes no sense."""
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("precision", self.precision, PRECISIONS)
        if self.epochs < 1 or self.batch_size < 1 or not self.learning_rate > 0:
            raise UsageError(
                f"epochs, batch_size and learning_rate must be positive; "
                f"got {self.epochs}, {self.batch_size} and {self.learning_rate:g}"
            )
        for name in ("warmup", "label_smoothing", "momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name} lies in [0, 1); got {getattr(self, name):g}")
        if not self.weight_decay >= 0:
            raise UsageError(f"weight_decay is not negative; got {self.weight_decay:g}")
        if not self.gamma > 0 or not self.threshold >= 0:
            raise UsageError(f"bop needs gamma > 0 and threshold >= 0; got {self.gamma:g} and {self.threshold:g}")
        if not 0 <= self.settle <= 1:
            raise UsageError(f"settle is a share of the run, in [0, 1]; got {self.settle:g}")
        shares = self.partitions
        if not shares or list(shares) != sorted(shares) or not 0 <= shares[0] <= shares[-1] < 1:
            raise UsageError(f"partitions are rising shares of the run in [0, 1); got {shares}")
        return self

    def settings(self) -> dict[str, object]:
        """What decides the result, JSON-ready: every field but the two texts."""
        return {
            field.name: list(value) if isinstance(value := getattr(self, field.name), tuple) else value
            for field in fields(self)
            if field.name not in ("summary", "source")
        }


RECIPES: Registry[Recipe] = Registry("recipe")

RECIPES.add(
    "adam",
    Recipe(
        summary="Adam along half a cosine; small networks and small data",
        source="Kingma and Ba 2015, https://arxiv.org/abs/1412.6980; cosine: Loshchilov and Hutter 2017, "
        "https://arxiv.org/abs/1608.03983, equation 5",
    ),
)
RECIPES.add(
    "plain",
    Recipe(
        summary="SGD with a low rate; networks without batch normalization (AlexNet, VGG, NIN)",
        source="Krizhevsky et al. 2012, section 5: rate 0.01, momentum 0.9, L2 5e-4, batch 128, about 90 epochs, "
        "divided by 10 three times; Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556, section 3.1",
        optimizer="sgd",
        learning_rate=0.01,
        schedule="step",
        milestones=(0.5, 0.75, 0.9),
        weight_decay=5e-3,
        batch_size=128,
        epochs=90,
        augment=True,
    ),
)
RECIPES.add(
    "residual",
    Recipe(
        summary="SGD in steps; networks with batch normalization (ResNet, WRN, DenseNet, ResNeXt)",
        source="Zagoruyko and Komodakis 2016, https://arxiv.org/abs/1605.07146, section 3: Nesterov momentum 0.9, "
        "rate 0.1 times 0.2 at epochs 60, 120 and 160 of 200, L2 5e-4, batch 128; warm-up: Goyal et al. 2017, "
        "https://arxiv.org/abs/1706.02677, section 2.2 (5 epochs)",
        optimizer="sgd",
        learning_rate=0.1,
        schedule="step",
        warmup=0.025,
        milestones=(0.3, 0.6, 0.8),
        decay=0.2,
        weight_decay=5e-3,
        batch_size=128,
        epochs=200,
        augment=True,
    ),
)
RECIPES.add(
    "compact",
    Recipe(
        summary="SGD along half a cosine with label smoothing and little decay (MobileNet, ShuffleNet, EfficientNet)",
        source="He et al. 2019, https://arxiv.org/abs/1812.01187, sections 3.1 and 5: rate 0.1 · batch / 256, warm-up "
        "of 5 in 120 epochs, cosine, label smoothing 0.1; L2 4e-5: Zhang et al. 2018, "
        "https://arxiv.org/abs/1707.01083, section 4",
        optimizer="sgd",
        learning_rate=0.05,
        warmup=0.04,
        weight_decay=4e-4,
        label_smoothing=0.1,
        batch_size=128,
        epochs=120,
        augment=True,
    ),
)
RECIPES.add(
    "binary",
    Recipe(
        summary="Adam with large steps: a latent weight matters only when it crosses zero",
        source="Courbariaux et al. 2016, https://arxiv.org/abs/1602.02830, algorithm 1 (latent weights clipped) and "
        "section 2.1 (Adam); no decay on latent weights: Bethge et al. 2019, https://arxiv.org/abs/1906.08637",
        learning_rate=1e-2,
    ),
)
RECIPES.add(
    "few_bit",
    Recipe(
        summary="Adam along half a cosine, for ternary kernels and those of two bits and more",
        source="Esser et al. 2020, https://arxiv.org/abs/1902.08153, section 2.3: rates along half a cosine to zero, "
        "which lets codes settle",
        learning_rate=5e-3,
        epochs=8,
    ),
)
RECIPES.add(
    "incremental",
    Recipe(
        summary="float training, then INQ: weights become powers of two in four portions while the rest is trained",
        source="Zhou et al. 2017, https://arxiv.org/abs/1702.03044, algorithm 1 and section 3.1 (portions)",
        learning_rate=5e-3,
    ),
)
RECIPES.add(
    "bop",
    Recipe(
        summary="Bop flips binary kernels, Adam trains the rest",
        source="Helwegen et al. 2019, https://arxiv.org/abs/1906.02107, algorithm 1; the paper's CIFAR-10 runs have "
        "gamma 1e-4 and threshold 1e-8 over 500 epochs (section 5.2), short runs need larger ones",
        optimizer="bop",
        learning_rate=1e-2,
    ),
)
RECIPES.add(
    "int8",
    Recipe(
        summary="fine-tuning of a quantization-aware network",
        source="Jacob et al. 2018, https://arxiv.org/abs/1712.05877, section 3: from trained weights, in small steps",
        learning_rate=1e-3,
        epochs=5,
    ),
)
RECIPES.add(
    "pruning",
    Recipe(
        summary="fine-tuning while the smallest weights are set to zero",
        source="Zhu and Gupta 2017, https://arxiv.org/abs/1710.01878, section 3: the rate stays high while pruning; "
        "8 epochs: tfkit/pruning/ACCURACY.md",
        epochs=8,
    ),
)


def _one_of(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise UsageError(f"unknown {name} {value!r}; it is one of {', '.join(known)}")
