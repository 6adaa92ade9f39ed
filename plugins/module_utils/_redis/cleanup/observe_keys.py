# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts the keys that rules are about, and finds out what queues there are, without changing anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from ..client import RedisClient
from ..glob import expression
from ..scan import pages
from ..stall import Pace
from .decide_keys import Verdict, judge
from .observation import Tally
from .observe_facts import read_facts
from .rule import Rule
from .spared import Spared

__all__ = ["chunks", "count_keys", "cutoff_of"]


def cutoff_of(rule: Rule, now: datetime) -> float:
    """Return before when a field's time has to be, in seconds since 1970."""
    return rule.older_than.before(now).timestamp() if rule.older_than else 0.0


def chunks(keys: Sequence[bytes], size: Callable[[], int]) -> list[Sequence[bytes]]:
    """Cut keys in pieces of the present size."""
    length = size()
    return [keys[start : start + length] for start in range(0, len(keys), length)]


def count_keys(
    nodes: Sequence[RedisClient], rules: Sequence[Rule], now: datetime, spared: Spared, paces: tuple[Pace, Pace]
) -> tuple[int, list[Tally]]:
    """Count what each rule is about.

    One pass over all names tells which queues there are, before a single key is judged: a queue is known by some of its
    keys only. Rules that have to look at keys, and all rules where there are queues, make a pass of their own then.

    :param spared: learns the queues.
    :param paces: of the pages of names, and of the pages of commands on keys.
    :return: how many keys there are, and a tally for each rule.
    """
    takes = [expression(rule.pattern).match for rule in rules]
    tallies = [Tally(rule) for rule in rules]
    keys = 0
    for client in nodes:
        for page in pages(client, paces[0]):
            keys += len(page)
            spared.queues.learn(page)
            for number, take in enumerate(takes):
                if rules[number].by_name:
                    tallies[number] = _named(tallies[number], [key for key in page if take(key)], spared)
    known = bool(spared.queues.bases)
    return keys, [
        tally if rule.by_name and not known else _counted(nodes, rule, now, spared, paces)
        for rule, tally in zip(rules, tallies, strict=True)
    ]


def _named(tally: Tally, keys: Sequence[bytes], spared: Spared) -> Tally:
    free = len(spared.free(keys))
    return tally._replace(
        matched=tally.matched + len(keys), spared=tally.spared + len(keys) - free, due=tally.due + free
    )


def _counted(
    nodes: Sequence[RedisClient], rule: Rule, now: datetime, spared: Spared, paces: tuple[Pace, Pace]
) -> Tally:
    """Make a rule's own pass."""
    tally, cutoff = Tally(rule), cutoff_of(rule, now)
    for client in nodes:
        for page in pages(client, paces[0], rule.pattern):
            if rule.by_name:
                tally = _named(tally, page, spared)
                continue
            free = spared.free(page)
            verdicts: list[Verdict] = []
            for chunk in chunks(free, lambda: paces[1].size):
                facts = read_facts(client, paces[1], rule, chunk)
                verdicts += [judge(rule, each, cutoff) for each in facts]
            tally = Tally(
                rule,
                tally.matched + len(page),
                tally.spared + len(page) - len(free),
                tally.due + verdicts.count(Verdict.DUE),
                tally.unreadable + verdicts.count(Verdict.UNREADABLE),
            )
    return tally
