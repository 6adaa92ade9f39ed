# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The MongoDB side: database `delauto` of the delivery team."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pymongo
import pymongo.errors
from bson import ObjectId
from pymongo.database import Database

from tests.stack.application.people import address, generator, moment, person, phone
from tests.stack.application.settings import Settings
from tests.stack.endpoint import Endpoint
from tests.stack.servers.mongodb import APPLICATION_DATABASE, connect

__all__ = ["DATABASE", "digest", "load"]

DATABASE = APPLICATION_DATABASE
BATCH = 2000
Document = dict[str, Any]


def load(server: Endpoint, settings: Settings) -> Endpoint:
    """Make and fill the database; returns its endpoint."""
    with connect(server, tz_aware=True) as client:
        database = client[DATABASE]
        for name, documents in _collections(settings):
            _insert(database, name, documents)
        _index(database, settings.planted)
        _use(database, generator(settings.seed, "mongodb.use"))
    return server.with_database(DATABASE)


def _collections(settings: Settings) -> Iterator[tuple[str, Iterator[Document]]]:
    yield "users", _users(settings)
    yield "customers", _customers(settings)
    yield "deliveries", _deliveries(settings)
    yield "call_logs", _call_logs(settings)
    yield "sessions", _sessions(settings)
    yield "messages", _messages(settings)


def _insert(database: Database, name: str, documents: Iterator[Document]) -> None:
    batch: list[Document] = []
    for document in documents:
        batch.append(document)
        if len(batch) == BATCH:
            database[name].insert_many(batch, ordered=False)
            batch = []
    if batch:
        database[name].insert_many(batch, ordered=False)


def _id(source: random.Random) -> ObjectId:
    return ObjectId(source.randbytes(12))


def customer_id(settings: Settings, number: int) -> ObjectId:
    """The id of one customer, known without asking the database."""
    return _id(generator(settings.seed, f"mongodb.customer.{number}"))


def _users(settings: Settings) -> Iterator[Document]:
    source = generator(settings.seed, "mongodb.users")
    for number in range(settings.count(1500)):
        name, _mail = person(source, number)
        yield {
            "_id": _id(source),
            "phoneNumber": phone(source, number),
            "name": name,
            "role": source.choices(("user", "admin"), (98, 2))[0],
            "status": source.choices(("active", "inactive"), (90, 10))[0],
            "lastActive": moment(source, settings.now, 400 if settings.planted else 150),
        }


def _customers(settings: Settings) -> Iterator[Document]:
    """Personal data at several depths, as anonymisation finds them."""
    source = generator(settings.seed, "mongodb.customers")
    for number in range(settings.count(2000)):
        name, mail = person(source, number)
        visits = [
            {"deliveryId": _id(source), "createdAt": moment(source, settings.now, 1500)}
            for _number in range(source.randrange(4))
        ]
        yield {
            "_id": customer_id(settings, number),
            "name": name,
            "phone": phone(source, number),
            "email": mail,
            "address": address(source),
            "contacts": [{"name": person(source, number)[0], "phone": phone(source), "relation": "neighbour"}],
            "preferences": {"language": source.choice(("id", "en", "pt")), "sms": source.random() < 0.5},
            "deliveries": visits,
            "createdAt": moment(source, settings.now, 1500, 1),
        }


def _deliveries(settings: Settings) -> Iterator[Document]:
    source = generator(settings.seed, "mongodb.deliveries")
    customers = [customer_id(settings, number) for number in range(settings.count(2000))]
    for number in range(settings.count(6000)):
        created = moment(source, settings.now, 1500)
        old = created < settings.now - timedelta(days=3)
        yield {
            "_id": _id(source),
            "tracking_number": f"DLV{number:09d}",
            "customer_id": source.choice(customers),
            "agent_id": source.randrange(1, 60),
            "status": source.choices(("completed", "failed"), (94, 6))[0] if old else "scheduled",
            "scheduled_time": created + timedelta(hours=source.randrange(2, 72)),
            "createdAt": created,
            "archived": old and source.random() < 0.3,
            "legacy_ref": f"L{source.randrange(10**6)}",
            "items": [
                {"sku": f"SKU{source.randrange(500)}", "quantity": source.randrange(1, 5)} for _number in range(2)
            ],
        }


def _call_logs(settings: Settings) -> Iterator[Document]:
    source = generator(settings.seed, "mongodb.call_logs")
    for _number in range(settings.count(5000)):
        yield {
            "_id": _id(source),
            "delivery_id": f"DLV{source.randrange(settings.count(6000)):09d}",
            "phone": phone(source),
            "status": source.choices(("completed", "failed", "in_progress"), (85, 13, 2))[0],
            "durationSeconds": source.randrange(5, 400),
            "transcript": "Hello, your parcel is on its way. " * source.randrange(1, 5),
            "createdAt": moment(source, settings.now, 600),
        }


def _sessions(settings: Settings) -> Iterator[Document]:
    """Planted: half of them are over and still there. Clean: MongoDB itself takes them away (a TTL index)."""
    source = generator(settings.seed, "mongodb.sessions")
    for number in range(settings.count(2000)):
        over = settings.planted and number % 2 == 0
        left = -source.uniform(0.1, 20) if over else source.uniform(1, 20)
        yield {
            "_id": _id(source),
            "sessionId": f"s{source.randrange(16**12):012x}",
            "userId": _id(source),
            "expiresAt": settings.now + timedelta(seconds=round(left * 86_400)),
        }


def _messages(settings: Settings) -> Iterator[Document]:
    source = generator(settings.seed, "mongodb.messages")
    for _number in range(settings.count(5000)):
        yield {
            "_id": _id(source),
            "userId": _id(source),
            "text": "Where is my order? " * source.randrange(1, 4),
            "createdAt": moment(source, settings.now, 60 if settings.planted else 29),
        }


def _index(database: Database, planted: bool) -> None:
    database.users.create_index("phoneNumber", unique=True, name="phone_unique")
    database.users.create_index([("role", 1), ("status", 1)], name="role_status")
    database.users.create_index([("name", "text")], name="name_text")
    database.deliveries.create_index([("status", 1), ("scheduled_time", 1), ("agent_id", 1)], name="dispatch")
    database.deliveries.create_index("tracking_number", unique=True, name="tracking_unique")
    database.sessions.create_index("sessionId", unique=True, name="session_unique")
    database.messages.create_index("createdAt", name="created")
    if planted:  # covered by another, or for a field that no query names; and customer_id, delivery_id have none
        database.users.create_index("role", name="role_only")
        database.deliveries.create_index("status", name="status_only")
        database.deliveries.create_index("legacy_ref", name="old_index_name")
    else:
        database.deliveries.create_index("customer_id", name="customer")
        database.call_logs.create_index("delivery_id", name="delivery")
        database.call_logs.create_index("createdAt", name="created")
        database.sessions.create_index("expiresAt", expireAfterSeconds=0, name="expires_ttl")


def _use(database: Database, source: random.Random) -> None:
    """Queries of the application's daily life, so that the useful indexes have been used."""
    for _number in range(30):
        database.users.find_one({"phoneNumber": phone(source, source.randrange(1000))})
        database.users.count_documents({"role": "user", "status": "active"}, hint="role_status")
        database.deliveries.find_one({"tracking_number": f"DLV{source.randrange(1000):09d}"})
        query = {"status": "scheduled", "scheduled_time": {"$exists": True}, "agent_id": source.randrange(60)}
        list(database.deliveries.find(query, hint="dispatch").limit(10))
        database.sessions.find_one({"sessionId": f"s{source.randrange(16**12):012x}"})
    for _number in range(5):
        number = source.randrange(1000)
        database.call_logs.count_documents({"delivery_id": f"DLV{number:09d}"})
        list(database.messages.find({}, sort=[("createdAt", -1)], limit=20))
        database.users.count_documents({"$text": {"$search": "Budi"}})
    with contextlib.suppress(pymongo.errors.DuplicateKeyError):  # the guides' error 11000, once
        database.users.insert_one({"phoneNumber": phone(source, 1)})


def digest(database: Endpoint) -> dict[str, str]:
    """MongoDB's own digest of each collection, indexes left out."""
    with connect(database) as client:
        found = client[database.database].command("dbHash")
        return {name: str(value) for name, value in sorted(found["collections"].items())}
