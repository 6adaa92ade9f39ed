# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the application's processes read at their start: addresses and secrets, in a file of mode 0600."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from tests.stack.endpoint import Endpoint

__all__ = ["Runtime"]


@dataclass(frozen=True)
class Runtime:
    """The stores that the application uses, by kind, and the token of its protected route."""

    endpoints: dict[str, Endpoint]
    token: str = field(repr=False)

    def write(self, path: Path) -> None:
        """Put it into a file that only the owner may read."""
        data = {"token": self.token, "endpoints": {kind: each.to_json() for kind, each in self.endpoints.items()}}
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
            json.dump(data, handle)

    @classmethod
    def read(cls, path: Path) -> Runtime:
        """The reverse of :meth:`write`."""
        data = json.loads(path.read_text(encoding="utf-8"))
        endpoints = {kind: Endpoint.from_json(each) for kind, each in data["endpoints"].items()}
        return cls(endpoints=endpoints, token=data["token"])
