# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of retention as a user writes them, checked and understood. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._core.errors import InvalidInput
from ..._core.naming import refuse_twice
from ..._core.units import Age, parse_age
from ..condition import enclosed
from ..identifier import split_name

__all__ = ["DatabaseTarget", "FileTarget", "Rule", "TableTarget", "Target", "parse_rules"]

ACTIONS = ("delete", "archive", "update", "anonymize")
ON_CASCADE = ("refuse", "keep", "include")
AGE_UNITS = ("time", "seconds", "milliseconds")
COMPRESSIONS = ("gzip", "zstd")


@dataclass(frozen=True)
class Target:
    """Where archived rows go: one of its subclasses."""


@dataclass(frozen=True)
class TableTarget(Target):
    """A table of the same database. :param table: its name, one part or two."""

    table: tuple[str, ...]


@dataclass(frozen=True)
class DatabaseTarget(Target):
    """A table of another database.

    :param connection: the connection options of a module, or ``uri`` alone.
    :param table: its name there; empty: the name of the source.
    """

    connection: Mapping[str, Any] = field(repr=False)
    table: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileTarget(Target):
    """Compressed files with a manifest. :param compression: gzip or zstd."""

    directory: str
    compression: str


@dataclass(frozen=True)
class Rule:
    """What is to become of the old rows of one table.

    :param table: its name as it was given, one part or two.
    :param older_than: None: rows of every age.
    :param age_unit: what the age column holds: a time, or a number of seconds or milliseconds since 1970.
    :param where: the user's condition in parentheses; empty: none.
    :param values: of an update: column to value; a mapping with ``expression`` stands for SQL.
    :param fields: of an anonymization: column to method, as it was given.
    :param on_cascade: what becomes of rows that others refer to: ``refuse`` the rule, ``keep`` them, ``include`` them.
    :param whole_partitions: whether partitions that are old as a whole are taken as they are.
    """

    name: str
    table: tuple[str, ...]
    action: str
    age_column: str | None = None
    older_than: Age | None = None
    older_text: str = ""
    age_unit: str = "time"
    where: str = ""
    target: Target | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    on_cascade: str = "refuse"
    whole_partitions: bool = True

    @property
    def takes_rows_away(self) -> bool:
        """Whether rows leave the table."""
        return self.action in ("delete", "archive")


def parse_rules(given: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Understand the option ``rules``.

    :raises InvalidInput: a rule cannot be understood, or would be dangerous.
    """
    rules = tuple(_parse(raw, number) for number, raw in enumerate(given))
    refuse_twice("rules", (rule.name for rule in rules))
    return rules


def _parse(raw: Mapping[str, Any], number: int) -> Rule:
    name = raw.get("name") or f"rule {number + 1}"
    option = f"rules[{name}]"
    action = raw["action"]
    older_than, age_column = raw.get("older_than"), raw.get("age_column")
    if (older_than is None) != (age_column is None):
        raise InvalidInput(option, "older_than and age_column belong together", "Give both, or where alone.")
    if older_than is None and not raw.get("where") and not raw.get("all_rows"):
        raise InvalidInput(
            option,
            "it says neither how old rows have to be nor which ones are meant",
            "Give age_column and older_than, or where; or all_rows: true if really all of them are meant.",
        )
    _check_belonging(raw, option, action)
    return Rule(
        name=name,
        table=split_name(raw["table"], f"{option}.table"),
        action=action,
        age_column=_column(age_column, f"{option}.age_column") if age_column is not None else None,
        older_than=None if older_than is None else _age(older_than, f"{option}.older_than"),
        older_text=str(older_than or ""),
        age_unit=raw.get("age_unit") or "time",
        where=enclosed(raw["where"], f"{option}.where") if raw.get("where") else "",
        target=parse_target(raw["archive_to"], f"{option}.archive_to") if raw.get("archive_to") else None,
        values=_columns(raw.get("set") or {}, f"{option}.set"),
        fields=_columns(raw.get("fields") or {}, f"{option}.fields"),
        on_cascade=raw.get("on_cascade") or "refuse",
        whole_partitions=raw.get("whole_partitions") is not False,
    )


def _check_belonging(raw: Mapping[str, Any], option: str, action: str) -> None:
    """Each action has one option that says with what; another action's is a mistake."""
    belongs = {"archive": "archive_to", "update": "set", "anonymize": "fields"}
    for owner, name in belongs.items():
        if action == owner and not raw.get(name):
            raise InvalidInput(option, f"the action {action} needs {name}", f"Give {name}.")
        if action != owner and raw.get(name):
            raise InvalidInput(option, f"{name} belongs to the action {owner}, and this is {action}", f"Drop {name}.")


def _age(text: Any, option: str) -> Age:
    age = parse_age(text, option)
    if age.seconds <= 0:
        raise InvalidInput(option, f"{text!r} makes every row old", "Give an age above zero, or all_rows: true.")
    return age


def _column(text: str, option: str) -> str:
    """Understand one column's name as SQL does: in lower case unless it is quoted."""
    (name,) = split_name(str(text), option, 1)
    return name


def _columns(given: Mapping[str, Any], option: str) -> dict[str, Any]:
    return {_column(name, option): value for name, value in given.items()}


def parse_target(given: Any, option: str) -> Target:
    """Understand ``archive_to``: a table's name, or a mapping that says where.

    :raises InvalidInput: it cannot be understood.
    """
    if isinstance(given, str):
        return TableTarget(split_name(given, option))
    forms = "Give a table's name, or {table}, {database, table}, or {directory, compression}."
    if not isinstance(given, Mapping):
        raise InvalidInput(option, "it is neither a name nor a mapping", forms)
    unknown = sorted(set(given) - {"table", "database", "directory", "compression"})
    if unknown or ("directory" in given) == bool({"table", "database"} & set(given)):
        raise InvalidInput(option, f"{', '.join(unknown) or 'the combination'} is not understood", forms)
    if "directory" in given:
        compression = given.get("compression", "gzip")
        if compression not in COMPRESSIONS:
            raise InvalidInput(f"{option}.compression", f"{compression!r} is none", "Give gzip or zstd.")
        return FileTarget(str(given["directory"]), compression)
    if "compression" in given:
        raise InvalidInput(option, "compression is for files", forms)
    table = split_name(str(given["table"]), f"{option}.table") if given.get("table") else ()
    if "database" not in given:
        return TableTarget(table)
    database = given["database"]
    if not isinstance(database, (str, Mapping)) or not database:
        raise InvalidInput(f"{option}.database", "it is neither a URI nor connection options", forms)
    return DatabaseTarget({"uri": database} if isinstance(database, str) else dict(database), table)
