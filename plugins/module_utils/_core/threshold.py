# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits: their defaults, what a user sets over them, and the judgement of a value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .errors import InvalidInput
from .finding import Finding
from .severity import Severity
from .units import format_duration, format_size, parse_duration, parse_size

__all__ = ["Threshold", "Thresholds"]

_OFF = ("", "off", "none", "never")


@dataclass(frozen=True)
class Threshold:
    """One limit with its two degrees.

    :param name: what a user calls it in ``thresholds``, such as ``connections_percent``.
    :param unit: ``percent``, ``seconds``, ``milliseconds``, ``bytes``, ``count``, ``days`` or ``ratio``.
    :param warning: the value beyond which it is a warning; None: never.
    :param critical: the value beyond which it is critical; None: never.
    :param below: whether too little is wrong, instead of too much.
    :param remedy: what to do when it is crossed.
    :param source: where the default comes from: a guide's requirement id, a study, documentation.
    """

    name: str
    unit: str
    warning: float | None
    critical: float | None = None
    below: bool = False
    remedy: str = ""
    source: str = ""

    def crossed(self, value: float, limit: float | None) -> bool:
        """Whether ``value`` lies beyond ``limit``; the limit itself is still in order."""
        return limit is not None and (value < limit if self.below else value > limit)

    def severity(self, value: float) -> Severity:
        """Judge a value."""
        if self.crossed(value, self.critical):
            return Severity.CRITICAL
        return Severity.WARNING if self.crossed(value, self.warning) else Severity.OK

    def judge(self, finding_id: str, subject: str, value: float | None, what: str) -> list[Finding]:
        """Return the finding that ``value`` makes: none if it is in order or was not measured.

        :param finding_id: id of the finding.
        :param subject: what it is about.
        :param value: the measured value in the threshold's unit, or None.
        :param what: what the value is, as "connections in use", for the message.
        """
        if value is None:
            return []
        severity = self.severity(value)
        limit = self.critical if severity is Severity.CRITICAL else self.warning
        if severity is Severity.OK or limit is None:
            return []
        side = "below" if self.below else "above"
        message = f"{subject}: {what} {self.format(value)}, {side} {self.format(limit)}"
        return [Finding(finding_id, severity, subject, message, _round(value), _round(limit), self.remedy)]

    def format(self, value: float) -> str:
        """Write a value of this threshold's unit for people."""
        if self.unit == "bytes":
            return format_size(value)
        if self.unit == "seconds":
            return format_duration(value)
        if self.unit == "count":
            return f"{value:g}"
        return f"{_round(value):g}" + {"percent": " %", "milliseconds": " ms", "days": " days"}.get(self.unit, "")

    def parse(self, text: Any) -> float | None:
        """Understand what a user wrote for this limit: a number, a duration, a size, or ``off``.

        :raises InvalidInput: it is none of these.
        """
        option = f"thresholds.{self.name}"
        if text is None or str(text).strip().lower() in _OFF:
            return None
        if isinstance(text, bool):
            raise InvalidInput(option, f"{text!r} is no limit", "Give a number, or off.")
        if self.unit == "bytes":
            return float(parse_size(text, option))
        if self.unit == "seconds":
            return parse_duration(text, option)
        try:
            value = float(str(text).strip().rstrip("%"))
        except ValueError as error:
            raise InvalidInput(option, f"{text!r} is no number", f"Give a number ({self.unit}), or off.") from error
        if math.isnan(value):
            raise InvalidInput(option, "it is not a number", f"Give a number ({self.unit}), or off.")
        return value

    def overridden(self, setting: Any) -> Threshold:
        """Return the threshold with a user's setting: one limit (the warning), or ``{warning, critical}``.

        A single limit beyond the default critical moves that along, so that a user who raises a warning
        is not paged earlier than warned.

        :raises InvalidInput: the setting cannot be understood, or warns later than it is critical.
        """
        if isinstance(setting, Mapping):
            unknown = sorted(set(setting) - {"warning", "critical"})
            if unknown:
                raise InvalidInput(
                    f"thresholds.{self.name}", f"it does not know {', '.join(unknown)}", "Set warning and critical."
                )
            return replace(
                self,
                warning=self.parse(setting["warning"]) if "warning" in setting else self.warning,
                critical=self.parse(setting["critical"]) if "critical" in setting else self.critical,
            )._in_order()
        warning = self.parse(setting)
        if warning is None:
            return replace(self, warning=None, critical=None)
        critical = warning if self.critical is not None and self.crossed(warning, self.critical) else self.critical
        return replace(self, warning=warning, critical=critical)

    def _in_order(self) -> Threshold:
        """Return the threshold if it warns before it is critical.

        :raises InvalidInput: it does not.
        """
        if self.warning is not None and self.crossed(self.warning, self.critical):
            raise InvalidInput(
                f"thresholds.{self.name}",
                f"it warns at {self.warning:g} only after it is critical at {self.critical:g}",
                "Set the warning before the critical limit.",
            )
        return self


class Thresholds:
    """A subject's thresholds with a user's settings over them.

    :param defaults: every threshold there is.
    :param settings: the user's ``thresholds`` option.
    :raises InvalidInput: an unknown name, or a limit that cannot be understood.
    """

    def __init__(self, defaults: Sequence[Threshold], settings: Mapping[str, Any] | None = None) -> None:
        self._by_name = {threshold.name: threshold for threshold in defaults}
        for name, setting in (settings or {}).items():
            if name not in self._by_name:
                known = ", ".join(sorted(self._by_name))
                raise InvalidInput("thresholds", f"there is no threshold {name!r}", f"There are: {known}.")
            self._by_name[name] = self._by_name[name].overridden(setting)

    def __getitem__(self, name: str) -> Threshold:
        return self._by_name[name]

    def judge(self, name: str, finding_id: str, subject: str, value: float | None, what: str) -> list[Finding]:
        """Judge a value against the threshold ``name``; see :meth:`Threshold.judge`."""
        return self._by_name[name].judge(finding_id, subject, value, what)


def _round(value: float) -> float | int:
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded
