# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module's documentation equals its argument spec, and its result text is the collection's one."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from ansible_collections.dataops.upkeep.plugins.doc_fragments.result import ModuleDocFragment as ResultFragment
from tests.contract.catalogue import MODULES, ROOT, documentation, imported

SHOWN = ("type", "elements", "required", "default", "choices")


def shape(option: dict[str, Any]) -> dict[str, Any]:
    """What documentation and spec must agree on, with the defaults of both filled in."""
    found = {key: option.get(key) for key in SHOWN}
    found["type"] = found["type"] or "str"
    found["required"] = bool(found["required"])
    found["choices"] = list(found["choices"]) if found["choices"] else None
    found["aliases"] = sorted(option.get("aliases") or [])
    inner = option.get("suboptions") or option.get("options")
    found["inner"] = {name: shape(sub) for name, sub in inner.items()} if inner else None
    return found


def test_there_are_modules() -> None:
    assert MODULES


@pytest.mark.parametrize("name", MODULES)
def test_documentation_equals_the_argument_spec(name: str) -> None:
    documented = {option: shape(text) for option, text in documentation(name)[0]["options"].items()}
    specified = {option: shape(dict(spec)) for option, spec in imported(name).ARGUMENTS.options.items()}
    assert documented == specified


@pytest.mark.parametrize("name", MODULES)
def test_every_option_is_described(name: str) -> None:
    def walk(options: dict[str, Any], path: str) -> None:
        for option, text in options.items():
            assert text.get("description"), f"{path}{option} has no description"
            walk(text.get("suboptions") or {}, f"{path}{option}.")

    walk(documentation(name)[0]["options"], "")


@pytest.mark.parametrize("name", MODULES)
def test_the_result_is_documented_with_the_one_text(name: str) -> None:
    assert documentation(name)[2] == yaml.safe_load(ResultFragment.RETURN)


@pytest.mark.parametrize("name", MODULES)
def test_secret_options_are_censored(name: str) -> None:
    def walk(options: dict[str, Any]) -> None:
        for option, spec in options.items():
            if re.search(r"password|passphrase|token|secret|^uri$", option):
                assert spec.get("no_log") is not None, f"{option} needs no_log"
            walk(spec.get("options") or {})

    walk(imported(name).ARGUMENTS.options)


@pytest.mark.parametrize("name", MODULES)
def test_examples_use_the_module_by_its_full_name_and_known_options(name: str) -> None:
    examples = documentation(name)[1]
    known = set(imported(name).ARGUMENTS.options)
    used = [task[f"dataops.upkeep.{name}"] for task in examples if f"dataops.upkeep.{name}" in task]
    assert used, "no example uses the module"
    for options in used:
        assert set(options or {}) <= known
    assert all(task.get("name") for task in examples)


@pytest.mark.parametrize("name", MODULES)
def test_attributes_are_declared(name: str) -> None:
    attributes = documentation(name)[0]["attributes"]
    assert {"check_mode", "diff_mode", "idempotent", "action_group"} <= set(attributes)
    assert attributes["check_mode"]["support"] == "full"
    if name.endswith("_info"):
        assert attributes["idempotent"]["support"] == "N/A"


HEAVY_CHECKS = {"queue_health_info": {"orphans"}}
"""Checks that are only made when they are asked for: this one walks over all keys."""


@pytest.mark.parametrize("name", [name for name in MODULES if name.endswith(("_health_info", "_audit_info"))])
def test_health_and_audit_modules_share_their_options(name: str) -> None:
    options = imported(name).ARGUMENTS.options
    assert {"checks", "thresholds", "state", "deadline"} <= set(options)
    heavy = HEAVY_CHECKS.get(name, set())
    assert heavy <= set(options["checks"]["choices"])
    assert options["checks"]["default"] == [check for check in options["checks"]["choices"] if check not in heavy]


@pytest.mark.parametrize("name", MODULES)
def test_every_module_takes_a_deadline(name: str) -> None:
    assert "deadline" in imported(name).ARGUMENTS.options


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_documentation_a_spec_and_one_call(name: str) -> None:
    text = (ROOT / "plugins/modules" / f"{name}.py").read_text(encoding="utf-8")
    code = re.sub(r'(DOCUMENTATION|EXAMPLES|RETURN) = r?"""(.*?)"""', "", text, flags=re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 150


def test_no_text_sends_a_user_to_a_module_that_does_not_exist() -> None:
    subjects = "postgresql|mongodb|redis|queue|backup|log|host|http|dependency"
    verbs = (
        "audit_info|health_info|vacuum|reindex|index|retention|slow_log|maintain|profiler|cleanup|warm|create|info|verify"
        "|restore|prune|sync|analysis_info|archive|update"
    )
    named = re.compile(rf"(?<![\w/.])(?:{subjects})_(?:{verbs})\b(?!\w|\()")
    files = [*ROOT.glob("plugins/**/*.py"), *ROOT.glob("roles/**/*.yml"), *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    absent = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        if path.name != "planted.md"
        for name in named.findall(path.read_text(encoding="utf-8"))
        if name not in MODULES
    }
    assert absent == set()
