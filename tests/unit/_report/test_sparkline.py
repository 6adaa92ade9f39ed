# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plots."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._report.sparkline import HEIGHT, WIDTH, sparkline, strip

numbers = st.floats(min_value=-1e15, max_value=1e15) | st.just(0.0)


def coordinates(svg: str) -> list[tuple[float, float]]:
    """Every point of the line."""
    path = ElementTree.fromstring(svg).find("path")  # noqa: S314 - our own text
    assert path is not None
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](\S+) ([^ML]+)", path.attrib["d"])]


@given(st.lists(numbers | st.none(), max_size=40))
def test_every_plot_stays_within_its_bounds_and_is_well_formed(values: list[float | None]) -> None:
    svg = sparkline([(float(index), value) for index, value in enumerate(values)], "label")
    known = [value for value in values if value is not None]
    assert bool(svg) == (len(known) >= 2)
    if svg:
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in coordinates(svg))


def test_more_is_higher_and_later_is_further_right() -> None:
    [(x1, y1), (x2, y2), (x3, y3)] = coordinates(sparkline([(0, 1.0), (10, 5.0), (40, 3.0)], ""))
    assert x1 < x2 < x3
    assert y2 < y3 < y1
    assert (x2 - x1) * 3 - (x3 - x2) < 0.2


def test_a_missing_value_breaks_the_line_and_a_lonely_one_is_a_dot() -> None:
    svg = sparkline([(0, 1.0), (1, 2.0), (2, None), (3, 2.0), (4, None), (5, 1.0), (6, 1.0)], "")
    assert svg.count("M") == 2
    assert svg.count("<circle") == 2


def test_noise_on_a_steady_value_stays_flat() -> None:
    heights = [y for _x, y in coordinates(sparkline([(0, 100.0), (1, 100.1), (2, 99.9)], ""))]
    assert max(heights) - min(heights) < HEIGHT * 0.05


def test_labels_are_escaped() -> None:
    svg = sparkline([(0, 1.0), (1, 2.0)], '"><script>alert(1)</script>')
    assert "<script" not in svg
    assert ElementTree.fromstring(svg).attrib["aria-label"] == '"><script>alert(1)</script>'  # noqa: S314 - our own text


def test_the_strip_has_a_cell_for_each_run_told_apart_by_height() -> None:
    root = ElementTree.fromstring(strip([("ok", "a"), ("warning", "b"), ("critical", "c <&")], "runs"))  # noqa: S314 - our own text
    cells = root.findall("rect")
    heights = [float(cell.attrib["height"]) for cell in cells]
    assert heights == sorted(set(heights))
    assert [cell.findtext("title") for cell in cells] == ["a", "b", "c <&"]
    assert ElementTree.fromstring(strip([], "none")).attrib["width"]  # noqa: S314 - our own text
