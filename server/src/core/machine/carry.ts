// Whole words carried from one place to another: by pushes, pops and moves that nobody looks at on the way, so that a
// recorded step does not depend on what they are.
import type { RegisterIndex } from './code.ts';
import type { MachineSetup } from './config.ts';
import { isEditOfFrame, load, noteAccess, placeOf, replaceRegister, setRegister, setSlot, slotWord, stackPointer, store } from './draft.ts';
import type { Draft } from './draft.ts';
import { recorded } from './recording.ts';
import type { Origin } from './recording.ts';
import { RSP } from './registers.ts';
import { constant, UNKNOWN } from './word.ts';
import type { Word } from './word.ts';

export interface Carried {
  readonly word: Word;
  /** Null where the word is looked at already, or the same in all states. */
  readonly from: Origin | null;
}

/** The word of something that was carried this far, from here on looked at. */
export function lookedAt(draft: Draft, { word, from }: Carried): Word {
  if (from !== null) recorded(draft)?.noteLookedAt(from);
  return word;
}

export function carriedRegister(draft: Draft, index: RegisterIndex): Carried {
  return { word: draft.registers[index] ?? UNKNOWN, from: recorded(draft)?.originOfRegister(index, UNKNOWN) ?? null };
}

/** Eight bytes of memory. */
export function carriedFrom(draft: Draft, setup: MachineSetup, address: bigint): Carried {
  const noted = recorded(draft);
  const place = noted === null ? null : placeOf(setup, address);
  if (noted === null || place === null) return { word: load(draft, setup, address, 8), from: null };
  const { word, missing } = slotWord(draft, place.region, place.slot);
  return { word, from: noted.originOfSlot(place.region.index, place.slot, missing) };
}

export function carryToRegister(draft: Draft, index: RegisterIndex, { word, from }: Carried): void {
  recorded(draft)?.noteRegisterWrite(index, from);
  replaceRegister(draft, index, word);
}

export function carryToMemory(draft: Draft, setup: MachineSetup, address: bigint, carried: Carried): void {
  const place = carried.from === null ? null : placeOf(setup, address);
  if (place === null || isEditOfFrame(draft, address)) store(draft, setup, address, 8, lookedAt(draft, carried));
  else setSlot(draft, place.region, place.slot, carried.word, carried.from);
}

export function push(draft: Draft, setup: MachineSetup, value: Word): void {
  pushCarried(draft, setup, { word: value, from: null });
}

export function pushCarried(draft: Draft, setup: MachineSetup, carried: Carried): void {
  const rsp = stackPointer(draft);
  if (rsp === null) {
    setRegister(draft, RSP, UNKNOWN);
    return;
  }
  noteAccess(draft, rsp - 8n, 8, true);
  carryToMemory(draft, setup, rsp - 8n, carried);
  setRegister(draft, RSP, constant(rsp - 8n));
}

export function pop(draft: Draft, setup: MachineSetup): Word {
  return lookedAt(draft, popCarried(draft, setup));
}

export function popCarried(draft: Draft, setup: MachineSetup): Carried {
  const rsp = stackPointer(draft);
  if (rsp === null) return { word: UNKNOWN, from: null };
  noteAccess(draft, rsp, 8, false);
  setRegister(draft, RSP, constant(rsp + 8n));
  return carriedFrom(draft, setup, rsp);
}
