# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Connection options that are the same for every store."""

from __future__ import annotations


class ModuleDocFragment:
    """Certificates and time-out; each store's own fragment has address and login."""

    DOCUMENTATION = r"""
options:
  validate_certs:
    description:
      - Whether the server's certificate must be valid and name the host, when TLS is used.
    type: bool
    default: true
  ca_cert:
    description:
      - File with the certificates of the authorities to trust, when TLS is used.
    type: path
  client_cert:
    description:
      - File with the client's certificate. Needs O(client_key).
    type: path
  client_key:
    description:
      - File with the private key of O(client_cert).
    type: path
  connect_timeout:
    description:
      - How long to wait for the connection, and then for the answer to one request, as V(5s) or a number of seconds.
    type: str
    default: 5s
"""
