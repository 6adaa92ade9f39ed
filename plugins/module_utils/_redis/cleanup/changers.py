# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ways to change the keys of a page: plain commands, a script, and transactions where scripts are forbidden.

Each changes a key only if the rule still holds for it at that very moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from ..client import RedisClient
from ..errors import Redirected
from ..stall import Pace
from ..wire import packed
from .decide_keys import Verdict, judge, life_of
from .observe_facts import AWAY, read_facts, sent
from .rule import EXPIRE, Rule
from .script import evaluation, proof

__all__ = ["Changed", "Changer", "Means", "Plain", "Scripted", "Transactional", "changer_for"]

TRIED = "change keys (UNLINK, PEXPIRE)"


class Changed(NamedTuple):
    """What became of some keys.

    :param stayed: due when they were looked at, and touched by somebody before we did.
    :param away: of a cluster, on their way to another node.
    """

    keys: int = 0
    stayed: int = 0
    away: int = 0


class Means(NamedTuple):
    """What there is to change keys with.

    :param cluster: whether the keys of one request may have to be of one slot.
    :param scripts: whether the server runs scripts for us.
    :param conditional: whether it knows PEXPIRE with NX (7.0).
    :param pace: measures requests.
    """

    cluster: bool
    scripts: bool
    conditional: bool
    pace: Pace


class Changer(Protocol):
    """One way to change keys."""

    name: str

    def change(self, client: RedisClient, keys: Sequence[bytes]) -> Changed:
        """Change those of the keys that are due.

        :raises StoreError: the server refused, or is gone. What was changed before stays changed.
        """


class Plain:
    """Commands that ask for nothing but what they check by themselves."""

    name = "commands"

    def __init__(self, rule: Rule, means: Means) -> None:
        self._rule = rule
        self._means = means

    def change(self, client: RedisClient, keys: Sequence[bytes]) -> Changed:
        """Remove keys, or give those that never expire a TTL."""
        if self._rule.action == EXPIRE:
            commands: list[Sequence[Any]] = [(b"PEXPIRE", key, life_of(self._rule, key), b"NX") for key in keys]
        elif self._means.cluster:
            commands = [(b"UNLINK", key) for key in keys]  # keys of several slots cannot be in one command
        else:
            commands = [(b"UNLINK", *keys)]
        return _counted(sent(client, self._means.pace, TRIED, commands))


class Scripted:
    """A script that looks at keys and changes them in one step."""

    name = "a script"

    def __init__(self, rule: Rule, means: Means, cutoff: float) -> None:
        self._rule = rule
        self._means = means
        self._cutoff = cutoff

    def change(self, client: RedisClient, keys: Sequence[bytes]) -> Changed:
        """Change keys. A field is read and judged here; the script makes sure that it is still the same."""
        rule = self._rule
        proofs: list[bytes] = []
        if rule.field is not None:
            facts = read_facts(client, self._means.pace, rule, keys)
            due = [at for at, each in enumerate(facts) if judge(rule, each, self._cutoff) is Verdict.DUE]
            proofs = [proof(facts[at].value) for at in due]
            keys = [keys[at] for at in due]
        if not keys:
            return Changed()
        if self._means.cluster:
            commands = [evaluation(rule, [key], proofs[at : at + 1]) for at, key in enumerate(keys)]
        else:
            commands = [evaluation(rule, keys, proofs)]
        done = _counted(sent(client, self._means.pace, TRIED, commands))
        return done._replace(stayed=len(keys) - done.keys - done.away) if rule.field is not None else done


class Transactional:
    """Keys are watched, looked at, and changed unless somebody wrote to one of them meanwhile."""

    name = "transactions"

    def __init__(self, rule: Rule, means: Means, cutoff: float) -> None:
        self._rule = rule
        self._means = means
        self._cutoff = cutoff

    def change(self, client: RedisClient, keys: Sequence[bytes]) -> Changed:
        """Change keys, all in one transaction; one by one where that fails, so that one touched key stops no other."""
        whole = None if self._means.cluster else self._attempt(client, keys)
        if whole is not None:
            return Changed(whole)
        changed = stayed = away = 0
        for key in keys:
            try:
                one = self._attempt(client, [key])
            except Redirected:
                away += 1
                continue
            changed += one or 0
            stayed += one is None
        return Changed(changed, stayed, away)

    def _attempt(self, client: RedisClient, keys: Sequence[bytes]) -> int | None:
        """Change keys at once; None: somebody wrote to one of them.

        :raises Redirected: the key is not to be had here.
        """
        rule, tried = self._rule, "watch keys (WATCH)"
        if sent(client, self._means.pace, tried, [(b"WATCH", *keys)]) == [AWAY]:
            raise Redirected(tried, "its slot has gone to another node")
        try:
            facts = read_facts(client, self._means.pace, rule, keys)
            due = [key for key, each in zip(keys, facts, strict=True) if judge(rule, each, self._cutoff) is Verdict.DUE]
            if not due:
                return 0
            if rule.action == EXPIRE:
                changes: list[Sequence[Any]] = [(b"PEXPIRE", key, life_of(rule, key)) for key in due]
            else:
                changes = [(b"UNLINK", *due)]
            results = self._execute(client, changes)
        finally:
            if client.lost is None:
                client.exchange("let go of keys (UNWATCH)", packed([(b"UNWATCH",)]), 1)
        return None if results is None else sum(results)

    def _execute(self, client: RedisClient, changes: Sequence[Sequence[Any]]) -> list[int] | None:
        """Send the transaction; None: it was not carried out.

        :raises StoreError: the first error among the replies, which is why the last one is an error too.
        """
        with self._means.pace.page():
            replies = client.exchange(TRIED, packed([(b"MULTI",), *changes, (b"EXEC",)]), len(changes) + 2)
        for reply in replies:
            if isinstance(reply, Exception):
                raise client.explain(TRIED, reply)
        results: list[int] | None = replies[-1]
        return results


def _counted(replies: Sequence[Any]) -> Changed:
    away = sum(reply is AWAY for reply in replies)
    return Changed(sum(reply for reply in replies if reply is not AWAY), away=away)


def changer_for(rule: Rule, means: Means, cutoff: float) -> Changer:
    """Return the cheapest way that is safe.

    :param cutoff: what a field holds has to be before this, in seconds since 1970.
    """
    only_ttl = rule.action == EXPIRE and rule.idle is None and rule.field is None and not rule.types
    if rule.by_name or (only_ttl and means.conditional):
        return Plain(rule, means)
    return Scripted(rule, means, cutoff) if means.scripts else Transactional(rule, means, cutoff)
