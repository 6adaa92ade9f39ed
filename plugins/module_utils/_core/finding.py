# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One thing that is wrong, with its numbers and its remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .severity import Severity

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """What is wrong with one subject.

    :param id: stable name ``<subject>.<condition>``, such as ``redis.memory``; alerts are de-duplicated by it.
    :param severity: warning or critical; what is in order is no finding.
    :param subject: what it is about: a database, table, mount, queue, URL.
    :param message: one sentence for people.
    :param value: what was measured, in the threshold's unit, or None where nothing could be measured.
    :param threshold: the limit that was crossed, in the same unit, or None where there is none.
    :param remedy: what to do about it.
    """

    id: str
    severity: Severity
    subject: str
    message: str
    value: float | int | str | bool | None = None
    threshold: float | int | str | bool | None = None
    remedy: str = ""

    def __post_init__(self) -> None:
        if self.severity is Severity.OK:
            raise ValueError(f"finding {self.id}: what is in order is no finding")

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as the result envelope carries it."""
        return {**asdict(self), "severity": self.severity.value}
