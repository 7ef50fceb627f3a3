/// <reference lib="dom" />
// The comparison page: designs as rows, scenario and start as columns, a verdict in each cell that opens its trace.
import type { CompareResult } from '../../../server/src/lsp/protocol.ts';
import { element, on } from './dom.ts';
import type { FromPage } from './messages.ts';
import { verdictText } from './trace-model.ts';

export function drawComparison(root: HTMLElement, result: CompareResult, post: (message: FromPage) => void): void {
  const columns = [...new Set(result.rows.flatMap((row) => row.runs.map((run) => `${run.scenario} from ${run.start}`)))].sort();
  const head = element('tr', {}, element('th', { scope: 'col' }, 'Design'), ...columns.map((column) => element('th', { scope: 'col' }, column)));
  const body = result.rows.map((row, rowIndex) =>
    element(
      'tr',
      {},
      element(
        'th',
        { scope: 'row' },
        on(element('button', { type: 'button', class: 'link', title: `Open ${row.folder}` }, row.design), 'click', () => post({ kind: 'open', uri: row.uri })),
        row.stopped === null ? null : element('div', { class: 'stopped' }, `incomplete: ${row.stopped}`),
      ),
      ...columns.map((column) => {
        const index = row.runs.findIndex((run) => `${run.scenario} from ${run.start}` === column);
        const run = row.runs[index];
        if (run === undefined) return element('td', {}, 'not run');
        const open = element('button', { type: 'button', class: `verdict ${run.verdict ?? 'finding'}`, title: run.message ?? 'Show the run' }, verdictText(run));
        return element('td', {}, on(open, 'click', () => post({ kind: 'run', row: rowIndex, run: index })), element('div', { class: 'where' }, `${run.states ?? 0} states`));
      }),
    ),
  );
  root.replaceChildren(
    element('h1', {}, 'Designs and verdicts'),
    ...result.notes.map((note) => element('p', {}, note)),
    element('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-label': 'Verdicts' }, element('table', {}, element('thead', {}, head), element('tbody', {}, ...body))),
  );
}
