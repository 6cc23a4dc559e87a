"""Which kernels on this machine compute what a runtime's kernels compute?

Checked against the recorded outputs of MLPerf Tiny boards on the benchmarks' own inputs (kws01, ic01, vww01).
"""

from __future__ import annotations

from dataclasses import dataclass

from ...devices.runtime import RuntimeSpec
from ...errors import DataInvalid
from ..interpreter import interpreter_label
from ..interval import Basis
from ..micro_interpreter import micro_label

KERNELS = ("reference", "builtin", "xnnpack", "tflm")
DEFAULT = "reference"


@dataclass(frozen=True, slots=True)
class KernelSet:
    """Kernels of an interpreter on this machine, and why they stand for the target's.

    Args:
        name: one of KERNELS.
        basis: measured where boards' outputs were compared, else analytic.
        why: what was compared, or what is assumed.
    """

    name: str
    basis: Basis
    why: str


_BOARDS = "outputs of MLPerf Tiny boards"
_DIGITS = "may round differently on Arm and x86"
_OLD = "assumed: today's optimised kernels for those of 2018"
# kernel library of the runtime -> kernels here, how well that is known, and from what
_OF_LIBRARY = {
    library: KernelSet(name, basis, why)
    for library, name, basis, why in (
        ("reference", "reference", Basis.MEASURED,
         "the same C++ kernels; equal to TFLM's own interpreter on kws01"),
        ("cmsis-nn", "reference", Basis.MEASURED,
         f"{_BOARDS} with TFLM and CMSIS-NN, v0.5 to v1.2: argmax equal on 100 %, outputs on 98.6 to 99.8 %"),
        ("esp-nn", "reference", Basis.ANALYTIC, "assumed: ESP-NN rounds as the reference kernels"),
        ("x-cube-ai", "xnnpack", Basis.MEASURED,
         f"{_BOARDS} with X-CUBE-AI, v0.7 to v1.3: argmax equal on 99.9 to 100 %, outputs on 86 to 100 %"),
        ("xnnpack", "xnnpack", Basis.ANALYTIC, f"the same library; it {_DIGITS}"),
        ("ruy", "builtin", Basis.ANALYTIC, f"the same library; it {_DIGITS}"),
        ("eigen", "builtin", Basis.ANALYTIC, _OLD),
        ("gemmlowp", "builtin", Basis.ANALYTIC, _OLD),
        ("accelerator", "reference", Basis.ANALYTIC, "assumed: it rounds as the reference kernels"),
    )
}  # fmt: skip
_ASKED = {name: KernelSet(name, Basis.MEASURED, "as asked") for name in KERNELS}
_NO_RUNTIME = KernelSet(
    DEFAULT, Basis.MEASURED, "no runtime was given: as TFLM with reference kernels or CMSIS-NN"
)


def kernels_for(runtime: RuntimeSpec | None, asked: str = "") -> KernelSet:
    """The kernels that stand for this runtime, or those asked for by name.

    Raises:
        DataInvalid: there are no kernels of this name.
    """
    if asked:
        if asked not in _ASKED:
            known = f"known: {', '.join(KERNELS)}"
            raise DataInvalid(f"no kernels are called {asked[:40]!r}", fix=known)
        return _ASKED[asked]
    return _NO_RUNTIME if runtime is None else _OF_LIBRARY[runtime.kernel_library]


def kernels_that_ran(asked: KernelSet, note: str) -> KernelSet:
    """The kernels asked for; where XNNPACK took no op the builtin ones, for which no board was compared."""
    if not note:
        return asked
    return KernelSet(
        "builtin", Basis.ANALYTIC, f"{asked.name} was asked for, but took none of the model's ops"
    )


def package_of(kernels: str) -> str:
    """The package and version that has these kernels here, as "tflite_runtime 2.14.0"; "" for none."""
    return micro_label() if kernels == "tflm" else interpreter_label(kernels)
