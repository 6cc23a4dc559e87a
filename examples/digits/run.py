"""Train the digits network in all ways, for all seeds: results.csv, the tables of README.md, the models.

usage: run.py [--seeds 5] [--jobs 2] [--out .]
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before numpy starts: sums in the same order every time

import argparse  # noqa: E402
import gzip  # noqa: E402
import re  # noqa: E402
import time  # noqa: E402
from concurrent.futures import ProcessPoolExecutor  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from experiments import Row, Study  # noqa: E402
from preflash.graphs.quantities import NUMPY_OF_DTYPE  # noqa: E402
from preflash.graphs.tflite.read import parse_tflite  # noqa: E402
from preflash.graphs.tflite.write import write_tflite  # noqa: E402
from preflash.simulator.interpreter import load_interpreter  # noqa: E402
from tables import tables, write_rows  # noqa: E402
from training import Digits, load_digits  # noqa: E402

HERE = Path(__file__).resolve().parent
MODEL = HERE / "digits_float.tflite"


def one_seed(seed: int) -> tuple[list[Row], dict[str, bytes]]:
    """The rows of one seed, and of the first seed the trained models as files."""
    study = Study(seed, keeps_models=seed == 0)
    rows = list(study.rows())
    return rows, {name: write_tflite(graph) for name, graph in study.models.items()}


def interpreted_accuracy(model: bytes, digits: Digits) -> float:
    """The fraction of pictures that TFLite's interpreter names rightly."""
    graph = parse_tflite(model)
    source = graph.tensors[graph.inputs[0]]
    pictures = digits.pictures
    if source.quantization is not None:
        q = source.quantization
        stored = np.clip(np.rint(pictures / q.scales[0]) + q.zero_points[0], -128, 127)
        pictures = stored.astype(NUMPY_OF_DTYPE[source.dtype])
    interpreter = load_interpreter(model)
    at, out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    hits = 0
    for picture, label in zip(pictures, digits.labels, strict=True):
        interpreter.set_tensor(at, picture[None])
        interpreter.invoke()
        hits += int(interpreter.get_tensor(out)[0].argmax() == label)
    return hits / len(digits.labels)


def models_table(models: dict[str, bytes]) -> str:
    """The files of the first seed: their bytes, as they are and compressed, and what the interpreter says."""
    test = load_digits("test")
    lines = ["**The trained models of seed 0 as files, run by TFLite's interpreter**", "",
             "| model | file, bytes | with gzip, bytes | accuracy, % |", "| --- | ---: | ---: | ---: |"]  # fmt: skip
    for name, model in models.items():
        packed = len(gzip.compress(model, 9, mtime=0))
        found = 100 * interpreted_accuracy(model, test)
        lines.append(f"| {name}.tflite | {len(model):,} | {packed:,} | {found:.1f} |")
    return "\n".join(lines)


def put_between(text: str, mark: str, new: str) -> str:
    """The text with `new` between the two comments of that mark."""
    pattern = rf"(<!-- {mark} -->\n).*?(<!-- end of {mark} -->)"
    return re.sub(pattern, lambda found: f"{found[1]}\n{new}\n\n{found[2]}", text, count=1, flags=re.S)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--seeds", type=int, default=5)
    words.add_argument("--jobs", type=int, default=os.cpu_count())
    words.add_argument("--out", type=Path, default=HERE, help="where results.csv and README.md are written")
    given = words.parse_args()
    start = time.monotonic()
    rows: list[Row] = []
    models: dict[str, bytes] = {}
    with ProcessPoolExecutor(given.jobs) as pool:
        for seed, (found, files) in enumerate(pool.map(one_seed, range(given.seeds))):
            print(f"seed {seed}: {len(found)} accuracies, {time.monotonic() - start:.0f} s")
            rows += found
            models |= files
    given.out.mkdir(parents=True, exist_ok=True)
    write_rows(rows, given.out / "results.csv")
    shown = f"{tables(rows)}\n\n{models_table(models)}"
    readme = given.out / "README.md"
    text = (HERE / "README.md").read_text(encoding="utf-8")
    readme.write_text(put_between(text, "tables", shown), encoding="utf-8")
    folder = given.out / "build"
    folder.mkdir(exist_ok=True)
    for name, model in models.items():
        (folder / f"{name}.tflite").write_bytes(model)
    (given.out / MODEL.name).write_bytes(models["float"])
    print(shown)


if __name__ == "__main__":
    main()
