"""Targets with several memories, for the tests of placement."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from preflash.devices.catalog import load_target
from preflash.devices.spec import MemorySpec
from preflash.devices.target import Target

DISCO = load_target(
    "stm32h747i-disco"
)  # 480 MHz; cycles per byte: dtcm 1/8, axi 2/8, sram1+2+3 2/4, sdram 1.2
S3 = load_target("esp32-s3-devkitc-1-n8r8")


def with_memories(target: Target, **changes: dict[str, Any] | None) -> Target:
    """The target with fields of memories changed; a change of None removes the memory."""
    memories = tuple(
        memory.model_copy(update=changes.get(memory.name.replace("-", "_"), {}))
        for memory in target.device.memories
        if changes.get(memory.name.replace("-", "_"), {}) is not None
    )
    return replace(target, device=target.device.model_copy(update={"memories": memories}))


def with_arenas(target: Target, arenas: str) -> Target:
    """The same runtime with another promise about its arenas."""
    memory = target.runtime.memory.model_copy(update={"arenas": arenas})
    return replace(target, runtime=target.runtime.model_copy(update={"memory": memory}))


def plus(target: Target, *memories: MemorySpec) -> Target:
    """The target with more memories."""
    device = target.device
    return replace(target, device=device.model_copy(update={"memories": (*device.memories, *memories)}))


def without_cache(target: Target) -> Target:
    return replace(target, device=target.device.model_copy(update={"cache": None}))
