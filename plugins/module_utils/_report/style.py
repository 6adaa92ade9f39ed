# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's style sheet. Kept in Python, since a module is shipped to its host with its Python files alone."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #ffffff; --ink: #1a2130; --quiet: #566074; --line: #dfe3ea; --accent: #2457c5;
  --ok: #16703c; --ok-soft: #e3f4ea; --warning: #8a5300; --warning-soft: #fff1d6;
  --critical: #b3201f; --critical-soft: #fde7e6; --code: #eef1f6;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #11151c; --card: #191f29; --ink: #e6eaf2; --quiet: #9ba6b9; --line: #2c3543; --accent: #8ab0ff;
    --ok: #5fd08d; --ok-soft: #16301f; --warning: #f2b755; --warning-soft: #352812;
    --critical: #ff8a82; --critical-soft: #3b1a1a; --code: #222a37;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
header, main, footer { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
h1, h2, h3, p { margin: 0; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -.015em; font-weight: 680; }
h2 { font-size: 20px; line-height: 1.3; letter-spacing: -.01em; font-weight: 650; }
h3 { font-size: 13px; text-transform: uppercase; letter-spacing: .06em; color: var(--quiet); font-weight: 650; }
bdi { unicode-bidi: isolate; }
header { padding-top: 36px; }
.kicker { color: var(--quiet); margin-top: 4px; }
.skip { position: absolute; left: -9999px; }
.skip:focus { left: 16px; top: 12px; background: var(--card); padding: 8px 12px; }

.ok { --tone: var(--ok); --soft: var(--ok-soft); }
.warning { --tone: var(--warning); --soft: var(--warning-soft); }
.critical { --tone: var(--critical); --soft: var(--critical-soft); }

.verdict {
  display: flex; flex-wrap: wrap; gap: 12px 32px; align-items: center; justify-content: space-between;
  margin: 24px 0 0; padding: 20px 24px; border-radius: 14px; background: var(--soft);
  border: 1px solid var(--tone); border-left-width: 8px;
}
.verdict strong { display: block; font-size: 26px; line-height: 1.2; color: var(--tone); letter-spacing: -.01em; }
.verdict figure { margin: 0; max-width: 100%; }
.verdict figcaption { color: var(--quiet); font-size: 13px; }
.strip { display: block; max-width: 100%; height: 20px; }
.strip rect { fill: var(--tone); }
.strip rect.warning { fill: #d99a2b; }
.strip rect.ok { fill: #3fa56a; }
.strip rect.critical { fill: #d6453f; }

.tiles {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(260px, 100%), 1fr)); gap: 12px;
  padding: 0; margin: 16px 0 0; list-style: none;
}
.tiles a {
  display: grid; grid-template-columns: 1fr auto; gap: 0 10px; align-items: center; height: 100%; padding: 12px 14px;
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; color: inherit; text-decoration: none;
}
.tiles a:hover { border-color: var(--accent); }
.tiles b { font-weight: 620; }
.tiles small { grid-column: 1; color: var(--quiet); font-size: 13px; }
.tiles .pill { grid-row: 1 / span 2; grid-column: 2; }

.pill {
  display: inline-block; padding: 2px 10px; border-radius: 99px; background: var(--soft); color: var(--tone);
  font-size: 13px; font-weight: 650; white-space: nowrap; border: 1px solid transparent;
}
.tag {
  display: inline-block; padding: 1px 8px; border-radius: 6px; background: var(--code); color: var(--quiet);
  font-size: 12.5px; white-space: nowrap;
}
.tag.new { background: var(--accent); color: var(--card); font-weight: 650; }

.change {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); gap: 12px; margin-top: 12px;
}
.change > div, .entry, .note { background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
.change > div { padding: 14px 18px; }
.change ul { margin: 8px 0 0; padding-left: 18px; }
.change li { margin: 4px 0; }
.note { padding: 12px 18px; margin-top: 12px; color: var(--quiet); }

.entry { margin-top: 20px; padding: 20px 22px; scroll-margin-top: 12px; }
.entry > * + * { margin-top: 16px; }
.title { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: center; }
.title .pill { margin-left: auto; }
.facts { color: var(--quiet); font-size: 14px; margin-top: 2px; }
.facts span + span::before { content: "·"; padding: 0 7px; }

.findings { display: grid; gap: 10px; padding: 0; margin: 16px 0 0; list-style: none; }
.finding {
  padding: 12px 16px 12px 14px; border-radius: 10px;
  border: 1px solid var(--line); border-left: 5px solid var(--tone);
}
.finding .head { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: baseline; }
.finding .head .pill { align-self: center; }
.finding p { margin-top: 6px; }
.finding .message { font-weight: 560; }
.finding code { font: 13px/1.4 var(--mono); color: var(--quiet); }
.remedy { display: grid; grid-template-columns: auto 1fr; gap: 8px; }
.remedy b { color: var(--quiet); font-weight: 600; }
dl.numbers { display: flex; flex-wrap: wrap; gap: 2px 22px; margin: 6px 0 0; font-size: 14px; }
dl.numbers div { display: flex; gap: 6px; }
dl.numbers dt { color: var(--quiet); }
dl.numbers dd { margin: 0; font-weight: 600; }

.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(250px, 100%), 1fr)); gap: 10px; }
.plots figure { margin: 0; padding: 10px 12px; border: 1px solid var(--line); border-radius: 10px; }
.plots figcaption { display: flex; gap: 8px; justify-content: space-between; align-items: baseline; font-size: 14px; }
.plots figcaption b { font-weight: 650; white-space: nowrap; }
.plots small { color: var(--quiet); font-size: 12.5px; }
.plot { display: block; width: 100%; height: auto; margin: 4px 0 2px; }
.plot path {
  fill: none; stroke: var(--accent); stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round;
  vector-effect: non-scaling-stroke;
}
.plot circle { fill: var(--accent); }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: 7px 14px 7px 0; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--quiet); font-weight: 600; }
td.number { text-align: right; padding-right: 0; white-space: nowrap; }
td code { font: 13px/1.45 var(--mono); white-space: pre-wrap; }
details { border-top: 1px solid var(--line); padding-top: 12px; }
summary { cursor: pointer; color: var(--quiet); font-weight: 600; font-size: 14px; }
details .columns { columns: 2 420px; column-gap: 40px; margin-top: 10px; }
details tr { break-inside: avoid; }
details td:first-child, details th { font-weight: 400; }

footer { color: var(--quiet); font-size: 13.5px; padding-top: 28px; padding-bottom: 40px; }
@media (max-width: 560px) {
  header, main, footer { padding-left: 14px; padding-right: 14px; }
  .entry { padding: 16px 14px; }
  .remedy { grid-template-columns: 1fr; gap: 0; }
}
@media print {
  :root {
    color-scheme: light; --paper: #fff; --card: #fff; --ink: #111; --quiet: #444; --line: #bbb; --accent: #1c449b;
    --ok: #0b5c2d; --ok-soft: #fff; --warning: #6d4200; --warning-soft: #fff;
    --critical: #97110f; --critical-soft: #fff; --code: #fff;
  }
  body { font-size: 11pt; }
  header, main, footer { max-width: none; padding: 0; }
  .entry, .finding, .plots figure, .verdict, tr { break-inside: avoid-page; }
  .entry { border: 0; border-top: 2px solid var(--line); border-radius: 0; padding: 14px 0; }
  .pill { border-color: var(--tone); }
  .skip, details { display: none; }
  * { print-color-adjust: exact; }
}
"""
