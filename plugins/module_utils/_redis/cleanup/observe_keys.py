# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts the keys that rules are about, and finds out what queues there are, without changing anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ..client import RedisClient
from ..glob import expression
from ..stall import Pace
from .decide_keys import Verdict, judge
from .names import name_pages
from .observation import Tally
from .observe_facts import read_facts, sent
from .remembered import Remembered
from .rule import Rule
from .script import evaluation
from .spared import Spared

__all__ = ["Counter", "cutoff_of"]

TRIED = "count keys (EVAL)"


def cutoff_of(rule: Rule, now: datetime) -> float:
    """Return before when a field's time has to be, in seconds since 1970."""
    return rule.older_than.before(now).timestamp() if rule.older_than else 0.0


class Counter:
    """Counts what rules are about.

    :param cluster: whether the nodes are of a cluster.
    :param now: the servers' time.
    :param spared: learns the queues.
    :param paces: of the pages of names, and of the pages of commands on keys.
    :param scripts: whether the servers run scripts for us.
    """

    def __init__(
        self,
        nodes: Sequence[RedisClient],
        cluster: bool,
        now: datetime,
        spared: Spared,
        paces: tuple[Pace, Pace],
        scripts: bool,
    ) -> None:
        self._nodes = nodes
        self._cluster = cluster
        self._now = now
        self._spared = spared
        self._paces = paces
        self._scripts = scripts
        self._remembered = Remembered()
        self.keys = 0

    def count(self, rules: Sequence[Rule]) -> list[Tally]:
        """Return a tally for each rule.

        One pass over all names tells which queues there are, before a single key is judged: a queue is known by some of
        its keys only. Keys are judged afterwards, by the names that were found.
        """
        takes = [expression(rule.pattern).match for rule in rules]
        for server, client in enumerate(self._nodes):
            for page in name_pages(client, self._paces[0], None, self._scripts, ahead=True):
                self.keys += len(page)
                self._spared.queues.learn(page)
                for rule, take in zip(rules, takes, strict=True):
                    self._remembered.add(rule.name, server, [key for key in page if take(key)])
        return [self._counted(rule) for rule in rules]

    def names(self, rule: Rule, server: int) -> Iterator[list[bytes]]:
        """Yield the keys of a rule on a server: those that the first pass found, or all anew where they are too many.

        :raises StoreError: the server refused, or is gone.
        """
        if self._remembered.knows(rule.name):
            yield from self._remembered.pages(rule.name, server)
            return
        for page in name_pages(self._nodes[server], self._paces[0], rule.pattern, self._scripts):
            self._spared.queues.learn(page)
            yield page

    def _counted(self, rule: Rule) -> Tally:
        """Judge a rule's keys."""
        tally = Tally(rule)
        for server, client in enumerate(self._nodes):
            for page in self.names(rule, server):
                free = self._spared.free(page)
                due, unreadable = (len(free), 0) if rule.by_name else self._judged(client, rule, free)
                tally = Tally(
                    rule,
                    tally.matched + len(page),
                    tally.spared + len(page) - len(free),
                    tally.due + due,
                    tally.unreadable + unreadable,
                )
        return tally

    def _judged(self, client: RedisClient, rule: Rule, keys: Sequence[bytes]) -> tuple[int, int]:
        """Count keys that are due, and keys whose field is no time. The server counts where no field has to be read."""
        at = due = unreadable = 0
        by_script = self._scripts and rule.field is None and not self._cluster
        cutoff = cutoff_of(rule, self._now)
        while at < len(keys):
            piece = keys[at : at + self._paces[1].size]
            at += len(piece)
            if by_script:
                due += sent(client, self._paces[1], TRIED, [evaluation(rule, piece, only_count=True)])[0]
                continue
            verdicts = [judge(rule, each, cutoff) for each in read_facts(client, self._paces[1], rule, piece)]
            due += verdicts.count(Verdict.DUE)
            unreadable += verdicts.count(Verdict.UNREADABLE)
        return due, unreadable
