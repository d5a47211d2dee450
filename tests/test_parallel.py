"""Work in several threads gives what work in one gives."""

from __future__ import annotations

import time

import pytest

from roughcut.effects.parallel import in_order


def test_results_come_in_order() -> None:
    """Slow and fast items come out as they went in, and no more is taken ahead than promised."""
    taken = []

    def items():  # type: ignore[no-untyped-def]
        for n in range(20):
            taken.append(n)
            yield n

    def work(n: int) -> int:
        time.sleep(0.003 * (n % 3))
        return n * n

    results = in_order(work, items(), workers=3)
    assert next(results) == 0
    assert len(taken) <= 4
    assert [0, *results] == [n * n for n in range(20)]


def test_errors_come_in_their_place() -> None:
    """What fails is raised where its result would have come, and the rest is left undone."""
    results = in_order(lambda n: 1 // n, iter([2, 1, 0, 5]), workers=2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
