"""The one stylesheet of a page: its colours in light and dark, on a narrow screen, on paper."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

SHARES, COLUMNS = 8, 8
PALETTE: Mapping[str, Mapping[str, str]] = {
    "light": {
        "page": "#ffffff", "panel": "#f1f3f5", "line": "#c3c9cf", "text": "#1b1f23", "quiet": "#535a61",
        "critical": "#a8001a", "warning": "#7d4300", "good": "#0a6128", "unknown": "#66309a", "hint": "#0b5480",
        "curve": "#0b5480", "band": "#e4d9c3", "edge": "#6b7279",
        "share1": "#1f5fa8", "share2": "#9a3d00", "share3": "#23702f", "share4": "#7a3b9a",
        "share5": "#7a5600", "share6": "#006573", "share7": "#a3245c", "share8": "#565d65",
    },
    "dark": {
        "page": "#14171a", "panel": "#1f2429", "line": "#424a52", "text": "#e8eaed", "quiet": "#aab3bc",
        "critical": "#ff9090", "warning": "#f2b866", "good": "#74d391", "unknown": "#cfabf7", "hint": "#83c8f0",
        "curve": "#83c8f0", "band": "#4a402c", "edge": "#8b949d",
        "share1": "#7db4f0", "share2": "#f0a070", "share3": "#7fca8c", "share4": "#c79be6",
        "share5": "#d9b95a", "share6": "#5fc4d4", "share7": "#f08fb8", "share8": "#aab2ba",
    },
}  # fmt: skip
"""Colours by their use. Text, and numbers on parts of a whole, have a contrast of 4.5 at least (WCAG 2.2 AA)."""
WORDS = ("critical", "warning", "good", "unknown", "quiet", "hint")
RULES = """
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:1rem;max-width:76rem;background:var(--page);color:var(--text);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0 1rem}
h2{font-size:1.35rem;line-height:1.25;margin:0 0 .75rem}
h3{font-size:1.05rem;margin:1.75rem 0 .5rem;padding-bottom:.2rem;border-bottom:1px solid var(--line);font-weight:400}
h1,h2,h3,p,td,th,dd,dt,li,div,figcaption{overflow-wrap:anywhere}
p{margin:.35rem 0;white-space:pre-wrap}
.inner{padding-left:1.25rem}
.verdict{font-size:1.15rem;padding:.75rem 1rem;background:var(--panel);border-left:.35rem solid var(--edge)}
.critical,.warning,.good,.unknown,.strong{font-weight:600}
a{color:var(--hint)}
:focus-visible{outline:.15rem solid var(--hint);outline-offset:.1rem}
code{font:.92em/1.45 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;white-space:pre-wrap;
overflow-wrap:anywhere;background:var(--panel);padding:.05rem .3rem;border-radius:.2rem;color:var(--hint)}
.scroll{overflow-x:auto;margin:.4rem 0}
table{border-collapse:collapse}
td,th{padding:.2rem .9rem .2rem 0;text-align:left;vertical-align:top;font-weight:400}
.grid{display:grid;column-gap:.9rem;row-gap:.3rem;list-style:none;margin:.5rem 0;padding:0}
.grid li{display:grid;grid-template-columns:subgrid;grid-column:1/-1}
.grid li>div{white-space:pre-wrap;min-width:0}
.grid li>.note{grid-column:1/-1;padding-left:1.75rem}
.data thead th{color:var(--quiet);border-bottom:1px solid var(--line)}
.data tbody tr+tr>*{border-top:1px solid var(--panel)}
.data td,.data th{overflow-wrap:normal;font-variant-numeric:tabular-nums}
.data .number{text-align:right;white-space:nowrap}
.data .key{width:2.2rem}
.key svg{width:1.5rem;height:1.35rem;display:block}
dl{display:grid;grid-template-columns:minmax(5.5rem,max-content) 1fr;gap:.2rem 1rem;margin:.5rem 0}
dt{color:var(--quiet)}
dd{margin:0;white-space:pre-wrap;grid-column:2}
nav h2{margin-top:2rem}
nav ol{margin:.5rem 0;padding-left:2.5rem;columns:17rem;column-gap:2rem}
nav li{break-inside:avoid}
.host{margin-top:2.5rem;padding-top:1rem;border-top:2px solid var(--edge)}
.alone{margin-top:0;padding-top:0;border:0}
.back{font-size:.9rem}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(22rem,100%),1fr));gap:1rem}
figure{margin:.5rem 0}
figure>svg{display:block;width:100%;height:auto}
.shares{max-width:46rem}
figcaption{font-weight:600;margin-bottom:.25rem}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--text)}
svg .end{text-anchor:end}
svg .mark,svg .middle,svg .on-share,svg .on-spare{text-anchor:middle}
svg .on-share{fill:var(--page);font-weight:700}
svg .mark{font-weight:700}
svg .rule{stroke:var(--line);stroke-width:1}
svg .band{fill:var(--band)}
svg .edge{stroke:var(--edge);stroke-width:1}
svg .curve{fill:none;stroke:var(--curve);stroke-width:1.5}
svg .dot{fill:var(--curve)}
svg .spare{fill:var(--panel);stroke:var(--edge);stroke-width:1}
footer{margin-top:2.5rem;padding-top:.75rem;border-top:1px solid var(--line);color:var(--quiet);font-size:.9rem}
@media (max-width:40rem){
body{padding:.75rem}
.grid,.grid li{display:block}
.grid li{padding:.3rem 0;border-top:1px solid var(--panel)}
.grid li>div{display:inline;padding-right:.4rem}
.grid li>.note{display:block;padding-left:1rem}
dl{grid-template-columns:1fr;gap:0}
dd{grid-column:1;margin-bottom:.4rem}
}
"""
PRINT = """
@media print{
body{max-width:none;padding:0;font-size:10pt}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
.host{break-before:page;border:0;margin:0;padding:0}
.alone{break-before:auto}
.back{display:none}
h1,h2,h3,figcaption{break-after:avoid}
table,tr,figure,dl,dd,li,.verdict{break-inside:avoid}
thead{display:table-header-group}
.scroll{overflow:visible}
.data{font-size:8.5pt}
.data td,.data th{overflow-wrap:anywhere;padding-right:.5rem}
.charts{grid-template-columns:1fr 1fr}
.shares{max-width:30rem}
a{color:inherit}
}
@page{margin:15mm}
"""


def stylesheet() -> str:
    """All of it; on paper the light colours."""
    words = "".join(f".{name}{{color:var(--{name})}}" for name in WORDS)
    shares = "".join(f"svg .share{n}{{fill:var(--share{n})}}" for n in range(1, SHARES + 1))
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{_colours('dark')}}}}}"
    return f":root{{{_colours('light')}}}\n{dark}{_columns()}{RULES}{words}\n{shares}{PRINT}"


def policy(style: str) -> str:
    """The content security policy of a page that has this style and nothing else: no script, nothing loaded."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _columns() -> str:
    """The columns of grids: as wide as they must be, the last one as it may; a cell that reaches to the end."""
    shared = "".join(
        f".columns{n}{{grid-template-columns:{'fit-content(34%) ' * (n - 1)}minmax(6rem,1fr)}}"
        for n in range(1, COLUMNS + 1)
    )
    ends = "".join(f".grid .from{n}{{grid-column:{n}/-1}}" for n in range(1, COLUMNS + 1))
    return f"\n{shared}\n{ends}"


def _colours(name: str) -> str:
    return ";".join(f"--{use}:{colour}" for use, colour in PALETTE[name].items())
