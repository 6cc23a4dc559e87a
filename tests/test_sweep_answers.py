"""What answers the question on each device, and what misses by the least."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from preflash.reports.sweep_data import miss_text
from preflash.simulator.sweep.study.answers import ASKED_FOR, answers
from preflash.simulator.sweep.study.suitable import need_of_budget, suitable
from sweep_tables import NAN, plain, table, targets


def best(sweep, device: int = 0) -> dict[str, int]:
    return {one.goal: one.point for one in answers(sweep)[device].best}


def test_each_goal_has_its_best_point() -> None:
    sweep = plain("FTF", latency_s=[3, 1, 2], energy_j=[1, 2, 3], ram_bytes=[9, 8, 7], flash_bytes=[5, 4, 6],
                  accuracy=[0.7, 0.8, 0.9])  # fmt: skip
    assert best(sweep) == {
        "fastest": 1,
        "least energy": 0,
        "least RAM": 2,
        "least flash": 1,
        "most accurate": 2,
    }


def test_points_that_do_not_fit_are_no_answer() -> None:
    assert best(plain("NF", latency_s=[1, 2])) == {"fastest": 1}


def test_a_figure_that_nobody_knows_has_no_goal() -> None:
    assert "most accurate" not in best(plain("FF", latency_s=[1, 2]))
    assert best(plain("FF", latency_s=[NAN, 2]))["fastest"] == 1


def test_ties_go_to_the_faster_then_the_smaller_then_the_first() -> None:
    assert best(plain("FFF", ram_bytes=[7, 7, 7], latency_s=[2, 1, 1]))["least RAM"] == 1


def test_an_accuracy_limit_must_be_met_and_known() -> None:
    sweep = plain("FFF", latency_s=[1, 2, 3], accuracy=[0.8, NAN, 0.95])
    limited = replace(sweep, limits={"accuracy": 0.9})
    assert suitable(limited).tolist() == [False, False, True]
    assert best(limited)["fastest"] == 2


def test_objectives_decide_in_their_order() -> None:
    sweep = plain("FFF", latency_s=[1, 1, 2], accuracy=[0.8, 0.9, 0.95])
    asked = replace(sweep, objectives=(("latency_s", "min"), ("accuracy", "max")))
    assert best(asked)[ASKED_FOR] == 1


def test_without_an_answer_the_least_severe_word_is_the_closest_miss() -> None:
    answer = answers(plain("NRU", ram_bytes=[1, 9, 1], latency_s=[1, 1, NAN]))[0]
    assert answer.best == () and answer.fitting == 0
    assert (answer.miss.point, answer.miss.word, answer.miss.limiting) == (1, "RISKY", "ram:sram")


def test_of_equal_words_the_one_least_over_its_budget_is_closest() -> None:
    ram = targets(1)[0].ram_bytes
    answer = answers(plain("NNN", ram_bytes=[3 * ram, 1.5 * ram, NAN]))[0]
    assert (answer.miss.point, answer.miss.over) == (1, 1.5)


def test_what_fits_but_breaks_a_limit_is_closer_than_what_does_not_fit() -> None:
    sweep = plain("NFF", ram_bytes=[1, 1, 1], accuracy=[0.99, 0.6, 0.8])
    answer = answers(replace(sweep, limits={"accuracy": 0.9}))[0]
    assert (answer.miss.point, answer.miss.limiting) == (2, "accuracy")
    assert np.isclose(answer.miss.over, 0.2 / 0.1)  # errors over those allowed


def limited(sweep, named: tuple[str, ...], limiting: list[int], **limits: float):
    return replace(sweep, limits_named=named, limiting=np.array(limiting), limits=limits)


def test_what_only_its_accuracy_may_break_is_closer_than_what_may_be_late() -> None:
    sweep = plain("RR", ram_bytes=[1, 1], flash_bytes=[1, 1], latency_s=[1.12, 0.9], accuracy=[0.9, 0.85])
    answer = answers(limited(sweep, ("latency", "accuracy"), [0, 1], latency_s=1, accuracy=0.8))[0]
    assert (answer.miss.point, answer.miss.limiting) == (1, "accuracy")
    assert np.isclose(answer.miss.over, 0.15 / 0.2)
    assert miss_text(answer) == "none; may be over: accuracy (×0.75 of the errors allowed)"


def test_a_risky_point_of_unknown_accuracy_comes_after_one_that_keeps_more_limits() -> None:
    sweep = plain("RR", ram_bytes=[1, 1], flash_bytes=[1, 1], latency_s=[1, 1.1], accuracy=[NAN, 0.9])
    late = limited(sweep, ("accuracy", "latency"), [0, 1], latency_s=1, accuracy=0.8)
    assert answers(late)[0].miss.point == 1  # each breaks one; the accuracy of the first is not known
    both = limited(sweep, ("accuracy", "latency"), [0, 1], latency_s=1, accuracy=0.95)
    assert answers(both)[0].miss.point == 0


def test_an_unknown_figure_is_named_without_a_share() -> None:
    sweep = plain("U", ram_bytes=[1], latency_s=[1])
    for named in ("energy limit", "ram:dram"):
        (answer,) = answers(limited(sweep, (named,), [0], energy_j=1))
        assert miss_text(answer) == f"none; closest: {named} is unknown"


def test_a_share_below_one_is_said_only_of_what_may_be_over() -> None:
    small = plain("N", ram_bytes=[0.5 * targets(1)[0].ram_bytes])
    assert miss_text(answers(small)[0]) == "none; closest: ram:sram"
    (risky,) = answers(limited(plain("R", latency_s=[0.97]), ("latency",), [0], latency_s=1))
    assert miss_text(risky) == "none; may be over: latency (×0.97 of its budget)"
    (late,) = answers(limited(plain("N", latency_s=[3090]), ("latency",), [0], latency_s=1))
    assert miss_text(late) == "none; closest: latency (×3,090 of its budget)"


def test_a_device_without_points_is_said_so() -> None:
    sweep = plain("F", latency_s=[1])
    empty = answers(replace(sweep, targets=(*sweep.targets, replace(targets(2)[1], number=1))))[1]
    assert (empty.points, empty.fitting, empty.best, empty.miss) == (0, 0, (), None)


def test_need_over_budget_is_of_what_decides() -> None:
    sweep = table(8, 4)
    over = need_of_budget(sweep)
    late = (sweep.limiting == 2) & ~np.isnan(sweep.figures["latency_s"].value)
    assert np.allclose(over[late], sweep.figures["latency_s"].value[late] / 0.25)
    assert np.isnan(over[sweep.limiting == 3]).all()


def test_every_answer_fits_and_none_is_better() -> None:
    sweep = table(60, 16)
    for answer in answers(sweep):
        device = np.array([sweep.targets[t].device == answer.device for t in sweep.target])
        good = device & suitable(sweep)
        assert answer.fitting == good.sum() and answer.points == device.sum()
        for one in answer.best:
            assert good[one.point]
        fastest = {one.goal: one.point for one in answer.best}.get("fastest")
        if fastest is not None:
            late = sweep.figures["latency_s"].value
            assert late[fastest] == late[good].min()


def test_a_limit_of_the_user_is_the_budget_where_it_decides() -> None:
    sweep = plain("NN", ram_bytes=[3000, 2000], energy_j=[1, 5])
    limits = {"ram_bytes": 1000, "energy_j": 2}
    sweep = replace(
        sweep, limiting=np.array([0, 1]), limits_named=("ram limit", "energy limit"), limits=limits
    )
    assert need_of_budget(sweep).tolist() == [3.0, 2.5]


def test_where_all_failed_nothing_is_said_to_limit() -> None:
    answer = answers(plain("EE"))[0]
    assert (answer.miss.word, answer.miss.limiting, answer.miss.over) == ("ERROR", "", None)
