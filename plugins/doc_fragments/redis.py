# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Options of every module that connects to Redis."""

from __future__ import annotations


class ModuleDocFragment:
    """Address and login; ``connection`` has the rest of what ``connection_arguments`` specifies."""

    DOCUMENTATION = r"""
options:
  uri:
    description:
      - Address and login as one URI, such as V(redis://cache.example.com:6379/0).
      - Cannot be combined with O(login_host) and O(login_port). User and password may be given beside it, so that
        the URI itself holds no secret.
      - If neither this nor O(login_host) or O(login_port) is set, E(REDIS_URL).
    type: str
  login_host:
    description:
      - Host name or address of the server, or the path of its socket. Without this and without a URI, V(localhost).
    type: str
  login_port:
    description:
      - TCP port of the server. If not set, V(6379).
    type: int
  login_user:
    description:
      - User to log in as (ACL, Redis 6 or newer). If not set, the default user.
    type: str
  login_password:
    description:
      - Password of O(login_user). Also for servers that only know a password.
    type: str
  login_db:
    description:
      - Number of the database. If not set, the URI's, else V(0).
    type: str
  tls:
    description:
      - Whether to encrypt the connection with TLS.
      - If not set, the URI says whether TLS is used.
    type: bool
"""
