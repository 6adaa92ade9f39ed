# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a table needs: vacuum, freezing, analyze, or nothing; and what would be useless. Pure."""

from __future__ import annotations

from typing import NamedTuple

from ..autovacuum import need_of
from ..horizon import Holder
from .observation import Row, Tables
from .policy import Policy

__all__ = ["Needed", "freeze_limits", "table_need", "useless_since"]

FREEZE_SHARE = 0.95
"""A plain VACUUM freezes the whole table at this share of autovacuum's age at the latest. Source:
vacuum_get_cutoffs() in src/backend/commands/vacuum.c."""

UNKNOWN_SECONDS = 86400.0
"""Where the server does not say since when something holds rows: it is taken to have held them when the table was
vacuumed if that was less than a day ago, so that a daily run does not repeat in vain what the last one did in vain."""


class Needed(NamedTuple):
    """What one table needs.

    :param reasons: why, with the numbers.
    :param urgency: how far the worst is beyond the point where the server acts by itself.
    :param rows_held: what makes a vacuum useless, if anything does: dead rows that it may still see.
    :param age_held: what makes freezing useless, if anything does.
    :param critical: autovacuum would freeze it by force, whatever else the server does.
    """

    row: Row
    vacuum: bool = False
    freeze: bool = False
    analyze: bool = False
    reasons: tuple[str, ...] = ()
    urgency: float = 0.0
    rows_held: Holder | None = None
    age_held: Holder | None = None
    critical: bool = False

    @property
    def possible(self) -> bool:
        """Whether anything can be done for it."""
        return self.vacuum or self.freeze or self.analyze

    @property
    def kind(self) -> str:
        """What is done, or would be if nothing stood in the way."""
        if self.freeze or (self.age_held and not self.possible):
            return "freeze"
        return "analyze" if self.analyze and not self.vacuum else "vacuum"


def freeze_limits(row: Row, seen: Tables) -> tuple[tuple[str, int, float, float], ...]:
    """Return for both kinds of id: its name, the table's age, and from where on it is frozen with and without force."""
    own = dict(option.partition("=")[::2] for option in row.options)
    facts = seen.facts
    kinds = (
        ("transaction", row.transactions, "autovacuum_freeze_max_age", facts.table_age),
        ("multixact", row.multixacts, "autovacuum_multixact_freeze_max_age", facts.multixact_table_age),
    )
    limits = []
    for name, age, setting, table_age in kinds:
        # A table's own age can only be lower.
        forced = min(seen.server.setting(setting) or 0, float(own.get(setting, "inf")))
        limits.append((name, age, min(table_age, FREEZE_SHARE * forced), forced))
    return tuple(limits)


def useless_since(row: Row, holders: tuple[Holder, ...], now: float) -> Holder | None:
    """Return what held old rows already when the table was last vacuumed, and still does.

    That vacuum removed what had died before; all that died later the holder may still see, so another one is in vain.
    """
    if row.vacuumed is None:
        return None
    for holder in holders:
        since = holder.since
        if since is None:
            since = row.vacuumed if now - row.vacuumed < UNKNOWN_SECONDS else now
        if since <= row.vacuumed:
            return holder
    return None


def table_need(row: Row, seen: Tables, policy: Policy) -> Needed | None:
    """Judge a table, together with its TOAST table; None if it needs nothing."""
    needed = Needed(row)
    toast = seen.toasts.get(row.oid)
    parts = [row] if toast is None else [row, toast]
    if policy.mode in ("auto", "freeze"):
        needed = _freeze(needed, parts, seen)
    if policy.mode in ("auto", "vacuum") and not needed.freeze:
        needed = _vacuum(needed, parts, seen, policy)
    if policy.mode in ("auto", "analyze"):
        needed = _analyze(needed, seen, policy)
    return needed if needed.possible or needed.rows_held or needed.age_held else None


def _freeze(needed: Needed, parts: list[Row], seen: Tables) -> Needed:
    """Freeze from the age on at which a plain VACUUM would have to read the whole table as well."""
    for part in parts:
        for name, age, begin, forced in freeze_limits(part, seen):
            if begin <= 0 or age < begin:
                continue
            held = _freeze_held(name, part, begin, seen)
            reason = f"oldest {name} id is {age / 1e6:.1f} million ids old, frozen from {begin / 1e6:.1f} million on"
            needed = needed._replace(
                freeze=needed.freeze or held is None,
                age_held=needed.age_held or held,
                critical=needed.critical or age >= forced,
                reasons=(*needed.reasons, reason),
                urgency=max(needed.urgency, age / begin),
            )
    return needed._replace(age_held=None) if needed.freeze else needed


def _freeze_held(name: str, part: Row, begin: float, seen: Tables) -> Holder | None:
    """Return what would leave the table as old as it is: freezing stops at the oldest snapshot."""
    if name == "transaction":
        return next((holder for holder in seen.holders if holder.age >= begin), None)
    # How far back it holds multixact ids nobody tells; a vacuum that was in vain while it was there does.
    return useless_since(part, seen.holders, seen.server.now)


def _vacuum(needed: Needed, parts: list[Row], seen: Tables, policy: Policy) -> Needed:
    """Vacuum for dead rows, unless they cannot go, and for inserted ones."""
    for part in parts:
        table = part.table(seen.server.now)
        need = need_of(table, seen.server).vacuum
        if need < policy.need_ratio:
            continue
        inserts = need_of(table._replace(dead=0), seen.server).vacuum >= policy.need_ratio
        held = None if inserts else useless_since(part, seen.holders, seen.server.now)
        where = " in its TOAST table" if part.toast_of is not None else ""
        changes = (
            f"{part.inserted} inserted rows since the last vacuum" if inserts and need else f"{part.dead} dead rows"
        )
        if inserts and part.dead:
            changes = f"{part.dead} dead and {changes}"
        needed = needed._replace(
            vacuum=needed.vacuum or held is None,
            rows_held=needed.rows_held or held,
            reasons=(*needed.reasons, f"{changes}{where}, {need:.2f} times what makes autovacuum vacuum it"),
            urgency=max(needed.urgency, need),
        )
    return needed._replace(rows_held=None) if needed.vacuum else needed


def _analyze(needed: Needed, seen: Tables, policy: Policy) -> Needed:
    row = needed.row
    need = need_of(row.table(seen.server.now), seen.server).analyze
    if need >= policy.need_ratio:
        reason = (
            f"{row.modified} changed rows since the last analyze, {need:.2f} times what makes autovacuum analyze it"
        )
    elif row.analyzed is None and row.has_rows:
        reason = "never analyzed"
    else:
        return needed
    return needed._replace(
        analyze=True,
        reasons=(*needed.reasons, reason),
        urgency=max(needed.urgency, need if need else policy.need_ratio),
    )
