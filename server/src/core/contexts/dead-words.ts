// Words that nothing reads before it writes them: each is as good as any other, so that states which differ in them alone
// are one. A stand-in takes the place of such a word; a step that looks at a stand-in shows that the word was none.
import type { Piece } from '../machine/recording.ts';
import { opaque } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import type { PartedState } from './parts.ts';

/** A word that was taken to be dead: its slot, and since when it was taken so. */
export interface DeadWord {
  readonly moment: number;
  readonly slot: number;
}

/** By moment and slot. */
const standIns: Word[][] = [];
const meanings = new Map<Word, DeadWord>();

export function standIn(moment: number, slot: number): Word {
  const ofMoment = (standIns[moment] ??= []);
  const known = ofMoment[slot];
  if (known !== undefined) return known;
  const word = opaque(`dead word ${slot} of ${moment}`);
  ofMoment[slot] = word;
  meanings.set(word, { moment, slot });
  return word;
}

export function isStandIn(word: Word): boolean {
  return meanings.has(word);
}

const NONE: readonly DeadWord[] = [];

/** Stand-ins among what was looked at in a state. Who searches a whole stack for something does not look at its words. */
export function deadReads(state: PartedState, reads: readonly Piece[]): readonly DeadWord[] {
  if (meanings.size === 0) return NONE;
  let found: DeadWord[] | null = null;
  for (const piece of reads) {
    const words = piece.kind === 'registers' ? state.registers : piece.kind === 'register' || piece.kind === 'slot' ? [state.parts.wordAt(piece, state)] : [];
    for (const word of words) {
      const dead = word === undefined ? undefined : meanings.get(word);
      if (dead !== undefined) (found ??= []).push(dead);
    }
  }
  return found ?? NONE;
}
