# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of rules and entries."""

from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._core.naming import refuse_twice


@pytest.mark.parametrize("names", [[], ["a"], ["a", "A", "a "]])
def test_names_of_their_own_are_taken(names: list[str]) -> None:
    refuse_twice("rules", names)


def test_a_name_that_stands_twice_is_said() -> None:
    with pytest.raises(InvalidInput, match="several rules have the name 'b'"):
        refuse_twice("rules", ["a", "b", "c", "b"])
