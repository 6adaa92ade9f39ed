# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's template. Kept in Python, since a module is shipped to its host with its Python files alone.

Every text is escaped by Jinja2; only the plots, which :mod:`.sparkline` escapes itself, and the style go in as they
are. Texts from outside stand in ``bdi``, so that one that turns the direction of writing does not turn the page's.
"""

from __future__ import annotations

__all__ = ["TEMPLATE"]

TEMPLATE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="dataops.upkeep; {{ marker }}">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>{{ verdict }} - {{ title }}</title>
<style>{{ style | safe }}</style>
</head>
<body>
<a class="skip" href="#results">To the results</a>
<header>
<h1><bdi>{{ title }}</bdi></h1>
<p class="kicker"><time datetime="{{ at_iso }}">{{ at }}</time></p>
<div class="verdict {{ status }}" role="status">
<div><strong>{{ verdict }}</strong>{{ sentence }}</div>
{% if strip %}
<figure>{{ strip | safe }}<figcaption>The last {{ strip_runs }} runs, this one at the right</figcaption></figure>
{% endif %}
</div>
{% if sections %}
<nav aria-label="Results">
<ul class="tiles">
{% for section in sections %}
<li><a href="#{{ section.anchor }}"><b><bdi>{{ section.name }}</bdi></b>
<small><bdi>{{ section.kind }} {{ section.version }}</bdi></small>
<span class="pill {{ section.status }}">{{ section.short }}</span></a></li>
{% endfor %}
</ul>
</nav>
{% endif %}
</header>
<main id="results">
{% if compared_at %}
<section class="change" aria-label="Changes">
<div><h3>New since {{ compared_at }}</h3>
{% if new %}
<ul>
{% for finding in new %}
<li><span class="pill {{ finding.severity }}">{{ finding.severity }}</span> <bdi>{{ finding.message }}</bdi></li>
{% endfor %}
</ul>
{% else %}
<p>Nothing new.</p>
{% endif %}
{% if new_more %}<p>and {{ new_more }} more below</p>{% endif %}
</div>
<div><h3>Resolved since {{ compared_at }}</h3>
{% if resolved %}
<ul>
{% for finding in resolved %}
<li><bdi>{{ finding.message }}</bdi></li>
{% endfor %}
</ul>
{% else %}
<p>Nothing resolved.</p>
{% endif %}
{% if resolved_more %}<p>and {{ resolved_more }} more</p>{% endif %}
</div>
</section>
{% else %}
<p class="note">{{ no_comparison }}</p>
{% endif %}
{% for section in sections %}
<section class="entry {{ section.status }}" id="{{ section.anchor }}" aria-labelledby="{{ section.anchor }}-title"
 data-result="{{ section.key }}">
<div>
<div class="title"><h2 id="{{ section.anchor }}-title"><bdi>{{ section.name }}</bdi></h2>
<span class="tag"><bdi>{{ section.kind }}</bdi></span>
<span class="pill {{ section.status }}">{{ section.word }}</span></div>
<p class="facts">{% for fact in section.facts %}<span><bdi>{{ fact }}</bdi></span>{% endfor %}</p>
</div>
{% if section.findings %}
<ul class="findings">
{% for finding in section.findings %}
<li class="finding {{ finding.severity }}">
<div class="head"><span class="pill {{ finding.severity }}">{{ finding.severity }}</span>
{% if finding.new %}
<span class="tag new">new</span>
{% endif %}
<code><bdi>{{ finding.id }}</bdi></code>
{% if finding.since %}
<span class="tag">since {{ finding.since }}</span>
{% endif %}
</div>
<p class="message"><bdi>{{ finding.message }}</bdi></p>
{% if finding.numbers %}
<dl class="numbers">
{% for name, value in finding.numbers %}
<div><dt>{{ name }}</dt><dd><bdi>{{ value }}</bdi></dd></div>
{% endfor %}
</dl>
{% endif %}
{% if finding.remedy %}
<p class="remedy"><b>What to do</b><span><bdi>{{ finding.remedy }}</bdi></span></p>
{% endif %}
</li>
{% endfor %}
</ul>
{% endif %}
{% if section.actions %}
<div class="scroll" tabindex="0" role="region" aria-label="Actions on {{ section.name }}">
<table>
<thead>
<tr><th scope="col">Action</th><th scope="col">On</th><th scope="col">Why</th><th scope="col">State</th></tr>
</thead>
<tbody>
{% for action in section.actions %}
<tr><td><bdi>{{ action.kind }}</bdi></td>
<td><bdi>{{ action.subject }}</bdi></td>
<td><bdi>{{ action.reason }}</bdi>
{% if action.statement %}
<code><bdi>{{ action.statement }}</bdi></code>
{% endif %}
</td>
<td><span class="pill {{ action.tone }}">{{ action.state }}</span> <bdi>{{ action.detail }}</bdi></td></tr>
{% endfor %}
</tbody>
</table>
</div>
{% endif %}
{% if section.plots %}
<div class="plots">
{% for plot in section.plots %}
<figure><figcaption><bdi>{{ plot.label }}</bdi><b>{{ plot.last }}</b></figcaption>
{{ plot.svg | safe }}
<small>{{ plot.range }}</small></figure>
{% endfor %}
</div>
{% endif %}
{% if section.metrics %}
<details>
<summary>All {{ section.metrics | length }} metrics</summary>
<div class="columns">
<table>
<tbody>
{% for label, name, value in section.metrics %}
<tr><th scope="row" title="{{ name }}"><bdi>{{ label }}</bdi></th><td class="number">{{ value }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
</details>
{% endif %}
</section>
{% endfor %}
</main>
<footer>
<p>Made by dataops.upkeep for <bdi>{{ application }}</bdi> ({{ cadence }}), run {{ run_id }}. All times are UTC.</p>
</footer>
</body>
</html>
"""
