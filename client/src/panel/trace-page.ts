/// <reference lib="dom" />
// The trace page: verdict and what it is worth, then the steps as a list that the keyboard moves through. Redraws the
// list when the choices change, and only marks it when the selection moves. A trace may have thousands of steps.
import type { ViewStep } from '../../../server/src/lsp/protocol.ts';
import { element, on } from './dom.ts';
import { lazyList } from './lazy-list.ts';
import type { FromPage, ToPage, TraceState } from './messages.ts';
import { neighbour, placeText, rowOfStep, rowsOf, runLabel, shownSteps, stepAtLine, summary, verdictText, worth } from './trace-model.ts';
import type { Row, Shown } from './trace-model.ts';

export interface PageHost {
  readonly post: (message: FromPage) => void;
  /** Called for each of the reader's choices. */
  readonly keep: (state: TraceState) => void;
}

export interface TracePage {
  readonly receive: (message: ToPage) => void;
}

export function tracePage(root: HTMLElement, host: PageHost, kept: TraceState | null): TracePage {
  let state: TraceState = kept ?? { kind: 'trace', runs: [], stopped: null, run: 0, step: 0, filter: '', follow: false, onlyChanges: false };
  let shown: readonly Shown[] = [];
  let marked: Element | null = null;
  const header = element('header', {});
  const list = on(element('div', { role: 'listbox', id: 'steps', tabindex: '0', 'aria-label': 'Steps of the trace' }), 'keydown', onKey);
  const steps = lazyList(list, drawRow);
  const count = element('span', { class: 'count', role: 'status' });
  const filter = on(element('input', { type: 'search', placeholder: 'Filter steps', 'aria-label': 'Filter steps' }), 'input', () => {
    update({ filter: filter.value });
    drawList();
  });
  const changes = toggle('Only changes', 'Hide steps that change nothing', () => {
    update({ onlyChanges: !state.onlyChanges });
    drawList();
  });
  const follow = toggle('Follow editor', 'Select the step of the line where the cursor is', () => {
    update({ follow: !state.follow });
    drawToggles();
  });
  const copy = on(element('button', { type: 'button', title: 'Copy the trace as text for a mail, at most 72 columns' }, 'Copy as text'), 'click', () => {
    const view = state.runs[state.run];
    if (view !== undefined) host.post({ kind: 'copy', text: view.text });
  });
  const replay = on(element('button', { type: 'button', title: 'Step through this trace in the debugger, forwards and backwards' }, 'Replay in debugger'), 'click', () => {
    const key = state.runs[state.run]?.replay;
    if (key !== undefined) host.post({ kind: 'debug', replay: key });
  });
  on(filter, 'keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'Enter') {
      event.preventDefault();
      list.focus();
    }
  });
  root.replaceChildren(header, element('div', { class: 'tools', role: 'toolbar', 'aria-label': 'Trace' }, filter, changes, follow, copy, replay, count), list);
  draw();
  if (kept !== null) markSelected(true);

  function update(part: Partial<TraceState>): void {
    state = { ...state, ...part };
    host.keep(state);
  }

  function draw(): void {
    filter.value = state.filter;
    drawHeader();
    drawList();
  }

  function drawHeader(): void {
    const view = state.runs[state.run];
    replay.hidden = view?.replay === undefined;
    if (view === undefined) {
      header.replaceChildren(element('p', {}, 'No trace is shown. Run a scenario, or use "Show trace" on a finding.'));
      return;
    }
    const choose = element('select', { 'aria-label': 'Run' }, ...state.runs.map((run, index) => element('option', { value: String(index), selected: index === state.run }, runLabel(run))));
    on(choose, 'change', () => {
      update({ run: Number(choose.value), step: 0 });
      draw();
    });
    const { rule } = view;
    const explain = rule === null ? null : on(element('button', { type: 'button', class: 'link' }, rule), 'click', () => host.post({ kind: 'rule', name: rule }));
    header.replaceChildren(
      element('h1', {}, element('span', { class: `verdict ${view.verdict ?? 'finding'}` }, verdictText(view)), ` ${view.verdict === null ? view.design : view.title}`),
      ...(state.runs.length > 1 ? [element('label', { class: 'runs' }, summary(state.runs), ' ', choose)] : []),
      ...(view.message === null ? [] : [element('p', { class: 'message' }, view.message, explain === null ? null : ' ', explain)]),
      ...(view.verdict === null ? [element('p', {}, `Scenario ${view.scenario} from ${view.start}`)] : []),
      ...(state.stopped === null ? [] : [element('p', { class: 'stopped' }, `Incomplete: ${state.stopped}`)]),
      element('dl', {}, ...worth(view).flatMap(({ name, facts }) => [element('dt', {}, name), ...facts.map((fact) => element('dd', {}, fact))])),
    );
  }

  function drawList(): void {
    drawToggles();
    const view = state.runs[state.run];
    const rows = view === undefined ? [] : rowsOf(view, state);
    shown = shownSteps(rows);
    const total = view?.steps.length ?? 0;
    count.textContent = shown.length === total ? `${total} steps` : `${shown.length} of ${total} steps`;
    list.style.setProperty('--digits', String(String(total).length));
    steps.show(rows);
    if (view !== undefined && total === 0) list.replaceChildren(element('p', { class: 'hidden-steps' }, emptyText(view.verdict)));
    markSelected(false);
  }

  function drawRow(row: Row): HTMLElement {
    if (row.kind === 'hidden') return element('div', { class: 'hidden-steps', role: 'presentation' }, `${row.count} ${row.count === 1 ? 'step' : 'steps'} hidden`);
    const { index, step } = row;
    const made = element(
      'div',
      { class: 'step', role: 'option', id: `step-${index}`, 'data-step': String(index), 'aria-posinset': String(index + 1), 'aria-setsize': String(state.runs[state.run]?.steps.length ?? 0) },
      element('span', { class: 'number' }, String(index + 1)),
      element('span', { class: 'lanes', 'aria-hidden': 'true' }, ...step.lane.map((frame, depth) => element('i', { title: frame, 'data-depth': String(depth % 6) }))),
      element(
        'div',
        { class: 'body' },
        element('div', { class: 'title' }, step.title),
        element('div', { class: 'where' }, ...whereOf(step)),
        step.changed.length === 0
          ? null
          : element('ul', { class: 'changes' }, ...step.changed.map(({ field, from, to }) => element('li', {}, element('b', {}, field), ': ', element('s', {}, from), ' \u2192 ', element('em', {}, to)))),
      ),
    );
    return on(made, 'click', () => {
      select(index);
      jump(index, true);
    });
  }

  function whereOf(step: ViewStep): readonly HTMLElement[] {
    const parts: readonly (readonly [string, string])[] = [
      ['place', placeText(step)],
      ['symbol', step.symbol],
      ['lane', step.lane.join(' > ')],
      ['merged', step.merged > 1 ? `${step.merged} machine steps` : ''],
    ];
    const shown = parts.filter(([, text]) => text !== '');
    return shown.map(([kind, text], at) => element('span', {}, at === 0 ? '' : ' \u00b7 ', element('span', { class: kind }, text)));
  }

  function drawToggles(): void {
    changes.setAttribute('aria-pressed', String(state.onlyChanges));
    follow.setAttribute('aria-pressed', String(state.follow));
  }

  function select(index: number): void {
    update({ step: index });
    markSelected(true);
  }

  function markSelected(scroll: boolean): void {
    marked?.removeAttribute('aria-selected');
    const row = rowOfStep(shown, state.step);
    marked = row === null ? null : steps.hold(row);
    marked?.setAttribute('aria-selected', 'true');
    if (marked === null) list.removeAttribute('aria-activedescendant');
    else list.setAttribute('aria-activedescendant', `step-${state.step}`);
    if (scroll) marked?.scrollIntoView({ block: 'nearest' });
  }

  function jump(index: number, focus: boolean): void {
    const at = state.runs[state.run]?.steps[index]?.at;
    if (at !== null && at !== undefined) host.post({ kind: 'jump', at, focus });
  }

  function onKey(event: KeyboardEvent): void {
    const moves: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1_000_000, End: 1_000_000 };
    const by = moves[event.key];
    if (by !== undefined) {
      select(neighbour(shown, state.step, by));
      jump(state.step, false);
    } else if (event.key === 'Enter' || event.key === ' ') {
      jump(state.step, true);
    } else if (event.key === '/') {
      filter.focus();
    } else {
      return;
    }
    event.preventDefault();
  }

  return {
    receive: (message) => {
      if (message.kind === 'show') {
        update({ runs: message.runs, stopped: message.stopped, run: message.selected, step: 0, filter: '' });
        draw();
        list.focus();
      }
      const view = state.runs[state.run];
      if (message.kind === 'cursor' && state.follow && view !== undefined) {
        const step = stepAtLine(view, state.step, message.uri, message.line);
        if (step !== null && step !== state.step) select(step);
      }
    },
  };
}

function emptyText(verdict: string | null): string {
  switch (verdict) {
    case 'holds':
      return 'Nothing broke it, so there is no trace.';
    case 'vacuous':
      return 'What the scenario must see never happened, so the run proves nothing.';
    case 'inconclusive':
      return 'A bound was hit before an answer was found.';
    default:
      return 'There is no trace to show.';
  }
}

function toggle(text: string, title: string, work: () => void): HTMLButtonElement {
  return on(element('button', { type: 'button', 'aria-pressed': 'false', title }, text), 'click', work);
}
