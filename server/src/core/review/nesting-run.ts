// Runs of the nesting exploration of a kernel's NMI stub, with their findings and traces.
import { outsideContexts, entrySetup } from '../contexts/entry-start.ts';
import { nestingFault, nestingModel, nestingStarts, nestingVariants } from '../contexts/nesting.ts';
import type { Nest, NestingBounds, NestingFault, NestingModel, NestingStart, NestStep } from '../contexts/nesting.ts';
import type { MachineTransition } from '../contexts/model.ts';
import { createExplorer } from '../explore/explorer.ts';
import type { Explorer } from '../explore/explorer.ts';
import { replay } from '../explore/replay.ts';
import type { CpuVariant } from '../kernel/variants.ts';
import type { CodeNode } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import type { Finding, RunReport, Trace } from '../rules/finding.ts';
import type { Rule } from '../rules/rule.ts';
import { pathPlace } from '../rules/path-vocabulary.ts';
import { NESTED_NMI_RULE } from '../rules/nested-nmi-breaks-frame.ts';
import type { KernelProgram } from './kernel-run.ts';
import { traceOf } from './trace.ts';

export interface NestingRun {
  readonly advance: (states: number) => boolean;
  readonly states: () => number;
  readonly reports: () => readonly RunReport[];
}

/** Two NMIs, a breakpoint and a page fault in the C handler show every defect of a protocol; more are asked for by name. */
export const DEFAULT_BOUNDS: NestingBounds = { nmis: 2, traps: new Map([[3, 1], [14, 1]]) };
const MOST_STATES = 2_000_000;

interface One {
  readonly variant: CpuVariant;
  readonly setup: MachineSetup;
  readonly start: NestingStart;
}

export function createNestingRun(kernel: KernelProgram, rules: readonly Rule[], bounds: NestingBounds = DEFAULT_BOUNDS, reduced = true): NestingRun {
  const { program } = kernel;
  const rule = rules.find((one) => one.name === NESTED_NMI_RULE) ?? null;
  const applies = rule !== null && program.contexts.has('inside C') && program.delivery === 'idt' && program.handlers.some((handler) => handler.vector === 2 && handler.ist.value === 'NMI');
  const waiting: One[] = !applies ? [] : nestingVariants(kernel.variants).flatMap((variant) => {
    const outside = outsideContexts(program, variant);
    const user = outside.find((one) => one.name === 'user');
    const inside = outside.find((one) => one.name === 'kernel');
    if (user === undefined || inside === undefined) return [];
    const setup = entrySetup(program);
    return nestingStarts(program, user.state, inside.state).map((start) => ({ variant, setup, start }));
  });
  const done: RunReport[] = [];
  let running: { readonly one: One; readonly explorer: Explorer; readonly model: NestingModel; fault: { readonly what: NestingFault; readonly from: number; readonly choice: number; readonly step: NestStep } | null } | null = null;
  let states = 0;
  let current = 0;

  function begin(one: One): NonNullable<typeof running> {
    const model = nestingModel(program, one.setup, one.start.state, bounds, reduced);
    const run: NonNullable<typeof running> = {
      one,
      model,
      fault: null,
      explorer: createExplorer<Nest>(model, MOST_STATES, {
        onTransition: (from, _before, choice, transition) => {
          if (run.fault !== null) return;
          const step = transition as NestStep;
          const what = nestingFault(one.setup, step, one.start.state);
          if (what !== null) run.fault = { what, from, choice, step };
        },
        enough: () => run.fault !== null,
      }),
    };
    return run;
  }

  function traceTo(run: NonNullable<typeof running>, from: number, choice: number): Trace {
    const choices = [...run.explorer.pathTo(from).choices, choice];
    const played = replay<Nest>(run.model, 0, choices);
    const transitions = (played.transitions as readonly NestStep[]).map((step): MachineTransition => ({ label: step.label, event: step.event, effects: step.effects, state: step.state.state, weight: step.weight }));
    return { ...traceOf(program, run.one.setup, 'nested NMIs', run.one.start.title, played.states.map((nest) => nest.state), transitions, choices), variant: [run.one.variant.name] };
  }

  function report(run: NonNullable<typeof running>, progress: { readonly states: number; readonly transitions: number; readonly depth: number; readonly boundHit: boolean }): RunReport {
    const { fault, one } = run;
    const findings: Finding[] = [];
    const trace = fault === null ? null : traceTo(run, fault.from, fault.choice);
    if (fault !== null && rule !== null && trace !== null) {
      const node = blamed(program.code.nodes, fault.step);
      findings.push({
        rule: rule.name,
        severity: rule.severity,
        place: pathPlace(node),
        message: `an NMI at ${node.kind === 'interrupted' ? node.text : `${node.symbol}: ${node.text}`} breaks the NMI that it interrupts: ${fault.what.what} (start: ${one.start.title}); the nested NMI must be recognised at every instruction from the entry to the return`,
        premises: [{ fact: `CPU with ${one.variant.name}`, place: null, assumed: false }],
        trace,
        related: [],
        fix: null,
        variants: [`${kernel.configuration}: ${one.variant.name}`],
      });
    }
    return {
      scenario: 'nested NMIs',
      design: `${kernel.configuration}, ${one.variant.name}`,
      start: one.start.title,
      verdict: fault !== null ? 'violated' : progress.boundHit ? 'inconclusive' : 'holds',
      states: progress.states,
      transitions: progress.transitions,
      depth: progress.depth,
      bounds: [`NMI at most ${bounds.nmis}`, ...[...bounds.traps].map(([vector, count]) => `vector ${vector} in the C handler at most ${count}`)],
      boundsHit: progress.boundHit ? [`${MOST_STATES} states`] : [],
      assumptions: ['the C handler returns with the callee-saved registers as it found them'],
      findings,
      remarks: [],
      trace,
    };
  }

  return {
    states: () => states + current,
    reports: () => done,
    advance: (more) => {
      let left = more;
      while (left > 0) {
        if (running === null) {
          const next = waiting.shift();
          if (next === undefined) return true;
          running = begin(next);
        }
        const progress = running.explorer.run(Math.ceil(left));
        left -= Math.max(1, progress.states - current);
        current = progress.states;
        if (!progress.done) continue;
        done.push(report(running, progress));
        states += progress.states;
        current = 0;
        running = null;
      }
      return running === null && waiting.length === 0;
    },
  };
}

/** The instruction that a nested NMI interrupted, where one has returned to it, else where the fault showed. */
function blamed(nodes: readonly CodeNode[], step: NestStep): CodeNode {
  for (const effect of step.effects) {
    if (effect.kind !== 'return' || effect.frame === null) continue;
    const node = nodes[effect.frame.interrupted];
    if (node !== undefined && node.kind === 'instruction') return node;
  }
  const node = nodes[step.before.node];
  if (node === undefined) throw new Error('a step of the exploration is at no node of the program');
  return node;
}
