"""Which rows of ST's model zoo can be rebuilt, as what network, and why are the others left out?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ...graphs.ir import ModelGraph
from ...graphs.zoo import build
from .facts import Facts

# what the file calls a version -> ours
VERSIONS = {"7.3.0": "7.3", "8.0.1": "8.1", "8.1.0": "8.1", "10.0.0": "10.0", "STEdgeAI 3.0.0": "3.0"}
_CLASSES = {
    "flowers": 5, "tf_flowers": 5, "plant-village": 39, "food-101": 101, "imagenet": 1000, "cifar10": 10,
    "cifar 10": 10, "cifar100": 100, "cifar 100": 100, "person": 1, "visual wake word": 2,
}  # fmt: skip
# how the model's name begins -> family, network of the zoo
_NETWORKS = (
    (re.compile(r"MobileNet v1 (\d\.\d+)"), "MobileNetV1", "mobilenet-v1"),
    (re.compile(r"MobileNet v2 (\d\.\d+)"), "MobileNetV2", "mobilenet-v2"),
    (re.compile(r"ResNet v1 8\b"), "ResNet v1", "ic01"),
    (re.compile(r"ResNet v1 32\b"), "ResNet v1", "resnet-v1-32"),
    (re.compile(r"SqueezeNet v1\.0"), "SqueezeNet", "squeezenet-v1.0"),
    (re.compile(r"SqueezeNet v1\.1"), "SqueezeNet", "squeezenet-v1.1"),
)
KIB = 1024


@dataclass(frozen=True, slots=True)
class Network:
    """A network of the zoo with its choices; equal ones have the same activations."""

    name: str
    width: float | None
    resolution: int | None
    classes: int
    picture_channels: int | None

    def built(self) -> ModelGraph:
        return build(
            self.name, width=self.width, resolution=self.resolution, classes=self.classes,
            picture_channels=self.picture_channels,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class StRow:
    """One row that can be rebuilt: figures in bytes, None where it states none."""

    version: str
    family: str
    network: Network
    activations_bytes: float
    runtime_ram_bytes: float | None
    weights_bytes: float | None
    code_bytes: float | None


def st_rows(facts: Facts) -> tuple[tuple[StRow, ...], dict[str, int]]:
    """The rows, and how many were left out for each reason."""
    rows, left_out = [], dict[str, int]()
    for raw in facts.rows("st_model_zoo.csv"):
        reason = reason_left_out(raw)
        if reason:
            left_out[reason] = left_out.get(reason, 0) + 1
        else:
            rows.append(_row(raw))
    return tuple(rows), left_out


def reason_left_out(raw: Mapping[str, str], *, needs_ram: bool = True) -> str:
    """Why this row is not compared; "" if it is."""
    if raw["series"] == "STM32N6":
        return "STM32N6: run by its NPU, another runtime"
    if raw["series"] == "STM32MP1":
        return "STM32MP1: Linux, TFLite on Cortex-A"
    if raw["suspect"]:
        return "marked suspect in the file"
    if raw["format"] != "int8":
        return f"{raw['format']}: the zoo builds int8"
    if _match(raw["model"]) is None:
        return "another family"
    if raw["cubeai_version"] not in VERSIONS:
        return "no version of the runtime stated"
    if needs_ram and not raw["activation_ram_kib"]:
        return "no RAM stated"
    return ""


def _match(model: str) -> tuple[re.Match[str], str, str] | None:
    for pattern, family, name in _NETWORKS:
        found = pattern.match(model)
        if found:
            return found, family, name
    return None


def network_of(raw: Mapping[str, str]) -> tuple[str, Network]:
    """Release and network of a row that is not left out."""
    matched = _match(raw["model"])
    assert matched is not None  # reason_left_out looked
    found, family, name = matched
    dataset, extents = raw["dataset"].lower(), [int(n) for n in raw["resolution"].split("x")]
    scales = family != "ResNet v1"
    grey = "grayscale" in raw["model"] or extents[2:] == [1]
    if dataset == "visual wake word":
        name = "vww01"
    return VERSIONS[raw["cubeai_version"]], Network(
        name, float(found[1]) if found.groups() else None, extents[0] if scales else None,
        _CLASSES[dataset], (1 if grey else 3) if scales else None,
    )  # fmt: skip


def _row(raw: Mapping[str, str]) -> StRow:
    version, network = network_of(raw)
    matched = _match(raw["model"])
    assert matched is not None

    def size(column: str) -> float | None:
        return float(raw[column]) * KIB if raw[column] else None

    return StRow(
        version, matched[1], network, float(raw["activation_ram_kib"]) * KIB,
        size("runtime_ram_kib"), size("weights_flash_kib"), size("code_flash_kib"),
    )  # fmt: skip
