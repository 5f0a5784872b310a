"""Where to measure next when constants are searched. Pure: points lie in a unit cube, lower scores are better.

One constant: golden section (Kiefer 1953, Proc. Amer. Math. Soc. 4:502). Several: pattern search (Hooke & Jeeves 1961,
J. ACM 8:212). Under noise: successive halving (Karnin, Koren & Somekh 2013, ICML) over points of a Halton sequence.
All stop at a number of measurements; the best point that was measured wins, so a wrong shape costs time only.
"""

from __future__ import annotations

from collections.abc import Callable

Point = tuple[float, ...]
Score = Callable[[Point], float]
GOLDEN = (5**0.5 - 1) / 2
NEAR = 1 / 32  # of a range: around what the golden section found, for shapes with more than one valley
FINEST = 1 / 256  # of a range
_PRIMES = (2, 3, 5, 7, 11)


def median(values: list[float]) -> float:
    """The middle value, the mean of both where there are two."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


class NoMoreMeasurements(Exception):
    """No further measurement may be paid for."""


class Memory:
    """Scores by point: what was measured is never measured again, and at most `most` points are."""

    def __init__(self, score: Score, most: int) -> None:
        """Nothing is measured yet."""
        self._score, self._most = score, most
        self.known: dict[Point, float] = {}

    def __call__(self, point: Point) -> float:
        """The score of a point; raises `Spent`."""
        if point not in self.known:
            if len(self.known) >= self._most:
                raise NoMoreMeasurements
            self.known[point] = self._score(point)
        return self.known[point]


def exact(start: Point, score: Score, most: int) -> dict[Point, float]:
    """Scores of the points that the search looked at, `start` among them; one run each."""
    memory = Memory(score, most)
    try:
        memory(start)
        if len(start) == 1:
            _golden(memory)
            _pattern(min(memory.known, key=lambda point: memory.known[point]), memory, NEAR)
        else:
            _pattern(start, memory)
    except NoMoreMeasurements:
        pass
    return memory.known


def _golden(score: Score) -> None:
    low, high = 0.0, 1.0
    score((low,))
    score((high,))
    while high - low > FINEST:
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        if score((left,)) <= score((right,)):
            high = right
        else:
            low = left


def _pattern(start: Point, score: Score, step: float = 0.25) -> None:
    best = start
    while step > FINEST:
        around = _explored(best, step, score)
        if score(around) >= score(best):
            step /= 2
            continue
        leap = tuple(min(1.0, max(0.0, 2 * a - b)) for a, b in zip(around, best))
        best = min((around, _explored(leap, step, score)), key=score)


def _explored(point: Point, step: float, score: Score) -> Point:
    """The best of a point and its neighbours, one axis after the other."""
    for axis in range(len(point)):
        moves = [min(1.0, max(0.0, point[axis] + sign * step)) for sign in (1, -1)]
        point = min((point, *((*point[:axis], move, *point[axis + 1 :]) for move in moves)), key=score)
    return point


def spread(count: int, axes: int) -> list[Point]:
    """Points that fill the cube evenly: a Halton sequence (Halton 1960, Numer. Math. 2:84)."""
    return [tuple(_radical(number, prime) for prime in _PRIMES[:axes]) for number in range(1, count + 1)]


def _radical(number: int, base: int) -> float:
    value, share = 0.0, 1.0 / base
    while number:
        number, digit = divmod(number, base)
        value, share = value + digit * share, share / base
    return value


def noisy(start: Point, score: Score, most: int, order: Callable[[list[Point]], None]) -> dict[Point, list[float]]:
    """All scores by point: each round measures the better half once more than the one before, in an order of its own.

    `order` shuffles in place. At most `most` measurements are made.
    """
    points = [start, *spread(_first_round(most), len(start))]
    found: dict[Point, list[float]] = {point: [] for point in points}
    runs, left = 1, most
    while len(points) > 1 and left >= len(points):
        for _ in range(min(runs, left // len(points))):
            order(points)
            for point in points:
                found[point].append(score(point))
            left -= len(points)
        points = sorted(points, key=lambda point: median(found[point]))[: (len(points) + 1) // 2]
        runs *= 2
    return {point: scores for point, scores in found.items() if scores}


def _first_round(most: int) -> int:
    """Points such that halving with doubled runs fits: as many measurements in each round."""
    count = 2
    while (count * 2 + 1) * (count.bit_length() + 1) <= most:
        count *= 2
    return count


def best(scores: dict[Point, list[float]]) -> Point:
    """The point measured most often with the best median: the last one standing."""
    most = max(len(values) for values in scores.values())
    return min((p for p, values in scores.items() if len(values) == most), key=lambda p: median(scores[p]))


def value_at(place: float, ends: tuple[float, float], log: bool, whole: bool) -> float:
    """The constant at a place between 0 and 1 of its range."""
    low, high = ends
    value = low * (high / low) ** place if log else low + (high - low) * place
    return round(value) if whole else float(f"{value:.6g}")


def place_of(value: float, ends: tuple[float, float], log: bool) -> float:
    """Where a value lies in its range, from 0 to 1."""
    import math

    low, high = ends
    found = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
    return min(1.0, max(0.0, found))
