"""What is declared of a firmware's build: the words of --build, and what each slip is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from preflash import cli
from preflash.devices.build import FirmwareBuild, declared, parse_build, with_build
from preflash.devices.catalog import load_target
from preflash.errors import BuildInvalid, PreflashError

BOARD = load_target("nucleo-l4r5zi", runtime="tflm-cmsis-nn")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("flags=Os", FirmwareBuild(flags="Os")),
        ("flags=mix", FirmwareBuild(flags="Oscore+O2kernels")),
        ("ndebug=no, libc=newlib", FirmwareBuild(ndebug=False, libc="newlib")),
        ("strings=strip,debug-log=default",
         FirmwareBuild(strip_error_strings=True, debug_log="default")),
        ("registrations=int8", FirmwareBuild(registrations="int8")),
    ],
)  # fmt: skip
def test_a_build_is_read(text: str, meaning: FirmwareBuild) -> None:
    assert parse_build(text) == meaning


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "write it like"),
        ("flags", "write it like"),
        ("flags=", "write it like"),
        ("flags=Os,", "write it like"),
        ("flags=O1", "one of Os, O2, O3, mix"),
        ("optimise=Os", "known: flags"),
        ("ndebug=yes,ndebug=no", "given twice"),
        ("flags=Os," * 100, "too long"),
    ],
)
def test_a_build_nobody_can_read_is_refused(text: str, says: str) -> None:
    with pytest.raises(BuildInvalid, match=says):
        parse_build(text)


@given(text=st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(parse_build(text), FirmwareBuild)
    except PreflashError as error:
        assert str(error)


def test_what_is_not_declared_stays_as_the_runtime_says() -> None:
    code = with_build(BOARD, FirmwareBuild(ndebug=False)).runtime.code
    assert (code.ndebug, code.flags, code.libc) == (False, "Oscore+O2kernels", None)
    assert declared(BOARD, None) is BOARD


def test_a_runtime_without_linked_firmwares_takes_no_build() -> None:
    with pytest.raises(BuildInvalid, match="x-cube-ai"):
        declared(load_target("nucleo-l4r5zi", runtime="x-cube-ai"), "flags=Os")


def test_the_command_line_says_what_is_wrong_with_a_build(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["check", "none.tflite", "-d", "nucleo-l4r5zi", "--build", "flags=O9"]) == 3
    assert (
        capsys.readouterr().err
        == "preflash: error: --build: flags=O9: no such choice (one of Os, O2, O3, mix)\n"
    )
