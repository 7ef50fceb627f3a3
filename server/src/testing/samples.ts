// One finding, one run and one context as literal values, for the tests of the renderers. For tests only.
import type { Place } from '../core/base/span.ts';
import type { ContextInfo } from '../core/review-types.ts';
import type { Finding, RunReport, Trace, TraceStep } from '../core/rules/finding.ts';

const handler = 'designs/early/handler.c';
const stub = 'designs/early/entry.S';

/** Texts of the files that the samples speak of. */
export const sampleText: ReadonlyMap<string, string> = new Map([
  [
    handler,
    `/* xctx: handler vector=VE ist=VE */
void exc_demo_ve(struct pt_regs *regs)
{
	struct ve_page *page = this_cpu_ptr(&ve_page);

	resolve(regs, page->gpa);
	WRITE_ONCE(page->busy, 0);
}
`,
  ],
  [
    stub,
    `SYM_CODE_START(asm_exc_demo_ve)
	PUSH_AND_CLEAR_REGS
	movq	%rsp, %rdi
	call	exc_demo_ve
	POP_REGS
	iretq
SYM_CODE_END(asm_exc_demo_ve)
`,
  ],
]);

/** The place of a piece of the sample texts. */
export function placeOf(file: string, text: string): Place {
  const start = (sampleText.get(file) ?? '').indexOf(text);
  return { file, span: { start, end: start + text.length } };
}

const store = placeOf(handler, 'WRITE_ONCE(page->busy, 0);');
const entry = placeOf(stub, 'PUSH_AND_CLEAR_REGS');

const steps: readonly TraceStep[] = [
  {
    title: '#VE delivered on IST VE, frame at top-0x28',
    place: entry,
    symbol: 'asm_exc_demo_ve',
    lane: ['task', 'VE'],
    changed: [
      { field: 'stack', from: 'thread', to: 'IST VE' },
      { field: 'guard ve_page.busy', from: 'armed', to: 'busy' },
    ],
    steps: 1,
  },
  {
    title: 'store re-arms ve_page.busy while the frame at IST VE top-0x28 is live',
    place: store,
    symbol: 'exc_demo_ve',
    lane: ['task', 'VE'],
    changed: [{ field: 'guard ve_page.busy', from: 'busy', to: 'armed' }],
    steps: 23,
  },
  {
    title: 'NMI delivered on IST NMI, frame at top-0x28',
    place: placeOf(handler, '}'),
    symbol: 'exc_demo_ve',
    lane: ['task', 'VE', 'NMI'],
    changed: [{ field: 'stack', from: 'IST VE', to: 'IST NMI' }],
    steps: 1,
  },
  {
    title: 'the frame of the first #VE is overwritten: RIP, CS, RFLAGS, RSP and SS at IST VE top-0x28 belong to the second',
    place: null,
    symbol: '',
    lane: ['task', 'VE', 'NMI', 'VE'],
    changed: [],
    steps: 1,
  },
];

export const sampleTrace: Trace = { steps, choices: [0, 2, 1, 1, 3], scenario: 've-in-task', start: 'kernel', variant: ['!PTI'] };

export const sampleFinding: Finding = {
  rule: 'guard-cleared-on-rewinding-stack',
  severity: 'error',
  place: store,
  message: 'reentrancy word cleared on IST stack: exc_demo_ve() re-arms ve_page.busy while its frame is live',
  premises: [
    { fact: 'vector VE uses IST VE', place: placeOf(handler, 'ist=VE'), assumed: true },
    { fact: 'NMIs are not blocked', place: null, assumed: false },
  ],
  trace: sampleTrace,
  related: [{ place: entry, message: 'the frame is live from here' }],
  fix: null,
  variants: ['ve-in-task', 'perf-nmi-ve-ve'],
};

/** A warning that stands before `sampleFinding` in the file. */
export const sampleWarning: Finding = {
  rule: 'annotation-unused',
  severity: 'warning',
  place: placeOf(handler, 'ist=VE'),
  message: 'no code of this folder uses IST VE',
  premises: [],
  trace: null,
  related: [],
  fix: null,
  variants: [],
};

export const sampleRun: RunReport = {
  scenario: 've-in-task',
  design: 'early',
  start: 'kernel',
  verdict: 'violated',
  states: 812,
  transitions: 2040,
  depth: 31,
  bounds: ['NMI at most 1', 'VE at most 3', 'nesting at most 6'],
  boundsHit: ['VE at most 3'],
  assumptions: ['vector VE uses IST VE (handler.c:1)'],
  findings: [sampleFinding],
  remarks: ['VM exit because ve_page.busy was set, 14 times'],
  trace: sampleTrace,
};

/** A trace of `count` steps, of which every third changes something. */
export function longTrace(count: number): Trace {
  const made = Array.from(
    { length: count },
    (_, at): TraceStep => ({
      title: `step ${at + 1}`,
      place: null,
      symbol: '',
      lane: ['task'],
      changed: at % 3 === 0 ? [{ field: 'IF', from: '0', to: '1' }] : [],
      steps: 1,
    }),
  );
  return { ...sampleTrace, steps: made };
}

const row: ContextInfo['rows'][number] = {
  path: 'kernel, IF=1 > #VE',
  stack: 'IST VE top-0xa8',
  rewinding: true,
  cpl: 0,
  gs: 'kernel',
  cr3: 'kernel',
  interruptFlag: '0',
  nmiBlocked: 'no',
  liveFrames: ['VE at IST VE top-0x28'],
  guards: [{ name: 've_page.busy', state: 'busy' }],
  interrupters: [
    { event: 'NMI', can: 'yes', reason: 'not blocked' },
    { event: 'VE', can: 'no', reason: 've_page.busy is set: a violation is a VM exit' },
    { event: 'IRQ', can: 'no', reason: 'IF is 0' },
  ],
  way: [
    { place: entry, title: '#VE delivered on IST VE' },
    { place: placeOf(stub, 'call'), title: 'exc_demo_ve() called' },
  ],
};

export const sampleContext: ContextInfo = {
  symbol: 'exc_demo_ve',
  text: 'WRITE_ONCE(page->busy, 0)',
  place: store,
  rows: [
    row,
    {
      ...row,
      path: 'task > NMI > #VE',
      nmiBlocked: 'yes',
      liveFrames: ['NMI at IST NMI top-0x28', 'VE at IST VE top-0x28'],
      interrupters: [{ event: 'NMI', can: 'no', reason: 'blocked: an NMI handler runs and no IRET was executed' }, ...row.interrupters.slice(1)],
    },
  ],
  unknown: ['unknown: needs the body of resolve()'],
  silence: null,
};
