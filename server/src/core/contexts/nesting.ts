// The full exploration of a stub that may be entered again while it runs: NMIs at every boundary at which they are not
// blocked, breakpoints and faults in its C handler, each through its own stub. Nothing is assumed to restore what it
// interrupts; nothing is forgotten between two events.
import { entryCall, QUIET_ROUTINES } from '../kernel/entry-calls.ts';
import type { CpuVariant } from '../kernel/variants.ts';
import { createPairs } from '../explore/pairs.ts';
import type { Model, Transition } from '../explore/model.ts';
import type { MachineSetup } from '../machine/config.ts';
import { deliver } from '../machine/deliver.ts';
import { pop } from '../machine/carry.ts';
import { draftOf, finish, setRegister } from '../machine/draft.ts';
import type { Effect } from '../machine/effects.ts';
import { addressOfNode, nodeAtAddress, stackNamed, top } from '../machine/layout.ts';
import { CALLER_SAVED, RSP } from '../machine/registers.ts';
import { DF } from '../machine/state.ts';
import type { Frame, State } from '../machine/state.ts';
import { constant, isConstant, UNKNOWN } from '../machine/word.ts';
import type { Program } from '../program/program.ts';
import { boundariesOf } from './boundaries.ts';
import type { PartedState } from './parts.ts';
import type { PathOutcome } from './path-outcomes.ts';
import { pathStepsOf } from './path-steps.ts';
import type { PartedOutcome } from './path-steps.ts';

/** What is explored: how often each event may come, and from where. */
export interface NestingBounds {
  readonly nmis: number;
  /** Vectors that the C handler may raise, each that often. */
  readonly traps: ReadonlyMap<number, number>;
}

/** The machine with what the events leave owed: an NMI was delivered and no C handler has run for it yet. */
export interface Nest {
  readonly state: PartedState;
  readonly owed: boolean;
  /** NMIs delivered so far less runs of the C handler: a stub repeats it for nested NMIs and for nothing else. */
  readonly spare: number;
  readonly nmis: number;
  readonly traps: readonly number[];
}

export interface NestStep extends Transition<Nest> {
  readonly label: string;
  readonly event: number | null;
  readonly effects: readonly Effect[];
  readonly calls: string | null;
  /** The state that the step was taken in: the last of a chain. */
  readonly before: State;
}

const NMI = 2;
const MACHINE_CHECK = 18;
const FRAME_BYTES = 40n;
const LONGEST_CHAIN = 512;
const NO_EFFECTS: readonly Effect[] = [];
/** Words of a packed state. */
const WIDTH = 7;

export interface NestingStart {
  readonly title: string;
  readonly state: State;
  /** User space has chosen an RSP within the NMI stack. */
  readonly forged: boolean;
}

/**
 * User mode, kernel mode, the SYSCALL gap with the user's RSP, and with an RSP that points into the NMI stack; and with
 * the DF of user mode on other stacks: at SYSENTER, below the NMI stack, and at the #MC stub, above it.
 */
export function nestingStarts(program: Program, user: State, kernel: State): readonly NestingStart[] {
  const starts: NestingStart[] = [
    { title: 'user mode', state: user, forged: false },
    { title: 'kernel mode', state: kernel, forged: false },
  ];
  const stack = program.layout.regions.find((region) => region.name === 'NMI');
  if (program.gap === null) return starts;
  const gap: State = { ...user, node: program.gap.first, flags: constant(2n), cpu: { ...kernel.cpu, gsBase: user.cpu.gsBase, kernelGsBase: user.cpu.kernelGsBase, cr3: user.cpu.cr3 } };
  starts.push({ title: 'the SYSCALL gap', state: gap, forged: false });
  const dirty = (title: string, node: number | undefined, stackName: string): void => {
    const region = stackNamed(program.layout, stackName);
    if (node === undefined || region === null) return;
    const registers = [...gap.registers];
    registers[RSP] = constant(top(region) - FRAME_BYTES);
    starts.push({ title, state: { ...gap, node, flags: constant(2n | DF), registers }, forged: false });
  };
  dirty('the first instruction of SYSENTER with DF set', program.code.symbols.get('entry_SYSENTER_compat'), 'entry');
  dirty('the first instruction of the #MC stub with DF set', program.handlers.find((handler) => handler.vector === MACHINE_CHECK)?.stub, 'MCE');
  if (stack === undefined) return starts;
  for (const depth of [0x28n, 0x100n, 0x1000n]) {
    const registers = [...gap.registers];
    registers[RSP] = constant(top(stack) - depth);
    starts.push({ title: `the SYSCALL gap with a user RSP 0x${depth.toString(16)} below the top of the NMI stack`, state: { ...gap, registers }, forged: true });
  }
  return starts;
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

function only(outcomes: readonly PartedOutcome[]): PartedOutcome {
  const [one] = outcomes;
  if (one === undefined || outcomes.length > 1) throw new Error('a delivery has one outcome');
  return one;
}

/** Steps that leave no choice, taken together: the last of them, how many they are, and what they do to the spare NMIs. */
interface Chain {
  readonly last: NestStep | null;
  readonly weight: number;
  readonly spare: number;
}

export interface NestingModel extends Model<Nest> {
  readonly successors: (nest: Nest) => readonly NestStep[];
}

/** `reduced`: events only at boundaries at which they do not commute with the code. */
export function nestingModel(program: Program, setup: MachineSetup, start: State, bounds: NestingBounds, reduced: boolean): NestingModel {
  const vectors = [...bounds.traps.keys()];
  const visible = reduced ? boundariesOf(program) : null;
  const insideC = program.contexts.get('inside C') ?? -1;
  const known = pathStepsOf(program, setup);
  const delivery = known.lookedUp([NMI, ...vectors], (vector, state) => {
    const draft = draftOf(state);
    deliver(draft, setup, vector);
    return [{ label: '', effects: draft.effects, state: finish(draft), calls: null, inside: null }];
  });
  const leaving = known.lookedUp([0], (_, state) => [leftC(setup, state)]);

  function raise(nest: Nest, vector: number, label: string): NestStep {
    const after = only(delivery(vector, nest.state));
    const index = vectors.indexOf(vector);
    return {
      label,
      event: vector,
      effects: after.effects,
      calls: null,
      before: nest.state,
      weight: 1,
      state: {
        state: after.state,
        owed: vector === NMI ? true : nest.owed,
        spare: vector === NMI ? nest.spare + 1 : nest.spare,
        nmis: vector === NMI ? nest.nmis - 1 : nest.nmis,
        traps: nest.traps.map((left, at) => (at === index ? left - 1 : left)),
      },
    };
  }

  function leaveC(nest: Nest): NestStep {
    const after = only(leaving(0, nest.state));
    return { label: 'the C handler returns', event: null, effects: after.effects, calls: null, before: nest.state, weight: 1, state: { state: after.state, owed: nest.owed, spare: nest.spare, nmis: nest.nmis, traps: nest.traps } };
  }

  function codeSteps(nest: Nest): NestStep[] {
    const { state } = nest;
    if (state.node === insideC) return [leaveC(nest)];
    if (state.node === start.node && state.frames.length === 0) return [];
    return known.outcomes(state).map((outcome): NestStep => {
      const handler = outcome.calls !== null && outcome.inside !== null && entryCall(outcome.calls).effect === 'returns' && !entryCall(outcome.calls).anyStack && !QUIET_ROUTINES.has(outcome.calls);
      const handled = handler && state.frames.at(-1)?.vector === NMI;
      const after = handler && outcome.inside !== null ? outcome.inside : outcome.state;
      return { label: '', event: null, effects: outcome.effects, calls: outcome.calls, before: state, weight: 1, state: { state: after, owed: handled ? false : nest.owed, spare: handled ? nest.spare - 1 : nest.spare, nmis: nest.nmis, traps: nest.traps } };
    });
  }

  function mayTake(state: State): boolean {
    return (visible === null || visible.has(state.node) || state.node === insideC || state.node === start.node) && !state.cpu.nmiBlocked && state.cpu.shadow !== 'movss';
  }

  function all(nest: Nest): readonly NestStep[] {
    const { state } = nest;
    if (known.hasEnded(state)) return [];
    const steps = codeSteps(nest);
    if (nest.nmis > 0 && mayTake(state)) steps.push(raise(nest, NMI, 'NMI'));
    if (state.node === insideC && state.frames.some((frame) => frame.vector === NMI)) {
      vectors.forEach((vector, index) => {
        if ((nest.traps[index] ?? 0) > 0) steps.push(raise(nest, vector, 'in the C handler'));
      });
    }
    return steps;
  }

  /** Chains by the machine's state and by which events may still come. */
  const ids = createPairs();
  const chains: (Chain | undefined)[] = [];

  function chainFrom(nest: Nest): Chain {
    let mask = nest.nmis > 0 ? 1 : 0;
    nest.traps.forEach((left, index) => (mask |= left > 0 ? 2 << index : 0));
    const { state } = nest;
    const id = ids.idOf(-1 - ids.idOf(ids.idOf(ids.idOf(ids.idOf(state.registersId, state.memoryId), state.controlId), state.framesId), state.restId), (state.node << (vectors.length + 1)) | mask);
    return (chains[id] ??= walk(nest));
  }

  /** Up to where an NMI may come, and up to where one could not if none is left; where code is entered and left either way. */
  const apart = (state: State): boolean => state.node === insideC || state.node === start.node;
  const stretchToNmi = known.stretches((state) => apart(state) || mayTake(state));
  const stretchToC = known.stretches(apart);

  function walk(first: Nest): Chain {
    let nest = first;
    let weight = 0;
    let last: NestStep | null = null;
    while (weight + 1 < LONGEST_CHAIN && (last === null || last.effects.length === 0) && !known.hasEnded(nest.state)) {
      const stretch = (nest.nmis > 0 ? stretchToNmi : stretchToC)(nest.state);
      if (stretch !== null && weight + stretch.steps < LONGEST_CHAIN) {
        const { state } = nest;
        nest = { state: known.behind(state, stretch.last), owed: nest.owed, spare: nest.spare, nmis: nest.nmis, traps: nest.traps };
        last = { label: '', event: null, effects: NO_EFFECTS, calls: null, before: stretch.before === null ? state : known.behind(state, stretch.before), weight: 1, state: nest };
        weight += stretch.steps;
        continue;
      }
      const behind = all(nest);
      const single = behind[0];
      if (single === undefined || behind.length !== 1 || single.event !== null) break;
      last = single;
      nest = single.state;
      weight += 1;
    }
    // An NMI is owed no more where the C handler has run, which is when the spare ones get fewer.
    return { last, weight, spare: nest.spare - first.spare };
  }

  function chain(step: NestStep): NestStep {
    if (step.effects.length > 0) return step;
    const { last, weight, spare } = chainFrom(step.state);
    if (last === null) return step;
    const { owed, nmis, traps } = step.state;
    return { label: step.label, event: step.event, effects: last.effects, calls: last.calls, before: last.before, weight: step.weight + weight, state: { state: last.state.state, owed: owed && spare === 0, spare: step.state.spare + spare, nmis, traps } };
  }

  return {
    width: WIDTH,
    initial: () => [{ state: known.stateOf(start), owed: false, spare: 0, nmis: bounds.nmis, traps: [...bounds.traps.values()] }],
    successors: (nest) => (reduced ? all(nest).map(chain) : all(nest)),
    pack: (nest, into, offset) => {
      const { node, registersId, controlId, memoryId, framesId, restId } = nest.state;
      into[offset] = node;
      into[offset + 1] = registersId;
      into[offset + 2] = controlId;
      into[offset + 3] = memoryId;
      into[offset + 4] = framesId;
      into[offset + 5] = restId;
      let counts = (nest.spare + 1) * 2 + (nest.owed ? 1 : 0);
      for (const left of [nest.nmis, ...nest.traps]) counts = counts * 16 + left;
      into[offset + 6] = counts;
    },
  };
}

export interface NestingFault {
  readonly kind: 'frame-overwritten' | 'wrong-return' | 'nmi-lost' | 'nmi-repeated' | 'not-restored' | 'left-code';
  readonly what: string;
}

/** Whether some stack holds the saved RIP and RSP of a frame, as hardware pushed them. */
function hasCopy(setup: MachineSetup, state: State, frame: Frame): boolean {
  const rip = constant(addressOfNode(frame.interrupted, frame.cpl === 3));
  for (const region of setup.layout.regions) {
    if (region.kind !== 'stack') continue;
    const slots = state.memory[region.index] ?? [];
    for (let slot = 3; slot < slots.length; slot += 1) if (slots[slot] === rip && slots[slot - 3] === frame.rsp) return true;
  }
  return false;
}

/** What a step breaks, or null. */
export function nestingFault(setup: MachineSetup, step: NestStep, start: State): NestingFault | null {
  const { state } = step.state;
  for (const effect of step.effects) {
    if (effect.kind === 'frame-overwritten') return { kind: 'frame-overwritten', what: 'the frame of the interrupted code is overwritten and no copy of it is left' };
    if (effect.kind === 'wrong-return') return { kind: 'wrong-return', what: `RSP comes back as ${effect.found} instead of ${effect.expected}` };
    if (effect.kind === 'return' && effect.frame !== null) {
      const { saved } = effect.frame;
      const after = state;
      if (effect.frame.cpl === 0 && after.cpu.cpl === 0 && saved.gsBase !== after.cpu.gsBase) return { kind: 'not-restored', what: 'another GS base comes back' };
      if (effect.frame.cpl === 0 && saved.cr3.name !== after.cpu.cr3.name && saved.cr3.value !== after.cpu.cr3.value) return { kind: 'not-restored', what: 'another CR3 comes back' };
    }
  }
  if (step.effects.some((effect) => effect.kind === 'return') && state.frames.some((frame) => !hasCopy(setup, state, frame))) {
    return { kind: 'frame-overwritten', what: 'the frame of the interrupted code is overwritten by the stub itself and no copy of it is left' };
  }
  if (state.ended !== null && state.ended !== 'panic') return { kind: 'left-code', what: state.ended };
  if (step.state.spare < 0) return { kind: 'nmi-repeated', what: 'the C handler runs again and no NMI has arrived for it' };
  if (state.frames.length === 0 && state.node === start.node && step.state.owed && step.event === null) return { kind: 'nmi-lost', what: 'an NMI was delivered and no handler ran for it' };
  return null;
}

/** CPUs that the exploration runs on, each in one run. */
export function nestingVariants(all: readonly CpuVariant[]): readonly CpuVariant[] {
  return all.filter((variant) => ['PTI, PCID', 'FSGSBASE, no PTI'].includes(variant.name));
}

