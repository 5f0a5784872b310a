"""The report's style sheet: quiet type, light and dark, from phone to wide screen, no script for the filters."""

from __future__ import annotations

STYLE = """
:root{--page:#f6f7f9;--card:#fff;--ink:#171b21;--muted:#59626e;--line:#e0e4ea;--soft:#eef1f5;
--keep:#117a4b;--discard:#7d8793;--crash:#b3261e;--step:#6a41c4;--warn:#9a5b00;--accent:#1f5fbf;
--ins:#e3f5ea;--del:#fdeae8}
@media (prefers-color-scheme:dark){:root{--page:#0f1216;--card:#171b21;--ink:#e7eaee;--muted:#9ba5b1;--line:#2a313a;
--soft:#1f252d;--keep:#4fc58d;--discard:#85909d;--crash:#ff8379;--step:#b69cff;--warn:#e5a344;--accent:#74b1ff;
--ins:#143324;--del:#401d1b}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem;-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2.5rem 1.25rem 3rem;max-width:62rem;background:var(--page);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;overflow-wrap:anywhere}
h1,h2,h4,p,dl,dd,ul,ol,figure,fieldset{margin:0;padding:0}
h1{font-size:clamp(1.5rem,4vw,2.1rem);line-height:1.2;font-weight:650;letter-spacing:-.015em;text-wrap:balance}
h2{font-size:1.125rem;font-weight:650;margin-bottom:.9rem}
h4{font-size:.8125rem;font-weight:600;color:var(--muted);margin:1rem 0 .35rem}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.8125rem}
a{color:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--card);padding:.4rem .8rem}
.kicker{color:var(--muted);font-size:.875rem;margin-bottom:.4rem}
.lede{font-size:1.1875rem;line-height:1.45;margin-top:.9rem;font-variant-numeric:tabular-nums}
.lede strong{font-weight:650;color:var(--accent)}
.ending,.note,small,figcaption p,footer{color:var(--muted);font-size:.875rem}
.ending{margin-top:.4rem}
section,.tiles{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.4rem 1.5rem;
margin-top:1.25rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(14rem,1fr));gap:1.4rem 2rem;margin-top:1.75rem}
dt{color:var(--muted);font-size:.8125rem}
.tiles dd{font-size:1.5rem;line-height:1.3;font-weight:600;font-variant-numeric:tabular-nums}
.tiles small{display:block;font-size:.8125rem;font-weight:400;line-height:1.45;margin-top:.2rem}
.chart{padding:1.4rem .8rem 0 4.2rem}
svg{display:block;overflow:visible}
svg text{font-size:12px;fill:var(--muted);font-variant-numeric:tabular-nums}
.end{text-anchor:end}.mid{text-anchor:middle}
.grid{stroke:var(--line)}.axis{stroke:var(--discard)}.level{stroke:var(--muted);stroke-dasharray:2 5}
.level+text{paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}
.retained{fill:none;stroke:var(--accent);stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.side{fill:var(--muted);fill-opacity:.1}
.band{fill:var(--accent);fill-opacity:.13}
.whisker{stroke:var(--keep);stroke-width:1.5}
.touch{fill:transparent;stroke:none}
.open{fill:none;stroke:currentColor;stroke-width:1.5}.thick{stroke-width:2}
.plot a,.icon,.strip g{fill:currentColor;color:var(--discard)}
.plot a:hover,.plot a:focus{stroke:currentColor;stroke-width:3}
.plot .base,.icon.base,.strip .base,.base>summary .icon{color:var(--accent)}
.plot .keep,.icon.keep,.strip .keep{color:var(--keep)}
.plot .crash,.icon.crash{color:var(--crash)}
.plot .step,.icon.step{color:var(--step)}
.warn,.icon.warn{color:var(--warn)}path.warn{fill:var(--warn);stroke:none}
.strip{margin:.3rem 8px .2rem;width:calc(100% - 16px)}.strip circle{fill-opacity:.55}
.strip line{stroke:currentColor;stroke-width:2}
figcaption{margin-top:1rem}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;font-size:.875rem;margin-bottom:.5rem}
.legend li{display:flex;align-items:center;gap:.3rem}
.filters{border:0;display:flex;flex-wrap:wrap;gap:.4rem;margin-bottom:.9rem}
.filters legend{position:absolute;left:-99rem}
.filters label{position:relative;cursor:pointer}
.filters input{position:absolute;inset:0;opacity:0;margin:0;cursor:pointer;width:100%;height:100%}
.filters span{display:block;padding:.3rem .8rem;border-radius:99px;background:var(--soft);font-size:.875rem;
font-variant-numeric:tabular-nums}
.filters input:checked+span{background:var(--ink);color:var(--card)}
.filters input:focus-visible+span{outline:2px solid var(--accent);outline-offset:2px}
section:has(#f-keep:checked) .e:not(.s-keep),section:has(#f-discard:checked) .e:not(.s-discard),
section:has(#f-crash:checked) .e:not(.s-crash),
section:has(#f-step:checked) :is(.s-keep,.s-discard,.s-crash,.s-baseline){display:none}
.e{border-top:1px solid var(--line)}.many .e{content-visibility:auto;contain-intrinsic-size:auto 2.7rem}
.e>summary{display:grid;grid-template-columns:18px 2.9rem 4.6rem minmax(5.5rem,auto) 5rem 1fr .8rem;gap:.2rem .7rem;
align-items:baseline;padding:.6rem .35rem;cursor:pointer;list-style:none;font-variant-numeric:tabular-nums}
.e>summary::-webkit-details-marker{display:none}
.e>summary:hover{background:var(--soft)}
.e[open]>summary{background:var(--soft)}
.e .icon{align-self:start;margin-top:.28rem}

.e>summary::after{content:"";width:.4rem;height:.4rem;border:solid var(--muted);border-width:0 1.5px 1.5px 0;
transform:rotate(45deg);align-self:start;margin-top:.45rem}
.e[open]>summary::after{transform:rotate(-135deg);margin-top:.65rem}
.n{font-weight:600}.v,.d{text-align:right;white-space:nowrap}.d{color:var(--muted)}
.st{color:var(--muted)}.s-keep .st{color:var(--keep)}.s-crash .st,.s-blocked .st{color:var(--crash)}
.step .st{color:var(--step)}.s-keep .d{color:var(--keep)}
em{font-style:normal;font-size:.75rem;border:1px solid;border-radius:99px;padding:.05rem .5rem;white-space:nowrap}
em.keep{color:var(--keep)}em.crash{color:var(--crash)}
.body{padding:.5rem .35rem 1.4rem;scroll-margin-top:4rem}
.body:target{box-shadow:inset 3px 0 var(--accent);padding-left:1rem}
.body dl,.setting{display:grid;grid-template-columns:8.5rem 1fr;gap:.35rem 1rem;font-size:.9375rem}
.body dt,.setting dt{padding-top:.1rem}
.setting code{white-space:pre-wrap}
.samples{font:.8125rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.samples span{color:var(--muted);display:inline-block;width:5.5rem}
pre{margin:.35rem 0 0;padding:.75rem .9rem;background:var(--soft);border-radius:8px;overflow:auto;max-height:26rem;
line-height:1.5;tab-size:4;overflow-wrap:normal}
.patch ins,.patch del{text-decoration:none;display:inline-block;min-width:100%}
.patch ins{background:var(--ins)}.patch del{background:var(--del)}.patch i{color:var(--muted);font-style:normal}
.patch b{color:var(--step);font-weight:400}
.budget,.refused{list-style:none}.budget li+li,.refused li+li,.repeat li+li{margin-top:.7rem}
progress{display:block;width:100%;height:.6rem;margin-top:.25rem;accent-color:var(--accent)}
.refused{margin-top:.7rem}.repeat{padding-left:1.2rem}
footer{margin-top:1.75rem}
@media (max-width:40rem){
body{padding:1.5rem .75rem 2rem}
section,.tiles{padding:1.1rem .95rem;border-radius:10px}
.tiles{grid-template-columns:1fr 1fr;gap:1.1rem 1rem}.tiles dd{font-size:1.25rem}
.tiles div:nth-child(3){grid-column:1/-1}
.chart{padding:1.2rem .5rem 0 3.5rem}
.e>summary{grid-template-columns:18px auto 1fr auto auto .8rem}.t{grid-column:2/-1;grid-row:2}.d{min-width:4rem}
.body dl,.setting{grid-template-columns:1fr;gap:0}.body dd,.setting dd{margin-bottom:.55rem}
}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
@media print{body{background:none;padding:0}section,.tiles{border:0;padding:1rem 0}.filters{display:none}}
"""
