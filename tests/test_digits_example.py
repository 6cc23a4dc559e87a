"""The complete example keeps what it says: slopes, zeros, shared values, grids, files and tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from experiments import TRAINING, TUNING, Study
from export import float_model, int8_model
from grids import activation_grids, rounded_weights, stored_weights, weight_scales
from holds import PRUNABLE, Clustered, OnGrid, Pruned, clustered, k_means, magnitude_mask, masked, masks_of
from network import STAGES, WEIGHTED, Arrays, Grid, accuracy, backward, cross_entropy, forward, fresh_arrays
from preflash.graphs.ir import WeightForm
from preflash.graphs.tflite.read import parse_tflite, read_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.recipe_file import load_recipes
from preflash.graphs.variants.weights import real_values
from preflash.simulator.interpreter import load_interpreter
from tables import read_rows, spread, tables
from training import DATA, Digits, Plan, load_digits, train

EXAMPLE = DATA.parent
FLOAT_MODEL = EXAMPLE / "digits_float.tflite"
SHORT = Plan(epochs=2, batch=50)


def some(count: int = 200) -> Digits:
    whole = load_digits("train")
    return Digits(whole.pictures[:count], whole.labels[:count])


@pytest.fixture(scope="module")
def trained() -> Arrays:
    """The committed model's own arrays."""
    graph = read_tflite(FLOAT_MODEL)
    return {t.name: real_values(t) for t in graph.tensors if t.is_constant and "/" in t.name}


def interpreted(model: bytes, pictures: np.ndarray) -> np.ndarray:
    interpreter = load_interpreter(model)
    at, out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    answers = []
    for picture in pictures:
        interpreter.set_tensor(at, picture[None])
        interpreter.invoke()
        answers.append(interpreter.get_tensor(out)[0])
    return np.stack(answers)


# Data.


def test_the_split_is_disjoint_and_whole() -> None:
    parts = [load_digits(name) for name in ("train", "calibration", "test")]
    assert [len(part.labels) for part in parts] == [1000, 197, 600]
    pictures = np.concatenate([part.pictures for part in parts])
    assert pictures.shape == (1797, 8, 8, 1)
    assert len(np.unique(pictures.reshape(1797, -1), axis=0)) == 1797
    assert np.array_equal(pictures * 16, np.rint(pictures * 16))
    assert pictures.min() == 0 and pictures.max() == 1
    assert set(np.concatenate([part.labels for part in parts])) == set(range(10))


def test_what_the_command_calibrates_on_comes_before_what_it_measures_on() -> None:
    whole, parts = load_digits("held_out"), [load_digits(name) for name in ("calibration", "test")]
    assert np.array_equal(whole.pictures, np.concatenate([part.pictures for part in parts]))
    assert np.array_equal(whole.labels, np.concatenate([part.labels for part in parts]))


def test_what_is_committed_is_small() -> None:
    files = [FLOAT_MODEL, *DATA.glob("*.npz")]
    assert len(files) == 5
    assert sum(file.stat().st_size for file in files) < 200_000


# Slopes.


@pytest.mark.parametrize("name", list(fresh_arrays(0)))
def test_the_slopes_are_those_of_finite_differences(name: str) -> None:
    random = np.random.default_rng(3)
    arrays = {key: v + random.normal(0, 0.05, v.shape) for key, v in fresh_arrays(1).items()}  # float64
    pictures, labels = random.random((3, 8, 8, 1)), np.array([0, 4, 9])
    logits, trace = forward(arrays, pictures)
    slopes = backward(trace, cross_entropy(logits, labels)[1])
    flat, step = arrays[name].reshape(-1), 1e-6
    for place in random.choice(flat.size, min(6, flat.size), replace=False):
        kept, losses = flat[place], []
        for moved in (kept + step, kept - step):
            flat[place] = moved
            losses.append(cross_entropy(forward(arrays, pictures)[0], labels)[0])
        flat[place] = kept
        wanted = (losses[0] - losses[1]) / (2 * step)
        assert slopes[name].reshape(-1)[place] == pytest.approx(wanted, rel=1e-4, abs=1e-7)


def test_a_shared_value_has_the_summed_slope_of_its_weights() -> None:
    start, hold = clustered({k: v.astype(np.float64) for k, v in fresh_arrays(2).items()}, 4)
    random = np.random.default_rng(0)
    pictures, labels = random.random((3, 8, 8, 1)), np.array([1, 2, 3])
    logits, trace = forward(hold.used(start), pictures)
    slopes = hold.pulled(backward(trace, cross_entropy(logits, labels)[1]))
    for name in PRUNABLE:
        assert slopes[name].shape == start[name].shape == (4,)
        losses = []
        for step in (1e-6, -1e-6):
            moved = {**start, name: start[name] + np.array([0, step, 0, 0])}
            losses.append(cross_entropy(forward(hold.used(moved), pictures)[0], labels)[0])
        assert slopes[name][1] == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-4, abs=1e-7)


def test_rounding_lets_slopes_through_within_its_grid_only() -> None:
    grid = Grid(scale=0.5, zero_point=0)  # -64 to 63.5
    assert grid.rounded(np.array([0.3, -0.2, 100.0])).tolist() == [0.5, 0.0, 63.5]
    assert grid.holds(np.array([0.3, -64.0, 63.6])).tolist() == [True, True, False]
    arrays = fresh_arrays(0)
    pictures = some(4).pictures
    narrow = {"logits": Grid(scale=1e-6, zero_point=0)}  # every logit lies outside
    _, trace = forward(arrays, pictures, narrow)
    assert not any(slopes.any() for slopes in backward(trace, np.ones((4, 10), np.float32)).values())


# Training.


def test_training_lowers_the_loss_and_is_the_same_twice() -> None:
    digits, start = some(), fresh_arrays(0)
    before = cross_entropy(forward(start, digits.pictures)[0], digits.labels)[0]
    one, other = (train(start, digits, SHORT, seed=5) for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert all(values.dtype == np.float32 for values in one.values())
    assert cross_entropy(forward(one, digits.pictures)[0], digits.labels)[0] < 0.9 * before
    assert not np.array_equal(one["logits/weights"], train(start, digits, SHORT, seed=6)["logits/weights"])


@pytest.mark.parametrize("sparsity", [0.5, 0.8, 0.95])
def test_fine_tuning_leaves_pruned_weights_zero(trained: Arrays, sparsity: float) -> None:
    masks = masks_of(trained, sparsity)
    tuned = train(masked(trained, masks), some(), SHORT, seed=1, hold=Pruned(masks))
    for name in PRUNABLE:
        assert not tuned[name][~masks[name]].any()
        assert int((~masks[name]).sum()) == round(sparsity * masks[name].size)
        assert not np.array_equal(tuned[name], trained[name] * masks[name])  # the others did change


def test_gradual_pruning_follows_the_cubic_schedule_and_no_weight_comes_back(trained: Arrays) -> None:
    hold, seen = Pruned(target=0.8, end=1.0), []
    step = hold.step

    def watched(arrays: Arrays, done: float) -> None:
        earlier = hold.masks
        step(arrays, done)
        assert all(not (hold.masks[name] & ~mask).any() for name, mask in earlier.items())
        seen.append((done, 1 - np.mean(hold.masks["logits/weights"])))

    hold.step = watched  # type: ignore[method-assign]
    train(trained, some(), SHORT, seed=1, hold=hold)
    assert [done for done, _ in seen] == [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1]
    wanted = {0: 0.0, 0.25: 0.4625, 0.5: 0.7, 0.75: 0.7875, 1: 0.8}  # of the 7680 weights of the dense op
    assert {done: s for done, s in seen if done in wanted} == pytest.approx(wanted, abs=1e-4)


def test_an_l1_norm_makes_exact_zeros() -> None:
    plan = Plan(epochs=2, batch=50, decay=3.0)
    found = train(fresh_arrays(0), some(), plan, seed=0, norm=PRUNABLE)
    plain = train(fresh_arrays(0), some(), SHORT, seed=0)
    for name in PRUNABLE:
        assert (found[name] == 0).mean() > 0.05 and not (plain[name] == 0).any()
    assert not (found["depthwise/weights"] == 0).any()


@pytest.mark.parametrize("clusters", [16, 4])
def test_trained_centroids_keep_their_number(trained: Arrays, clusters: int) -> None:
    start, hold = clustered(trained, clusters)
    used = hold.used(train(start, some(), SHORT, seed=0, hold=hold))
    for name in PRUNABLE:
        assert len(np.unique(used[name])) <= clusters
        assert used[name].shape == trained[name].shape
        assert not set(np.unique(used[name])) & set(start[name])  # every one was trained


def test_the_magnitude_mask_takes_the_smallest() -> None:
    values = np.array([[3.0, -1.0, 2.0], [-4.0, 0.5, -0.1]])
    assert magnitude_mask(values, 0.5).tolist() == [[True, False, True], [True, False, False]]


def test_k_means_finds_two_heaps() -> None:
    centres, codes = k_means(np.array([0.0, 0.1, 0.2, 0.9, 1.0, 1.1]), 2)
    assert centres == pytest.approx([0.1, 1.0])
    assert codes.tolist() == [0, 0, 0, 1, 1, 1]


# Grids and files.


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_weights_of_k_bits_are_symmetric_integers(trained: Arrays, bits: int) -> None:
    scales = weight_scales(trained, bits)
    rounded = rounded_weights(trained, scales, bits)
    for stage in WEIGHTED:
        name = f"{stage.name}/weights"
        stored = stored_weights(trained[name], scales[name], bits)
        assert np.abs(stored).max() <= (1 << (bits - 1)) - 1
        assert np.array_equal(rounded[name], (stored * scales[name]).astype(np.float32))
        assert scales[name].size == (1 if stage.kind == "dense" else stage.shape[stage.output_axis])


def test_fewer_bits_never_err_less(trained: Arrays) -> None:
    errors = [
        sum(
            float(np.square(rounded_weights(trained, weight_scales(trained, bits), bits)[n] - v).sum())
            for n, v in trained.items()
        )
        for bits in (8, 4, 3, 2)
    ]
    assert errors == sorted(errors)


def test_the_committed_model_computes_what_numpy_does(trained: Arrays) -> None:
    pictures = load_digits("test").pictures[:100]
    found = interpreted(FLOAT_MODEL.read_bytes(), pictures)
    assert np.abs(found - forward(trained, pictures)[0]).max() < 1e-4


def test_the_committed_model_is_what_the_writer_makes_of_its_arrays(trained: Arrays) -> None:
    committed, again = read_tflite(FLOAT_MODEL), parse_tflite(write_tflite(float_model(trained)))
    assert [(t.name, t.shape, t.data) for t in again.tensors] == [
        (t.name, t.shape, t.data) for t in committed.tensors
    ]
    assert [(op.kind, op.inputs, op.attributes) for op in again.ops] == [
        (op.kind, op.inputs, op.attributes) for op in committed.ops
    ]
    assert sum(values.size for values in trained.values()) == 14_394


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_quantization_aware_training_sees_what_the_int8_file_computes(trained: Arrays, bits: int) -> None:
    """TFLite's reference kernels round twice, first to a few bits below the result; now and then the result
    is then the other neighbour: one quantum off after one op, at most a few after five.
    """
    digits, test = some(), load_digits("test")
    hold = OnGrid(bits, activation_grids(trained, load_digits("calibration").pictures))
    tuned = train(trained, digits, Plan(epochs=1), seed=0, hold=hold)
    hold.epoch(tuned)
    logits, _ = forward(hold.used(tuned), test.pictures[:150], hold.grids)
    model = write_tflite(int8_model(tuned, hold.grids, hold.scales, bits))
    entry, leave = hold.grids["input"], hold.grids["logits"]
    pictures = np.rint(test.pictures[:150] / entry.scale) + entry.zero_point
    stored = interpreted(model, np.clip(pictures, -128, 127).astype(np.int8)).astype(int)
    wanted = np.rint(logits / leave.scale).astype(int) + leave.zero_point
    off = np.abs(stored - wanted)
    assert off.max() <= 3 and off.mean() < 0.6
    assert (stored.argmax(axis=1) == logits.argmax(axis=1)).mean() >= 0.98
    form = {t.name: t.form for t in parse_tflite(model).tensors}["logits/weights"]
    assert (form.bits if form else 8) == bits


def test_masks_and_codebooks_survive_the_file(trained: Arrays) -> None:
    masks = masks_of(trained, 0.8)
    forms = {name: WeightForm(mask=mask) for name, mask in masks.items()}
    again = parse_tflite(write_tflite(float_model(masked(trained, masks), forms)))
    found = {t.name: t.form for t in again.tensors if t.form is not None}
    assert all(np.array_equal(found[name].mask, masks[name]) for name in PRUNABLE)
    start, hold = clustered(trained, 8)
    assert isinstance(hold, Clustered)
    shared = {
        n: WeightForm(codebook=start[n].astype(float), assignment=c) for n, c in hold.assignments.items()
    }
    again = parse_tflite(write_tflite(float_model(hold.used(start), shared)))
    for tensor in again.tensors:
        if tensor.name in PRUNABLE:
            assert tensor.form is not None and tensor.form.codebook is not None
            assert tensor.form.codebook == pytest.approx(start[tensor.name])


def test_the_ops_of_the_file_are_the_stages() -> None:
    kinds = [op.kind for op in read_tflite(FLOAT_MODEL).ops]
    assert kinds == [
        "CONV_2D", "MAX_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "RESHAPE", "FULLY_CONNECTED",
    ]  # fmt: skip
    assert len(kinds) == len(STAGES) + 1


# Tables.


def test_the_committed_rows_are_of_five_seeds_and_of_this_model(trained: Arrays) -> None:
    rows = read_rows(EXAMPLE / "results.csv")
    assert {row.seed for row in rows} == set(range(5)) and len(rows) == 5 * 37
    test = load_digits("test")
    recorded = next(r.accuracy for r in rows if (r.technique, r.seed) == ("trained", 0))
    assert accuracy(trained, test.pictures, test.labels) == pytest.approx(recorded, abs=2.5 / 600)


def test_the_readme_shows_the_committed_rows_and_every_recipe() -> None:
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert tables(read_rows(EXAMPLE / "results.csv")) in text
    names = [recipe.name for recipe in load_recipes(EXAMPLE / "recipes.toml")]
    assert len(set(names)) == len(names) >= 12
    assert not [name for name in names if f"\n| {name} |" not in text]
    named = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    assert named <= {path.name for path in Path(EXAMPLE).iterdir()}


def test_a_spread_is_the_mean_and_the_deviation_of_a_sample() -> None:
    assert spread([97.0, 98.0, 99.0]) == "98.0 ± 1.0"
    assert spread([0.4, 0.6], sign="+") == "+0.5 ± 0.1"


def test_one_seed_of_the_study_gives_every_technique_at_every_setting() -> None:
    once = Plan(epochs=1, batch=500)
    study = Study(0, once, once, keeps_models=True)
    study.test = Digits(study.test.pictures[:60], study.test.labels[:60])
    rows = list(study.rows())
    assert len({(row.setting, row.technique) for row in rows}) == len(rows) == 37
    recorded = {(row.setting, row.technique) for row in read_rows(EXAMPLE / "results.csv")}
    assert {(row.setting, row.technique) for row in rows} == recorded
    assert len(study.models) == 12
    assert (TRAINING.epochs, TUNING.epochs) == (40, 20)
