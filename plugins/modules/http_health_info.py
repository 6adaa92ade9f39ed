#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: http_health_info
short_description: Check the health of HTTP endpoints
version_added: 0.1.0
description:
  - Asks HTTP endpoints as a client would and checks status, latency, body, certificate, and, each only where asked for,
    redirect to HTTPS, compression, security headers, protection of routes and rate limits.
  - Judges as a load balancer does. An endpoint is unhealthy after O(unhealthy_after) consecutive failures and healthy
    again after O(healthy_after) consecutive successes, counted over all runs that share O(state).
  - A failure of an endpoint that is not yet unhealthy is a warning (C(http.failing) and what is wrong, as
    C(http.unreachable), C(http.timeout), C(http.status), C(http.body) or C(http.json)). When it is unhealthy, both
    C(http.unhealthy) and what is wrong are critical.
  - Without O(state) nothing adds up from run to run, so that every run that ends with a failure is critical at once.
    A refused certificate is critical at once too, for it is no blip.
  - Endpoints are asked side by side, eight at a time, each over one connection that is kept open. Proxies that the
    environment names are not used. Redirects are not followed.
  - The error rate is that of the last 100 probes of at most one day, and judged once there are 20.
author:
  - The dataops.upkeep authors (@dataops)
options:
  checks:
    description:
      - What to check. All but V(status) and V(latency) only look at endpoints that ask for it.
      - An endpoint that fails its status check is not asked for more than its certificate and its redirect.
    type: list
    elements: str
    choices: [status, latency, certificate, https_redirect, compression, security_headers, unauthenticated, rate_limit]
    default: [status, latency, certificate, https_redirect, compression, security_headers, unauthenticated, rate_limit]
  name:
    description:
      - Name of the application, in the summary and as key of what is remembered. Endpoints of one application may be
        checked by several tasks.
    type: str
    default: endpoints
  endpoints:
    description:
      - The endpoints.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - What findings and metrics call it. If not set, the address without user and query.
        type: str
      url:
        description:
          - Address to ask. A user and password in it are sent as basic authentication; they and the query are never
            shown.
        type: str
        required: true
      method:
        description:
          - Method of the request. V(POST) may change something in the application; use it only where that is harmless.
        type: str
        choices: [GET, HEAD, OPTIONS, POST]
        default: GET
      headers:
        description:
          - Headers to send. Values of those whose name sounds secret (as C(Authorization), C(X-Api-Key) or C(Cookie))
            are masked.
        type: dict
      secret_headers:
        description:
          - Headers to send whose values are all secret. They are masked wherever they occur, so nothing short belongs
            here.
        type: dict
      body:
        description:
          - Body to send.
        type: str
      expect_status:
        description:
          - Every status that is in order.
        type: list
        elements: int
        default: [200]
      expect_body:
        description:
          - Regular expression that the body, of which at most 1 MiB is read, has to hold.
        type: str
      expect_json:
        description:
          - What the body has to say as JSON. Keys are paths with dots, as V(checks.database.status) or V(items.0.name).
        type: dict
      timeout:
        description:
          - How long one request may take in all, from looking up the name to the last byte, as V(5s) or a number of
            seconds.
        type: str
        default: 5s
      requests:
        description:
          - How many probes to make at least. Latency is their median.
        type: int
        default: 3
      validate_certs:
        description:
          - Whether the certificate must be valid and name the host.
          - To a server that fails this nothing is sent, no header and no secret.
        type: bool
        default: true
      ca_cert:
        description:
          - File with the certificates of the authorities to trust. If not set, those of the system.
        type: path
      certificate:
        description:
          - Whether to check how long the certificate is valid.
        type: bool
        default: false
      redirect_to_https:
        description:
          - Whether plain HTTP has to lead to HTTPS. No header of the endpoint is sent over plain HTTP for it.
        type: bool
        default: false
      redirect_from:
        description:
          - Plain HTTP address for O(endpoints[].redirect_to_https). If not set, O(endpoints[].url) with C(http) and
            port 80.
        type: str
      compression:
        description:
          - Whether text has to come compressed to a client that can take it so.
        type: bool
        default: false
      security_headers:
        description:
          - Security headers that have to be there, as a list, or V(true) for all that are known.
          - Known are C(Strict-Transport-Security) (over HTTPS only), C(X-Content-Type-Options),
            C(Content-Security-Policy), C(X-Frame-Options) (needless if the policy has C(frame-ancestors)) and
            C(Referrer-Policy).
        type: raw
      protected_url:
        description:
          - Path or address of a route that has to answer 401 or 403 to a request without credentials. One that serves
            is a critical finding.
        type: str
      rate_limit:
        description:
          - A route that has to refuse too many requests. They are sent one after the other over one connection, until
            one is refused, for 20 seconds at most.
          - What limits by client address will refuse the next probes too, while its window lasts.
        type: dict
        suboptions:
          path:
            description:
              - Path or address of the route. If not set, the endpoint's own.
            type: str
          burst:
            description:
              - How many requests to send at most, V(100) or fewer. By then one has to be refused.
            type: int
            required: true
          status:
            description:
              - Status that refuses. C(limit_req) of nginx sends 503 unless it is told otherwise.
            type: int
            default: 429
  unhealthy_after:
    description:
      - After how many consecutive failures an endpoint is unhealthy.
    type: int
    default: 3
  healthy_after:
    description:
      - After how many consecutive successes it is healthy again.
    type: int
    default: 2
  confirm:
    description:
      - Whether to probe again at once after a failure, until one succeeds or O(unhealthy_after) in a row have failed,
        so that a single daily run can tell a blip from an outage. Each probe counts then.
      - With V(false) each run counts as one outcome, as with a load balancer. That is right for runs every minute or
        so.
    type: bool
    default: true
  confirm_interval:
    description:
      - How long to wait before probing again after a failure, as V(2s) or a number of seconds.
    type: str
    default: 2s
extends_documentation_fragment:
  - dataops.upkeep.common
  - dataops.upkeep.checks
  - dataops.upkeep.state
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.info_module
  - dataops.upkeep.attributes.actiongroup_all
notes:
  - "Threshold C(latency_milliseconds) (milliseconds, warning 1000, critical 3000): median time from the request's
    first byte to the answer's last, without connecting."
  - "Threshold C(error_rate_percent) (percent, warning 1, critical 5): failed probes of the last 100, of at most one
    day."
  - "Threshold C(certificate_days) (days, warning 20, critical 3): days until the certificate expires; below it is
    wrong."
  - "Threshold C(uncompressed_bytes) (bytes, warning 1024, critical off): size of text that came uncompressed."
seealso:
  - module: dataops.upkeep.host_health_info
"""

EXAMPLES = r"""
- name: Check the health route, as a load balancer does
  dataops.upkeep.http_health_info:
    name: shop
    endpoints:
      - name: health
        url: https://shop.example.com/health
        expect_json: {status: ok, checks.database.status: ok}
        certificate: true
    state: /var/lib/upkeep

- name: Check what a security checklist asks for
  dataops.upkeep.http_health_info:
    endpoints:
      - name: api
        url: https://shop.example.com/api/products
        secret_headers:
          Authorization: "Bearer {{ api_token }}"
        redirect_to_https: true
        compression: true
        security_headers: true
        protected_url: /api/orders
        rate_limit:
          path: /api/login
          burst: 60
    thresholds:
      latency_milliseconds: {warning: 500, critical: 2000}

- name: Count each run once, in a job that runs every minute
  dataops.upkeep.http_health_info:
    endpoints:
      - url: http://localhost:3000/health
        requests: 1
    confirm: false
    state: /var/lib/upkeep
"""

RETURN = r"""
changed:
  description: Whether anything was changed, or in check mode would be.
  type: bool
  returned: always
status:
  description: The gravest finding.
  type: str
  returned: always
  choices: [ok, warning, critical]
findings:
  description: What is wrong, with numbers.
  type: list
  elements: dict
  returned: always
  contains:
    id: {description: "Stable name of the condition, as C(redis.memory).", type: str}
    severity: {description: "V(warning) or V(critical).", type: str}
    subject: {description: "What it is about.", type: str}
    message: {description: "One sentence for people.", type: str}
    value: {description: "What was measured, if anything was.", type: raw}
    threshold: {description: "The limit that was crossed, if there is one.", type: raw}
    remedy: {description: "What to do.", type: str}
actions:
  description: What was decided on and what became of it. Check mode returns the same list with all of it planned.
  type: list
  elements: dict
  returned: always
  contains:
    kind: {description: "What is done.", type: str}
    subject: {description: "What it is done to.", type: str}
    reason: {description: "Why, with the numbers that decided it.", type: str}
    statement: {description: "The statement, command or request, without secrets.", type: str}
    state: {description: "V(planned), V(done), V(skipped) or V(failed).", type: str}
    detail: {description: "What happened, or why not.", type: str}
    seconds: {description: "How long it took.", type: float}
    undo: {description: "What brings the former state back.", type: str}
metrics:
  description: Flat numbers with Prometheus-style names.
  type: dict
  returned: always
summary:
  description: One sentence for people.
  type: str
  returned: always
server:
  description: What was asked or changed. C(kind), C(address) and, if it answered, C(version).
  type: dict
  returned: always
"""

from ansible_collections.dataops.upkeep.plugins.module_utils._core.arguments import (
    ArgumentSpec,
    check_arguments,
    common_arguments,
    state_arguments,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.module import run_module
from ansible_collections.dataops.upkeep.plugins.module_utils._http.health import CHECKS, http_health
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory

RATE_LIMIT_OPTIONS = {
    "path": {"type": "str"},
    "burst": {"type": "int", "required": True},
    "status": {"type": "int", "default": 429},
}

ENDPOINT_OPTIONS = {
    "name": {"type": "str"},
    "url": {"type": "str", "required": True},
    "method": {"type": "str", "choices": ["GET", "HEAD", "OPTIONS", "POST"], "default": "GET"},
    "headers": {"type": "dict"},
    "secret_headers": {"type": "dict", "no_log": True},
    "body": {"type": "str"},
    "expect_status": {"type": "list", "elements": "int", "default": [200]},
    "expect_body": {"type": "str"},
    "expect_json": {"type": "dict"},
    "timeout": {"type": "str", "default": "5s"},
    "requests": {"type": "int", "default": 3},
    "validate_certs": {"type": "bool", "default": True},
    "ca_cert": {"type": "path"},
    "certificate": {"type": "bool", "default": False},
    "redirect_to_https": {"type": "bool", "default": False},
    "redirect_from": {"type": "str"},
    "compression": {"type": "bool", "default": False},
    "security_headers": {"type": "raw"},
    "protected_url": {"type": "str"},
    "rate_limit": {"type": "dict", "options": RATE_LIMIT_OPTIONS},
}

ARGUMENTS = ArgumentSpec(
    {
        "name": {"type": "str", "default": "endpoints"},
        "endpoints": {"type": "list", "elements": "dict", "required": True, "options": ENDPOINT_OPTIONS},
        "unhealthy_after": {"type": "int", "default": 3},
        "healthy_after": {"type": "int", "default": 2},
        "confirm": {"type": "bool", "default": True},
        "confirm_interval": {"type": "str", "default": "2s"},
    }
).merge(common_arguments(), check_arguments([check.name for check in CHECKS]), state_arguments())


def main() -> None:
    run_module(ARGUMENTS, http_health, open_memory)


if __name__ == "__main__":
    main()
