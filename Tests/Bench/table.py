"""The table: what a row is, what surrounds it while it is measured, and the list of all."""

import dataclasses
import functools
import statistics
from typing import Callable

from device import Device
from restante import Restante
from workshop import Workshop

KB, MB = 1000, 1000 * 1000


@dataclasses.dataclass
class Bench:
    """One row's surroundings: its workshop and device, how often to measure, and the notes for its reader."""

    workshop: Workshop
    device: Device
    runs: int
    scale: int
    notes: list = dataclasses.field(default_factory=list)

    def note(self, text):
        self.notes.append(text)

    def many(self, count):
        """`count`, or a small part of it when only the function is to be tried."""
        return max(10, count // self.scale)

    def restante(self, **options):
        """A server with an empty state on the measured file system, not yet started."""
        return Restante(self.workshop, self.device.path / "restante", **options)

    def ratio(self, ours, name, theirs, unit):
        """
        Measures ours, theirs, ours, theirs …, after one unmeasured round, and returns the median of the pairs' ratios.
        Both are functions that return a rate.
        """
        ours(), theirs()
        pairs = [(ours(), theirs()) for _ in range(self.runs)]
        ratios = sorted(a / b for a, b in pairs)
        mine, others = (statistics.median(p[i] for p in pairs) for i in (0, 1))
        self.note(f"restante {mine:,.0f}, {name} {others:,.0f} {unit}; "
                  f"{self.runs} pairs, ratios {ratios[0]:.2f} to {ratios[-1]:.2f}")
        return statistics.median(ratios)


@dataclasses.dataclass
class Row:
    """A line of the table: its name on the command line, what it measures, what is asked, and how it is measured."""

    name: str
    what: str
    limit: float
    at_most: bool
    unit: str
    measure: Callable[[Bench], float]

    def shown(self, value):
        if self.unit == "times":
            return f"{value:.2f} times"
        if self.unit == "kB":
            return f"{value / KB:,.0f} kB"
        if self.unit == "MB":
            return f"{value / MB:.2f} MB"
        return f"{value:.2f} {self.unit}".strip()

    @property
    def asked(self):
        return ("at most " if self.at_most else "at least ") + self.shown(self.limit)

    def reached(self, value):
        return value <= self.limit if self.at_most else value >= self.limit


ROWS = []


def row(name, what, limit, unit, at_most=False, **arguments):
    """Makes a row of the function below it. May be given several times, with other `arguments`."""
    def add(function):
        ROWS.append(Row(name, what, limit, at_most, unit, functools.partial(function, **arguments)))
        return function
    return add
