// Numbers for the parts of states: each part interned by what it holds, and what a step asks of a state answered from the
// numbers alone.
import { createInterner } from '../explore/interner.ts';
import { createLists } from '../explore/pairs.ts';
import { createRows } from '../explore/rows.ts';
import { isCalm, TRAP_FLAGS } from '../machine/recording.ts';
import { ARITHMETIC, IF } from '../machine/state.ts';
import { replaceBits } from '../machine/word.ts';
import type { Cpu, Frame, Saved, State } from '../machine/state.ts';
import type { Origin, Piece } from '../machine/recording.ts';
import type { Word } from '../machine/word.ts';
import { PartedState } from './parts.ts';
import type { Parts, Rest, Slots } from './parts.ts';

const NO_SLOTS: Slots = [];

interface Control {
  readonly flags: Word;
  readonly cpu: Cpu;
  readonly calm: number;
  /** Number of the flags that no arithmetic changes. */
  readonly systemFlags: number;
  /** 0 and 1 as the flag, 2 where it is not known. */
  readonly interruptFlag: number;
}

interface Frames {
  readonly frames: readonly Frame[];
  readonly innermost: number;
}

interface RestIds {
  readonly rest: Rest;
  readonly pending: number;
  readonly features: number;
  readonly ghosts: number;
  /** What is known of those features that were asked for. */
  readonly known: Map<string, number>;
}

/** `regionCount`: regions of the memory of every state. */
export function createParts(regionCount: number): Parts {
  const known = new WeakMap<object, number>();
  const registers = createRows<Word>();
  const controls = table<Control>();
  const regions = createRows<Word>();
  const memories = createLists(regionCount);
  const frameLists = table<Frames>();
  const rests = table<RestIds>();
  const cpus = createInterner();
  const saves = createInterner();
  const small = createInterner();

  /** By identity first, by content where the object was not seen before. */
  function once(value: object, id: () => number): number {
    const found = known.get(value);
    if (found !== undefined) return found;
    const made = id();
    known.set(value, made);
    return made;
  }

  function registersId(words: readonly Word[]): number {
    return once(words, () => registers.idOf(words));
  }

  function cpuId(cpu: Cpu): number {
    return once(cpu, () => {
      const bits = `${cpu.cpl}${cpu.nmiBlocked ? 'B' : ''}${cpu.nmiLatched ? 'L' : ''}${cpu.mcip ? 'M' : ''}${cpu.veInfoValid ? 'V' : ''}${cpu.shadow}`;
      return cpus.idOf(`${bits},${cpu.level},${cpu.pendingDebug},${cpu.gsBase.id},${cpu.kernelGsBase.id},${cpu.cr2.id},${cpu.cr3.id},${cpu.cs.id},${cpu.ss.id},${cpu.specCtrl.id},${cpu.dr6.id},${cpu.dr7.id},${registersId(cpu.breakpoints)}`);
    });
  }

  function controlId(flags: Word, cpu: Cpu): number {
    const id = cpuId(cpu);
    const flag = (flags.known & IF) === 0n ? 2 : (flags.value & IF) === 0n ? 0 : 1;
    return controls.idOf(`${flags.id},${id}`, () => ({ flags, cpu, calm: isCalm({ flags, cpu }) ? 1 : 0, systemFlags: replaceBits(flags, ARITHMETIC, 0n, 0n).id, interruptFlag: flag }));
  }

  function regionId(slots: Slots): number {
    return once(slots, () => regions.idOf(slots));
  }

  function memoryId(memory: State['memory']): number {
    return once(memory, () => memories.idOf(Array.from({ length: regionCount }, (_, at) => regionId(memory[at] ?? NO_SLOTS))));
  }

  function memoryOf(id: number): State['memory'] {
    const memory: Slots[] = [];
    for (let at = 0; at < regionCount; at += 1) memory.push(regions.at(memories.at(id, at)));
    return memory;
  }

  function savedId(saved: Saved): number {
    return once(saved, () => saves.idOf(`${registersId(saved.registers)},${saved.flags.id},${saved.cs.id},${saved.ss.id},${saved.gsBase.id},${saved.kernelGsBase.id},${saved.cr3.id},${saved.specCtrl.id}`));
  }

  function framesId(frames: readonly Frame[]): number {
    return once(frames, () => {
      const key = frames.map((frame) => `${frame.vector},${frame.base},${frame.interrupted},${frame.rsp.id},${frame.cpl},${frame.region},${frame.level},${savedId(frame.saved)}`).join(';');
      return frameLists.idOf(key, () => ({ frames, innermost: small.idOf(`innermost ${innermostText(frames.at(-1))}`) }));
    });
  }

  function restId(rest: Rest): number {
    const pending = rest.pending.map(({ kind, vector }) => `${kind}${vector}`).join();
    const features = rest.features.join();
    const ghosts = rest.ghosts.map((ghost) => `${ghost.owner ?? ''},${ghost.clearedAt ?? ''},${ghost.aboveFrame ? 1 : 0}`).join('|');
    return rests.idOf(`${rest.budgets.join()};${pending};${features};${ghosts};${rest.ended ?? ''}`, () => ({
      rest: { pending: rest.pending, budgets: rest.budgets, features: rest.features, ghosts: rest.ghosts, ended: rest.ended },
      pending: small.idOf(`pending ${pending}`),
      features: small.idOf(`features ${features}`),
      ghosts: small.idOf(`ghosts ${ghosts}`),
      known: new Map(),
    }));
  }

  function cpuValue(cpu: Cpu, field: keyof Cpu): number {
    switch (field) {
      case 'cpl':
      case 'pendingDebug':
      case 'level':
        return cpu[field];
      case 'nmiBlocked':
      case 'nmiLatched':
      case 'mcip':
      case 'veInfoValid':
        return cpu[field] ? 1 : 0;
      case 'shadow':
        return cpu.shadow === 'none' ? 0 : cpu.shadow === 'sti' ? 1 : 2;
      case 'breakpoints':
        return registersId(cpu.breakpoints);
      default:
        return cpu[field].id;
    }
  }

  function valueOf(piece: Piece, state: PartedState): number {
    switch (piece.kind) {
      case 'register':
        return registers.at(state.registersId)[piece.index]?.id ?? 0;
      case 'slot':
        return regions.at(memories.at(state.memoryId, piece.region))[piece.slot]?.id ?? 0;
      case 'region':
        return memories.at(state.memoryId, piece.region);
      case 'registers':
        return state.registersId;
      case 'flags':
        return controls.at(state.controlId).flags.id;
      case 'system flags':
        return controls.at(state.controlId).systemFlags;
      case 'trap flags':
        return Number(controls.at(state.controlId).flags.value & TRAP_FLAGS);
      case 'calm':
        return controls.at(state.controlId).calm;
      case 'interrupt flag':
        return controls.at(state.controlId).interruptFlag;
      case 'cpu':
        return cpuValue(controls.at(state.controlId).cpu, piece.field);
      case 'frames':
        return state.framesId;
      case 'innermost':
        return frameLists.at(state.framesId).innermost;
      case 'depth':
        return frameLists.at(state.framesId).frames.length;
      case 'pending':
        return rests.at(state.restId).pending;
      case 'feature':
        return featureValue(rests.at(state.restId), piece.name);
      case 'features':
        return rests.at(state.restId).features;
      case 'ghosts':
        return rests.at(state.restId).ghosts;
    }
  }

  function wordAt(piece: Origin['piece'], state: PartedState): Word | undefined {
    return piece.kind === 'register' ? registers.at(state.registersId)[piece.index] : regions.at(memories.at(state.memoryId, piece.region))[piece.slot];
  }

  const parts: Parts = {
    registersId,
    controlId,
    memoryId,
    framesId,
    restId,
    registersOf: registers.at as (id: number) => readonly Word[],
    withRegister: registers.with,
    withSlot: regions.with,
    flagsOf: (id) => controls.at(id).flags,
    cpuOf: (id) => controls.at(id).cpu,
    memoryOf,
    regionId,
    freshRegionId: regions.idOf,
    regionOf: regions.at,
    size: () => registers.size() + controls.size() + regions.size() + memories.size() + frameLists.size() + rests.size(),
    regionIn: memories.at,
    withRegion: memories.with,
    framesOf: (id) => frameLists.at(id).frames,
    restOf: (id) => rests.at(id).rest,
    stateOf: (state) => (state instanceof PartedState && state.parts === parts ? state : new PartedState(parts, state.node, registersId(state.registers), controlId(state.flags, state.cpu), memoryId(state.memory), framesId(state.frames), restId(state))),
    wordAt,
    valueOf,
  };
  return parts;
}

function innermostText(frame: Frame | undefined): string {
  return frame === undefined ? '' : `${frame.vector},${frame.base},${frame.end},${frame.cpl},${frame.region},${frame.level}`;
}

function featureValue({ rest, known }: RestIds, name: string): number {
  const found = known.get(name);
  if (found !== undefined) return found;
  const value = rest.features.includes(name) ? 1 : rest.features.includes(`!${name}`) ? 0 : 2;
  known.set(name, value);
  return value;
}

interface Table<T> {
  readonly size: () => number;
  readonly idOf: (key: string, value: () => T) => number;
  readonly at: (id: number) => T;
}

/** Values by number; equal keys are one value. */
function table<T>(): Table<T> {
  const ids = new Map<string, number>();
  const values: T[] = [];
  return {
    size: () => values.length,
    idOf: (key, value) => {
      const known = ids.get(key);
      if (known !== undefined) return known;
      const id = values.push(value()) - 1;
      ids.set(key, id);
      return id;
    },
    at: (id) => {
      const value = values[id];
      if (value === undefined) throw new Error(`no component has the number ${id}`);
      return value;
    },
  };
}
