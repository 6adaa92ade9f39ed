# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The application's folder: settings, secrets (invented ones) and what users uploaded."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.stack.application.people import generator
from tests.stack.application.postgresql import submission_key
from tests.stack.application.settings import Settings

__all__ = ["write_files"]

UPLOADS = 12
KILOBYTES = (4, 200)


def write_files(folder: Path, settings: Settings) -> None:
    """Write `.env` (mode 0600), `config/` and `public/uploads/` below `folder`."""
    source = generator(settings.seed, "files")
    secret = f"{source.randrange(16**32):032x}"
    environment = (
        "NODE_ENV=production\n"
        "BOT_STORE_NAME=DelAuto Demo\n"
        f"JWT_SECRET={secret}\n"
        "DB_PASSWORD=an-invented-password\n"
        f"DATA_ENCRYPTION_KEY={submission_key(settings.seed).decode()}\n"
        "SNK_RETENTION_DAYS=30\n"
    )
    with os.fdopen(
        os.open(folder / ".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(environment)
    config = folder / "config"
    config.mkdir()
    for name, content in {
        "default.json": {"port": 3000, "pool": {"max": 20}, "rateLimit": {"windowMs": 60_000, "max": 100}},
        "production.json": {"logLevel": "info", "cors": ["https://shop.example.com"]},
    }.items():
        (config / name).write_text(f"{json.dumps(content, indent=2)}\n", encoding="utf-8")
    uploads = folder / "public" / "uploads"
    uploads.mkdir(parents=True)
    for number in range(UPLOADS):
        size = source.randrange(*KILOBYTES) * 1024
        (uploads / f"proof-{number:03d}.jpg").write_bytes(b"\xff\xd8\xff\xe0" + source.randbytes(size))
    (uploads / "name with spaces and ü.txt").write_text("An upload with an awkward name.\n", encoding="utf-8")
