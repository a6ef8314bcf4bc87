"""Time that training takes: in total, and for the pairs alone."""

import time


class Clock:
    """Seconds since a start, on top of those of earlier sessions."""

    def __init__(self, before: float) -> None:
        """Start, with the seconds of earlier sessions."""
        self._before, self._start = before, time.perf_counter()

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return max(time.perf_counter() - self._start, 1e-9)

    def seconds(self) -> float:
        """Return the seconds since the start and those before it."""
        return self._before + self.elapsed()


class Throughput:
    """Pairs per second of training alone: neither validation counts nor the first step, which warms up.

    Attributes:
        pairs: Pairs so far.
        seconds: Time they took.
    """

    def __init__(self) -> None:
        self.pairs, self.seconds = 0, 0.0
        self._since: float | None = None
        self._steps, self._warm_since = 0, 0.0

    @property
    def pairs_per_second(self) -> float:
        """Speed so far."""
        running = time.perf_counter() - self._since if self._since is not None else 0.0
        return self.pairs / max(self.seconds + running, 1e-9)

    def resume(self) -> None:
        """Count time, for the first time or again."""
        self._since = time.perf_counter()

    def count(self, pairs: int) -> None:
        """Count the pairs of a step."""
        self._steps += 1
        if self._steps == 1:
            self._warm_since = time.perf_counter()
        elif self._steps == 2:
            self.pairs, self.seconds = 0, 0.0
            self._since = max(self._since or 0.0, self._warm_since)
        self.pairs += pairs

    def pause(self) -> None:
        """Count no time until `resume`."""
        if self._since is not None:
            self.seconds += time.perf_counter() - self._since
            self._since = None
