# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which settings are to be changed, and how; and what stands against it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.action import Action
from ..._core.finding import Finding
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..identifier import quoted
from ..statement import Statement
from .observation import Override, Seen, Setting
from .policy import Policy
from .values import LIBRARY, normal, same

__all__ = ["HOLDING_BACK", "RELOAD", "decide_reload", "decide_settings", "system_action", "trouble"]

RELOAD = Statement("SELECT pg_reload_conf()")

HOLDING_BACK = {"compute_query_id": ("off", "auto"), f"{LIBRARY}.track": ("none", "top")}
"""Settings with which nothing is recorded, and what they should be instead."""

MANAGED = (
    "On a managed service set it in the provider's parameter group. Otherwise use scope database or role, or let an "
    "administrator run: GRANT ALTER SYSTEM ON PARAMETER {name} TO {user} (version 15 and newer)."
)


def trouble(
    condition: str, label: str, about: str, message: str, remedy: str, severity: Severity = Severity.CRITICAL
) -> Finding:
    """Return a finding about a setting or the extension."""
    subject = f"{label} {about}"
    return Finding(f"postgresql.{condition}", severity, subject, f"{subject}: {message}", about, None, remedy)


def decide_settings(seen: Seen, policy: Policy, label: str) -> Decision:
    """Decide on every setting that is wanted, where it is wanted."""
    decision = Decision()
    if policy.scope != "server" and seen.server.in_recovery:
        remedy = "Run it on the primary, from where it comes to this server; or use scope server."
        decision.findings.append(
            trouble("standby", label, policy.scope, "a standby takes no settings of databases and roles", remedy)
        )
        return decision
    for name, value in policy.wanted.items():
        setting = seen.settings.get(name)
        if setting is None:
            continue
        if policy.scope == "server":
            decision.extend(_on_server(setting, value, seen, label))
        else:
            decision.extend(_on_part(setting, value, seen, policy))
        decision.findings += _overridden(setting, value, seen, policy, label)
    return decision


def _on_server(setting: Setting, value: str, seen: Seen, label: str) -> Decision:
    former = seen.in_file(setting.name)
    if setting.source == "command line":
        if same(setting.value, value, setting.unit):
            return Decision()
        remedy = "Take it from the server's command line (pg_ctl -o, the service's unit), and restart the server."
        why = f"it is {setting.value} by the server's command line, which is above every file"
        return Decision([trouble("setting_overridden", label, setting.name, why, remedy)])
    if former is not None and same(former, value, setting.unit):
        return Decision()
    if former is None and not setting.is_servers:
        remedy = f"Remove the {setting.source}'s own value, or let a superuser run this, who may read the files."
        why = f"the server's value cannot be seen behind that of the {setting.source}"
        return Decision([trouble("setting_overridden", label, setting.name, why, remedy)])
    known = [] if former is None else [former]
    return system_action(setting, [value], known, f"it is {former or setting.value}", seen, label)


def system_action(
    setting: Setting, values: Sequence[str], former: Sequence[str], reason: str, seen: Seen, label: str
) -> Decision:
    """Return the action that changes a setting of the whole server, or the finding that the user may not.

    :param values: the value, or the items of a list.
    :param former: likewise what it was. An empty list has no writing of its own: '' is a library without a name.
    """
    name = setting.name
    allowed = seen.settings.get("allow_alter_system")
    if allowed is not None and allowed.value == "off":
        remedy = "Set it where the server's configuration is kept; allow_alter_system is off on purpose."
        return Decision([trouble("access_denied", label, name, "ALTER SYSTEM is switched off", remedy)])
    if not setting.may_set:
        why = f"the user {seen.server.user} may not set it for the whole server"
        remedy = MANAGED.format(name=name, user=quoted(seen.server.user))
        return Decision([trouble("access_denied", label, name, why, remedy)])
    statement = _system(name, values)
    known = former and seen.in_auto_file(name)
    undo = _system(name, former).text if known else f"ALTER SYSTEM RESET {name}"
    undo = f"{undo}; {RELOAD.text}"
    action = Action("set", name, f"{reason}, wanted is {', '.join(values)}", statement.text, undo=undo, work=statement)
    return Decision(actions=[action])


def _system(name: str, values: Sequence[str]) -> Statement:
    """Return the statement that sets a server's setting; the items of a list have to be literals of their own."""
    places = {f"value{number}": value for number, value in enumerate(values)}
    listed = ", ".join(f"{{{place}}}" for place in places)
    return Statement(f"ALTER SYSTEM SET {{name}} = {listed}", parts={"name": name}, values=places)


def _own(setting: Setting, seen: Seen, policy: Policy) -> str | None:
    """Return the value that the database or role has of its own."""
    part = (None, seen.server.database) if policy.scope == "database" else (policy.role, None)
    own = [entry for entry in seen.overrides if (entry.role, entry.database) == part and entry.name == setting.name]
    return own[0].value if own else None


def _on_part(setting: Setting, value: str, seen: Seen, policy: Policy) -> Decision:
    """Decide on the value that a database or role is to have of its own; new sessions of it have it."""
    own = _own(setting, seen, policy)
    if own is not None and same(own, value, setting.unit):
        return Decision()
    servers = seen.in_file(setting.name)
    if own is None and value == "-1" and servers is not None and same(servers, value, setting.unit):
        return Decision()
    kind = policy.scope.upper()
    name = (seen.server.database,) if policy.scope == "database" else (policy.role or "",)
    begin, names, parts = f"ALTER {kind} {{whose}}", {"whose": name}, {"name": setting.name}
    statement = Statement(f"{begin} SET {{name}} = {{value}}", names, {"value": value}, parts)
    undo = Statement(f"{begin} RESET {{name}}", names, parts=parts)
    if own is not None:
        undo = Statement(f"{begin} SET {{name}} = {{value}}", names, {"value": own}, parts)
    has = f"its own value is {own}" if own is not None else "it has no value of its own"
    reason = f"{has}, wanted is {value} in its new sessions"
    subject = f"{policy.scope} {name[0]} {setting.name}"
    return Decision(actions=[Action("set", subject, reason, statement.text, undo=undo.text, work=statement)])


def _overridden(setting: Setting, value: str, seen: Seen, policy: Policy, label: str) -> list[Finding]:
    """Return the finding that roles or databases have values of their own, above the one that is set here."""
    above = [
        entry
        for entry in seen.overrides
        if entry.name == setting.name and _is_above(entry, seen, policy) and not _logs_as_much(entry, setting, value)
    ]
    if not above:
        return []
    who = ", ".join(f"{entry.whose} has {entry.value}" for entry in above[:5])
    more = f" and {len(above) - 5} more" if len(above) > 5 else ""
    remedy = f"Where that is not wanted: ALTER ROLE ... RESET {setting.name}, or ALTER DATABASE ... RESET it."
    message = f"it is not in force everywhere: {who}{more}"
    return [trouble("setting_overridden", label, setting.name, message, remedy, Severity.WARNING)]


def _logs_as_much(entry: Override, setting: Setting, value: str) -> bool:
    """Whether a value logs what is wanted; one that logs more has been set on purpose, as by this module's scopes."""
    if same(entry.value, value, setting.unit):
        return True
    own, wanted = normal(entry.value, setting.unit), normal(value, setting.unit)
    if not setting.name.startswith("log_min_duration") or isinstance(own, str) or isinstance(wanted, str):
        return False
    return 0 <= own < wanted


def _is_above(entry: Override, seen: Seen, policy: Policy) -> bool:
    """Whether a value goes before that of the policy's scope: a role's in a database, a role's, a database's."""
    if policy.scope == "server":
        return True
    if policy.scope == "database":
        return entry.role is not None and entry.database in (None, seen.server.database)
    return entry.role == policy.role and entry.database is not None


def decide_reload(seen: Seen, policy: Policy, actions: Sequence[Action], label: str) -> Decision:
    """Decide whether the server has to read its files again: after a change, or as an interrupted run has not."""
    changed = [action.subject for action in actions if action.statement.startswith("ALTER SYSTEM")]
    waiting = [name for name in changed if not seen.settings[name].needs_restart]
    for name in (*(policy.wanted if policy.scope == "server" else ()), *(HOLDING_BACK if policy.records else ())):
        setting, written = seen.settings.get(name), seen.in_file(name)
        if setting is None or written is None or name in waiting or not setting.is_servers:
            continue
        if setting.source != "command line" and not same(written, setting.value, setting.unit):
            waiting.append(name)
    decision = Decision(_broken(seen, label))
    if not waiting and not changed:
        return decision
    if not seen.facts.may_reload:
        remedy = f"Let an administrator run: GRANT EXECUTE ON FUNCTION pg_reload_conf() TO {quoted(seen.server.user)}"
        why = f"the user {seen.server.user} may not have the configuration read again"
        decision.findings.append(trouble("access_denied", label, "pg_reload_conf()", why, remedy))
        return decision
    reason = f"written and not in force: {', '.join(dict.fromkeys([*waiting, *changed]))}"
    decision.actions.append(Action("reload", "configuration", reason, RELOAD.text, work=RELOAD))
    return decision


def _broken(seen: Seen, label: str) -> list[Finding]:
    """Return the finding that the files have errors, because of which a reload may change nothing."""
    broken = [line for line in seen.written or () if line.error and not _only_restart(line.name, seen)]
    if not broken:
        return []
    where = ", ".join(f"{line.file.rpartition('/')[2]} line {line.line}: {line.error}" for line in broken[:3])
    remedy = "Mend the configuration files; until then the server may not take over changes."
    about = "configuration"
    return [trouble("configuration_error", label, about, f"its files have errors: {where}", remedy, Severity.WARNING)]


def _only_restart(name: str | None, seen: Seen) -> bool:
    setting = seen.settings.get(name or "")
    return setting is not None and setting.needs_restart
