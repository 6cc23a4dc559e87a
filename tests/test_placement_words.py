"""A placement as a text: role=memory, role=copy:memory@image, and what is wrong with others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from placed_targets import DISCO, S3, with_arenas
from preflash.devices.homes import Homes, homes_of
from preflash.devices.target import Target
from preflash.errors import PlacementInvalid
from preflash.simulator.placing.options import placements
from preflash.simulator.placing.words import parse_placement


@pytest.mark.parametrize(
    ("target", "text", "homes"),
    [
        (DISCO, "arena=dtcm", Homes("flash", "flash", "dtcm", "dtcm")),
        (DISCO, "weights=qspi-flash", Homes("qspi-flash", "flash", "axi-sram", "dtcm")),
        (DISCO, "weights=copy:axi-sram", Homes("axi-sram", "flash", "axi-sram", "dtcm", "flash")),
        (DISCO, " weights = copy:sdram@qspi-flash , arena = sdram ",
         Homes("sdram", "flash", "sdram", "dtcm", "qspi-flash")),
        (DISCO, "code=itcm", Homes("flash", "itcm", "axi-sram", "dtcm", "", "flash")),
        (DISCO, "persistent=sram4", Homes("flash", "flash", "axi-sram", "dtcm", persistent="sram4")),
        (S3, "weights=psram,arena=psram", Homes("psram", "flash", "psram", "sram", "flash")),
    ],
)  # fmt: skip
def test_a_text_names_the_homes(target: Target, text: str, homes: Homes) -> None:
    assert parse_placement(target, text) == homes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no placement"), ("arena", "is no placement"), ("arena=", "is no placement"),
        ("stack=dtcm", "nothing that can be placed"), ("arena=dtcm,arena=sram4", "placed twice"),
        ("arena=copy:dtcm", "not copied from anywhere"), ("arena=dtcm@flash", "not copied from anywhere"),
        ("weights=copy:qspi-flash", "copied into RAM"), ("weights=copy:", "names no memory"),
        ("weights=a b", "names no memory"), ("weights=nowhere", "no memory 'nowhere'"),
        ("weights=sdram@nowhere", "no nonvolatile memory"), ("arena=flash", "written while the model runs"),
        ("arena=" + "x" * 2000, "too long"),
    ],
)  # fmt: skip
def test_a_text_that_means_nothing_is_refused_with_a_remedy(text: str, said: str) -> None:
    with pytest.raises(PlacementInvalid, match=said) as caught:
        parse_placement(DISCO, text)
    assert caught.value.fix


@pytest.mark.parametrize("target", [DISCO, S3, with_arenas(DISCO, "two")])
def test_what_a_placement_prints_is_what_the_option_takes(target: Target) -> None:
    for homes in placements(target):
        assert parse_placement(target, str(homes)) == target.placed(homes).homes
        beside = homes.beside(homes_of(target.device))
        assert (parse_placement(target, beside) if beside else target.homes) == target.placed(homes).homes


@given(st.text(max_size=60))
def test_any_text_gives_homes_or_a_named_error(text: str) -> None:
    try:
        assert isinstance(parse_placement(DISCO, text), Homes)
    except PlacementInvalid as error:
        assert str(error)
