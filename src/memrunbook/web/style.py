"""The stylesheet of the pages: that of a report, and what stands around it."""

from __future__ import annotations

from memrunbook.ui.html.style import stylesheet

AROUND = """
.skip{position:absolute;left:-99rem}
.skip:focus{position:static}
header.bar{display:flex;flex-wrap:wrap;align-items:baseline;gap:.35rem 1.25rem;margin:0 0 1.25rem;padding-bottom:.6rem;
border-bottom:2px solid var(--edge)}
header.bar strong{font-size:1.05rem}
header.bar nav ul{display:flex;flex-wrap:wrap;gap:.2rem .25rem;list-style:none;margin:0;padding:0}
header.bar nav a{display:inline-block;padding:.3rem .55rem;text-decoration:none;border-radius:.25rem}
header.bar nav a:hover{text-decoration:underline}
header.bar nav a[aria-current]{background:var(--panel);color:var(--text);font-weight:600}
header.bar .who{margin-left:auto;overflow-wrap:anywhere}
button{font:inherit;color:var(--text);background:var(--panel);border:1px solid var(--edge);border-radius:.3rem;
padding:.3rem .8rem;cursor:pointer}
button.primary{background:var(--hint);color:var(--page);border-color:var(--hint);padding:.6rem 1.4rem;font-weight:600}
a.button{display:inline-block;padding:.6rem 1.4rem;border:1px solid var(--edge);border-radius:.3rem;font-weight:600;
background:var(--panel);color:var(--text);text-decoration:none}
main pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--panel);padding:.6rem .8rem;border-radius:.3rem}
main pre code{padding:0;background:none}
main .ways p{margin:.8rem 0}
.live{color:var(--quiet);font-size:.9rem}
.live+h2,.live+section{margin-top:1.25rem}
main>section{margin-top:2rem}
main>section>h2{border-bottom:1px solid var(--line);padding-bottom:.2rem}
main>section:not(.host)>.verdict{font-size:1rem;margin:.35rem 0;padding:0;background:none;border:0}
.data tbody th{white-space:nowrap}
a.strong{font-weight:600}
.gate{border:1px solid var(--edge);border-radius:.4rem;padding:.25rem 1rem 1rem;margin:1rem 0}
.gate details{margin:.75rem 0}
.gate summary{cursor:pointer;color:var(--hint);padding:.3rem 0}
.gate details p{margin:.1rem 0}
.confirm{display:flex;flex-wrap:wrap;align-items:center;gap:.4rem .6rem;margin:.75rem 0;white-space:normal}
.confirm input[type=checkbox]{width:1.35rem;height:1.35rem;flex:none;accent-color:var(--hint)}
.confirm input[type=checkbox]+label{flex:1 1 12rem;cursor:pointer}
.confirm input[type=text]{font:inherit;flex:1 1 14rem;max-width:30rem;min-width:0;padding:.4rem .6rem;color:var(--text);
background:var(--page);border:1px solid var(--edge);border-radius:.3rem}
.told:empty{display:none}
.told{font-weight:600}
form.apply,form.decline,form.pause,form.resume{border-top:1px solid var(--line);padding-top:.5rem;margin:1rem 0}
h2+form[class]{border-top:0;padding-top:0;margin-top:0}
button[disabled]{opacity:.6;cursor:progress}
@media (max-width:40rem){
header.bar .who{margin-left:0}
header.bar nav a{padding:.45rem .55rem}
.data tbody th{white-space:normal}
}
@media print{header.bar,.skip,.live{display:none}}
"""


def page_style() -> str:
    """All of it."""
    return stylesheet() + AROUND
