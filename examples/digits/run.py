"""Train the digits network in all ways, for all seeds: results.csv, the tables of README.md, the models.

usage: run.py [--seeds 5] [--jobs 2] [--out .]   all of it
       run.py --recipes-only                    the recipes' table alone, from the model that is there
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before numpy starts: sums in the same order every time

import argparse  # noqa: E402
import re  # noqa: E402
import time  # noqa: E402
import zlib  # noqa: E402
from concurrent.futures import ProcessPoolExecutor  # noqa: E402
from pathlib import Path  # noqa: E402

from experiments import Row, Study  # noqa: E402
from post_training import study_of, variants_table  # noqa: E402
from preflash.graphs.tflite.read import parse_tflite  # noqa: E402
from preflash.graphs.tflite.write import write_tflite  # noqa: E402
from preflash.simulator.accuracy.measure import measure  # noqa: E402
from preflash.simulator.accuracy.outputs import Way  # noqa: E402
from preflash.simulator.accuracy.samples import load_samples  # noqa: E402
from tables import tables, write_rows  # noqa: E402
from training import DATA  # noqa: E402

HERE = Path(__file__).resolve().parent
MODEL = "digits_float.tflite"


def one_seed(seed: int) -> tuple[list[Row], dict[str, bytes]]:
    """The rows of one seed, and of the first seed the trained models as files."""
    study = Study(seed, keeps_models=seed == 0)
    rows = list(study.rows())
    return rows, {name: write_tflite(graph) for name, graph in study.models.items()}


def models_table(models: dict[str, bytes]) -> str:
    """The files of the first seed: their bytes, as they are and compressed, and what TFLite says."""
    lines = [
        "**The trained models of seed 0 as files, run by TFLite's reference kernels**", "",
        "| model | file, B | with gzip, B | accuracy, % |", "| --- | ---: | ---: | ---: |",
    ]  # fmt: skip
    for name, model in models.items():
        packed = len(zlib.compress(model, 9))
        found = 100 * interpreted_accuracy(model)
        lines.append(f"| {name}.tflite | {len(model):,} | {packed:,} | {found:.1f} |")
    return "\n".join(lines)


def interpreted_accuracy(model: bytes) -> float:
    """The fraction of test pictures that the file gets right when TFLite's reference kernels run it."""
    samples = load_samples(DATA / "test.npz", parse_tflite(model))
    return measure(model, samples, "top1", way=Way(use_cache=False)).value


def put_between(text: str, mark: str, new: str) -> str:
    """The text with `new` between the two comments of that mark."""
    pattern = rf"(<!-- {mark} -->\n).*?(<!-- end of {mark} -->)"
    return re.sub(pattern, lambda found: f"{found[1]}\n{new}\n\n{found[2]}", text, count=1, flags=re.S)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seeds", type=int, default=5)
    words.add_argument("--jobs", type=int, default=os.cpu_count())
    words.add_argument("--out", type=Path, default=HERE, help="the folder that is written to")
    words.add_argument("--recipes-only", action="store_true", help="train nothing")
    given = words.parse_args()
    start = time.monotonic()
    shown = {} if given.recipes_only else {"trained": _trained(given.seeds, given.jobs, given.out)}
    shown["changed"] = variants_table(study_of(given.out / MODEL))
    text = (HERE / "README.md").read_text(encoding="utf-8")
    for mark, table in shown.items():
        text = put_between(text, mark, table)
        print(table, end="\n\n")
    (given.out / "README.md").write_text(text, encoding="utf-8")
    print(f"{time.monotonic() - start:.0f} s")


def _trained(seeds: int, jobs: int, out: Path) -> str:
    """All seeds: their rows and models are written; gives the tables."""
    rows: list[Row] = []
    models: dict[str, bytes] = {}
    with ProcessPoolExecutor(jobs) as pool:
        for seed, (found, files) in enumerate(pool.map(one_seed, range(seeds))):
            print(f"seed {seed}: {len(found)} accuracies", flush=True)
            rows += found
            models |= files
    _write_models(models, out)
    write_rows(rows, out / "results.csv")
    return f"{tables(rows)}\n\n{models_table(models)}"


def _write_models(models: dict[str, bytes], out: Path) -> None:
    """The float model beside the tables, where it is committed; the others in build/, where they are not."""
    (out / "build").mkdir(parents=True, exist_ok=True)
    for name, model in models.items():
        (out / "build" / f"{name}.tflite").write_bytes(model)
    (out / MODEL).write_bytes(models["float"])


if __name__ == "__main__":
    main()
