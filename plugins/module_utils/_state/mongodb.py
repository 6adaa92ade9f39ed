# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Memory in two collections of a MongoDB database.

Records are kept as JSON text: their keys may hold dots and dollar signs, which MongoDB gives a meaning of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .._core.connection import Connection
from .._core.deadline import Deadline
from .._core.dependency import PYMONGO
from .._core.errors import AccessDenied
from .._core.memory import Record
from .._mongodb.client import DEFAULTS, connect
from .._mongodb.errors import translate
from .codec import decode, encode, stored_name
from .session import NO_DEADLINE_SECONDS, Session

if TYPE_CHECKING:
    from pymongo.database import Database

__all__ = ["MongodbMemory", "open_mongodb"]

DEFAULT_DATABASE = "upkeep"
SAFE = "/:@ ,=+"


class MongodbMemory:
    """Memory in the collections ``upkeep_state`` and ``upkeep_series``, keyed by ``_id`` alone.

    :param session: gives the database.
    """

    def __init__(self, session: Session[Database]) -> None:
        self._session = session

    def read(self, key: str) -> tuple[Record | None, int]:
        """Return the document and its version."""
        name = stored_name(key, SAFE)
        with self._database(f"read the document {key}") as database:
            found = database["upkeep_state"].find_one({"_id": name})
        if found is None:
            return None, 0
        return decode(found["value"], f"the document {name} of upkeep_state"), int(found["version"])

    def compare_and_set(self, key: str, value: Record, version: int) -> bool:
        """Replace the document if its version still is ``version``."""
        name, text = stored_name(key, SAFE), encode(value)
        with self._database(f"write the document {key}") as database:
            documents = database["upkeep_state"]
            if version:
                change = {"$set": {"value": text}, "$inc": {"version": 1}}
                return documents.update_one({"_id": name, "version": version}, change).modified_count == 1
            try:
                documents.insert_one({"_id": name, "version": 1, "value": text})
            except PYMONGO.load().errors.DuplicateKeyError:
                return False
            return True

    def append(self, series: str, record: Record, keep: int = 1000) -> None:
        """Append a record under the series' next number and delete what is older than the newest ``keep``."""
        name, text = stored_name(series, SAFE), encode(record)
        with self._database(f"append to the series {series}") as database:
            number = self._next_number(database, name)
            records = database["upkeep_series"]
            records.insert_one({"_id": {"series": name, "number": number}, "value": text})
            records.delete_many({"_id": _between(name, 0, number - keep)})

    def tail(self, series: str, limit: int) -> Sequence[Record]:
        """Return the newest records, oldest first."""
        if limit <= 0:
            return ()
        name = stored_name(series, SAFE)
        with self._database(f"read the series {series}") as database:
            cursor = database["upkeep_series"].find({"_id": _between(name, 0, 2**62)}).sort("_id", -1).limit(limit)
            found = list(cursor)
        return [decode(record["value"], f"a record of {name} in upkeep_series") for record in reversed(found)]

    @contextmanager
    def _database(self, tried: str) -> Iterator[Database]:
        """Give the database for one operation, with the driver's errors turned into ours."""
        with self._session.use(tried) as database:
            try:
                yield database
            except PYMONGO.load().errors.PyMongoError as error:
                translated = translate(tried, error)
                if isinstance(translated, AccessDenied):
                    translated.remedy = f"Grant the user the role readWrite on the database {database.name}."
                raise translated from error

    @staticmethod
    def _next_number(database: Database, series: str) -> int:
        """Count up in the series' own document; a writer killed after this leaves a gap, which does no harm."""
        counter: Any = database["upkeep_state"].find_one_and_update(
            {"_id": f"#{series}"},
            {"$inc": {"number": 1}},
            upsert=True,
            return_document=PYMONGO.load().ReturnDocument.AFTER,
        )
        return int(counter["number"])


def _between(series: str, lowest: int, highest: int) -> dict[str, Any]:
    """Select a series' numbers by ``_id``; embedded documents are compared field by field, in this order of fields."""
    return {"$gte": {"series": series, "number": lowest}, "$lte": {"series": series, "number": highest}}


def open_mongodb(uri: str) -> MongodbMemory:
    """Return the memory in the database that ``uri`` names, ``upkeep`` if it names none.

    :raises MissingDependency: pymongo is absent.
    """
    PYMONGO.load()
    connection = Connection.resolve({"uri": uri}, {}, DEFAULTS)
    return MongodbMemory(Session(connection.label, lambda: _connect(connection)))


@contextmanager
def _connect(connection: Connection) -> Iterator[Database]:
    """Give the database, with writes that a change of the primary cannot undo."""
    concern = PYMONGO.load().write_concern.WriteConcern("majority", wtimeout=round(connection.timeout * 1000))
    with connect(connection, Deadline(NO_DEADLINE_SECONDS)) as client:
        yield client.driver.get_database(client.database or DEFAULT_DATABASE, write_concern=concern)
