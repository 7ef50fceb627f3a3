// Steps of runs of a stub that is entered again while it runs, as far as they are the same whatever such a run starts from:
// deliveries, returns of the C handler, and stretches of code that no event can interrupt to any effect.
import { pop } from '../machine/carry.ts';
import type { NodeId } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { deliver } from '../machine/deliver.ts';
import { draftOf, finish, setRegister } from '../machine/draft.ts';
import { nodeAtAddress, stackOf } from '../machine/layout.ts';
import { CALLER_SAVED, RSP } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import { isConstant, UNKNOWN } from '../machine/word.ts';
import type { Program } from '../program/program.ts';
import { boundariesOf, verdictBoundaries } from './boundaries.ts';
import type { PartedState } from './parts.ts';
import type { PathOutcome } from './path-outcomes.ts';
import type { PartedOutcome, PathSteps } from './path-steps.ts';
import type { Stretch } from './stretches.ts';

export const NMI = 2;
export const MACHINE_CHECK = 18;
export const SYSENTER = 'entry_SYSENTER_compat';

/** What is looked up in the runs of one program, whatever they start from. */
export interface NestSteps {
  readonly delivery: (vector: number, state: PartedState) => readonly PartedOutcome[];
  readonly leaving: (kind: number, state: PartedState) => readonly PartedOutcome[];
  /** Up to where an NMI may come, and up to where one could not if none is left. */
  readonly stretchToNmi: (state: PartedState) => Stretch | null;
  readonly stretchToC: (state: PartedState) => Stretch | null;
}

const shared = new WeakMap<PathSteps, Map<string, NestSteps>>();

export function nestSteps(known: PathSteps, program: Program, setup: MachineSetup, start: NodeId, vectors: readonly number[], boundaries: Boundaries): NestSteps {
  const kept = shared.get(known) ?? new Map<string, NestSteps>();
  shared.set(known, kept);
  const apart = nodesApart(program);
  const key = `${apart.has(start) ? '' : start} ${vectors.join()} ${boundaries}`;
  const before = kept.get(key);
  if (before !== undefined) return before;
  const shows = showsNmi(program, setup, boundaries);
  const isApart = (state: State): boolean => state.node === start || apart.has(state.node);
  const made: NestSteps = {
    delivery: known.lookedUp([NMI, ...vectors], (vector, state) => {
      const draft = draftOf(state);
      deliver(draft, setup, vector);
      return [{ label: '', effects: draft.effects, state: finish(draft), calls: null, inside: null }];
    }),
    leaving: known.lookedUp([0], (_, state) => [leftC(setup, state)]),
    stretchToNmi: known.stretches((state) => isApart(state) || (shows(state) && takesNmi(state))),
    stretchToC: known.stretches(isApart),
  };
  kept.set(key, made);
  return made;
}

/** C code, and where the runs start. */
function nodesApart(program: Program): ReadonlySet<NodeId> {
  const machineCheck = program.handlers.find((handler) => handler.vector === MACHINE_CHECK)?.stub;
  const nodes = [...program.contexts.values(), program.gap?.first, program.code.symbols.get(SYSENTER), machineCheck];
  return new Set(nodes.filter((node): node is NodeId => node !== undefined));
}

/** Boundaries that NMIs are raised at: all, those that give each shortest trace, or those that suffice for a verdict. */
export type Boundaries = 'all' | 'for traces' | 'for a verdict';

/** Whether an NMI before the instruction at a state may end otherwise than one before some other. */
export function showsNmi(program: Program, setup: MachineSetup, boundaries: Boundaries): (state: State) => boolean {
  if (boundaries === 'all') return () => true;
  if (boundaries === 'for traces') {
    const visible = boundariesOf(program);
    return ({ node }) => visible.has(node);
  }
  const { nested, elsewhere } = verdictBoundaries(program);
  return (state) => {
    if (!nested.has(state.node)) return false;
    if (elsewhere.has(state.node)) return true;
    const rsp = state.registers[RSP];
    return rsp === undefined || !isConstant(rsp) || stackOf(setup.layout, rsp.value)?.keepsStale !== false;
  };
}

export function takesNmi({ cpu }: State): boolean {
  return !cpu.nmiBlocked && cpu.shadow !== 'movss';
}

/** The C handler returns, with what a C function may change changed. */
function leftC(setup: MachineSetup, state: State): PathOutcome {
  const draft = draftOf(state);
  for (const index of CALLER_SAVED) setRegister(draft, index, UNKNOWN);
  const address = pop(draft, setup);
  const node = isConstant(address) ? nodeAtAddress(address.value) : null;
  if (node === null) draft.ended = 'left-code';
  else draft.node = node;
  return { label: '', effects: draft.effects, state: finish(draft), calls: null, inside: null };
}
