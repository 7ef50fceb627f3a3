// Contexts for hovers: what can hold at each node, from a bounded exploration with one event of each kind, and who can
// interrupt there, with the reason for each that cannot.
import type { Place } from '../base/span.ts';
import { contains, outermost } from '../base/span.ts';
import { createExplorer } from '../explore/explorer.ts';
import { replay } from '../explore/replay.ts';
import type { Explorer } from '../explore/explorer.ts';
import { machineModel } from '../contexts/model.ts';
import type { MachineModel, MachineTransition } from '../contexts/model.ts';
import { project } from '../contexts/projection.ts';
import type { Projection } from '../contexts/projection.ts';
import { handles, prepare } from '../contexts/setup.ts';
import type { MachineSetup } from '../machine/config.ts';
import type { NodeId } from '../machine/code.ts';
import type { State } from '../machine/state.ts';
import { IF } from '../machine/state.ts';
import { VECTORS, vectorTitle } from '../machine/vectors.ts';
import type { Program } from '../program/program.ts';
import type { ContextInfo, ContextRow, Interrupter } from '../context-types.ts';
import type { Scenario, StartContext } from '../scenarios/scenario.ts';
import { traceOf } from './trace.ts';

/** States of the exploration that answers hovers; what lies beyond is said to be missing. */
const MOST_STATES = 30_000;
/** States explored from one start before the next start has its turn. */
const SLICE = 250;
/** States that a hover may wait for; the rest is explored when the editor is idle. */
const AT_ONCE = 1_000;
/** Distinct contexts kept at one node. */
const MOST_ROWS = 16;

interface Seen {
  readonly projection: Projection;
  readonly state: State;
  readonly from: number;
  readonly choice: number;
  readonly start: number;
}

interface Tier {
  readonly start: StartContext;
  readonly setup: MachineSetup;
  readonly model: MachineModel;
  readonly explorer: Explorer;
}

export interface Contexts {
  /** Explores up to `states` further states; true when there is nothing left. */
  readonly advance: (states: number) => boolean;
  /** Contexts at an offset, from what was explored so far. */
  readonly at: (file: string, offset: number) => ContextInfo | null;
}

const STARTS: readonly StartContext[] = ['user', 'kernel', 'kernel-irqs-off', 'gap'];

function oneOfEach(program: Program): Scenario {
  const budgets = VECTORS.filter((vector) => handles(program, vector.name) && ['NMI', 'MC', 'VE', 'PF', 'DB'].includes(vector.name)).map((vector) => ({ event: vector.name, count: 1 }));
  const raises = budgets.map((budget) => budget.event).filter((event) => event !== 'NMI' && event !== 'DB');
  return {
    name: 'contexts',
    title: 'one event of each kind',
    why: 'contexts for hovers',
    delivery: program.delivery,
    start: STARTS,
    first: null,
    needs: [],
    budgets,
    memory: [{ name: 'user memory', raises, resolves: 'never', mapped: 'user' }],
    guards: [],
    handlers: [],
    expect: [],
    depth: 3,
    awaited: 'holds',
    maxStates: MOST_STATES,
    place: null,
    machine: { vendor: null, guest: null, features: [] },
    initial: { interruptFlag: null, gs: null, cr3: null, registers: new Map() },
    steps: [],
    where: [],
  };
}

export function createContexts(program: Program): Contexts {
  const table = new Map<NodeId, Map<string, Seen>>();
  const scenario = oneOfEach(program);
  const tiers: Tier[] = [];
  const waiting: Tier[] = [];
  let bounded = false;

  STARTS.forEach((start, index) => {
    const { setup, initial } = prepare(program, scenario, start);
    let from = 0;
    let choice = 0;
    const note = (state: State): void => {
      const rows = table.get(state.node) ?? new Map<string, Seen>();
      if (rows.size >= MOST_ROWS) return;
      const projection = project(program, setup, state, start);
      const key = `${projection.lane.join('>')}|${projection.stack}|${projection.gs}|${projection.interruptFlag}|${projection.nmiBlocked}|${projection.guards.map((guard) => guard.state).join()}`;
      if (rows.has(key)) return;
      rows.set(key, { projection, state, from, choice, start: index });
      table.set(state.node, rows);
    };
    const passing: State[] = [];
    const model = machineModel(setup, [initial], { passed: (state) => passing.push(state) });
    const noted: MachineModel = {
      ...model,
      successors: (state) => {
        passing.length = 0;
        return model.successors(state);
      },
    };
    const explorer = createExplorer<State>(noted, MOST_STATES, {
      onTransition: (parent, _before, taken, transition) => {
        from = parent;
        choice = taken;
        for (const state of passing) note(state);
        note(transition.state);
      },
    });
    const tier = { start, setup, model, explorer };
    tiers.push(tier);
    waiting.push(tier);
  });

  /** Explores in turn from each start; true at the end. */
  function advance(states: number): boolean {
    let left = states;
    while (left > 0) {
      const tier = waiting.shift();
      if (tier === undefined) return true;
      const slice = Math.min(left, SLICE);
      const progress = tier.explorer.run(slice);
      if (progress.boundHit) bounded = true;
      if (!progress.done && !progress.boundHit) waiting.push(tier);
      left -= slice;
    }
    return waiting.length === 0;
  }

  return {
    advance,
    at: (file, offset) => {
      const nodes = nodesAt(program, file, offset);
      const first = nodes[0];
      if (first === undefined) return null;
      const node = program.code.nodes[first];
      if (node === undefined) return null;
      const complete = advance(AT_ONCE);
      const rows: ContextRow[] = [];
      const keys = new Set<string>();
      for (const id of nodes) {
        for (const [key, seen] of table.get(id) ?? []) {
          if (keys.has(key) || rows.length >= MOST_ROWS) continue;
          keys.add(key);
          rows.push(rowOf(program, tiers, seen));
        }
      }
      const partial = complete ? (bounded ? [`contexts beyond ${MOST_STATES} states were not explored`] : []) : ['more contexts are still being explored'];
      return { symbol: node.symbol, text: node.text, place: innerPlace(program, first), rows, unknown: partial, silence: rows.length > 0 ? null : complete ? silence(program) : 'not reached so far: the exploration is still running' };
    },
  };
}

function silence(program: Program): string {
  return program.handlers.length === 0 ? 'no entry point is known in this unit: declare one with `xctx: handler vector=...`, or open the file with the IDT table' : 'not reached from any entry point of this unit';
}

function innerPlace(program: Program, id: NodeId): Place {
  const node = program.code.nodes[id];
  return node === undefined ? { file: '', span: { start: 0, end: 0 } } : { file: node.origin.file, span: node.origin.span };
}

/** Nodes whose text is at an offset: the smallest statement there, else those a macro use there made. */
function nodesAt(program: Program, file: string, offset: number): readonly NodeId[] {
  const own: { id: NodeId; size: number }[] = [];
  const used: NodeId[] = [];
  for (const node of program.code.nodes) {
    const { origin } = node;
    if (origin.file === file && (contains(origin.span, offset) || origin.span.end === offset)) own.push({ id: node.id, size: origin.span.end - origin.span.start });
    else {
      const outer = outermost(origin);
      if (outer.file === file && contains(outer.span, offset)) used.push(node.id);
    }
  }
  if (own.length === 0) return used;
  const smallest = Math.min(...own.map((one) => one.size));
  return own.filter((one) => one.size === smallest).map((one) => one.id);
}

function rowOf(program: Program, tiers: readonly Tier[], seen: Seen): ContextRow {
  const { projection, state } = seen;
  const tier = tiers[seen.start];
  return {
    path: projection.lane.join(' > '),
    stack: projection.stack,
    rewinding: projection.rewinding,
    cpl: projection.cpl,
    gs: projection.gs,
    cr3: projection.cr3,
    interruptFlag: projection.interruptFlag,
    nmiBlocked: projection.nmiBlocked,
    liveFrames: projection.frames,
    guards: projection.guards,
    interrupters: interruptersOf(program, state, projection),
    way: tier === undefined ? [] : wayTo(program, tier, seen),
  };
}

function wayTo(program: Program, tier: Tier, seen: Seen): ContextRow['way'] {
  const path = tier.explorer.pathTo(seen.from);
  const played = replay<State>(tier.model, 0, [...path.choices, seen.choice]);
  const trace = traceOf(program, tier.setup, 'contexts', tier.start, played.states, played.transitions as readonly MachineTransition[], []);
  return trace.steps.flatMap((step) => (step.place === null ? [] : [{ place: step.place, title: step.title }]));
}

export function interruptersOf(program: Program, state: State, projection: Projection): readonly Interrupter[] {
  const out: Interrupter[] = [];
  const inNmi = state.frames.some((frame) => frame.vector === 2);
  out.push(
    state.cpu.nmiBlocked
      ? { event: 'NMI', can: 'no', reason: 'blocked: an NMI was delivered and no IRET was executed since' }
      : { event: 'NMI', can: 'yes', reason: inNmi ? 'not blocked: an IRET inside the NMI handler ended the blocking' : 'not maskable' },
  );
  out.push({ event: '#MC', can: 'yes', reason: state.cpu.mcip ? 'shuts the machine down: MCIP is set' : 'not maskable' });
  const flag = (state.flags.known & IF) === 0n ? null : (state.flags.value & IF) !== 0n;
  out.push(
    flag === false
      ? { event: 'IRQ', can: 'no', reason: state.pending.length > 0 ? `masked: IF=0; ${projection.pending} waits` : 'masked: IF=0' }
      : { event: 'IRQ', can: flag === null ? 'unknown' : 'yes', reason: flag === null ? 'unknown: needs the value of IF' : state.cpu.shadow === 'none' ? 'IF=1' : 'IF=1, after one more instruction' },
  );
  program.guards.forEach((guard, index) => {
    if (guard.machineBit !== null || guard.setBy === 'sw') return;
    const known = projection.guards[index]?.state ?? 'unknown';
    const event = vectorTitle(guard.vector);
    if (guard.setBy === 'host') {
      out.push({ event: `${event} by the host`, can: projection.cpl === 3 ? 'yes' : 'no', reason: projection.cpl === 3 ? 'the host injects it in user mode' : 'the host injects it in user mode only' });
    } else if (known === 'busy') out.push({ event, can: 'no', reason: `${guard.name} is busy: ${guard.fallback}` });
    else out.push({ event, can: known === 'armed' ? 'yes' : 'unknown', reason: known === 'armed' ? `${guard.name} is armed: at an access that fails` : `unknown: needs the value of ${guard.name}` });
  });
  return out;
}
