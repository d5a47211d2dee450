"""Work on several pictures at once, in order: the heavy libraries let go of Python's lock while they work."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

WORKERS = min(os.cpu_count() or 1, 4)


def in_order(work: Callable[[A], B], items: Iterator[A], workers: int = WORKERS) -> Iterator[B]:
    """`map(work, items)` with at most `workers` + 1 results waiting; errors are raised in their place."""
    with ThreadPoolExecutor(workers, thread_name_prefix="roughcut-look") as pool:
        waiting: deque[Future[B]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for late in waiting:
                late.cancel()
