# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Libraries that a module needs: imported late, with a least version, missed with a clear word."""

from __future__ import annotations

import importlib
import re
import sys
from dataclasses import dataclass
from typing import Any

from .errors import MissingDependency

__all__ = ["JINJA2", "PSYCOPG", "PYMONGO", "REDIS", "ZSTANDARD", "Dependency"]


@dataclass(frozen=True)
class Dependency:
    """A Python library.

    :param module: the name to import.
    :param package: the name to install.
    :param minimum: the least version that works.
    """

    module: str
    package: str
    minimum: str

    def load(self) -> Any:
        """Import the library; a driver costs 0.15 s, so this is called once its options are known to be right.

        :raises MissingDependency: it is absent, broken or too old.
        """
        tried = f"import the Python library {self.module}"
        remedy = (
            f"Install it for the interpreter that runs the module ({sys.executable}): "
            f"pip install '{self.package}>={self.minimum}', or let the role dataops.upkeep.runtime do it."
        )
        try:
            library = importlib.import_module(self.module)
        except ImportError as error:
            raise MissingDependency(tried, str(error), remedy) from error
        found = str(getattr(library, "__version__", getattr(library, "version", "")))
        if version_tuple(found) < version_tuple(self.minimum):
            where = getattr(library, "__file__", "unknown place")
            raise MissingDependency(
                tried, f"version {found or 'unknown'} in {where} is older than {self.minimum}", remedy
            )
        return library


def version_tuple(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, so that ``8.1.0rc1`` is (8, 1, 0)."""
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


PSYCOPG = Dependency("psycopg", "psycopg[binary]", "3.1")
PYMONGO = Dependency("pymongo", "pymongo", "4.6")
REDIS = Dependency("redis", "redis", "5.0")
JINJA2 = Dependency("jinja2", "jinja2", "3.1")
ZSTANDARD = Dependency("zstandard", "zstandard", "0.18")
