// A run for an issue or a review page: its verdict, what that is worth, and the shortest trace as a table. Markdown as
// GitHub and GitLab read it.
import type { RunReport } from '../rules/finding.ts';
import { shortest } from './mail.ts';
import type { Locate } from './places.ts';
import { changeText, gapText, laneText, shownSteps } from './steps.ts';
import { beyondText, traceHead } from './text.ts';

export function markdownRun(report: RunReport, locate: Locate): readonly string[] {
  const finding = shortest(report.findings);
  const trace = finding?.trace ?? report.trace;
  const list = (label: string, facts: readonly string[]): readonly string[] => facts.map((fact) => `- ${label}: ${escaped(fact)}`);
  const at = finding === null ? null : locate(finding.place);
  return [
    `### ${escaped(report.design)}: ${escaped(report.scenario)} from ${escaped(report.start)}: ${report.verdict}`,
    '',
    ...(finding === null || at === null ? [] : [`**${escaped(finding.message)}** (\`${at.file}:${at.line}\`, rule \`${finding.rule}\`)`, '']),
    `- explored: ${report.states.toLocaleString('en')} states, depth ${report.depth}`,
    ...list('bounds', report.bounds.length === 0 ? [] : [report.bounds.join(', ')]),
    ...list('beyond the bounds', beyondText(report)),
    ...list('bounds hit', report.boundsHit.length === 0 ? [] : [report.boundsHit.join(', ')]),
    ...list('assumed', report.assumptions),
    ...list('remark', report.remarks),
    ...(trace === null ? [] : ['', `${escaped(traceHead(trace))}:`, '', ...stepTable(trace, locate)]),
  ];
}

function stepTable(trace: NonNullable<RunReport['trace']>, locate: Locate): readonly string[] {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    row(['#', 'live frames', 'what happened', 'where', 'changes']),
    row(['--:', '---', '---', '---', '---']),
    ...shownSteps(trace).map((shown) => {
      if (shown.kind === 'gap') return row(['', '', gapText(shown.steps), '', '']);
      const { title, place, symbol, lane, changed } = shown.step;
      const where = place === null ? '' : `\`${locate(place).file}:${locate(place).line}\``;
      return row([String(shown.number), escaped(laneText(lane)), escaped(title), [where, escaped(symbol)].filter((part) => part !== '').join(' '), changed.map((change) => escaped(changeText(change))).join('<br>')]);
    }),
  ];
}

/** Characters that Markdown would take for markup; `|` ends a cell, and `_` is none inside a word. */
function escaped(text: string): string {
  return text.replaceAll(/[\\`*[\]<|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\$&');
}
