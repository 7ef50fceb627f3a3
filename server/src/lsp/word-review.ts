// A review of a toy language for the tests of protocol and worker: findings are words. `bad` is found while typing, `ugly`
// by exploration, `slow` makes exploration long, `endless` makes it hit a bound, `broken` makes it throw, `deadly` ends the
// thread that reads it.
import type { Place, Span } from '../core/base/span.ts';
import type { Exploration, Finding, Review, RunReport, Scenario, TextEdit, Trace, Workspace } from '../core/review-types.ts';
import { folderOf } from './paths.ts';

export interface WordReviewOptions {
  readonly workspace: Workspace;
  /** In the thread of the worker: reading `deadly` throws out of the review. */
  readonly mortal: boolean;
}

export const longRun = 1_000_000_000;

export function createWordReview({ workspace, mortal }: WordReviewOptions): Review {
  const open = new Map<string, string>();
  const text = (file: string): string | null => open.get(file) ?? workspace.read(file);

  function set(file: string, given: string): void {
    if (mortal && given.includes('deadly')) throw new Error('the word deadly was read');
    open.set(file, given);
  }

  function filesOf(folder: string): readonly string[] {
    const names = workspace.list(folder).map((name) => `${folder}/${name}`);
    return [...new Set([...names, ...[...open.keys()].filter((file) => folderOf(file) === folder)])].sort();
  }

  function findingsOf(folder: string): readonly Finding[] {
    return filesOf(folder).flatMap((file) => words(text(file) ?? '', 'ugly').map((span) => uglyFinding(file, span)));
  }

  function exploration(folder: string, name: string): Exploration {
    const all = filesOf(folder).map((file) => text(file) ?? '').join('\n');
    const total = all.includes('slow') ? longRun : Math.max(1, all.length);
    let states = 0;
    return {
      run: (more) => {
        if (all.includes('broken')) throw new Error('the word broken was explored');
        states = Math.min(total, states + more);
        return { scenario: name, start: 'user', states, depth: Math.ceil(Math.log2(states + 1)), done: states === total };
      },
      reports: () => (states === total ? [{ ...reportOf(folder, name, states, findingsOf(folder)), ...(all.includes('endless') ? { verdict: 'inconclusive' as const, boundsHit: ['words are read for ever'] } : {}) }] : []),
    };
  }

  return {
    setFile: set,
    editFile: (file, edits) => set(file, applied(text(file) ?? '', edits)),
    closeFile: (file) => void open.delete(file),
    fileChanged: () => undefined,
    text,
    unitOf: (file) => (/\.(?:S|c)$/.test(file) ? { folder: folderOf(file), name: folderOf(file).split('/').at(-1) ?? '', files: filesOf(folderOf(file)) } : null),
    scenarios: () => [walk],
    accepted: () => [],
    syntaxFindings: () => null,
    quickFindings: (file) => words(text(file) ?? '', 'bad').map((span) => badFinding(file, span)),
    explore: (folder) => exploration(folder, walk.name),
    shares: () => null,
    exploreShare: (folder) => ({ ...exploration(folder, walk.name), coverage: () => [] }),
    exploreRest: (folder) => exploration(folder, walk.name),
    run: (folder, scenario) => (scenario === walk.name ? exploration(folder, scenario) : null),
    test: (folder, scenario) => (scenario === walk.name ? exploration(folder, scenario) : null),
    divergence: () => null,
    entryPrograms: () => [],
    findings: (_folder, reports) => reports.flatMap((report) => report.findings),
    replay: (folder, _scenario, _start, choices) => {
      const [file, start] = [filesOf(folder)[0], choices[0]];
      return file === undefined || start === undefined ? null : traceOf(file, choices);
    },
    playback: () => null,
    invariants: () => [],
    contextAt: (file, offset) => {
      const span = wordAt(text(file) ?? '', offset);
      if (span === null) return null;
      const row = { path: 'kernel, IF=1 > #VE', stack: 'IST VE', rewinding: true, cpl: 0, gs: 'kernel', cr3: 'kernel', interruptFlag: '0', nmiBlocked: 'no', liveFrames: ['user', '#VE'] };
      const interrupters = [
        { event: 'NMI', can: 'yes', reason: 'not blocked' },
        { event: 'IRQ', can: 'no', reason: 'masked: IF is 0' },
      ] as const;
      const way = [{ place: { file, span }, title: 'entry | first' }];
      return { symbol: 'demo_ve', text: (text(file) ?? '').slice(span.start, span.end), place: { file, span }, rows: [{ ...row, guards: [{ name: 've.busy', state: 'busy' }], interrupters, way }], unknown: ['unknown: needs a linker script'], silence: null };
    },
    knownContext: () => null,
    contextChanges: () => null,
    sameCode: () => false,
    prepareContexts: () => true,
    prepareAt: () => true,
    raise: () => null,
    survey: () => null,
    eventsAt: () => null,
    entryIn: () => null,
    hierarchyAt: () => null,
    incoming: () => [],
    outgoing: () => [],
    prepareHierarchy: () => true,
    eventNamed: () => ({ name: null, names: [] }),
    inKernelTree: () => false,
    stands: () => true,
    verifiedFix: (_folder, finding) => finding.fix,
    hover: () => null,
    complete: (_file, offset) => [{ label: 'guard', detail: 'annotation', documentation: 'declares a guard', insert: 'guard', span: { start: offset, end: offset } }],
    symbols: (file) => words(text(file) ?? '', 'entry').map((span) => ({ name: 'entry', detail: '', kind: 'entry', span, nameSpan: span, children: [] })),
    folds: (file) => [{ start: 0, end: (text(file) ?? '').length }],
    definition: (file) => [{ file, span: { start: 0, end: 1 } }],
    rules: () => [{ name: 'bad-word', id: 'XR-BAD01', group: 'words', severity: 'warning', summary: 'the word bad', markdown: '# bad-word\n' }],
    references: () => [],
    rename: () => ({ kind: 'refused', reason: 'words are not renamed' }),
    links: () => [],
    semanticTokens: () => [],
    inactive: () => [],
    workspaceSymbols: () => [],
    indexDefinitions: () => undefined,
    expansion: () => null,
    expansions: () => [],
    expansionAt: () => null,
    configure: () => undefined,
    configurationOf: () => 'none',
    coverage: () => null,
    symbolAt: () => null,
    sidecarFolder: folderOf,
    hasEntries: () => true,
    readWhole: () => undefined,
    unknown: () => [],
    release: () => open.clear(),
  };
}

const walk: Scenario = {
  name: 'walk',
  title: 'Walk over the words',
  why: 'Every word is visited once',
  delivery: 'idt',
  machine: { vendor: null, guest: null, features: [] },
  needs: [],
  start: ['user'],
  first: null,
  initial: { interruptFlag: null, gs: null, cr3: null, registers: new Map() },
  steps: [],
  budgets: [],
  memory: [],
  guards: [],
  handlers: [],
  expect: [],
  where: [],
  depth: 1,
  awaited: 'holds',
  maxStates: longRun,
  place: null,
};

function applied(text: string, edits: readonly TextEdit[]): string {
  return edits.reduce((now, { span, newText }) => now.slice(0, span.start) + newText + now.slice(span.end), text);
}

function words(text: string, word: string): readonly Span[] {
  return [...text.matchAll(new RegExp(`\\b${word}\\b`, 'g'))].map(({ index }) => ({ start: index, end: index + word.length }));
}

function wordAt(text: string, offset: number): Span | null {
  for (const match of text.matchAll(/\w+/g)) {
    const span = { start: match.index, end: match.index + match[0].length };
    if (span.start <= offset && offset <= span.end) return span;
  }
  return null;
}

function badFinding(file: string, span: Span): Finding {
  const place: Place = { file, span };
  const fix = { title: 'Write good instead', edits: [{ place, newText: 'good' }] };
  return { rule: 'bad-word', severity: 'warning', place, message: 'the word bad is written', premises: [], trace: null, related: [], fix, variants: [] };
}

function uglyFinding(file: string, span: Span): Finding {
  const premises = [{ fact: 'words are visited in order', place: null, assumed: true }];
  return { rule: 'ugly-word', severity: 'error', place: { file, span }, message: `ugly word at ${span.start}`, premises, trace: traceOf(file, [span.start]), related: [], fix: null, variants: [] };
}

/** The steps follow from the choices: a trace sent as a key is made whole by this. */
function traceOf(file: string, choices: readonly number[]): Trace {
  const start = choices[0] ?? 0;
  const step = { symbol: `word ${start}`, lane: ['task', 'NMI'], steps: 1 };
  return {
    scenario: walk.name,
    start: 'user',
    variant: [],
    choices,
    steps: [
      { ...step, title: 'the walk begins', place: { file, span: { start: 0, end: 1 } }, changed: [] },
      { ...step, title: 'the word is reached', place: { file, span: { start, end: start + 4 } }, changed: [{ field: 'word', from: '0', to: String(start) }] },
    ],
  };
}

function reportOf(folder: string, scenario: string, states: number, findings: readonly Finding[]): RunReport {
  const trace = findings[0]?.trace ?? null;
  return { scenario, design: folder.split('/').at(-1) ?? '', start: 'user', verdict: trace === null ? 'holds' : 'violated', states, transitions: states, depth: 1, bounds: ['words at most 1'], boundsHit: [], assumptions: [], findings, remarks: [], trace };
}
