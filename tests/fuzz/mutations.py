"""Ways to damage a file: each takes bytes and a random source, and gives other bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

Random = np.random.Generator
Mutation = Callable[[bytearray, Random], bytearray]

HEAD = 4096
EXTREME = (b"\x00" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\x00\x00\x00\x01", b"\x00\x01\x00\x00")
OUTER = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta")
"""Boxes that hold boxes."""


def flipped_bits(data: bytearray, random: Random) -> bytearray:
    """1 to 64 bits anywhere."""
    return _flip(data, random, len(data), int(random.integers(1, 65)))


def damaged_head(data: bytearray, random: Random) -> bytearray:
    """1 to 8 bits in the first 4 KiB, where most containers describe themselves."""
    return _flip(data, random, min(len(data), HEAD), int(random.integers(1, 9)))


def damaged_tail(data: bytearray, random: Random) -> bytearray:
    """1 to 8 bits in the last 4 KiB, where mp4, mov and avi keep their index."""
    turned = _flip(data[::-1], random, min(len(data), HEAD), int(random.integers(1, 9)))
    return turned[::-1]


def truncated(data: bytearray, random: Random) -> bytearray:
    """Ends anywhere."""
    return data[: int(random.integers(1, len(data)))]


def headless(data: bytearray, random: Random) -> bytearray:
    """Begins somewhere in its first tenth."""
    return data[int(random.integers(1, max(len(data) // 10, 2))) :]


def zeroed(data: bytearray, random: Random) -> bytearray:
    """A block of zeros, as a disk gives for sectors it lost."""
    a, b = _block(data, random)
    data[a:b] = bytes(b - a)
    return data


def noise(data: bytearray, random: Random) -> bytearray:
    """A block of noise."""
    a, b = _block(data, random)
    data[a:b] = random.bytes(b - a)
    return data


def spliced(data: bytearray, random: Random) -> bytearray:
    """A block from elsewhere in the file laid over another."""
    a, b = _block(data, random)
    at = int(random.integers(0, max(len(data) - (b - a), 1)))
    data[at : at + b - a] = data[a:b]
    return data


def missing_block(data: bytearray, random: Random) -> bytearray:
    """A block is gone, what follows moves up."""
    a, b = _block(data, random)
    return data[:a] + data[b:]


def doubled_block(data: bytearray, random: Random) -> bytearray:
    """A block comes twice, what follows moves down."""
    a, b = _block(data, random)
    return data[:b] + data[a:]


def extreme_number(data: bytearray, random: Random) -> bytearray:
    """A number of the head or the tail becomes 0, the largest, negative, or 1."""
    within = min(len(data), HEAD)
    at = int(random.integers(0, within - 4)) if random.random() < 0.5 else len(data) - int(random.integers(4, within))
    data[at : at + 4] = EXTREME[int(random.integers(len(EXTREME)))]
    return data


def wrong_box_size(data: bytearray, random: Random) -> bytearray:
    """An mp4 box says that it is longer, shorter, empty or endless; other files get an extreme number."""
    starts = list(boxes(data, 0, len(data)))
    if not starts:
        return extreme_number(data, random)
    at = starts[int(random.integers(len(starts)))]
    size = int.from_bytes(data[at : at + 4], "big")
    wrong = (0, 1, 7, size // 2, size + 1, size + 100, 0x7FFFFFFF, 0xFFFFFFFF)[int(random.integers(8))]
    data[at : at + 4] = wrong.to_bytes(4, "big")
    return data


def wrong_box_content(data: bytearray, random: Random) -> bytearray:
    """A number inside one of the small boxes of an mp4 (times, counts, sizes, edit lists) becomes extreme."""
    starts = [at for at in boxes(data, 0, len(data)) if bytes(data[at + 4 : at + 8]) not in (b"mdat", b"free", *OUTER)]
    if not starts:
        return extreme_number(data, random)
    at = starts[int(random.integers(len(starts)))]
    size = min(max(int.from_bytes(data[at : at + 4], "big"), 16), 200)
    place = at + 8 + int(random.integers(0, max(size - 11, 1)))
    data[place : place + 4] = EXTREME[int(random.integers(len(EXTREME)))]
    return data


MUTATIONS: tuple[Mutation, ...] = (
    flipped_bits, damaged_head, damaged_tail, truncated, headless, zeroed, noise, spliced, missing_block,
    doubled_block, extreme_number, wrong_box_size, wrong_box_content,
)  # fmt: skip


def boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[int]:
    """Where the boxes of an mp4 or mov begin, outer ones before inner ones; nothing in other files."""
    at = start
    while at + 8 <= end:
        size, name = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8])
        if size < 8 or at + size > end or not name.isalnum():
            return
        yield at
        if name in OUTER:
            yield from boxes(data, at + 8, at + size)
        at += size


def _flip(data: bytearray, random: Random, within: int, count: int) -> bytearray:
    for at in random.integers(0, within, count).tolist():
        data[at] ^= 1 << int(random.integers(8))
    return data


def _block(data: bytearray, random: Random) -> tuple[int, int]:
    """A block of 16 bytes to a quarter of the file, small ones as often as large ones."""
    longest = max(len(data) // 4, 17)
    length = round(float(np.exp(random.uniform(np.log(16), np.log(longest)))))
    start = int(random.integers(0, max(len(data) - length, 1)))
    return start, min(start + length, len(data))


def mutate(data: bytes, number: int, seed: int) -> tuple[str, bytes]:
    """Mutation `number` of a file: its name, and the damaged bytes; the same for the same seed."""
    random = np.random.default_rng([seed, number])
    way = MUTATIONS[number % len(MUTATIONS)]
    return way.__name__, bytes(way(bytearray(data), random))
