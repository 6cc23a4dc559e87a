"""What accuracy did others measure after pruning? Quoted for orientation; nothing is predicted from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishedSparsity:
    """Top-1 accuracy of one network, 0 to 1, trained dense, with half of its weights zero, and with 2:4."""

    network: str
    dense: float
    half_anywhere: float
    two_of_four: float


PUBLISHED_SPARSITY_SOURCE = (
    "TensorFlow Model Optimization, 'Trim insignificant weights', "
    "https://www.tensorflow.org/model_optimization/guide/pruning"
)
# ImageNet; DS-CNN-L: speech commands.
PUBLISHED_SPARSITY = (
    PublishedSparsity("Inception V3", 0.781, 0.780, 0.758),
    PublishedSparsity("MobileNetV1 1.0, 224", 0.7104, 0.7084, 0.6735),
    PublishedSparsity("MobileNetV2 1.0, 224", 0.7177, 0.6964, 0.6675),
    PublishedSparsity("DS-CNN-L", 0.9523, 0.9484, 0.9433),
)
