// What a step reads of the state that it begins with, and what it writes, noted while it runs: the same step need not run
// again for a state that is equal in what was read. A recording may go on over several steps. Knows pieces of states, not
// what they mean.
import type { Draft } from './draft.ts';
import { RecordedDraft } from './recorded-draft.ts';
import type { Writes } from './recorded-draft.ts';
import { NO_CPU_FIELD, noteFeature, noteRegister, noteSimple, noteSlot, RecordedCpu } from './recorded-reads.ts';
import type { Piece, Reads } from './recorded-reads.ts';
import { IF, INITIAL_CPU, RF, TF } from './state.ts';
import type { Cpu, Frame, GuardGhost, Pending, State } from './state.ts';
import type { Word } from './word.ts';

export type { MemoryWrite, RegisterWrite, Writes } from './recorded-draft.ts';
export type { Origin, Piece } from './recorded-reads.ts';

export interface Recording {
  /** To be run in the place of the state that is recorded. */
  readonly state: State;
  /** In the order of their first reading. */
  readonly reads: readonly Piece[];
  /** Of a state that a step of this recording ended in, against the state that it began with. */
  readonly writesOf: (state: State) => Writes;
  /** To be run, or looked at, in the place of a state that a step of this recording ended in. */
  readonly continued: (state: State) => State;
}

export function record(state: State): Recording {
  const reads: Reads = { list: [], keys: new Set(), finished: new Map() };
  const draftBehind = (after: State): RecordedDraft => {
    const draft = reads.finished.get(after);
    if (draft === undefined) throw new Error('a state that no step of the recording ended in');
    return draft;
  };
  return {
    state: new RecordedState(state, reads, null),
    reads: reads.list,
    writesOf: (after) => draftBehind(after).writes(),
    continued: (after) => new RecordedState(after, reads, draftBehind(after)),
  };
}

class RecordedState implements State {
  readonly own: State;
  readonly reads: Reads;
  /** What the steps before have written; null for the state that the recording begins with. */
  readonly draft: RecordedDraft | null;
  private readonly recordedCpu: RecordedCpu;
  private noting: readonly Word[] | null = null;

  constructor(own: State, reads: Reads, draft: RecordedDraft | null) {
    this.own = own;
    this.reads = reads;
    this.draft = draft;
    this.recordedCpu = new RecordedCpu(own.cpu, reads, draft?.writtenCpu() ?? NO_CPU_FIELD);
  }

  get node(): number {
    return this.own.node;
  }

  /** Each register is noted when it is looked at. */
  get registers(): readonly Word[] {
    const { draft, reads } = this;
    this.noting ??= new Proxy(this.own.registers, {
      get: (registers, key): unknown => {
        const index = typeof key === 'string' ? Number(key) : NaN;
        if (Number.isInteger(index) && draft !== null) draft.noteRegisterRead(index);
        else if (Number.isInteger(index)) noteRegister(reads, index);
        return Reflect.get(registers, key);
      },
    });
    return this.noting;
  }

  get flags(): Word {
    if (this.draft?.wrote('flags') !== true) noteSimple(this.reads, 'flags');
    return this.own.flags;
  }

  get cpu(): Cpu {
    return this.recordedCpu as unknown as Cpu;
  }

  get memory(): State['memory'] {
    this.own.memory.forEach((_, region) => (this.draft === null ? noteSlot(this.reads, region, -1) : this.draft.noteRegionRead(region)));
    return this.own.memory;
  }

  get frames(): readonly Frame[] {
    if (this.draft?.wrote('frames') !== true) noteSimple(this.reads, 'frames');
    return this.own.frames;
  }

  get pending(): readonly Pending[] {
    if (this.draft?.wrote('pending') !== true) noteSimple(this.reads, 'pending');
    return this.own.pending;
  }

  /** Who counts events does so outside of the recording. */
  get budgets(): readonly number[] {
    return this.own.budgets;
  }

  get features(): readonly string[] {
    if (this.draft?.wrote('features') !== true) noteSimple(this.reads, 'features');
    return this.own.features;
  }

  get ghosts(): readonly GuardGhost[] {
    if (this.draft?.wrote('ghosts') !== true) noteSimple(this.reads, 'ghosts');
    return this.own.ghosts;
  }

  /** Only states that have not ended are recorded. */
  get ended(): string | null {
    return this.own.ended;
  }
}

/** A draft of a recorded state, or null where the state is none. */
export function recordedDraft(state: State): Draft | null {
  return state instanceof RecordedState ? new RecordedDraft(state.draft ?? state) : null;
}

/** A second draft of a recording, or null where the first is none. */
export function recordedFork(draft: Draft): Draft | null {
  return draft instanceof RecordedDraft ? new RecordedDraft(draft) : null;
}

/** The recorded draft behind a draft, or null. */
export function recorded(draft: Draft): RecordedDraft | null {
  return draft instanceof RecordedDraft ? draft : null;
}

/** Whether the steps before have written what is asked for: then it is none of the first state's. */
function wrote(state: RecordedState, field: 'flags' | 'frames'): boolean {
  return state.draft?.wrote(field) === true;
}

/**
 * Whether a step is one of code alone, as nearly all are: nothing was recorded or latched for this boundary, no shadow lies
 * on it, nothing single-steps and no breakpoint is set.
 */
export function isCalm(state: Pick<State, 'cpu' | 'flags'>): boolean {
  if (!(state instanceof RecordedState)) return calm(state);
  if (state.draft === null || (!wrote(state, 'flags') && state.draft.writtenCpu() === NO_CPU_FIELD)) {
    noteSimple(state.reads, 'calm');
    return calm(state.own);
  }
  if (!wrote(state, 'flags')) noteSimple(state.reads, 'trap flags');
  return calm({ cpu: state.cpu, flags: state.own.flags });
}

function calm({ cpu, flags }: Pick<State, 'cpu' | 'flags'>): boolean {
  return cpu.pendingDebug === 0 && !cpu.nmiLatched && cpu.shadow === 'none' && cpu.dr7 === INITIAL_CPU.dr7 && (flags.value & TRAP_FLAGS) === 0n;
}

/** What makes the next boundary one of its own: single-step, and the flag that holds breakpoints off. */
export const TRAP_FLAGS = TF | RF;

/** IF of a state: null where it is not known. */
export function interruptFlag(state: State): boolean | null {
  const own = state instanceof RecordedState ? state.own : state;
  if (state instanceof RecordedState && !wrote(state, 'flags')) noteSimple(state.reads, 'interrupt flag');
  return (own.flags.known & IF) === 0n ? null : (own.flags.value & IF) !== 0n;
}

/** Whether a CPU feature is there: null where it is not known. */
export function featureOf(state: State, name: string): boolean | null {
  const own = state instanceof RecordedState ? state.own : state;
  if (state instanceof RecordedState && state.draft?.wrote('features') !== true) noteFeature(state.reads, name);
  return own.features.includes(name) ? true : own.features.includes(`!${name}`) ? false : null;
}

/** What of the innermost frame is the same whatever it interrupted. */
export type Innermost = Pick<Frame, 'vector' | 'base' | 'end' | 'cpl' | 'region' | 'level'>;

export function innermostOf(state: Pick<State, 'frames'>): Innermost | undefined {
  if (state instanceof RecordedDraft) {
    state.noteInnermostRead();
    return state.innermost();
  }
  if (!(state instanceof RecordedState)) return state.frames.at(-1);
  if (!wrote(state, 'frames')) noteSimple(state.reads, 'innermost');
  return state.own.frames.at(-1);
}

/** Live frames of a state. */
export function depthOf(state: State): number {
  const own = state instanceof RecordedState ? state.own : state;
  if (state instanceof RecordedState && !wrote(state, 'frames')) noteSimple(state.reads, 'depth');
  return own.frames.length;
}
