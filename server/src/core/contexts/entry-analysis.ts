// All entry paths of a program: every door from every context, found by running the paths themselves, until no path shows
// a context that no stub has been run from. Keeps one representative path to each context of each instruction.
import type { CpuVariant } from '../kernel/variants.ts';
import type { InstructionNode, NodeId } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { RSP } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import { vectorTitle } from '../machine/vectors.ts';
import { isConstant } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import type { Handler, Program } from '../program/program.ts';
import { createContextIds, ripClassesOf } from './context-ids.ts';
import { callDoors, calledFrom, enterBy, wayOutDoor, newTask, userDoors } from './entry-doors.ts';
import { comparedNodes, delivered, followPath, listOf, meetingPoints } from './entry-paths.ts';
import type { Choices, Monitor, PathStep } from './entry-paths.ts';
import { contextKey, entrySetup, outsideContexts } from './entry-start.ts';
import type { Door, PathStart } from './entry-start.ts';
import { createInterruptedPlaces } from './interrupted-places.ts';
import { faultsOf, mayFault } from './own-faults.ts';
import { shapesOf } from './shapes.ts';

/** One way to be at an instruction. */
export interface Reached {
  readonly state: State;
  readonly start: PathStart;
  readonly choices: readonly number[];
  readonly steps: number;
}

export interface EntryAnalysis {
  readonly program: Program;
  readonly setup: MachineSetup;
  readonly variants: readonly CpuVariant[];
  /** Runs up to that many further starts; true when nothing is left. */
  readonly advance: (starts: number) => boolean;
  readonly reached: (node: NodeId) => readonly Reached[];
  readonly starts: () => number;
  readonly steps: () => number;
  /** What was not followed to its end: paths that went on longer than any real one does, and what came behind all of them. */
  readonly unbounded: () => readonly string[];
  readonly doors: readonly Door[];
}

/** Most are never asked for the choices that led to them. */
class Way implements Reached {
  readonly state: State;
  readonly start: PathStart;
  readonly steps: number;
  private readonly taken: Choices;

  constructor(state: State, start: PathStart, taken: Choices, steps: number) {
    this.state = state;
    this.start = start;
    this.taken = taken;
    this.steps = steps;
  }

  get choices(): readonly number[] {
    return listOf(this.taken);
  }
}

/** Sees the steps of every path up to the first that it says is wrong. */
export type Observer = (step: PathStep, monitors: readonly number[], choices: Choices, depth: number) => boolean;

/** Events that no flag holds off and that may come between any two instructions of a stub (rules.md: `NMI-like`). */
const NMI_LIKE: readonly number[] = [2, 18, 1, 29, 8];
const MOST_CONTEXTS = 12;
/** Steps of all paths of a program: entry code of whole kernels takes a tenth of them. */
const MOST_STEPS = 3_000_000;
const NMI = 2;
const DOUBLE_FAULT = 8;
/** More than any program has: parts of one number. */
const RIP_CLASSES = 256;
const CPUS = 16;

/** The kinds of CPU that a program is run on. A configuration without a feature's code is one on which the feature is off. */
export function variantsOf(program: Program, all: readonly CpuVariant[]): readonly CpuVariant[] {
  if (!program.contexts.has('inside C')) return all;
  const known = new Set(program.code.nodes.flatMap((node) => (node.kind === 'feature' ? [node.feature] : [])));
  // The instruction is there where no alternative asks for the feature any more.
  if (program.code.nodes.some((node) => node.kind === 'instruction' && node.mnemonic.startsWith('rdgsbase'))) known.add('X86_FEATURE_FSGSBASE');
  const byFeatures = new Map<string, CpuVariant>();
  for (const variant of all) {
    let present = variant.present.filter((name) => !/_(PTI|PCID|FSGSBASE)$/.test(name) || known.has(name));
    if (!present.includes('X86_FEATURE_PTI') && variant.present.includes('X86_FEATURE_PTI')) present = [...present, 'X86_FEATURE_FENCE_SWAPGS_USER'];
    const key = [...new Set(present)].sort().join();
    if (!byFeatures.has(key)) byFeatures.set(key, { name: variant.name, present });
  }
  return [...byFeatures.values()];
}

/** `reference`: contexts that a stub does not tell apart are run all the same. `mostSteps`: what waits then is left out. */
export function createEntryAnalysis(program: Program, all: readonly CpuVariant[], monitors: readonly Monitor[], observe: Observer, reference = false, mostSteps = MOST_STEPS): EntryAnalysis {
  const variants = variantsOf(program, all);
  const meet = meetingPoints(program);
  const shapes = shapesOf(program);
  const insideC = program.contexts.get('inside C') ?? -1;
  const compared = comparedNodes(program);
  // A sketch that compares no saved RIP with its IRET is not about faults of that IRET.
  const tellsIretFaults = insideC >= 0 || [...compared.values()].flat().some((node) => program.code.nodes[node]?.kind === 'instruction' && (program.code.nodes[node] as InstructionNode).mnemonic.startsWith('iret'));
  const reached: (Map<number, Reached> | undefined)[] = [];
  /** Doors by representative vector, with the contexts each was taken from: by context, RIP class and CPU. */
  const taken = new Map(shapes.representatives.map((handler) => [handler.vector, new Set<number>()]));
  const ripClass = new Map(shapes.representatives.map((handler) => [handler.vector, ripClassesOf(program, handler.stub, compared)]));
  const nmiLike = [...new Set(NMI_LIKE.flatMap((vector) => shapes.representative(vector) ?? []))];
  const nmiLikeSeen = new Set<number>();
  const nmiRip = ripClass.get(NMI) ?? (() => 0);
  const faulting = new Set(program.code.nodes.flatMap((node) => (node.kind === 'instruction' && mayFault(node) ? [node.id] : [])));
  /** Starts that are to be run, from `next` on. */
  const waiting: (PathStart | undefined)[] = [];
  let next = 0;
  const unbounded: string[] = [];
  let made = 0;
  let steps = 0;
  const setup = entrySetup(program);
  const idOf = createContextIds(setup);
  const places = createInterruptedPlaces(setup);
  /** Starts from contexts that stand for those that differ in their place alone. */
  const standsForOthers = new WeakSet<PathStart>();
  const returning = new Set(program.code.nodes.flatMap((node) => (node.kind === 'instruction' && node.mnemonic.startsWith('iret') ? [node.id] : [])));

  function add(door: Door, variant: CpuVariant, interrupted: State, first: State, from: string, user: boolean, parent: PathStart['parent']): PathStart {
    made += 1;
    const start: PathStart = { id: made, door, variant, cpu: variants.indexOf(variant), interrupted, first, from, user, parent };
    waiting.push(start);
    return start;
  }

  /** Starts an event at a state unless its stub was started from a context that it could not tell apart. */
  function interrupt(handler: Handler, variant: CpuVariant, state: State, id: number, from: () => string, parent: () => PathStart['parent']): void {
    const rip = ripClass.get(handler.vector)?.(state.node) ?? 0;
    const key = (id * RIP_CLASSES + rip) * CPUS + variants.indexOf(variant);
    const contexts = taken.get(handler.vector);
    if (contexts === undefined || contexts.has(key)) return;
    contexts.add(key);
    if (reference || !places.areAlike(handler, state)) {
      startEvent(handler, variant, state, from, parent);
      return;
    }
    // Rules ask whether it was the return to user mode that was interrupted.
    const anywhere = `${variants.indexOf(variant)} ${contextKey(state, '')}${state.cpu.nmiBlocked ? ' NMIs blocked' : ''}${returning.has(state.node) ? ' IRET' : ''}`;
    places.start(handler, anywhere, rip, state, () => {
      const start = startEvent(handler, variant, state, from, parent);
      if (start !== null) standsForOthers.add(start);
    });
  }

  function startEvent(handler: Handler, variant: CpuVariant, state: State, from: () => string, parent: () => PathStart['parent']): PathStart | null {
    const first = delivered(setup, state, handler.vector);
    if (first === null || first.ended !== null) return null;
    return add({ kind: 'event', vector: handler.vector, stub: handler.stub, name: handler.stubName }, variant, state, first, from(), state.cpu.cpl === 3, parent());
  }

  function note(start: PathStart, state: State, choices: Choices, wrong: boolean, depth: number): void {
    const { node } = state;
    const id = idOf(state);
    const full = (id * 2 + (state.cpu.nmiBlocked ? 1 : 0)) * CPUS + start.cpu;
    const at = (reached[node] ??= new Map());
    if (!at.has(full) && at.size < MOST_CONTEXTS * variants.length) at.set(full, new Way(state, start, choices, depth));
    // What goes wrong is told where it does: nothing is started from there.
    if (wrong || nameless(state.registers[RSP])) return;
    const inC = node === insideC;
    const seen = full * RIP_CLASSES + nmiRip(node);
    const fresh = !inC && !nmiLikeSeen.has(seen);
    if (fresh) nmiLikeSeen.add(seen);
    if (inC || fresh || faulting.has(node)) interruptAt(start, state, id, choices, depth, inC, fresh);
  }

  function interruptAt(start: PathStart, state: State, id: number, choices: Choices, depth: number, inC: boolean, fresh: boolean): void {
    const node = program.code.nodes[state.node];
    const from = (): string => (node === undefined ? '' : node.kind === 'interrupted' ? `C code that ${start.door.name} calls` : `${node.symbol === '' ? 'entry code' : node.symbol}: ${node.text}`);
    const parent = (): PathStart['parent'] => ({ start, choices: listOf(choices), steps: depth });
    for (const handler of inC ? shapes.representatives : fresh ? nmiLike : []) {
      if (handler.vector !== NMI || !state.cpu.nmiBlocked) interrupt(handler, start.variant, state, id, from, parent);
    }
    if (node?.kind !== 'instruction') return;
    for (const vector of faultsOf(node, state, setup, tellsIretFaults)) {
      const handler = shapes.representative(vector);
      if (handler !== null) interrupt(handler, start.variant, state, id, from, parent);
    }
  }

  for (const variant of variants) {
    for (const outside of outsideContexts(program, variant)) {
      const user = outside.state.cpu.cpl === 3;
      for (const handler of outside.events?.flatMap((vector) => shapes.representative(vector) ?? []) ?? shapes.representatives) {
        if (handler.synthesized || (user && handler.vector === DOUBLE_FAULT)) continue;
        interrupt(handler, variant, outside.state, idOf(outside.state), () => outside.title, () => null);
      }
      if (!user) continue;
      const wayOut = wayOutDoor(program);
      const closed = outsideContexts(program, variant).find((one) => one.name === 'kernel-irqs-off');
      if (wayOut !== null && closed !== undefined && outside.name === 'user') add(wayOut, variant, outside.state, newTask(setup, wayOut.entry, closed.state, outside.state), wayOut.of === 'a new task' ? 'the scheduler' : 'a system call', false, null);
      for (const door of userDoors(program)) {
        const first = enterBy(program, setup, door, outside.state);
        add(door, variant, outside.state, first, outside.title, true, null);
      }
    }
  }
  const stubs = new Set(program.handlers.map((handler) => handler.stub));
  const calls = callDoors(program).filter((door) => !stubs.has(door.entry) && shapes.counterpart(door.entry) === null);

  const isUnreached = (door: Door & { kind: 'call' }): boolean => reached[door.entry] === undefined;

  function leaveOut(): void {
    const left = waiting.length - next + calls.filter(isUnreached).length;
    if (left > 0) unbounded.push(`${left} starts left out after ${steps} steps`);
    waiting.length = next;
    calls.length = 0;
  }

  function addCalls(): boolean {
    const door = calls.find(isUnreached);
    if (door === undefined) return false;
    calls.splice(calls.indexOf(door), 1);
    for (const variant of variants) {
      const outside = outsideContexts(program, variant).find((one) => one.name === 'kernel-irqs-off');
      if (outside === undefined) continue;
      add(door, variant, outside.state, calledFrom(outside.state, door.entry, program), 'C code', false, null);
    }
    return true;
  }

  return {
    program,
    setup,
    variants,
    advance: (starts) => {
      for (let run = 0; run < starts; run += 1) {
        if (steps >= mostSteps) leaveOut();
        const start = waiting[next];
        if (start === undefined) {
          if (!addCalls()) return true;
          continue;
        }
        waiting[next] = undefined;
        next += 1;
        const stands = standsForOthers.has(start);
        followPath(program, setup, start, monitors, meet, {
          step: (step, values, choices, depth) => {
            steps += 1;
            if (stands) places.see(step);
            return observe(step, values, choices, depth);
          },
          state: (state, choices, wrong, depth) => note(start, state, choices, wrong, depth),
          tooLong: () => unbounded.push(`path too long: ${start.door.name} from ${start.from}`),
        });
      }
      return next === waiting.length && !calls.some(isUnreached);
    },
    reached: (node) => [...((reached[node] ?? reached[shapes.counterpart(node) ?? -1])?.values() ?? [])],
    starts: () => made,
    steps: () => steps,
    unbounded: () => unbounded,
    doors: [...shapes.representatives.map(doorOf), ...userDoors(program), ...calls],
  };
}

/** Nobody knows where a frame would go: a coroutine switch to a task that is not in view. */
function nameless(rsp: Word | undefined): boolean {
  return rsp === undefined || (!isConstant(rsp) && rsp.name === '');
}

function doorOf(handler: Handler): Door {
  return { kind: 'event', vector: handler.vector, stub: handler.stub, name: handler.stubName };
}

export function titleOfStart(start: PathStart): string {
  switch (start.door.kind) {
    case 'event':
      return `${vectorTitle(start.door.vector)} from ${start.from}`;
    case 'instruction':
      return `${start.door.instruction} from ${start.from}`;
    case 'software-interrupt':
      return `INT 0x${start.door.vector.toString(16)} from ${start.from}`;
    case 'way-out':
      return start.door.of === 'SYSCALL' ? 'SYSCALL from user mode' : start.door.of === 'user mode' ? 'the way out to user mode' : start.door.of;
    case 'call':
      return `call of ${start.door.name}()`;
  }
}
