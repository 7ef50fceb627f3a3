// The words by which scenarios name events and properties. Data only; what an event does is the machine's business.
import { VECTORS, vectorByNumber } from '../machine/vectors.ts';
import type { EventName } from './scenario.ts';

/** `IRQ` is any maskable external interrupt. */
export const eventNames: readonly EventName[] = [...VECTORS.map((vector) => vector.name), 'IRQ'];

/** As written in files: all upper or all lower case. */
export const eventWords: readonly string[] = [...eventNames, ...eventNames.map((name) => name.toLowerCase())];

/** `ve`, `VE` or 20 as `VE`; vectors without a mnemonic keep their number, those above 31 are `IRQ`. null where it is none. */
export function eventNamed(word: string | number): EventName | null {
  if (typeof word === 'string') return eventWords.includes(word) ? word.toUpperCase() : null;
  if (!Number.isInteger(word) || word < 0 || word > 255) return null;
  return word > 31 ? 'IRQ' : (vectorByNumber(word)?.name ?? String(word));
}

export const propertyNames = [
  'live-frame-overwritten',
  'guard-busy-at-quiescence',
  'word-consumed-by-nested',
  'shutdown',
  'double-fault',
  'nmi-lost',
  'frame-on-user-stack',
] as const;

export const fallbackNames = ['vmexit', 'df', 'shutdown', 'latched', 'host-queues', 'recursion'] as const;
