"""Do pruning and 8 bits gain on a phone what was measured? The published ratios, as claims."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from ...devices.catalog import load_target
from ...graphs.passes.fusion import fuse
from ...graphs.zoo import build
from ..latency import kernel_cycles
from ..workload import compile_table
from .table import Claim

AMC_WIDTH = 0.7  # MobileNetV1 0.7 has 283 M MACs; AMC's pruned network has 285 M of 569 M
HOSTED_WIDTHS, HOSTED_EDGES = (0.25, 0.5, 0.75, 1.0), (128, 160, 192, 224)
PHONES_OF_2018 = ("pixel-3", "xiaomi-8-se", "huawei-p20")  # Snapdragon 845 and 710, Kirin 970
DENSE = {"pixel-2": (125.0, 73.0), "pixel-3a": (106.0, 64.0)}  # arXiv 1911.09723: ms of width 1.0 and 0.75


def latency_s(
    name: str, device: str, runtime: str, *, dtype: str = "float32", threads: int = 1,
    width: float = 1.0, resolution: int = 224,
) -> float:  # fmt: skip
    """Seconds of a network of the zoo with padding inside its convolutions."""
    graph = fuse(build(name, dtype=dtype, width=width, resolution=resolution), ("pad-conv",)).graph
    target = load_target(device, runtime, threads=threads)
    return float(kernel_cycles(compile_table(graph, target.kernels), target).value.sum()) / target.clock_hz


def pruning_speed_up() -> float:
    """SA-06: MobileNetV1 against half its MACs on a Pixel."""
    whole = latency_s("mobilenet-v1", "pixel", "litert-2018")
    return whole / latency_s("mobilenet-v1", "pixel", "litert-2018", width=AMC_WIDTH)


def eight_bit_speed_ups_of_2018() -> list[float]:
    """SA-07: MobileNetV1 and V2 on the phones that PocketFlow measured."""
    return [
        latency_s(name, phone, "litert-2018-app") / latency_s(name, phone, "litert-2018-app", dtype="int8")
        for phone in PHONES_OF_2018 for name in ("mobilenet-v1", "mobilenet-v2")
    ]  # fmt: skip


def eight_bit_speed_ups_of_2019() -> list[float]:
    """SA-07: MobileNetV1 of every width and resolution on a Pixel 3 with 4 threads; the last is 1.0, 224."""
    return [
        _hosted("float32", width, edge) / _hosted("int8", width, edge)
        for width in HOSTED_WIDTHS for edge in HOSTED_EDGES
    ]  # fmt: skip


def dense_s(device: str) -> float:
    """SA-13: width 0.75, by the model's ratio to width 1.0 and the published 1.0."""
    whole, slim = (latency_s("mobilenet-v1", device, "litert-builtin", width=width) for width in (1.0, 0.75))
    return DENSE[device][0] / 1e3 * slim / whole


def phone_claims() -> Iterator[Claim]:
    speed_up = pruning_speed_up()
    yield Claim("SA-06: half the MACs by pruning channels is 1.75..1.95 times as fast on a Pixel",
                f"{speed_up:.2f}", 1.75 <= speed_up <= 1.95)  # fmt: skip
    old = [round(ratio, 1) for ratio in eight_bit_speed_ups_of_2018()]
    yield Claim("SA-07: int8 is 2.2..3.7 times as fast as float32 in 2018", _range(old),
                min(old) >= 2.2 and max(old) <= 3.7)  # fmt: skip
    new = eight_bit_speed_ups_of_2019()
    yield Claim("SA-07: 1.31..1.88 times (median 1.72), 10 % aside, on a Pixel 3 with 4 threads in 2019",
                f"{_range(new)}, median {median(new):.2f}",
                min(new) >= 1.31 / 1.1 and max(new) <= 1.88 * 1.1)  # fmt: skip
    for device, (_, slim_ms) in DENSE.items():
        ours = dense_s(device) * 1e3
        yield Claim(f"SA-13: dense MobileNetV1 0.75 on {device} from 1.0, within 10 %",
                    f"{ours:.1f} ms, {slim_ms:g} published", abs(ours / slim_ms - 1) <= 0.1)  # fmt: skip
        direct = latency_s("mobilenet-v1", device, "litert-builtin", width=0.75) * 1e3
        yield Claim(f"dense MobileNetV1 0.75 on {device}, within 20 %", f"{direct:.1f} ms",
                    abs(direct / slim_ms - 1) <= 0.2)  # fmt: skip


def _hosted(dtype: str, width: float, edge: int) -> float:
    return latency_s("mobilenet-v1", "pixel-3", "litert-builtin", dtype=dtype, threads=4, width=width,
                     resolution=edge)  # fmt: skip


def _range(ratios: Sequence[float]) -> str:
    return f"{min(ratios):.2f}..{max(ratios):.2f}"
