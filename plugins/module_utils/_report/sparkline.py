# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small plots as SVG, drawn without a library: a line of values, and a row of verdicts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["sparkline", "strip"]

WIDTH, HEIGHT, MARGIN = 240.0, 48.0, 4.0
LEAST_RANGE = 0.1
"""The plot spans at least this part of the largest value, so that noise on a steady value looks like noise."""

CELL, GAP = 8, 2
CELL_HEIGHTS = {"ok": 8, "warning": 14, "critical": 20}

Point = tuple[float, "float | None"]


def sparkline(points: Sequence[Point], label: str) -> str:
    """Draw a line through values over time.

    :param points: moment (any unit that grows) and value, oldest first; a None leaves a gap in the line.
    :param label: what it shows, for those who do not see it.
    :return: one SVG element, coloured by the page's style; an empty text if fewer than two values are known.
    """
    known = [(moment, value) for moment, value in points if value is not None]
    if len(known) < 2:
        return ""
    lowest, highest = min(value for _moment, value in known), max(value for _moment, value in known)
    middle = (lowest + highest) / 2
    span = max(highest - lowest, LEAST_RANGE * max(abs(lowest), abs(highest)), 1e-9)
    start, duration = points[0][0], max(points[-1][0] - points[0][0], 1e-9)

    def place(moment: float, value: float) -> str:
        x = MARGIN + (moment - start) / duration * (WIDTH - 2 * MARGIN)
        y = HEIGHT / 2 - (value - middle) / span * (HEIGHT - 2 * MARGIN)
        return f"{x:.1f} {y:.1f}"

    lines, dots = [], []
    for run in _runs(points):
        places = [place(moment, value) for moment, value in run]
        if len(places) > 1:
            lines.append("M" + "L".join(places))
        else:
            dots.append(places[0])
    dots.append(place(*known[-1]))
    circles = "".join(f'<circle cx="{x}" cy="{y}" r="2.5"/>' for x, y in (dot.split() for dot in dict.fromkeys(dots)))
    return _svg(WIDTH, HEIGHT, "plot", label, f'<path d="{"".join(lines)}"/>{circles}')


def _runs(points: Sequence[Point]) -> list[list[tuple[float, float]]]:
    """Cut the points where a value is missing."""
    runs: list[list[tuple[float, float]]] = [[]]
    for moment, value in points:
        if value is not None:
            runs[-1].append((moment, value))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def strip(verdicts: Sequence[tuple[str, str]], label: str) -> str:
    """Draw one cell for each verdict, the graver the higher, so that it can be told without its colour.

    :param verdicts: status and the text that a pointer on the cell shows, oldest first.
    :param label: what it shows, for those who do not see it.
    """
    cells = ""
    for index, (status, text) in enumerate(verdicts):
        height = CELL_HEIGHTS.get(status, CELL_HEIGHTS["warning"])
        cells += (
            f'<rect class="{escape(status)}" x="{index * (CELL + GAP)}" y="{CELL_HEIGHTS["critical"] - height}" '
            f'width="{CELL}" height="{height}" rx="2"><title>{escape(text)}</title></rect>'
        )
    return _svg(max(1, len(verdicts)) * (CELL + GAP) - GAP, CELL_HEIGHTS["critical"], "strip", label, cells)


def _svg(width: float, height: float, kind: str, label: str, content: str) -> str:
    text = escape(label)
    return (
        f'<svg class="{kind}" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{text}">{content}</svg>'
    )
