"""One line of the bench's table: a figure, the bare reference of the same run, and the limit.

Shared machines differ by the hour, so what can be is promised as a ratio to a bare program that
does the same work in the same run.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`limit` is for the ratio where there is a reference, else for the figure itself; None: the figure
    is told for comparison."""

    what: str
    figure: float
    unit: str
    limit: float | None
    reference: float | None = None
    at_least: bool = False
    """Whether the limit is the least that is allowed, not the most."""

    @property
    def ratio(self) -> float | None:
        return self.figure / self.reference if self.reference else None

    @property
    def held(self) -> bool:
        if self.limit is None:
            return True
        judged = self.figure if self.ratio is None else self.ratio
        return judged >= self.limit if self.at_least else judged <= self.limit
