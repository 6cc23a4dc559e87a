"""The user's .npz: what it may hold, how it meets the model, and what is refused."""

from __future__ import annotations

import io
import struct
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from accuracy_models import classifier, inputs, two_inputs, write_npz
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from preflash.errors import DataInvalid
from preflash.graphs.dtype import DType
from preflash.simulator.accuracy import npz
from preflash.simulator.accuracy.feeding import fed
from preflash.simulator.accuracy.npz import read_npz
from preflash.simulator.accuracy.samples import Grid, Samples, grid_of, load_samples

FLOAT, INT8 = classifier(), classifier(DType.INT8)


def packed(**members: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return whole.getvalue()


def as_npy(array: np.ndarray, **options: Any) -> bytes:
    whole = io.BytesIO()
    np.lib.format.write_array(whole, array, **options)
    return whole.getvalue()


def header_only(shape: tuple[int, ...], descr: str = "<f4") -> bytes:
    """An array that says it is of this shape, without any element."""
    text = str({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize("name", ["x", "inputs", "in0", "input"])
@pytest.mark.parametrize("label", ["y", "labels"])
def test_inputs_and_labels_are_found_by_their_names(tmp_path: Path, name: str, label: str) -> None:
    x, y = inputs(5), np.arange(5) % 4
    found = load_samples(
        write_npz(tmp_path / "d.npz", **{name: x, label: y, "note": np.array("text")}), FLOAT
    )
    assert len(found) == 5 and found.inputs[0].shape == (5, 1, 6, 6, 2)
    assert found.labels is not None and found.labels.tolist() == y.tolist()
    assert found.name == "d.npz"


@pytest.mark.parametrize("names", [("in0", "in1"), ("x0", "x1")])
def test_several_inputs_are_numbered(tmp_path: Path, names: tuple[str, str]) -> None:
    a, b = inputs(3, (4,)), inputs(3, (4,), seed=2)
    found = load_samples(write_npz(tmp_path / "d.npz", **dict(zip(names, (a, b), strict=True))), two_inputs())
    np.testing.assert_array_equal(found.inputs[1].reshape(3, 4), b)


@pytest.mark.parametrize("shape", [(5, 6, 6, 2), (5, 1, 6, 6, 2), (5, 72), (5, 6, 6, 1, 2)])
def test_extents_of_one_and_flat_samples_are_the_same_sample(tmp_path: Path, shape: tuple[int, ...]) -> None:
    x = inputs(5)
    found = load_samples(write_npz(tmp_path / "d.npz", x=x.reshape(shape)), FLOAT)
    np.testing.assert_array_equal(found.inputs[0].reshape(x.shape), x)


def test_real_numbers_enter_an_integer_model_on_its_grid() -> None:
    own = grid_of(INT8.tensors[INT8.inputs[0]])
    assert own is not None
    x = np.zeros((1, 1, 6, 6, 2), np.float32)
    x.reshape(-1)[:4] = own.scale * np.array([1.4, 1.6, -1e9, 1e9])
    (stored,) = fed(Samples((x,)), INT8)
    wanted = [own.zero_point + 1, own.zero_point + 2, -128, 127]
    assert stored.dtype == np.int8 and stored.reshape(-1)[:5].tolist() == [*wanted, own.zero_point]


def test_integers_made_for_the_model_enter_as_they_are(tmp_path: Path) -> None:
    x = np.arange(-72, 72, dtype=np.int8).reshape(2, 6, 6, 2)
    samples = load_samples(write_npz(tmp_path / "d.npz", x=x), INT8)
    np.testing.assert_array_equal(fed(samples, INT8)[0].reshape(x.shape), x)
    assert samples.grids == (grid_of(INT8.tensors[INT8.inputs[0]]),)


def test_integers_reach_a_float_model_by_the_scale_in_the_file(tmp_path: Path) -> None:
    x = np.full((2, 6, 6, 2), 85, np.int8)
    path = write_npz(tmp_path / "d.npz", x=x, scale=np.float32(0.5), zero_point=np.int64(83))
    (found,) = fed(load_samples(path, FLOAT), FLOAT)
    assert found.dtype == np.float32 and set(found.reshape(-1).tolist()) == {1.0}


def test_integers_of_another_grid_go_through_what_they_stand_for() -> None:
    own = grid_of(INT8.tensors[INT8.inputs[0]])
    assert own is not None
    twice = Grid(own.scale * 2, 0)
    x = np.full((1, 1, 6, 6, 2), 3, np.int8)
    (found,) = fed(Samples((x,), (twice,)), INT8)
    assert set(found.reshape(-1).tolist()) == {6 + own.zero_point}


def test_bytes_of_a_picture_enter_by_their_scale() -> None:
    x = np.full((1, 1, 6, 6, 2), 255, np.uint8)
    (found,) = fed(Samples((x,), (Grid(1 / 255),)), FLOAT)
    np.testing.assert_allclose(found, 1.0, rtol=1e-6)


def test_integers_whose_meaning_nobody_knows_are_refused_with_the_remedy() -> None:
    x = np.zeros((1, 1, 6, 6, 2), np.int8)
    with pytest.raises(DataInvalid, match="not known") as caught:
        fed(Samples((x,)), FLOAT)
    assert "--input-scale" in caught.value.fix


def test_the_first_samples_keep_their_labels() -> None:
    samples = Samples((inputs(6),), labels=np.arange(6), groups=np.arange(6) // 2)
    few = samples.first(2, skip=3)
    assert few.labels is not None and few.labels.tolist() == [3, 4]
    assert few.groups is not None and few.groups.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"z": np.zeros((2, 72))}, "no array for the model's input"),
        ({}, "no array for the model's input"),
        ({"x": np.zeros((2, 71))}, "does not go with"),
        ({"x": np.zeros((2, 6, 2, 6))}, "does not go with"),
        ({"x": np.float32(3)}, "does not go with"),
        ({"x": np.zeros((0, 72))}, "no samples"),
        ({"x": np.zeros((2, 72)), "y": np.zeros(3)}, "2 samples, but labels"),
        ({"x": np.zeros((2, 72)), "y": np.int64(3)}, "2 samples, but labels"),
        ({"x": np.full((2, 72), np.nan)}, "NaN"),
        ({"x": np.zeros((2, 72)), "scale": np.float32(0)}, "scale above 0"),
        ({"x": np.zeros((2, 72)), "scale": np.ones(3)}, "one scale"),
        ({"x": np.array([["a"]])}, "no array for the model's input"),
    ],
)
def test_data_that_do_not_go_with_the_model_are_refused(
    tmp_path: Path, arrays: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataInvalid, match=said):
        load_samples(write_npz(tmp_path / "d.npz", **arrays), FLOAT)


GARBAGE = {
    "empty": b"",
    "text": b"hello",
    "truncated": packed(x=as_npy(np.zeros(100)))[:60],
    "no npy": packed(x=b"\x00" * 50),
    "pickle": packed(x=as_npy(np.array([{"a": 1}], object), allow_pickle=True)),
    "short": packed(x=header_only((1000, 1000))),
    "negative": packed(x=header_only((-4, 3))),
    "huge": packed(x=header_only((1 << 40, 1 << 20))),
    "many axes": packed(x=header_only((1,) * 40)),
    "code in the header": packed(
        x=b"\x93NUMPY\x01\x00" + struct.pack("<H", 30) + b"__import__('os').abort()\n     "
    ),
    "format 9": packed(x=b"\x93NUMPY\x09\x00" + bytes(60)),
    "long header": packed(x=b"\x93NUMPY\x02\x00" + struct.pack("<I", 1 << 24) + b" " * (1 << 24)),
    "many entries": packed(**{f"a{i}": as_npy(np.zeros(1)) for i in range(300)}),
    "longer": packed(x=as_npy(np.zeros(4)) + bytes(8)),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(GARBAGE))
def test_a_file_that_is_no_npz_or_lies_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(GARBAGE[name])
    with pytest.raises(DataInvalid) as caught:
        read_npz(path)
    assert "bad.npz" in str(caught.value) and caught.value.fix


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return Path.touch, (tmp_path / "opened",)  # type: ignore[return-value]

    path = tmp_path / "bad.npz"
    path.write_bytes(packed(x=as_npy(np.array([Bomb()], object), allow_pickle=True)))
    with pytest.raises(DataInvalid, match="never unpickled"):
        read_npz(path)
    assert not (tmp_path / "opened").exists()


def test_a_bomb_is_refused_by_what_it_declares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "LARGEST_BYTES", 1 << 20)
    path = tmp_path / "bomb.npz"
    path.write_bytes(packed(a=as_npy(np.zeros(1 << 16)), x=as_npy(np.zeros(1 << 17))))
    assert path.stat().st_size < 10_000
    with pytest.raises(DataInvalid, match="more than 1 MiB"):
        read_npz(path)


def test_an_entry_that_holds_more_than_its_directory_says_is_refused(tmp_path: Path) -> None:
    content = as_npy(np.zeros(1 << 16, np.int8))
    whole = bytearray(packed(x=content))
    place = whole.rindex(b"PK\x01\x02")  # the directory's entry: uncompressed size at 24
    whole[place + 24 : place + 28] = struct.pack("<I", 200)
    path = tmp_path / "lie.npz"
    path.write_bytes(whole)
    with pytest.raises(DataInvalid):
        read_npz(path)


@pytest.mark.parametrize("where", ["missing.npz", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, where: str) -> None:
    with pytest.raises(DataInvalid):
        read_npz(tmp_path / where)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_damaged_file_is_refused_or_read(tmp_path: Path, place: int, value: int) -> None:
    whole = bytearray(packed(x=as_npy(np.arange(144.0).reshape(2, 72)), y=as_npy(np.arange(2))))
    whole[place % len(whole)] = value
    path = tmp_path / "damaged.npz"
    path.write_bytes(whole)
    with suppress(DataInvalid):
        load_samples(path, FLOAT)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<i2", ">i8", "|b1", "<f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_numeric_array_is_read_as_numpy_reads_it(tmp_path: Path, dtype: str, order: str) -> None:
    array = np.asarray(np.arange(24).reshape(2, 3, 4) % 2, dtype=dtype, order=order)  # type: ignore[call-overload]
    found = read_npz(write_npz(tmp_path / "d.npz", x=array, scalar=np.float32(2)))
    np.testing.assert_array_equal(found["x"], array)
    assert found["x"].dtype.isnative and found["scalar"].shape == ()
