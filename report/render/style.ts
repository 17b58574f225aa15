const lightColours = `\
  --page: #fbfaf7; --card: #ffffff; --ink: #1d2329; --muted: #5d6872; --rule: #cfd3d4; --grid: #eaeae6; --shade: #f3f2ed;
  --accent: #0b6e75; --accent-soft: #e3f0f0; --gold: #9a6a00; --gold-soft: #faf3e1; --bad: #b3261e; --bad-soft: #fdecea;
  --retained: #2f6fb3; --forget: #c8591a; --test: #3d8a53;
  --series-0: #55606b; --series-1: #b07d0a; --series-2: #2f6fb3; --series-3: #c8591a; --series-4: #3d8a53;
  --series-5: #8257a5; --series-6: #b8434e; --series-7: #1f8a9e; --series-8: #7d6144; --series-9: #b85c9b;
`

const darkColours = `\
  --page: #14181c; --card: #1b2126; --ink: #e6e9eb; --muted: #9aa7b1; --rule: #3a444c; --grid: #2a3238; --shade: #20272d;
  --accent: #5cc4c6; --accent-soft: #17363a; --gold: #e0b455; --gold-soft: #322a18; --bad: #ff8a80; --bad-soft: #3d1c1a;
  --retained: #6fabe8; --forget: #f0945a; --test: #79c48c;
  --series-0: #a9b5bf; --series-1: #e0b455; --series-2: #6fabe8; --series-3: #f0945a; --series-4: #79c48c;
  --series-5: #b99ae0; --series-6: #ef8a92; --series-7: #5cc4d6; --series-8: #c7a780; --series-9: #e39ccb;
`

const indented = (lines: string) => lines.replaceAll(/^ {2}/gm, '    ')

/** The colours of each theme, as declarations of CSS variables. */
export const themes = { light: lightColours, dark: darkColours } as const

/** The style sheet of pages, for light and dark screens and for print. Charts use its variables. */
export const style = `
:root {
  color-scheme: light dark;
${lightColours}}
@media (prefers-color-scheme: dark) {
  :root {
${indented(darkColours)}  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 48px 32px 80px; }
h1, h2, h3 { font-family: Charter, "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, serif; line-height: 1.2; }
h1 { font-size: 2.5rem; font-weight: 600; letter-spacing: -0.01em; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 1.5rem; font-weight: 600; margin: 56px 0 12px; padding-top: 20px; border-top: 1px solid var(--rule); }
h3 { font-size: 1.12rem; font-weight: 600; margin: 32px 0 6px; }
p { margin: 0 0 12px; max-width: 74ch; }
a { color: var(--accent); text-underline-offset: 2px; overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, "SF Mono", SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.86em; }
code { overflow-wrap: anywhere; }
pre { background: var(--shade); border-radius: 6px; padding: 14px 16px; overflow-x: auto; line-height: 1.5; margin: 0 0 14px; }
.eyebrow { color: var(--accent); font-size: 0.8rem; font-weight: 600; letter-spacing: 0.09em; text-transform: uppercase; margin: 0 0 10px; }
.lead { color: var(--muted); font-size: 1.1rem; margin: 0 0 28px; }
.note { color: var(--muted); font-size: 0.9rem; }
.faint, .faint small { color: var(--muted); opacity: 0.7; }
.banner { border-left: 4px solid var(--bad); background: var(--bad-soft); padding: 14px 18px; border-radius: 4px; margin: 0 0 24px; }
.banner p { max-width: none; margin: 0; }
.banner strong { color: var(--bad); }
.banner.warning, .banner.note { border-color: var(--gold); background: var(--gold-soft); color: inherit; font-size: inherit; }
.banner.warning strong, .banner.note strong { color: var(--gold); }
.banner ul { margin: 6px 0 0; padding-left: 20px; }
.framed { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 26px 28px 18px; }
.headline { font: 600 1.3rem/1.35 Charter, "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, serif; margin: 0 0 18px; max-width: 60ch; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 0 28px; margin: 0 0 14px; }
.tiles div { border-top: 2px solid var(--rule); padding: 10px 0 12px; display: flex; flex-direction: column; justify-content: space-between; }
.tiles div:first-child { border-color: var(--accent); }
.tiles dt { color: var(--muted); font-size: 0.83rem; }
.tiles dd { margin: 2px 0 0; font-size: 1.75rem; line-height: 1.2; font-weight: 600; font-variant-numeric: tabular-nums; letter-spacing: -0.01em; }
.tiles dd small { font-size: 0.9rem; font-weight: 400; color: var(--muted); letter-spacing: 0; }
.facts { margin: 16px 0 0; }
.facts div { display: grid; grid-template-columns: 130px minmax(0, 1fr); gap: 0 20px; padding: 8px 0; border-top: 1px solid var(--grid); }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.facts dd p { margin: 0; max-width: none; }
.facts strong { color: var(--ink); }
.facts + p { margin-top: 16px; }
.scroll { margin: 16px 0 8px; }
@media (max-width: 1100px) { .scroll { overflow-x: auto; } }
.scroll.wide { overflow-x: auto; }
ul.findings { margin: 0 0 12px; padding-left: 20px; max-width: 90ch; }
ul.findings li { margin: 0 0 6px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; font-variant-numeric: tabular-nums lining-nums; }
th, td { padding: 8px 10px; text-align: right; vertical-align: top; border-bottom: 1px solid var(--grid); white-space: nowrap; }
thead { position: sticky; top: 0; z-index: 2; background: var(--page); }
thead th { font-weight: 600; color: var(--muted); border-bottom: 1px solid var(--rule); vertical-align: bottom; line-height: 1.3; }
thead th small { display: block; font-weight: 400; font-size: 0.78rem; }
th:first-child, td.text, th.text { text-align: left; }
td.text, th.wrap { white-space: normal; overflow-wrap: break-word; }
td.text { min-width: 9em; }
td.text code { white-space: nowrap; }
tbody th { font-weight: 500; background: var(--page); position: sticky; left: 0; z-index: 1; white-space: normal; min-width: 132px; overflow-wrap: anywhere; }
td small { display: block; color: var(--muted); font-size: 0.78rem; line-height: 1.3; }
tr.closest th, tr.closest td { background: var(--accent-soft); }
tr.closest th { color: var(--accent); font-weight: 650; }
tr.closest td.key { color: var(--accent); font-weight: 650; }
tbody.floor th, tbody.floor td { background: var(--gold-soft); }
tbody.floor tr.about th { background: none; position: static; color: var(--gold); font-weight: 600; font-size: 0.83rem; padding-top: 22px; border-bottom: 1px solid var(--gold); }
tbody.floor tr.about span { position: sticky; left: 10px; }
td.further { color: var(--bad); }
th.split, td.split { border-left: 1px solid var(--rule); }
.missing { color: var(--bad); }
.missing a { color: inherit; text-decoration: none; }
ol.footnotes { font-size: 0.86rem; color: var(--muted); padding-left: 22px; margin: 8px 0 0; overflow-wrap: anywhere; }
.legend { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 4px 32px; font-size: 0.9rem; margin: 18px 0 0; }
.legend div { display: grid; grid-template-columns: 88px 1fr; gap: 10px; }
.legend dt { font-weight: 600; }
.legend dd { margin: 0; color: var(--muted); }
figure { margin: 18px 0 0; break-inside: avoid; min-width: 0; }
figcaption { font-size: 0.9rem; font-weight: 600; margin: 0 0 4px; overflow-wrap: anywhere; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 290px), 1fr)); gap: 10px 26px; }
.panels.pairs { grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); }
svg.chart { display: block; width: 100%; height: auto; overflow: visible; }
.swatch { display: inline-block; width: 0.72em; height: 0.72em; border-radius: 2px; margin: 0 0.3em 0 0.1em; }
.swatch.line { background: var(--ink); height: 2px; width: 1.2em; vertical-align: 0.28em; border-radius: 0; }
table.dense th, table.dense td { padding-left: 7px; padding-right: 7px; }
.swatch.dashed { background: none; border-top: 2px dashed var(--gold); height: 0; width: 1.4em; vertical-align: 0.25em; border-radius: 0; }
ul.keys { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; padding: 0; margin: 4px 0 0; font-size: 0.88rem; overflow-wrap: anywhere; }
ol.named { font-size: 0.86rem; padding-left: 24px; margin: 6px 0 0; overflow-wrap: anywhere; }
figure.wide { max-width: 760px; }
figcaption small { font-weight: 400; color: var(--muted); }
tbody th small { display: block; font-weight: 400; font-size: 0.78rem; }
thead th.group { text-align: left; }
tfoot th, tfoot td { border-bottom: 0; font-weight: 600; }
var { font-style: italic; }
sub, sup { line-height: 0; }
details { margin: 12px 0; }
summary { cursor: pointer; color: var(--accent); font-size: 0.92rem; }
details pre { margin-top: 10px; max-height: none; }
footer { margin-top: 56px; padding-top: 16px; border-top: 1px solid var(--rule); color: var(--muted); font-size: 0.86rem; overflow-wrap: anywhere; }
@media (max-width: 640px) {
  main { padding: 28px 18px 56px; }
  h1 { font-size: 1.9rem; }
  h2 { margin-top: 42px; }
  .framed { padding: 20px 18px 10px; }
  .facts div { grid-template-columns: 1fr; }
  tbody th { min-width: 104px; }
  th, td { padding: 7px 8px; }
  tbody.floor tr.about th { white-space: normal; }
}
@page { size: A4; margin: 16mm 15mm 18mm; }
@media print {
  :root {
    color-scheme: light; font-size: 10pt;
    --page: #fff; --card: #fff; --ink: #000; --muted: #444; --rule: #999; --grid: #ddd; --shade: #f4f4f4;
    --accent: #0b6e75; --accent-soft: #eef6f6; --gold: #8a5f00; --gold-soft: #fbf6ea; --bad: #b3261e; --bad-soft: #fdecea;
    --retained: #2f6fb3; --forget: #c8591a; --test: #3d8a53;
    --series-0: #55606b; --series-1: #b07d0a; --series-2: #2f6fb3; --series-3: #c8591a; --series-4: #3d8a53;
    --series-5: #8257a5; --series-6: #b8434e; --series-7: #1f8a9e; --series-8: #7d6144; --series-9: #b85c9b;
  }
  body { font-size: 10pt; line-height: 1.45; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  h1 { font-size: 2rem; }
  h2 { margin-top: 32px; padding-top: 14px; }
  p, ul.findings { max-width: none; orphans: 3; widows: 3; }
  h2, h3, figcaption, .headline, thead, p:has(+ pre) { break-after: avoid; }
  tr, li, .framed, pre, .banner, .facts div { break-inside: avoid; }
  .facts div { grid-template-columns: 48mm minmax(0, 1fr); padding: 5px 0; }
  .scroll, .scroll.wide { overflow: visible; }
  pre { white-space: pre-wrap; overflow: visible; overflow-wrap: anywhere; padding: 9px 12px; }
  table { font-size: 7.5pt; }
  thead, tbody th { position: static; }
  thead { display: table-header-group; }
  th, td { padding: 4px 5px; }
  footer { margin-top: 32px; break-inside: avoid; }
}
`
