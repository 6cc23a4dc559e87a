"""What is pasted into the firmware: it compiles, registers exactly the model's ops, and holds its bytes."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cost_graphs import chain, conv, one_op, tensor
from hypothesis import example, given
from hypothesis import strategies as st
from memory_models import op, subgraph, t
from preflash import cli
from preflash.devices.build import FirmwareBuild, with_build
from preflash.devices.catalog import load_runtime, load_target
from preflash.devices.target import Target
from preflash.errors import TargetInvalid, UnsupportedOp
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.ops import VarHandleAttributes
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build
from preflash.simulator import cpp
from preflash.simulator.export import export_firmware
from preflash.simulator.flash.add_methods import ADD_METHODS, CUSTOM_METHODS, NARROWER_HEADERS
from preflash.simulator.flash.registrations import NARROWER
from preflash.simulator.simulate import simulate
from tflm_stub import BUILTIN_METHODS, write_stub
from tflm_stub import CUSTOM_METHODS as TFLM_CUSTOM_METHODS
from tflm_stub import NARROWER as TFLM_NARROWER

COMPILER = shutil.which("g++") or shutil.which("c++") or shutil.which("clang++")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler on this machine")
CMSIS = load_target("nucleo-l4r5zi", runtime="tflm-cmsis-nn")
REFERENCE = load_target("nucleo-l4r5zi", runtime="tflm-reference")
HOSTILE = 'a"; std::abort(); //\n??/é\\'


def custom(code: str, name: str = "made") -> ModelGraph:
    graph = one_op("CUSTOM", [tensor(0, (4,)), tensor(1, (4,))], inputs=(0,), outputs=(1,), custom_code=code)
    return replace(graph, name=name)


def stateful() -> ModelGraph:
    """Two resource variables, one of them named by two handles."""
    ops = [
        op("VAR_HANDLE", [], [1], VarHandleAttributes(shared_name="v")),
        op("READ_VARIABLE", [1], [2]),
        op("VAR_HANDLE", [], [3], VarHandleAttributes(shared_name="w")),
        op("ASSIGN_VARIABLE", [3, 0], []),
        op("VAR_HANDLE", [], [4], VarHandleAttributes(shared_name="v")),
        op("ASSIGN_VARIABLE", [4, 0], []),
    ]
    handle = t(1, dtype="resource")
    tensors = [t(4), handle, t(4), handle, handle]
    return ModelGraph((subgraph(tensors, ops, [0], [2]),), name="keeps state")


def running(folder: Path, code: str) -> Target:
    """A target whose runtime has the user's own kernel of this custom op."""
    shipped = Path(str(load_runtime.__code__.co_filename)).parent / "runtimes" / "tflm-reference.toml"
    entry = f'op = [\n    {{ op = {json.dumps("CUSTOM:" + code)}, versions = [1, 1], types = ["int8"] }},'
    text = shipped.read_text(encoding="utf-8").replace("op = [", entry, 1)
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return load_target("nucleo-l4r5zi", runtime=path)


@dataclass(frozen=True)
class Firmware:
    """What the compiled program says of itself."""

    said: dict[str, int]
    calls: list[str]
    digest: str


_MAIN = """
#include <cstdio>
#include "{name}.h"
{definitions}
namespace model = {name};
int main() {{
  static_assert(model::kArenaBytes >= model::kExpectedArenaUsedBytes, "room for what is used");
  static_assert(sizeof(model::kModelSha256) == 65, "a hex digest");
  model::OpResolver resolver;
  const int status = model::RegisterOps(resolver);
  std::printf("status %d\\nlength %u\\n", status, resolver.GetRegistrationLength());
  std::printf("count %zu\\n", model::kOpCount);
  std::printf("arena %zu\\nsizeof_arena %zu\\nused %zu\\n", model::kArenaBytes, sizeof(model::arena),
              model::kExpectedArenaUsedBytes);
  std::printf("bytes %zu\\n", sizeof(model::kModelData));
  std::printf("arena_off %d\\nmodel_off %d\\n", int(reinterpret_cast<std::uintptr_t>(model::arena) % 16),
              int(reinterpret_cast<std::uintptr_t>(model::kModelData) % 16));
  {resources}
  std::printf("sha %s\\n", model::kModelSha256);
  std::uint32_t sum = 2166136261u;
  for (unsigned char byte : model::kModelData) sum = (sum ^ byte) * 16777619u;
  std::printf("fnv %u\\n", sum);
  for (const auto& call : tflite::Calls::made()) {{
    std::printf("call ");
    for (unsigned char c : call) std::printf("%02x", c);
    std::printf("\\n");
  }}
}}
"""


def compiled(graph: ModelGraph, target: Target, folder: Path, *, own: str = "") -> Firmware:
    """Exports, compiles with every warning an error, and runs."""
    assert COMPILER is not None
    header, source = export_firmware(graph, target)
    name = header.name.removesuffix(".h")
    for file in (header, source):
        (folder / file.name).write_text(file.text, encoding="utf-8")
    write_stub(folder / "stub")
    resources = (
        'tflite::MicroAllocator a; std::printf("resources %d\\n", model::CreateResourceVariables(&a)->count);'
    )
    definitions = (
        f"namespace {name} {{ TFLMRegistration* {own}() {{ static TFLMRegistration r{{}}; return &r; }} }}"
    )
    main = _MAIN.format(name=name, definitions=definitions if own else "",
                        resources=resources if "CreateResourceVariables" in header.text else "")  # fmt: skip
    (folder / "main.cc").write_text(main, encoding="utf-8")
    strict = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    places = ["-I", str(folder / "stub"), "-I", str(folder)]
    sources = [str(folder / "main.cc"), str(folder / source.name)]
    command = [COMPILER, *strict, *places, *sources, "-o", str(folder / "a")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    lines = subprocess.run([folder / "a"], capture_output=True, text=True, check=True).stdout.splitlines()
    pairs = [line.split(" ", 1) for line in lines]
    said = {key: int(value) for key, value in pairs if key not in ("call", "sha")}
    calls = [bytes.fromhex(value).decode() for key, value in pairs if key == "call"]
    return Firmware(said, calls, next(value for key, value in pairs if key == "sha"))


def fnv(content: bytes) -> int:
    total = 2166136261
    for byte in content:
        total = ((total ^ byte) * 16777619) & 0xFFFFFFFF
    return total


def assert_holds(firmware: Firmware, graph: ModelGraph, target: Target) -> None:
    """Status, resolver size, arena, alignment and the model's bytes."""
    content, plan = write_tflite(graph), simulate(graph, target).plan
    assert plan is not None
    said = firmware.said
    assert said["status"] == 0
    assert said["length"] == said["count"] == len(firmware.calls)
    assert said["arena"] == said["sizeof_arena"] == plan.min_bytes
    assert said["used"] == plan.used_bytes
    assert (said["arena_off"], said["model_off"]) == (0, 0)
    assert (said["bytes"], said["fnv"]) == (len(content), fnv(content))
    assert firmware.digest == hashlib.sha256(content).hexdigest()


@needs_compiler
def test_kws_registers_its_six_ops_for_int8(tmp_path: Path) -> None:
    graph = build("kws01", dtype="int8")
    firmware = compiled(graph, CMSIS, tmp_path)
    assert_holds(firmware, graph, CMSIS)
    assert firmware.calls == [
        "AddAveragePool2D AVERAGE_POOL_2D_INT8", "AddConv2D CONV_2D_INT8",
        "AddDepthwiseConv2D DEPTHWISE_CONV_2D_INT8", "AddFullyConnected FULLY_CONNECTED_INT8",
        "AddReshape all types", "AddSoftmax SOFTMAX_INT8",
    ]  # fmt: skip


@needs_compiler
@pytest.mark.parametrize("target", [CMSIS, REFERENCE], ids=["cmsis-nn", "reference"])
def test_the_anomaly_detector_registers_one_op(target: Target, tmp_path: Path) -> None:
    graph = build("ad01", dtype="int8")
    firmware = compiled(graph, target, tmp_path)
    assert_holds(firmware, graph, target)
    narrow = target is CMSIS
    assert firmware.calls == [f"AddFullyConnected {'FULLY_CONNECTED_INT8' if narrow else 'all types'}"]


@needs_compiler
def test_a_model_of_two_types_registers_all_types(tmp_path: Path) -> None:
    mixed = replace(chain(conv(8, 8, 8), conv(8, 8, 8, dtype=DType.INT16)), name="mixed")
    firmware = compiled(mixed, CMSIS, tmp_path)
    assert_holds(firmware, mixed, CMSIS)
    assert firmware.calls == ["AddConv2D all types"]


@needs_compiler
def test_a_custom_op_that_tflm_brings_has_its_method(tmp_path: Path) -> None:
    graph = custom("CIRCULAR_BUFFER")
    firmware = compiled(graph, CMSIS, tmp_path)
    assert_holds(firmware, graph, CMSIS)
    assert firmware.calls == ["AddCircularBuffer"]


@needs_compiler
@pytest.mark.parametrize(
    ("code", "own"),
    [("MyKernel", "Register_MYKERNEL"), (HOSTILE, "Register_A_STD_ABORT"), ("CONV_2D", "Register_CONV_2D")],
)
def test_a_custom_op_of_the_users_own_is_registered_under_its_very_name(
    code: str, own: str, tmp_path: Path
) -> None:
    graph, target = custom(code, name=HOSTILE), running(tmp_path, code)
    firmware = compiled(graph, target, tmp_path, own=own)
    assert_holds(firmware, graph, target)
    assert firmware.calls == [f"AddCustom {code}"]


@needs_compiler
def test_state_in_resource_variables_is_created_for_each_name(tmp_path: Path) -> None:
    graph = stateful()
    firmware = compiled(graph, REFERENCE, tmp_path)
    assert_holds(firmware, graph, REFERENCE)
    assert firmware.said["resources"] == 2
    assert firmware.calls == [
        "AddAssignVariable all types", "AddReadVariable all types", "AddVarHandle all types",
    ]  # fmt: skip


def test_registrations_for_all_types_can_be_asked_for() -> None:
    target = with_build(CMSIS, FirmwareBuild(registrations="all"))
    header, _ = export_firmware(build("kws01", dtype="int8"), target)
    assert "AddConv2D()" in header.text and "_INT8" not in header.text


def test_the_same_model_gives_the_same_files() -> None:
    assert export_firmware(build("kws01"), CMSIS) == export_firmware(build("kws01"), CMSIS)


def test_every_op_of_tflm_has_a_method_that_tflm_has() -> None:
    listed = set(load_runtime("tflm-reference").op_table)
    builtin = {name for name in listed if not name.startswith("CUSTOM:")}
    assert builtin <= set(ADD_METHODS)
    assert {name.removeprefix("CUSTOM:") for name in listed - builtin} <= set(CUSTOM_METHODS)
    assert set(ADD_METHODS.values()) == {f"Add{name}" for name in BUILTIN_METHODS}
    assert set(CUSTOM_METHODS.values()) == {f"Add{name}" for name in TFLM_CUSTOM_METHODS}


def test_every_narrower_registration_is_declared_in_the_header_that_is_included() -> None:
    for op_name, ways in NARROWER.items():
        declared = TFLM_NARROWER[NARROWER_HEADERS[op_name]]
        assert {f"{op_name}_{suffix}" for suffix in ways} <= set(declared)


def test_a_runtime_that_is_not_tflm_exports_nothing_and_says_so() -> None:
    target = load_target("nucleo-l4r5zi", runtime="x-cube-ai")
    with pytest.raises(TargetInvalid, match="nothing is exported for x-cube-ai"):
        export_firmware(build("kws01"), target)


def test_a_model_that_the_runtime_refuses_is_not_exported() -> None:
    with pytest.raises(UnsupportedOp, match="NoSuchKernel"):
        export_firmware(custom("NoSuchKernel"), CMSIS)


@given(text=st.text(max_size=80))
@example(text=HOSTILE)
def test_any_text_becomes_a_name_a_comment_and_a_string_of_plain_ascii(text: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", cpp.identifier(text, "model"))
    for line in (cpp.comment(text), cpp.string_literal(text)):
        assert line.isascii() and line.isprintable() and "??" not in line
    assert "\\" not in cpp.comment(text)
    inner = cpp.string_literal(text)[1:-1]
    assert re.fullmatch(r'(?:[^"\\]|\\[0-7]{3})*', inner)
    plain = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), inner)
    assert plain.encode("latin-1") == text.encode("utf-8", "surrogatepass")


@given(names=st.lists(st.sampled_from(["op", "op_2", "other"]), max_size=8))
def test_distinct_names_are_distinct_and_as_many(names: list[str]) -> None:
    found = list(cpp.distinct(names))
    assert len(found) == len(names) == len(set(found))


def test_the_command_writes_two_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = write_tflite(build("kws01", dtype="int8"))
    (tmp_path / "my kws.tflite").write_bytes(content)
    words = ["export", str(tmp_path / "my kws.tflite"), "-d", "nucleo-l4r5zi", "-o", str(tmp_path / "out")]
    assert cli.run([*words, "--registrations", "all"]) == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["my_kws_model.cc", "my_kws_model.h"]
    header = (tmp_path / "out" / "my_kws_model.h").read_text("utf-8")
    assert hashlib.sha256(content).hexdigest() in header and "AddConv2D()" in header
    assert "wrote" in capsys.readouterr().err
    assert cli.run(words) == 0
    assert "Register_CONV_2D_INT8" in (tmp_path / "out" / "my_kws_model.h").read_text("utf-8")
