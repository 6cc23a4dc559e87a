"""Every error raised on purpose.

    PreflashError                 what happened, where, and what to do about it
    ├── UnitInvalid               "12 MHzz": a quantity nobody can read
    ├── ModelError
    │   ├── ModelNotFound         no such file
    │   ├── ModelFileInvalid      the bytes are not a model that can be read safely
    │   ├── ModelVersionUnsupported   a .tflite of another schema version
    │   ├── GraphInvalid          a graph the judge refuses; lists all faults
    │   ├── UnsupportedOp         an op that this operation (write, fold, evaluate) does not cover
    │   ├── ShapeInvalid          an op's shapes contradict each other
    │   ├── OrderInvalid          ops cannot run in this order; lists all faults
    │   ├── InterpreterEnded      the interpreter crashed on the model, in a process of its own
    │   ├── LimitExceeded         running the model takes more time or memory than allowed
    │   └── VariantInvalid        a model cannot be changed that way
    │       └── NeedsSamples      a step needs samples or a score and was given none
    ├── TargetError
    │   ├── DeviceUnknown         no such board; did you mean ...
    │   ├── RuntimeUnknown        no such runtime; did you mean ...
    │   ├── DeviceFileInvalid     a device file with faults; lists all of them
    │   ├── RuntimeFileInvalid    a runtime file with faults; lists all of them
    │   ├── BuildInvalid          a declared firmware build that nobody can read or that says nothing here
    │   ├── CalibrationInvalid    a calibration file with faults; lists all of them
    │   └── TargetInvalid         device and runtime do not go together, or a clock that the core lacks
    ├── FirmwareFileInvalid       a firmware ELF, map or linker script that cannot be read safely
    ├── RecipeInvalid             a recipe with faults; lists all of them
    ├── DataInvalid               samples or labels that do not go with the model
    ├── ScenarioFileInvalid       a scenario file with faults; lists all of them
    ├── StoreInvalid              a file that is no store of a sweep, or one of another sweep
    │   └── StoreInUse            another process works on that store
    ├── BudgetInvalid             a reservation or deadline that cannot be applied
    ├── PlacementInvalid          a memory that cannot hold what is placed there
    ├── PlanInvalid               a memory plan that the judge refuses
    ├── MeasuredRowsInvalid       a CSV of measurements with faults; lists all of them
    ├── PatchesInvalid            patches that cannot end there, or a grid that the tensor does not have
    └── FactsNotFound             measured figures that a comparison needs are not there
"""

from __future__ import annotations

from collections.abc import Sequence


class PreflashError(Exception):
    """Something asked for cannot be done.

    Args:
        what: one sentence, what was wrong.
        where: file, offset, tensor or field it was found at.
        fix: what to do about it.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f" ({self.fix})" if self.fix else ""
        return f"{place}{self.what}{remedy}"


class UnitInvalid(PreflashError, ValueError):
    """A text is not a quantity of the asked kind."""


class ModelError(PreflashError):
    """A model cannot be used."""


class ModelNotFound(ModelError):
    """There is no such model file."""


class ModelFileInvalid(ModelError):
    """The bytes are not a model that can be read safely."""


class ModelVersionUnsupported(ModelFileInvalid):
    """The file says that it follows another schema version."""


class UnsupportedOp(ModelError):
    """An op is outside what this operation covers."""


class ShapeInvalid(ModelError):
    """An op's shapes contradict each other."""


class _WithFaults(PreflashError):
    """An error that reports all faults of one thing at once."""

    def __init__(self, what: str, *, faults: Sequence[str], where: str = "", fix: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return f"{super().__str__()}: " + "; ".join(self.faults)


class GraphInvalid(_WithFaults, ModelError):
    """The judge of graphs refuses this graph."""


class OrderInvalid(_WithFaults, ModelError):
    """The ops of a model cannot run in this order."""


class InterpreterEnded(ModelError):
    """The interpreter ended the process that ran the model."""


class LimitExceeded(ModelError):
    """Running the model takes more time or memory than it may."""


class VariantInvalid(ModelError):
    """A model cannot be changed in the way that was asked for."""


class NeedsSamples(VariantInvalid):
    """A step needs samples, or a score on them, and was given none."""


class TargetError(PreflashError):
    """A device or a runtime cannot be used."""


class DeviceUnknown(TargetError):
    """There is no device of this name."""


class RuntimeUnknown(TargetError):
    """There is no runtime of this name."""


class DeviceFileInvalid(_WithFaults, TargetError):
    """A device file has faults."""


class RuntimeFileInvalid(_WithFaults, TargetError):
    """A runtime file has faults."""


class CalibrationInvalid(_WithFaults, TargetError):
    """A calibration file has faults."""


class TargetInvalid(TargetError):
    """Device and runtime do not go together."""


class BuildInvalid(TargetError):
    """How a firmware is said to be built cannot be read, or does not apply to this runtime."""


class FirmwareFileInvalid(PreflashError):
    """A firmware ELF, linker map or linker script cannot be read safely."""


class RecipeInvalid(_WithFaults):
    """A recipe says what no step takes."""


class DataInvalid(PreflashError):
    """Samples or labels do not go with the model."""


class ScenarioFileInvalid(_WithFaults):
    """A scenario file has faults."""


class StoreInvalid(PreflashError):
    """The file is no store of a sweep, or not of this one."""


class StoreInUse(StoreInvalid):
    """Another process works on the store."""


class BudgetInvalid(PreflashError):
    """A reservation or a deadline cannot be applied."""


class PlacementInvalid(PreflashError):
    """A placement names a memory that is not there or that cannot hold it."""


class PlanInvalid(_WithFaults):
    """The judge of memory plans refuses this plan."""


class MeasuredRowsInvalid(_WithFaults):
    """A CSV of measurements has faults."""


class PatchesInvalid(PreflashError):
    """The first ops cannot run on patches as asked."""


class FactsNotFound(PreflashError):
    """The measured figures that a comparison needs are not there."""
