"""Small firmwares that a real compiler links for the tests; its own tools say what is right."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ARENA_BYTES = 96 * 1024
MODEL_BYTES = 3000
TABLE_BYTES = 400

# A machine's gcc where there is one; the host's builds ELF files too. The integration installs a cross gcc.
COMPILERS = tuple(name for name in ("arm-none-eabi-gcc", "gcc") if shutil.which(name)) or ("none",)

APP = """
typedef unsigned char u8;
volatile u8 tensor_arena[98304] __asm__("_ZN12_GLOBAL__N_112tensor_arenaE") __attribute__((aligned(16)));
volatile u8 frame_buffer[5000];
volatile u8 small_arena[512];
const u8 weights_v3[3000] __attribute__((aligned(16))) = {28, 0, 0, 0, 'T', 'F', 'L', '3'};
const u8 g_model[256] __attribute__((aligned(16))) = {1, 2, 3};
const u8 kernel_table[400] __asm__("_ZN6tflite6kTableE") __attribute__((aligned(16))) = {9};
volatile int counter = 7;
volatile int calibration[25] = {1, 2, 3};
INTERPRETER
int main(void) {
  for (int i = 0; i < 100; i++) {
    tensor_arena[i] = g_model[i] + weights_v3[i] + kernel_table[i];
    frame_buffer[i] = small_arena[i] = (u8)(counter++ + calibration[i % 25]);
  }
  return frame_buffer[3] CALL;
}
"""
_INTERPRETER = """
int invoke(int x) __asm__("_ZN6tflite16MicroInterpreter6InvokeEv");
__attribute__((noinline)) int invoke(int x) { return x * kernel_table[x & 255] + calibration[3]; }
"""
POINTER = """
unsigned char *tensor_arena;
int main(void) { return tensor_arena[0]; }
"""

SCRIPT = """
MEMORY {
  FLASH (rx) : ORIGIN = FLASH_AT, LENGTH = 1M
  RAM (rwx) : ORIGIN = RAM_AT, LENGTH = 256K
}
ENTRY(main)
SYMBOLS
SECTIONS {
  .text : { _stored = .; *(.text*) } > FLASH
  .rodata : ALIGN(16) { *(.rodata*) } > FLASH
  .data : ALIGN(4) { _sdata = .; *(.data*) . = ALIGN(4); _edata = .; } > RAM AT > FLASH
  _sidata = LOADADDR(.data);
  .bss (NOLOAD) : ALIGN(16) { _sbss = .; *(.bss*) *(COMMON) . = ALIGN(4); _ebss = .; } > RAM
  RESERVES
  /DISCARD/ : { *(.eh_frame*) *(.note*) *(.ARM.exidx*) *(.comment) *(.ARM.attributes) }
}
"""
CUBE_SYMBOLS = "_Min_Heap_Size = 0x200; _Min_Stack_Size = 0x400; _estack = ORIGIN(RAM) + LENGTH(RAM);"
CUBE_RESERVES = "._user_heap_stack (NOLOAD) : ALIGN(8) { . = . + _Min_Heap_Size + _Min_Stack_Size; } > RAM"
CMSIS_SYMBOLS = "__StackTop = ORIGIN(RAM) + LENGTH(RAM); __StackLimit = __StackTop - 0x800;"
CMSIS_RESERVES = ".heap (COPY) : { __HeapBase = .; . = . + 0x1000; __HeapLimit = .; } > RAM"


@dataclass(frozen=True)
class Build:
    """A linked firmware, its map, and what the binutils say about it."""

    elf: Path
    map: Path
    script: Path
    compiler: str

    @property
    def is_arm(self) -> bool:
        return self.compiler.startswith("arm")

    def symbol(self, name: str) -> int:
        """The value that nm prints."""
        for line in self._tool("nm").splitlines():
            fields = line.split()
            if fields[-1] == name:
                return int(fields[0], 16)
        raise KeyError(name)

    def section(self, name: str) -> int:
        """The bytes of a section that size -A prints; 0 if it has none."""
        rows = (line.split() for line in self._tool("size", "-A").splitlines())
        return next((int(fields[1]) for fields in rows if fields[:1] == [name]), 0)

    def _tool(self, name: str, *options: str) -> str:
        command = [self.compiler.removesuffix("gcc") + name, *options, str(self.elf)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def built(
    compiler: str, *, source: str = APP, interpreter: bool = True, reserves: str = "cube",
    flash_at: int = 0, ram_at: int = 0x20000000, options: tuple[str, ...] = (),
) -> Build:  # fmt: skip
    """The firmware that this compiler makes; skips the test where there is none that links ELF files."""
    return _built(compiler, source, interpreter, reserves, flash_at, ram_at, options)


@cache
def _built(
    compiler: str, source: str, interpreter: bool, reserves: str, flash_at: int, ram_at: int,
    options: tuple[str, ...],
) -> Build:  # fmt: skip
    if compiler == "none":
        pytest.skip("no arm-none-eabi-gcc and no gcc: nothing can build a firmware")
    linker = subprocess.run([compiler, "-Wl,--version"], capture_output=True, text=True)
    if "GNU ld" not in linker.stdout:
        pytest.skip(f"{compiler} does not link with GNU ld here")
    folder = Path(tempfile.mkdtemp(prefix="firmware-"))
    symbols, kept = {
        "cube": (CUBE_SYMBOLS, CUBE_RESERVES), "cmsis": (CMSIS_SYMBOLS, CMSIS_RESERVES), "none": ("", ""),
    }[reserves]  # fmt: skip
    script = SCRIPT.replace("SYMBOLS", symbols).replace("RESERVES", kept)
    script = script.replace("FLASH_AT", hex(flash_at)).replace("RAM_AT", hex(ram_at))
    (folder / "app.ld").write_text(script)
    text = source.replace("INTERPRETER", _INTERPRETER if interpreter else "")
    (folder / "app.c").write_text(text.replace("CALL", "+ invoke(frame_buffer[4])" if interpreter else ""))
    machine = ("-mcpu=cortex-m4", "-mthumb") if compiler.startswith("arm") else ("-no-pie",)
    command = [
        compiler, *machine, "-Os", "-ffreestanding", "-fno-pic", "-fno-asynchronous-unwind-tables",
        "-nostdlib", "-static", "-fdata-sections", "-Wl,-T,app.ld", "-Wl,-Map,app.map", "-Wl,--build-id=none",
        "-Wl,--no-warn-rwx-segments", "-o", "app.elf", "app.c", *options,
    ]  # fmt: skip
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return Build(folder / "app.elf", folder / "app.map", folder / "app.ld", compiler)
