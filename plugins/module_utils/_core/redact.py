# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps secrets out of the journal and the report, also those in texts that other collections' modules wrote. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

from .secrets import MASK, SECRET_NAMES, Secrets, without_password

__all__ = ["Redactor", "secrets_of", "single_line"]

MAX_TEXT = 20_000
"""Longer texts are cut, so that a module that returns a file does not put it into the journal."""

MIN_SECRET = 6
"""A shorter value of an environment variable is no secret worth the name, and masking it would garble texts."""

_NAMES = "|".join(name.replace("_", "[_-]?") for name in SECRET_NAMES)
# Repetitions are bounded, so that a long text without a match does not take time by the square of its length.
_URI = re.compile(r"""[a-z][a-z0-9+.-]{0,30}://[^\s'"<>]+""", re.IGNORECASE)
_USER_OF_WEB_ADDRESS = re.compile(r"(https?://)[^/@\s]+@", re.IGNORECASE)
_ASSIGNMENT = re.compile(
    rf"""((?:{_NAMES})["']?\s*[=:]\s*|--[\w-]{{0,30}}(?:{_NAMES})[\w-]{{0,30}}[=\s]\s*)"""
    r"""((?:(?:bearer|basic|token|digest)\s+)?(?:"[^"]*"|'[^']*'|[^\s,;&]+))""",
    re.IGNORECASE,
)
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def secrets_of(environment: Mapping[str, str]) -> Secrets:
    """Return the secrets that the environment holds, known by the names of its variables and as passwords of URIs."""
    secrets = Secrets()
    secrets.add_nested({name: value for name, value in environment.items() if len(value) >= MIN_SECRET})
    return secrets


def single_line(text: str) -> str:
    r"""Return ``text`` in one line: what ends a line or turns its direction becomes ``\n`` or ``\u202e``.

    So nobody can forge a line through a message.
    """
    return _UNSEEN.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)


class Redactor:
    """Masks secrets in texts and in nested values.

    :param secrets: what is known to be secret.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def text(self, text: str, foreign: bool = False) -> str:
        """Return a text without known secrets and without passwords in URIs.

        :param foreign: whether another collection wrote it. Then what merely looks like a secret is masked as well:
            the value after ``password=``, ``token:`` or ``--secret``, and the user part of a web address.
        """
        text = self._secrets.redact(_URI.sub(lambda match: without_password(match[0]), text))
        if foreign:
            text = _USER_OF_WEB_ADDRESS.sub(rf"\1{MASK}@", _ASSIGNMENT.sub(rf"\1{MASK}", text))
        return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}... ({len(text)} characters)"

    def value(self, value: Any) -> Any:
        """Return a value as JSON holds it, its texts redacted."""
        if isinstance(value, str):
            return self.text(str(value))
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(inner) for key, inner in value.items()}
        if isinstance(value, Sequence | Set) and not isinstance(value, bytes | bytearray):
            return [self.value(inner) for inner in value]
        return self.text(str(value))
