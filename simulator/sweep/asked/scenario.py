"""What does a sweep's scenario file say: models x recipes x targets, constraints, objectives, data."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ....devices.battery import FRACTION_AS_WRITTEN
from ....devices.blocks import Block
from ....devices.catalog import read_toml
from ....devices.faults import plain_faults, shortened
from ....devices.sleep import DeclaredSleep
from ....devices.units import parse_bytes, parse_fraction, parse_j, parse_s
from ....errors import ModelNotFound, RecipeInvalid, ScenarioFileInvalid
from ....graphs.variants.recipe import parse_recipe
from ....graphs.zoo import options_of
from ...scenario import LimitedTo, ReservedBytes, Scenario, StepSpec
from .ranges import Values

Text = Annotated[str, Field(min_length=1, max_length=300)]
_Axes = Annotated[
    dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")], Values],
    Field(max_length=8, json_schema_extra={"additionalProperties": False}),
]
_Seconds = Annotated[Annotated[float, BeforeValidator(parse_s)], Field(gt=0)]
_Bytes = Annotated[Annotated[int, BeforeValidator(parse_bytes)], Field(gt=0)]
_Joules = Annotated[Annotated[float, BeforeValidator(parse_j)], Field(gt=0)]
_Texts = Annotated[tuple[Text, ...], Field(min_length=1, max_length=1000)]
Cost = Literal["ram", "arena", "flash", "latency", "energy"]
FIGURE_OF = {"ram": "ram_bytes", "arena": "arena_bytes", "flash": "flash_bytes", "latency": "latency_s",
             "energy": "energy_j", "accuracy": "accuracy"}  # fmt: skip
_MOST_TRIED = 500
_PLACE_HOLDER = re.compile(r"\{([a-z][a-z0-9_-]*)\}")
MODEL_AXES = {
    "file": ("width", "resolution", "scale"),
    "zoo": ("width", "resolution", "classes", "dtype", "seed"),
}


class ModelSpec(Block):
    """A model file, or a reference network of the zoo, in every combination of its axes.

    Args:
        file: a .tflite, relative to the scenario file.
        zoo: the name of a network that preflash builds, with seeded weights.
        over: width (a multiplier) and resolution (pixels of an edge) -> values; of a file also scale of its
            resolution, of the zoo's networks classes, dtype and seed. Such shapes have to be trained.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["file"]}, {"required": ["zoo"]}]})

    name: Annotated[str, Field(max_length=80)] = ""
    file: Text | None = None
    zoo: Text | None = None
    over: _Axes = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_one_model(self) -> ModelSpec:
        if (self.file is None) == (self.zoo is None):
            raise ValueError("give file or zoo, one of them")
        allowed = MODEL_AXES["file"] if self.zoo is None else _axes_of_zoo(self.zoo)
        wrong = [key for key in self.over if key not in allowed]
        if wrong:
            raise ValueError(f"over: {', '.join(wrong)} is not known here; allowed: {', '.join(allowed)}")
        return self


class RecipeAxes(Block):
    """A recipe, in every combination of its axes.

    Args:
        steps: as `preflash variants --recipe` takes them; {axis} stands for a value of `over`.
    """

    name: Annotated[str, Field(max_length=80)] = ""
    steps: Annotated[str, Field(min_length=1, max_length=2000)]
    over: _Axes = Field(default_factory=dict)

    @model_validator(mode="after")
    def _can_be_read(self) -> RecipeAxes:
        unsaid = sorted(set(_PLACE_HOLDER.findall(self.steps)) - set(self.over))
        if unsaid:
            raise ValueError(f"steps: {{{unsaid[0]}}} has no values; add over = {{ {unsaid[0]} = [...] }}")
        for chosen in _each_value_once(self.over):
            try:
                parse_recipe(filled(self.steps, chosen))
            except RecipeInvalid as error:
                raise ValueError("\n".join(error.faults)) from error
        unused = [key for key in self.over if f"{{{key}}}" not in self.steps]
        if unused:
            raise ValueError(f"over: {', '.join(unused)} does not stand in steps as {{{unused[0]}}}")
        return self


class TargetAxes(Block):
    """Boards x runtimes x clocks x placements x supplies; what does not go together is left out and counted.

    Args:
        boards: names, patterns ("nucleo-*", "all") or device files, relative to the scenario file.
        runtimes: names or files, "default" for each board's own, "all" for every one that fits the board.
        clocks: "max", a part of it ("50%") or "80 MHz".
        place: "own", "every", or as --place takes it ("arena=dtcm").
        supply: "own", or as --supply takes it.
        npu: configurations and modes of accelerators ("ethos-u55-128:shared-sram"); without a cost model they
            are reported as unknown. "none" is the core alone.
    """

    boards: _Texts
    runtimes: _Texts = ("default",)
    clocks: _Texts = ("max",)
    place: _Texts = ("own",)
    supply: _Texts = ("own",)
    npu: _Texts = ("none",)


class Constraints(Block):
    """What every point is held against: the words of a scenario file of `preflash check`, and accuracy."""

    deadline_s: Annotated[_Seconds | None, Field(alias="deadline")] = None
    period_s: Annotated[_Seconds | None, Field(alias="period")] = None
    ram_bytes: Annotated[_Bytes | None, Field(alias="ram")] = None
    flash_bytes: Annotated[_Bytes | None, Field(alias="flash")] = None
    energy_j: Annotated[_Joules | None, Field(alias="energy")] = None
    accuracy: Annotated[
        Annotated[float, BeforeValidator(parse_fraction)] | None,
        Field(json_schema_extra=FRACTION_AS_WRITTEN),
    ] = None
    headroom: Annotated[
        Annotated[float, BeforeValidator(parse_fraction)] | None,
        Field(lt=1, json_schema_extra=FRACTION_AS_WRITTEN),
    ] = None
    sleep: DeclaredSleep | None = None
    reserved: Annotated[tuple[ReservedBytes, ...], Field(max_length=64, alias="reserve")] = ()
    steps: Annotated[tuple[StepSpec, ...], Field(max_length=64, alias="step")] = ()

    @property
    def scenario(self) -> Scenario:
        """The same for `conditions_of`."""
        limits = LimitedTo.model_construct(ram=self.ram_bytes, flash=self.flash_bytes, energy=self.energy_j)
        return Scenario.model_construct(
            deadline_s=self.deadline_s, period_s=self.period_s, headroom=self.headroom,
            sleep=self.sleep, limits=limits, reserved=self.reserved, steps=self.steps,
        )  # fmt: skip


class Objectives(Block):
    """What is better, the most important first."""

    minimize: Annotated[tuple[Cost, ...], Field(max_length=5)] = ("latency", "ram")
    maximize: Annotated[tuple[Literal["accuracy"], ...], Field(max_length=1)] = ("accuracy",)


class DataSpec(Block):
    """Samples for accuracy, as `preflash accuracy` takes them.

    Args:
        samples: an .npz, relative to the scenario file.
        calibrate: so many samples from the first on are for ranges and sensitivities; the rest is measured.
        input_scale: a model whose input quantization says what integers in the data stand for.
    """

    samples: Text
    metric: Annotated[str, Field(max_length=20)] = ""
    calibrate: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = 100
    input_scale: Text | None = None


class SweepScenario(Block):
    """A scenario file of `preflash sweep`.

    Args:
        question: what the sweep is to answer, in words; it heads the report.
        recipe_files: recipe files whose recipes are tried as well, relative to the scenario file.
        original: whether each model as it is belongs to the sweep.
        download: whether the gzip size of every variant is counted as well.
        calibration: a file that `preflash calibrate` wrote, over what ships.
    """

    name: Annotated[str, Field(max_length=80)] = "sweep"
    question: Annotated[str, Field(max_length=500)] = ""
    seed: Annotated[int, Field(strict=True, ge=0, lt=1 << 32)] = 0
    models: Annotated[tuple[ModelSpec, ...], Field(min_length=1, max_length=1000, alias="model")]
    recipes: Annotated[tuple[RecipeAxes, ...], Field(max_length=1000, alias="recipe")] = ()
    recipe_files: Annotated[tuple[Text, ...], Field(max_length=100)] = ()
    original: bool = True
    download: bool = False
    targets: TargetAxes
    constraints: Constraints = Constraints()
    objectives: Objectives = Objectives()
    data: DataSpec | None = None
    calibration: Text | None = None

    @model_validator(mode="after")
    def _accuracy_has_data(self) -> SweepScenario:
        if self.constraints.accuracy is not None and self.data is None:
            raise ValueError("constraints.accuracy: it is measured on [data], which is not there")
        return self


def _axes_of_zoo(name: str) -> tuple[str, ...]:
    """Which axes this network of the zoo has.

    Raises:
        ValueError: the zoo does not have it.
    """
    try:
        options = options_of(name)
    except ModelNotFound as error:
        raise ValueError(f"zoo: {error.what[:100]}; {error.fix}") from error
    return tuple(key for key in MODEL_AXES["zoo"] if key in (*options, "dtype", "seed"))


def _each_value_once(axes: dict[str, tuple[str, ...]]) -> Iterator[dict[str, str]]:
    """Choices in which every value of a short axis, and some of a long one's up to the last, are there."""
    first = {key: values[0] for key, values in axes.items()}
    yield first
    for key, values in axes.items():
        for value in (*values[1 :: 1 + len(values) // _MOST_TRIED], values[-1]):
            yield first | {key: value}


def read_sweep(path: str | os.PathLike[str]) -> SweepScenario:
    """The scenario of this TOML file.

    Raises:
        ScenarioFileInvalid: the file cannot be read or has faults; all of them are in `.faults`.
    """
    raw = read_toml(Path(path), ScenarioFileInvalid)
    try:
        return SweepScenario.model_validate(raw)
    except ValidationError as error:
        faults = plain_faults(error, SweepScenario)
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    raise ScenarioFileInvalid(
        f"sweep scenario with {count}",
        faults=shortened(faults),
        where=str(path)[:200],
        fix="preflash schema sweep",
    )


def filled(steps: str, chosen: dict[str, str]) -> str:
    """The steps with {axis} replaced by its value."""
    for key, value in chosen.items():
        steps = steps.replace(f"{{{key}}}", value)
    return steps
