# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the settings of logging, where they come from, and what the user may change."""

from __future__ import annotations

from ..client import PostgresqlClient
from .observation import Facts, Override, Seen, Setting, Written
from .values import LIBRARY

__all__ = ["SETTINGS", "observe_settings"]

SETTINGS = (
    "log_min_duration_statement",
    "log_min_duration_sample",
    "log_statement_sample_rate",
    "log_parameter_max_length",
    "shared_preload_libraries",
    "compute_query_id",
    "allow_alter_system",
    f"{LIBRARY}.max",
    f"{LIBRARY}.track",
)

CURRENT = """
SELECT name, setting AS value, unit, source, context, pending_restart AS pending, boot_val AS boot, {may_set} AS may_set
FROM pg_settings WHERE name = ANY(%(names)s)"""

WRITTEN = """
SELECT f.name, f.setting AS value, f.sourcefile AS file, f.sourceline AS line, f.seqno AS order, f.error
FROM pg_file_settings f WHERE f.name = ANY(%(names)s) OR f.error IS NOT NULL
    AND NOT EXISTS (SELECT FROM pg_settings s WHERE s.name = f.name AND s.context = 'postmaster')
ORDER BY f.seqno"""

OVERRIDES = """
SELECT r.rolname::text AS role, d.datname::text AS database, split_part(entry, '=', 1) AS name,
    substr(entry, strpos(entry, '=') + 1) AS value
FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) AS entry
    LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
WHERE split_part(entry, '=', 1) = ANY(%(names)s) ORDER BY 1 NULLS FIRST, 2 NULLS FIRST, 3"""

FACTS = """
SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
    has_function_privilege('pg_reload_conf()', 'EXECUTE') AS may_reload,
    has_table_privilege('pg_file_settings', 'SELECT')
        AND has_function_privilege('pg_show_all_file_settings()', 'EXECUTE') AS may_read_files,
    EXISTS (SELECT FROM pg_available_extensions WHERE name = %(extension)s) AS available,
    EXISTS (SELECT FROM pg_extension WHERE extname = %(extension)s) AS installed,
    EXISTS (SELECT FROM pg_namespace WHERE nspname = %(schema)s) AS schema_there,
    EXISTS (SELECT FROM pg_roles WHERE rolname = %(role)s::text) AS role_there"""


def observe_settings(client: PostgresqlClient, schema: str, role: str | None) -> Seen:
    """Read everything.

    :param schema: where the extension is to be.
    :param role: whose settings are meant, if a role's are.
    """
    values = {"extension": LIBRARY, "schema": schema, "role": role}
    facts = client.row("read the user's rights", FACTS, Facts, values)
    names = {"names": list(SETTINGS)}
    may_set = "has_parameter_privilege(name, 'ALTER SYSTEM')" if client.server.major >= 15 else str(facts.superuser)
    settings = client.rows("read the settings", CURRENT, Setting, names, {"may_set": may_set})
    written = None
    if facts.may_read_files:
        written = tuple(client.rows("read the configuration files", WRITTEN, Written, names))
    overrides = client.rows("read the roles' and databases' settings", OVERRIDES, Override, names)
    return Seen(client.server, facts, {found.name: found for found in settings}, written, tuple(overrides))
