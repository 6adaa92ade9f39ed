# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment is there where it was needed, and only there."""

from __future__ import annotations

from typing import Any


def test_a_host_that_has_the_libraries_is_left_alone(place: Any) -> None:
    host, folder = place("ops")
    assert not host.file(f"{folder}/venv").exists


def test_a_host_that_lacks_one_has_an_environment_with_all(place: Any) -> None:
    host, folder = place("local")
    python = f"{folder}/venv/bin/python"
    assert host.run("%s -c %s", python, "import jinja2, tabulate").rc == 0
