"""Stack and heap of a firmware count once, by the first of section, array, ends and size that is there."""

from __future__ import annotations

import pytest
from preflash.devices.importers.reserves import heap_and_stack
from preflash.devices.importers.symbols import is_placeholder, section_reserve
from preflash.devices.importers.use import NamedObject, Span, What, disjoint

TOP = 0x20010000


def section(name: str, what: What, size_bytes: int, address: int | None = 0x20004000) -> Span:
    return Span(name, what, address, size_bytes, None, True)


CUBE = {"_Min_Heap_Size": 0x200, "_Min_Stack_Size": 0x400, "_estack": TOP}
ENDS = {"__StackLimit": TOP - 0x800, "__StackTop": TOP}


def test_a_section_that_is_allocated_holds_both_and_adds_nothing() -> None:
    kept = heap_and_stack([section("._user_heap_stack", "heap and stack", 0x600)], CUBE, {}, ())
    assert (kept.spans, kept.sizes) == ((), (("._user_heap_stack", 0x600),))


def test_sizes_alone_are_kept_the_stack_below_its_top() -> None:
    kept = heap_and_stack([], CUBE, {}, ())
    assert [(s.section, s.address, s.size_bytes) for s in kept.spans] == [
        ("_Min_Stack_Size", TOP - 0x400, 0x400),
        ("_Min_Heap_Size", None, 0x200),
    ]


def test_the_ends_of_the_stack_count_before_a_size() -> None:
    (stack,) = heap_and_stack([], {**ENDS, "__stack_size": 0x100}, {}, ()).spans
    assert (stack.address, stack.size_bytes) == (TOP - 0x800, 0x800)


def test_the_arrays_of_an_rtos_lie_in_bss_already() -> None:
    arrays = {"z_main_stack": 1024, "kheap__system_heap": 2048}
    kept = heap_and_stack([section(".bss", "bss", 9000)], {**ENDS}, arrays, ())
    assert (kept.spans, dict(kept.sizes)) == ((), arrays)


def test_a_section_that_only_marks_the_heap_counts_its_size() -> None:
    marked = section(".heap", "heap", 0x1000)
    kept = heap_and_stack([], ENDS, {}, [marked])
    assert dict(kept.sizes) == {"__StackLimit and __StackTop": 0x800, ".heap": 0x1000}


def test_a_heap_that_takes_what_is_left_is_noted_and_not_counted() -> None:
    values = {**ENDS, "__HeapBase": 0x20002000, "__HeapLimit": TOP - 0x800}
    kept = heap_and_stack([], values, {}, ())
    assert [s.what for s in kept.spans] == ["stack"]
    assert "takes what is left between __HeapBase and __HeapLimit (55,296 B)" in kept.notes[0]


def test_a_heap_that_ends_before_the_stack_counts() -> None:
    values = {**ENDS, "__HeapBase": 0x20002000, "__HeapLimit": 0x20003000}
    assert dict(heap_and_stack([], values, {}, ()).sizes)["__HeapBase and __HeapLimit"] == 0x1000


@pytest.mark.parametrize(
    "values", [{"__StackLimit": 8, "__StackTop": 4}, {"_Min_Stack_Size": 0}, {"_estack": TOP}]
)
def test_ends_and_sizes_that_enclose_nothing_keep_nothing(values: dict[str, int]) -> None:
    assert heap_and_stack([], values, {}, ()).spans == ()


@pytest.mark.parametrize(
    ("name", "reserve", "placeholder"),
    [
        (".heap", "heap", False),
        (".stack_dummy", "stack", False),
        (".dram0.dummy", "", True),
        (".bss", "", False),
        (".debug_stack", "", False),
    ],
)
def test_a_section_is_told_by_its_name(name: str, reserve: str, placeholder: bool) -> None:
    assert (section_reserve(name), is_placeholder(name)) == (reserve, placeholder)


def test_two_names_of_one_object_and_what_lies_within_another_count_once() -> None:
    objects = [
        NamedObject("runtime", "TFLM", 0x100, 0x40, ""),
        NamedObject("runtime", "TFLM", 0x100, 0x40, ""),
        NamedObject("model", "m", 0x120, 0x80, ""),
        NamedObject("arena", "a", 0x100, 0x10, ""),
    ]
    found = disjoint(objects)
    assert [(o.address, o.size_bytes) for o in found] == [(0x100, 0x10), (0x110, 0x30), (0x140, 0x60)]
