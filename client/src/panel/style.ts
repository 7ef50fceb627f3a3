// Style of the panels: colours are the theme's, meaning is never in colour alone.

export const style = `
body { margin: 0; padding: 0; color: var(--vscode-foreground); font: var(--vscode-font-size) var(--vscode-font-family); }
main { display: flex; flex-direction: column; height: 100vh; box-sizing: border-box; padding: 8px 12px 0; }
header { flex: none; max-height: 45vh; overflow: auto; }
h1 { font-size: 1.15em; font-weight: 600; margin: 0 0 6px; overflow-wrap: anywhere; }
p { margin: 0 0 6px; overflow-wrap: anywhere; }
.verdict { font-weight: 700; }
.violated, .finding { color: var(--vscode-errorForeground); }
.holds { color: var(--vscode-testing-iconPassed, var(--vscode-foreground)); }
.vacuous, .inconclusive, .stopped { color: var(--vscode-editorWarning-foreground, var(--vscode-foreground)); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 1px 10px; margin: 0 0 6px; }
dt { grid-column: 1; color: var(--vscode-descriptionForeground); }
dd { grid-column: 2; margin: 0; overflow-wrap: anywhere; }
label.runs { display: flex; flex-wrap: wrap; gap: 2px 8px; align-items: baseline; margin-bottom: 6px; }
select { max-width: 100%; min-width: 0; color: var(--vscode-dropdown-foreground); background: var(--vscode-dropdown-background); border: 1px solid var(--vscode-dropdown-border, transparent); font: inherit; }
.tools { flex: none; display: flex; flex-wrap: wrap; gap: 6px; align-items: center; padding: 4px 0 6px; border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent)); }
input { flex: 1 1 8em; min-width: 6em; padding: 3px 6px; font: inherit; color: var(--vscode-input-foreground); background: var(--vscode-input-background); border: 1px solid var(--vscode-input-border, transparent); }
button { font: inherit; padding: 3px 8px; border: 1px solid var(--vscode-button-border, transparent); cursor: pointer; color: var(--vscode-button-secondaryForeground); background: var(--vscode-button-secondaryBackground); }
button:hover { background: var(--vscode-button-secondaryHoverBackground); }
button[aria-pressed="true"] { border-color: var(--vscode-focusBorder); text-decoration: underline; }
button.link, td button.verdict { padding: 0; border: none; background: none; text-decoration: underline; }
button.link { color: var(--vscode-textLink-foreground); }
td button.violated { color: var(--vscode-errorForeground); }
td button.holds { color: var(--vscode-testing-iconPassed, var(--vscode-foreground)); }
td button.vacuous, td button.inconclusive { color: var(--vscode-editorWarning-foreground, var(--vscode-foreground)); }
.count, .where, .number, .hidden-steps { color: var(--vscode-descriptionForeground); }
#steps { flex: 1 1 auto; overflow: auto; outline-offset: -1px; padding: 4px 0; }
:focus-visible { outline: 1px solid var(--vscode-focusBorder); }
.step { display: flex; gap: 8px; padding: 3px 4px; cursor: pointer; border-left: 3px solid transparent; }
.step:hover { background: var(--vscode-list-hoverBackground); }
.step[aria-selected="true"] { color: var(--vscode-list-inactiveSelectionForeground, inherit); background: var(--vscode-list-inactiveSelectionBackground); border-left-color: var(--vscode-focusBorder); }
#steps:focus .step[aria-selected="true"] { color: var(--vscode-list-activeSelectionForeground); background: var(--vscode-list-activeSelectionBackground); }
#steps:focus .step[aria-selected="true"] :is(.where, .number) { color: inherit; }
.number { flex: none; width: max(2.2em, calc(var(--digits, 1) * 1ch)); text-align: right; font-variant-numeric: tabular-nums; }
.lanes { flex: none; display: flex; gap: 3px; width: 30px; }
.lanes i { width: 4px; border-radius: 2px; background: var(--vscode-charts-blue); }
.lanes i[data-depth="1"] { background: var(--vscode-charts-orange); }
.lanes i[data-depth="2"] { background: var(--vscode-charts-red); }
.lanes i[data-depth="3"] { background: var(--vscode-charts-purple); }
.lanes i[data-depth="4"] { background: var(--vscode-charts-green); }
.lanes i[data-depth="5"] { background: var(--vscode-charts-yellow); }
.body { min-width: 0; overflow-wrap: anywhere; }
.where { font-size: 0.92em; }
.place { font-family: var(--vscode-editor-font-family); text-decoration: underline; }
.changes { list-style: none; margin: 1px 0 0; padding: 0; font-family: var(--vscode-editor-font-family); font-size: 0.92em; }
.changes b { font-weight: 600; }
.changes s { text-decoration: none; opacity: 0.8; }
.changes em { font-style: normal; font-weight: 600; }
.hidden-steps { padding: 2px 0 2px 3em; font-style: italic; }
.wide { overflow: auto; padding-bottom: 12px; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 4px 10px; border: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent)); }
thead th { position: sticky; top: 0; background: var(--vscode-editor-background); font-weight: 600; }
`;
