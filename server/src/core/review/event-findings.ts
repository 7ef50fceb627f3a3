// What events that were tried found, and the traces that show it: the short one from the instruction on, and the whole way
// from outside the kernel.
import { outermost } from '../base/span.ts';
import type { Place } from '../base/span.ts';
import type { Reached } from '../contexts/entry-analysis.ts';
import { changes, project } from '../contexts/projection.ts';
import type { CodeNode } from '../machine/code.ts';
import type { Finding, Trace } from '../review-types.ts';
import { NESTED_NMI_RULE } from '../rules/nested-nmi-breaks-frame.ts';
import { pathPlace } from '../rules/path-vocabulary.ts';
import { eventTitle } from './arrivals.ts';
import type { Bench, Tried } from './event-bench.ts';
import type { Followed } from './event-follow.ts';
import { titleIn } from './kernel-context.ts';
import { outermostOf, wayOf } from './path-trace.ts';
import { traceOf } from './trace.ts';

/** `#VE, NMI`. */
export function nameOf(vectors: readonly number[]): string {
  return vectors.map(eventTitle).join(', ');
}

/** From the instruction on. */
export function shortTrace({ kernel, run }: Bench, reached: Reached, followed: Followed, vectors: readonly number[]): Trace {
  const states = [reached.state, ...followed.transitions.map((transition) => transition.state)];
  return { ...traceOf(kernel.program, run.analysis.setup, `${nameOf(vectors)} here`, reached.start.from, states, followed.transitions, []), start: titleIn(reached.start), variant: [reached.start.variant.name] };
}

/** The whole way, from outside the kernel to what goes wrong. */
function wholeTrace({ kernel, run }: Bench, reached: Reached, followed: Followed, vectors: readonly number[], title: string, place: Place): Trace {
  const { setup } = run.analysis;
  const { program } = kernel;
  const { states, transitions } = wayOf(program, setup, reached.start, reached.choices, reached.steps);
  const all = [...transitions, ...followed.transitions];
  const passed = [...states, ...followed.transitions.map((transition) => transition.state)];
  const outside = outermostOf(reached.start).from;
  const trace = traceOf(program, setup, `${nameOf(vectors)} here`, outside, passed, all, []);
  const last = passed.at(-1);
  const before = passed.at(-2);
  const told = trace.steps.reduce((sum, step) => sum + step.steps, 0);
  if (last === undefined || before === undefined || told >= all.length) return { ...trace, start: outside, variant: [reached.start.variant.name] };
  const now = project(program, setup, last, outside);
  const final = { title, place, symbol: followed.node?.symbol ?? '', lane: now.lane, changed: changes(project(program, setup, before, outside), now), steps: all.length - told };
  return { ...trace, start: outside, variant: [reached.start.variant.name], steps: [...trace.steps, final] };
}

export function findingsOf(bench: Bench, { reached, followed }: Tried, vectors: readonly number[]): readonly Finding[] {
  if (followed === null || followed.wrong === null || followed.node === null) return [];
  const { wrong, node } = followed;
  const at = bench.kernel.program.code.nodes[reached.state.node];
  const where = `${nameOf(vectors)} at ${at === undefined ? 'an instruction' : `${at.symbol}: ${at.text}`}`;
  const plain = { fix: null, variants: [`${bench.kernel.configuration}: ${reached.start.variant.name}`] } as const;
  if (wrong.kind === 'rule') {
    return wrong.heard.map(({ rule, judgement }) => ({
      ...plain,
      rule: rule.name,
      severity: judgement.severity ?? rule.severity,
      place: judgement.place,
      message: judgement.message,
      premises: judgement.premises,
      trace: wholeTrace(bench, reached, followed, vectors, judgement.message.split(';')[0] ?? '', judgement.place),
      related: judgement.related ?? [],
    }));
  }
  const place = shownPlace(node);
  const nmi = wrong.frame?.vector === 2 && vectors.includes(2);
  return [{
    ...plain,
    rule: wrong.kind === 'wrong-return' ? 'frame-unbalanced-at-return' : nmi ? NESTED_NMI_RULE : 'frame-overwritten',
    severity: 'error',
    place,
    message: `${where}: ${wrong.what}`,
    premises: [{ fact: `${titleIn(reached.start)}, CPU with ${reached.start.variant.name}`, place: null, assumed: false }],
    trace: wholeTrace(bench, reached, followed, vectors, wrong.what, place),
    related: [],
  }];
}

function shownPlace(node: CodeNode): Place {
  return node.kind === 'interrupted' ? outermost(node.origin) : pathPlace(node);
}

/** Each once, with the shortest trace and all CPUs on which it shows. */
export function mergeFindings(findings: readonly Finding[]): readonly Finding[] {
  const merged = new Map<string, Finding>();
  for (const finding of findings) {
    const key = `${finding.rule}@${finding.place.file}:${finding.place.span.start}`;
    const before = merged.get(key);
    if (before === undefined) merged.set(key, finding);
    else merged.set(key, { ...(lengthOf(finding) < lengthOf(before) ? finding : before), variants: [...new Set([...before.variants, ...finding.variants])] });
  }
  return [...merged.values()];
}

function lengthOf(finding: Finding): number {
  return finding.trace?.steps.reduce((sum, step) => sum + step.steps, 0) ?? Infinity;
}
