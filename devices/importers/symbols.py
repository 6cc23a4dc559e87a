"""What does a symbol's name say: tensor arena, model array, runtime code, stack or heap."""

from __future__ import annotations

import re
from typing import Literal

_MOST_PARTS = 32
_INTERNAL = "_GLOBAL__N_1"
_LENGTH = re.compile(r"[0-9]{1,4}")
_COPIES = re.compile(r"(\.(lto_priv|constprop|part|isra|cold)?\.?[0-9]*)+$")
_NOT_AN_ARENA = re.compile(r"(size|size_bytes|used|bytes|len|length|ptr|end|begin|start)_?$")
_ARENA_NAME = re.compile(r"tensor_?arena|arena_?tensor")
_MODEL_NAME = re.compile(r"(^|_)g_model(_data)?$|_tflite$|model_data$|_model_data_|model_tflite")
_RUNTIME_NAME = re.compile(
    r"_Z(?:GV|T[VISTh0-9n_]+|T[VIS])?Z?N?K?(?:6tflite|11flatbuffers|8gemmlowp|3ruy)|TfLite[A-Z]"
    r"|arm_(?:convolve|depthwise|fully_connected|nn_|softmax|avgpool|avg_pool|max_pool|svdf|lstm|elementwise"
    r"|transpose_conv|batch_matmul|vector_sum|minimum|maximum|pad_s|transpose_s|reshape_s|concatenation)"
    r"|esp_nn_|xa_nn_"
)
_INTERPRETER = "6tflite16MicroInterpreter"

# Absolute symbols whose value is the size that the linker script keeps free.
SIZE_SYMBOLS = {
    "_Min_Stack_Size": "stack", "__stack_size": "stack", "__stack_size__": "stack", "__STACK_SIZE": "stack",
    "_STACK_SIZE": "stack", "__StackSize": "stack", "Stack_Size": "stack", "_stack_size": "stack",
    "_Min_Heap_Size": "heap", "__heap_size": "heap", "__heap_size__": "heap", "__HEAP_SIZE": "heap",
    "_HEAP_SIZE": "heap", "__HeapSize": "heap", "Heap_Size": "heap", "_heap_size": "heap",
}  # fmt: skip
# (lower, upper) ends of the stack; the first pair that is there counts.
STACK_ENDS = (
    ("__StackBottom", "__StackTop"), ("__StackLimit", "__StackTop"), ("__stack_limit", "__stack_top"),
    ("__stack_limit", "__stack"), ("_sstack", "_estack"), ("__stack_start__", "__stack_end__"),
    ("_stack_bottom", "_stack_top"),
)  # fmt: skip
STACK_TOPS = ("__StackTop", "_estack", "__stack_top", "__stack", "_stack_top")
HEAP_ENDS = (("__HeapBase", "__HeapLimit"), ("__heap_start__", "__heap_end__"), ("_sheap", "_eheap"))
# Arrays of an RTOS that are stacks and heaps and lie in .bss or .noinit, so that they are counted there.
STACK_AND_HEAP_OBJECTS = {
    "z_main_stack": "stack", "z_interrupt_stacks": "stack", "_interrupt_stack": "stack", "ucHeap": "heap",
    "kheap__system_heap": "heap", "_system_heap": "heap", "z_malloc_heap_mem": "heap",
}  # fmt: skip
_ENDS = (name for pair in (*STACK_ENDS, *HEAP_ENDS) for name in pair)
LINKER_NAMES = frozenset({*SIZE_SYMBOLS, *STACK_TOPS, *STACK_AND_HEAP_OBJECTS, *_ENDS})


def plain_name(symbol: str) -> str:
    """The C++ name without types, as far as it is a plain nested name; a C name as it is.

    >>> plain_name("_ZN12_GLOBAL__N_112tensor_arenaE"), plain_name("_ZL12tensor_arena")
    ('(anonymous namespace)::tensor_arena', 'tensor_arena')
    >>> plain_name("_ZZ4mainE12tensor_arena"), plain_name("g_arena.lto_priv.0")
    ('main::tensor_arena', 'g_arena')
    """
    if not symbol.startswith("_Z"):
        return _COPIES.sub("", symbol)
    parts: list[str] = []
    at = 2
    while at < len(symbol) and len(parts) < _MOST_PARTS:
        length = _LENGTH.match(symbol, at)
        if length is None:
            at += 1
            continue
        at = length.end() + int(length[0])
        part = symbol[length.end() : at]
        parts.append("(anonymous namespace)" if part == _INTERNAL else part)
    return "::".join(parts) if parts else symbol


def arena_rank(symbol: str) -> int:
    """2 for a tensor arena by name, 1 for some arena, 0 for what is none."""
    last = plain_name(symbol).rsplit("::", 1)[-1].lower()
    if "arena" not in last or _NOT_AN_ARENA.search(last):
        return 0
    return 2 if _ARENA_NAME.search(last) else 1


def is_model_name(symbol: str) -> bool:
    """Whether the name is one that converters and examples give to a model's array."""
    return bool(_MODEL_NAME.search(plain_name(symbol).rsplit("::", 1)[-1].lower()))


def is_runtime_name(symbol: str) -> bool:
    """Whether the code or table is TFLM's, its kernel library's or its flatbuffers reader's."""
    return bool(_RUNTIME_NAME.match(symbol))


def is_interpreter(symbol: str) -> bool:
    """Whether the symbol shows that TFLM's interpreter is linked in."""
    return _INTERPRETER in symbol


def is_called(symbol: str, asked: str) -> bool:
    """Whether the user's name means this symbol: as linked, with its namespaces, or its last part."""
    plain = plain_name(symbol)
    return asked in (symbol, plain, plain.rsplit("::", 1)[-1])


def section_reserve(section: str) -> Literal["", "heap", "stack", "heap and stack"]:
    """What a section is kept for by its name: .heap, .stack_dummy, ._user_heap_stack, ...

    >>> section_reserve("._user_heap_stack"), section_reserve(".stack1_dummy"), section_reserve(".bss")
    ('heap and stack', 'stack', '')
    """
    words = set(re.findall(r"heap|stack", section.lower()))
    if section.lower().startswith((".debug", ".note", ".gnu", ".rel", ".text", ".rodata")):
        return ""
    return "heap and stack" if len(words) == 2 else "heap" if "heap" in words else "stack" if words else ""


def is_placeholder(section: str) -> bool:
    """Whether a build system only skips addresses with it, as ESP-IDF does for the other view of its SRAM.

    >>> is_placeholder(".dram0.dummy"), is_placeholder(".stack_dummy")
    (True, False)
    """
    return "dummy" in section and not section_reserve(section)
