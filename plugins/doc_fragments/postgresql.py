# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Options of every module that connects to PostgreSQL."""

from __future__ import annotations


class ModuleDocFragment:
    """Address and login; ``connection`` has the rest of what ``connection_arguments`` specifies."""

    DOCUMENTATION = r"""
options:
  uri:
    description:
      - Address and login as one URI, such as V(postgresql://maintenance@db.example.com/app).
      - Cannot be combined with O(login_host) and O(login_port). User and password may be given beside it, so that
        the URI itself holds no secret.
    type: str
  login_host:
    description:
      - Host name or address of the server, or the folder of its socket.
      - Without O(uri) and without this, E(PGHOST), else V(localhost).
    type: str
  login_port:
    description:
      - TCP port of the server. If not set, E(PGPORT), else V(5432).
    type: int
  login_user:
    description:
      - User to log in as. If not set, E(PGUSER), else the operating system's user.
    type: str
  login_password:
    description:
      - Password of O(login_user). If not set, E(PGPASSWORD), else the driver looks into the password file.
    type: str
  login_db:
    description:
      - Database to connect to. If not set, E(PGDATABASE), else the database named as the user.
    type: str
  tls:
    description:
      - Whether to encrypt the connection with TLS.
      - If not set, TLS is used if the server offers it.
    type: bool
"""
