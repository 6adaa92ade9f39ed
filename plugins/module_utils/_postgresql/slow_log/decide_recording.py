# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be done so that pg_stat_statements records, and what waits for a restart. Pure."""

from __future__ import annotations

from ..._core.action import Action
from ..._core.finding import Finding
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..statement import Statement
from .decide_settings import HOLDING_BACK, system_action, trouble
from .observation import Seen
from .policy import Policy
from .values import LIBRARY, has_library, libraries

__all__ = ["PRELOAD", "decide_recording"]

PRELOAD = "shared_preload_libraries"


def decide_recording(seen: Seen, policy: Policy, label: str) -> Decision:
    """Decide on the library, the settings that could hold it back, and the extension in the database."""
    if not policy.records:
        return Decision()
    if not seen.facts.available and not seen.facts.installed:
        remedy = "Install the server's contrib package (postgresql-contrib), then run again."
        what = f"the files of {LIBRARY} are not on the server; a library that is missing would keep it from starting"
        return Decision([trouble("extension_missing", label, f"extension {LIBRARY}", what, remedy)])
    decision = _library(seen, label)
    for name, (bad, good) in HOLDING_BACK.items():
        setting = seen.settings.get(name)
        if setting is not None and (seen.in_file(name) or setting.value) == bad:
            decision.extend(
                system_action(setting, [good], [bad], f"it is {bad}, so that nothing is recorded", seen, label)
            )
    decision.extend(_extension(seen, policy, label))
    return decision


def _library(seen: Seen, label: str) -> Decision:
    """Decide on the list of libraries, to which ours is added; the others stay, in their order."""
    loaded = f"{LIBRARY}.max" in seen.settings
    written, unknown = _written(seen)
    if written is None:
        remedy = "Run it as a superuser, or set it where the server's configuration is kept."
        return Decision([] if loaded else [trouble("access_denied", label, PRELOAD, unknown, remedy)])
    try:
        names = libraries(written)
    except ValueError as error:
        return Decision([trouble("configuration_error", label, PRELOAD, str(error), "Mend it by hand.")])
    if has_library(names):
        return Decision([] if loaded else [_restart(label)])
    setting = seen.settings[PRELOAD]
    if setting.source == "command line":
        remedy = "Add the library there: the server's command line is above every file."
        why = f"it is {written!r} by the server's command line"
        return Decision([trouble("setting_overridden", label, PRELOAD, why, remedy)])
    reason = f"it is {written!r}" if written else "it is empty"
    decision = system_action(setting, [*names, LIBRARY], names, reason, seen, label)
    if decision.actions:
        decision.findings.append(_restart(label))
    return decision


def _written(seen: Seen) -> tuple[str | None, str]:
    """Return the list that the next start takes, or why it is not known."""
    setting = seen.settings.get(PRELOAD)
    if setting is None:
        return None, f"the user {seen.server.user} may not see it"
    if setting.source == "command line":
        return setting.value, ""
    return seen.in_file(PRELOAD), "a change of it waits for a restart, and the user may not see which"


def _restart(label: str) -> Finding:
    remedy = "Restart the server when that suits; this module never does. Statements are recorded from then on."
    what = f"{LIBRARY} is loaded with the next start of the server"
    return trouble("restart_required", label, PRELOAD, what, remedy, Severity.WARNING)


def _extension(seen: Seen, policy: Policy, label: str) -> Decision:
    """Decide on the extension, which makes the records visible in the database."""
    if seen.facts.installed:
        return Decision()
    about = f"extension {LIBRARY}"
    if seen.server.in_recovery:
        remedy = "Run it on the primary, from where the extension comes to this server."
        return Decision([trouble("standby", label, about, "a standby takes no extension", remedy)])
    if not seen.facts.schema_there:
        remedy = "Name a schema that exists in the option schema."
        return Decision([trouble("schema_missing", label, about, f"there is no schema {policy.schema}", remedy)])
    statement = Statement(
        "CREATE EXTENSION IF NOT EXISTS {name} SCHEMA {schema}", {"name": (LIBRARY,), "schema": (policy.schema,)}
    )
    reason = f"it is not in the database {seen.server.database}"
    undo = Statement("DROP EXTENSION {name}", {"name": (LIBRARY,)}).text
    return Decision(actions=[Action("create", about, reason, statement.text, undo=undo, work=statement)])
