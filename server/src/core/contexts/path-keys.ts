// The key of an entry path: from which context through which doors it goes and what it chooses, by names that hold beyond
// one program. The path is found again by it without a look at any other.
import type { CpuVariant } from '../kernel/variants.ts';
import type { MachineSetup } from '../machine/config.ts';
import type { State } from '../machine/state.ts';
import type { Program } from '../program/program.ts';
import { callDoors, calledFrom, enterBy, wayOutDoor, newTask, userDoors } from './entry-doors.ts';
import { delivered, replayPath } from './entry-paths.ts';
import { outsideContexts, vectorOf } from './entry-start.ts';
import type { Door, PathStart } from './entry-start.ts';
import { pathChoices } from './path-outcomes.ts';

/** One path up to where the next one interrupts it, or to its own last step. */
export interface PathLeg {
  readonly door: DoorKey;
  readonly choices: readonly number[];
  readonly steps: number;
  /** The next one comes while C code runs that the step behind these calls. */
  readonly insideC: boolean;
}

export type DoorKey = { readonly kind: Door['kind']; readonly vector: number | null; readonly name: string };

export interface PathKey {
  /** Name of the kind of CPU. */
  readonly variant: string;
  /** Title of the context that the first door interrupts. */
  readonly from: string;
  /** Outermost first. */
  readonly legs: readonly PathLeg[];
}

/** Contexts that are nobody's title: of a new task, and of code that C calls. */
const CALLER = 'kernel-irqs-off';
const PARENT = 'user';

export function pathKeyOf(program: Program, start: PathStart, choices: readonly number[], steps: number): PathKey {
  const insideC = program.contexts.get('inside C') ?? -1;
  const legs: PathLeg[] = [];
  let next: PathStart | null = null;
  for (let at: { readonly start: PathStart; readonly choices: readonly number[]; readonly steps: number } | null = { start, choices, steps }; at !== null; at = at.start.parent) {
    const { door } = at.start;
    legs.unshift({ door: { kind: door.kind, vector: vectorOf(door), name: door.name }, choices: at.choices, steps: at.steps, insideC: next?.interrupted.node === insideC });
    next = at.start;
  }
  return { variant: start.variant.name, from: next?.from ?? '', legs };
}

export function doorBy(program: Program, { kind, vector, name }: DoorKey): Door | null {
  if (kind === 'event') {
    const handler = program.handlers.find((one) => one.vector === vector);
    return handler === undefined ? null : { kind, vector: handler.vector, stub: handler.stub, name: handler.stubName };
  }
  const wayOut = wayOutDoor(program);
  return [...userDoors(program), ...(wayOut === null ? [] : [wayOut]), ...callDoors(program)].find((door) => door.kind === kind && door.name === name) ?? null;
}

/** The first path of a key; null where the program has no such door or context. */
export function firstBy(program: Program, setup: MachineSetup, variants: readonly CpuVariant[], key: PathKey): PathStart | null {
  const variant = variants.find(({ name }) => name === key.variant);
  const [leg] = key.legs;
  const door = leg === undefined ? null : doorBy(program, leg.door);
  if (variant === undefined || door === null) return null;
  const contexts = outsideContexts(program, variant);
  const named = (name: string): State | null => contexts.find((one) => one.name === name)?.state ?? null;
  const titled = contexts.find(({ title }) => title === key.from)?.state ?? null;
  const made = (interrupted: State | null, first: State | null): PathStart | null => (interrupted === null || first === null ? null : { id: 0, door, variant, cpu: variants.indexOf(variant), interrupted, first, from: key.from, user: interrupted.cpu.cpl === 3, parent: null });
  switch (door.kind) {
    case 'event':
      return made(titled, titled === null ? null : delivered(setup, titled, door.vector));
    case 'instruction':
    case 'software-interrupt':
      return made(titled, titled === null ? null : enterBy(program, setup, door, titled));
    case 'way-out': {
      const [caller, parent] = [named(CALLER), named(PARENT)];
      return made(parent, caller === null || parent === null ? null : newTask(setup, door.entry, caller, parent));
    }
    case 'call': {
      const caller = named(CALLER);
      return made(caller, caller === null ? null : calledFrom(caller, door.entry, program));
    }
  }
}

/** The event of a leg at a state that the leg before it came to; null where there is no gate for it. */
export function interruptedBy(program: Program, setup: MachineSetup, before: PathStart, { choices, steps }: PathLeg, interrupted: State, key: DoorKey): PathStart | null {
  const door = doorBy(program, key);
  const first = door === null || door.kind !== 'event' ? null : delivered(setup, interrupted, door.vector);
  if (door === null || first === null || first.ended !== null) return null;
  return { ...before, door, interrupted, first, from: `C code that ${before.door.name} calls`, user: interrupted.cpu.cpl === 3, parent: { start: before, choices, steps } };
}

/** The way of a key step by step: each leg's start, and the states and outcomes of its steps. Null where it is no way of the program. */
export interface PlayedLeg {
  readonly start: PathStart;
  readonly states: readonly State[];
  readonly outcomes: ReturnType<typeof replayPath>['outcomes'];
}

export function playedBy(program: Program, setup: MachineSetup, variants: readonly CpuVariant[], key: PathKey): readonly PlayedLeg[] | null {
  const played: PlayedLeg[] = [];
  let start = firstBy(program, setup, variants, key);
  for (const [index, leg] of key.legs.entries()) {
    if (start === null) return null;
    const { states, outcomes } = replayPath(program, setup, start, leg.choices, leg.steps);
    if (outcomes.length < leg.steps) return null;
    played.push({ start, states, outcomes });
    const next = key.legs[index + 1];
    const last = states.at(-1);
    if (next === undefined || last === undefined) break;
    const interrupted = leg.insideC ? insideOf(program, setup, last, leg.choices) : last;
    start = interrupted === null ? null : interruptedBy(program, setup, start, leg, interrupted, next.door);
  }
  return played;
}

/** What a call runs in, of several outcomes in that which was chosen last. */
export function insideOf(program: Program, setup: MachineSetup, state: State, choices: readonly number[]): State | null {
  const outcomes = pathChoices(program, setup, state);
  const outcome = outcomes.length > 1 ? outcomes[choices.at(-1) ?? 0] : outcomes[0];
  return outcome?.inside ?? null;
}
