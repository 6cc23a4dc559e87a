"""The table of networks, and how one is built by its name."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches

from ...errors import ModelNotFound
from ..build import GraphBuilder
from ..ir import DType, ModelGraph
from .demo import conv_add_pool_relu
from .fast_sparse import fast_mobilenet_v1, fast_mobilenet_v2
from .micronets import micronet_kws
from .mlperf_tiny import ad01, kws01, sww01
from .mnasnet import mnasnet_b1
from .mobilenet_v1 import mobilenet_v1, person_detect, vww01, vww01_live
from .mobilenet_v2 import mobilenet_v2
from .mobilenet_v3 import (
    mobilenet_v3_large,
    mobilenet_v3_large_minimalistic,
    mobilenet_v3_small,
    mobilenet_v3_small_minimalistic,
)
from .reference import Plan, Reference
from .resnet_v1 import resnet_v1_8, resnet_v1_32
from .squeezenet import squeezenet_v1_0, squeezenet_v1_1

_MOST = {"width": 8, "resolution": 65536, "classes": 1_000_000, "picture_channels": 65536}
_SPECTRUM = ("width", "resolution", "classes")
ZOO: dict[str, Reference] = {
    "kws01": Reference("DS-CNN, keyword spotting (MLPerf Tiny)", kws01, Plan(1.0, 49, 12), _SPECTRUM),
    "vww01": Reference("MobileNetV1 0.25, person or not (MLPerf Tiny)", vww01, Plan(0.25, 96, 2)),
    "ic01": Reference("ResNet-8, CIFAR-10 (MLPerf Tiny)", resnet_v1_8, Plan(1.0, 32, 10)),
    "ad01": Reference(
        "dense autoencoder, machine sounds (MLPerf Tiny); its resolution is the features",
        ad01,
        Plan(1.0, 640, 640),
        ("width", "resolution"),
    ),
    "sww01": Reference("streaming wake word (MLPerf Tiny)", sww01, Plan(1.0, 30, 3), ("width", "classes")),
    "vww01-live": Reference(
        "vww01 without the channels whose published weights are all zero",
        vww01_live,
        Plan(0.25, 96, 2),
        ("resolution", "classes", "picture_channels"),
    ),
    "person-detect": Reference(
        "MobileNetV1 0.25 on a grey picture, person or not (tflite-micro's example)",
        person_detect,
        Plan(0.25, 96, 2, 1),
    ),
    "mobilenet-v1": Reference("MobileNetV1, ImageNet (Keras)", mobilenet_v1, Plan(1.0, 224, 1000)),
    "mobilenet-v2": Reference("MobileNetV2, ImageNet (Keras)", mobilenet_v2, Plan(1.0, 224, 1000)),
    "fast-mobilenet-v1": Reference(
        "MobileNetV1 as Fast Sparse ConvNets has it: padded by one on each side",
        fast_mobilenet_v1,
        Plan(1.0, 224, 1000),
    ),
    "fast-mobilenet-v2": Reference(
        "MobileNetV2 as Fast Sparse ConvNets has it: padded by one on each side",
        fast_mobilenet_v2,
        Plan(1.0, 224, 1000),
    ),
    "micronet-kws-s": Reference(
        "MicroNet-KWS-S, keyword spotting", micronet_kws("s"), Plan(1.0, 49, 12), _SPECTRUM
    ),
    "micronet-kws-m": Reference(
        "MicroNet-KWS-M, keyword spotting", micronet_kws("m"), Plan(1.0, 49, 12), _SPECTRUM
    ),
    "micronet-kws-l": Reference(
        "MicroNet-KWS-L, keyword spotting", micronet_kws("l"), Plan(1.0, 49, 12), _SPECTRUM
    ),
    "mobilenet-v3-large": Reference(
        "MobileNetV3-Large, ImageNet (TF slim)", mobilenet_v3_large, Plan(1.0, 224, 1000)
    ),
    "mobilenet-v3-small": Reference(
        "MobileNetV3-Small, ImageNet (TF slim)", mobilenet_v3_small, Plan(1.0, 224, 1000)
    ),
    "mobilenet-v3-large-minimalistic": Reference(
        "MobileNetV3-Large without squeeze, hard-swish and 5x5",
        mobilenet_v3_large_minimalistic,
        Plan(1.0, 224, 1000),
    ),
    "mobilenet-v3-small-minimalistic": Reference(
        "MobileNetV3-Small without squeeze, hard-swish and 5x5",
        mobilenet_v3_small_minimalistic,
        Plan(1.0, 224, 1000),
    ),
    "mnasnet-b1": Reference("MnasNet-B1, ImageNet", mnasnet_b1, Plan(1.0, 224, 1000)),
    "resnet-v1-32": Reference("ResNet-32, CIFAR-100", resnet_v1_32, Plan(1.0, 32, 100)),
    "squeezenet-v1.0": Reference(
        "SqueezeNet 1.0, as ST's model zoo has it", squeezenet_v1_0, Plan(1.0, 128, 5), smallest=19
    ),
    "squeezenet-v1.1": Reference(
        "SqueezeNet 1.1, ImageNet", squeezenet_v1_1, Plan(1.0, 224, 1000), smallest=31
    ),
    "conv-add-pool-relu": Reference(
        "a residual convolution, pooling and activation as four ops",
        conv_add_pool_relu,
        Plan(1.0, 16, 1),
        ("resolution",),
        smallest=2,
    ),
}


def build(
    name: str, *, dtype: str = "int8", width: float | None = None, resolution: int | None = None,
    classes: int | None = None, picture_channels: int | None = None, seed: int = 0,
) -> ModelGraph:  # fmt: skip
    """The reference network with seeded weights; what is not given is as published.

    >>> [op.kind for op in build("conv-add-pool-relu").ops]
    ['CONV_2D', 'ADD', 'MAX_POOL_2D', 'RELU']
    """
    reference = _reference(name)
    wishes = {
        "width": width,
        "resolution": resolution,
        "classes": classes,
        "picture_channels": picture_channels,
    }
    given = {option: value for option, value in wishes.items() if value is not None}
    faults = [f"it has one {option}" for option in given if option not in reference.options]
    faults += [
        f"{option} {value} is not above 0 and at most {_MOST[option]}"
        for option, value in given.items() if not 0 < value <= _MOST[option]
    ]  # fmt: skip
    plan = replace(reference.plan, **given)  # type: ignore[arg-type]
    if not faults and plan.resolution < reference.smallest:
        faults.append(f"at resolution {plan.resolution} nothing is left: take {reference.smallest} or more")
    if faults:
        raise ModelNotFound(
            f"{name} cannot be built so: {'; '.join(faults)}", where="zoo",
            fix=f"options of {name}: {', '.join(reference.options)}",
        )  # fmt: skip
    builder = GraphBuilder(name, dtype=_dtype(dtype), seed=seed)
    return builder.finish([reference.append(builder, plan)])


def options_of(name: str) -> tuple[str, ...]:
    """What may be chosen of a network beside its type: the arguments of `build` that it takes.

    >>> options_of("kws01")
    ('width', 'resolution', 'classes')

    Raises:
        ModelNotFound: the zoo has no such network.
    """
    return _reference(name).options


def _reference(name: str) -> Reference:
    reference = ZOO.get(name)
    if reference is None:
        near = get_close_matches(name, ZOO, 1)
        fix = f"did you mean {near[0]}? " if near else ""
        raise ModelNotFound(f"the zoo has no {name!r}", where="zoo", fix=f"{fix}known: {', '.join(ZOO)}")
    return reference


def _dtype(text: str) -> DType:
    if text not in ("int8", "int16", "float32"):
        raise ModelNotFound(f"the zoo has no {text} models", where="zoo", fix="use int8, int16 or float32")
    return DType(text)
