# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opens the place that the option ``state`` names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .._core.errors import InvalidInput
from .._core.memory import Memory
from .._core.secrets import Secrets
from .directory import DirectoryMemory

__all__ = ["directory_of", "open_memory"]

FORMS = "a folder such as /var/lib/upkeep, or a URI that begins with postgresql://, mongodb:// or redis://"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def open_memory(place: str, secrets: Secrets) -> Memory:
    """Return the memory at ``place``. Nothing is connected or created before it is used.

    :param place: a folder, or the URI of a store.
    :param secrets: takes in the URI's password.
    :raises InvalidInput: it is neither.
    :raises MissingDependency: the store's driver is absent.
    """
    secrets.add_uri(place)
    folder = directory_of(place)
    if folder is not None:
        return DirectoryMemory(folder)
    scheme = place.partition("://")[0].lower()
    if scheme in ("postgresql", "postgres"):
        from .postgresql import open_postgresql

        return open_postgresql(place)
    if scheme in ("mongodb", "mongodb+srv"):
        from .mongodb import open_mongodb

        return open_mongodb(place)
    if scheme in ("redis", "rediss"):
        from .redis import open_redis

        return open_redis(place)
    raise InvalidInput("state", f"nothing can be kept at {scheme}://", f"Give {FORMS}.")


def directory_of(place: str) -> Path | None:
    """Return the folder that ``place`` names, None if it is a store's URI.

    :raises InvalidInput: it is empty, relative, or a file URI with a host.
    """
    scheme = _SCHEME.match(place)
    if scheme and scheme[1].lower() != "file":
        return None
    path = place
    if scheme:
        parts = urlsplit(place)
        if parts.netloc not in ("", "localhost"):
            raise InvalidInput("state", f"file://{parts.netloc}/ is another host's folder", f"Give {FORMS}.")
        path = unquote(parts.path)
    expanded = Path(os.path.expandvars(path)).expanduser() if path.strip() else Path()
    if not expanded.is_absolute() or "\0" in path:
        raise InvalidInput("state", f"{place!r} is no absolute path", f"Give {FORMS}.")
    return expanded
