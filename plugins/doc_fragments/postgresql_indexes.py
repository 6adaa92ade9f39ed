# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Options of the modules that look for unused indexes."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of ``unused_arguments``."""

    DOCUMENTATION = r"""
options:
  unused_after:
    description:
      - For how long nothing may have used an index, on any server, before it counts as unused. The same time it must
        have been watched by runs with O(state), and the server's statistics must not have been reset or lost.
      - An age such as V(30d) or V(3mo). With V(0s) nothing has to have been watched before, which is for trials only.
    type: str
    default: 30d
  min_size:
    description: A smaller index never counts as unused.
    type: str
    default: 10MB
  max_scans:
    description: How many scans an index may have had, longer than O(unused_after) ago, and still count as unused.
    type: int
    default: 0
  replicas:
    description:
      - The standbys that answer queries. Each server counts its own scans only, so all of them are asked; an index that
        one of them uses is kept.
      - If more standbys stream from the primary than are listed here, or one does not answer, every index is kept.
      - What an entry does not say of login, database and TLS, it has from the options of the module.
    type: list
    elements: dict
    default: []
    suboptions:
      uri:
        description: Address and login as one URI.
        type: str
      login_host:
        description: Host name or address of the standby.
        type: str
      login_port:
        description: TCP port of the standby.
        type: int
      login_user:
        description: User to log in as.
        type: str
      login_password:
        description: Password of that user.
        type: str
      login_db:
        description: Database to connect to; the same as the primary's.
        type: str
      tls:
        description: Whether to encrypt the connection with TLS.
        type: bool
      validate_certs:
        description: Whether the server's certificate must be valid.
        type: bool
      ca_cert:
        description: File with the certificates of the authorities to trust.
        type: path
      client_cert:
        description: File with the client's certificate.
        type: path
      client_key:
        description: File with the client's private key.
        type: path
      connect_timeout:
        description: How long to wait for the connection, and for an answer.
        type: str
"""
