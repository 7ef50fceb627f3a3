// The words by which scenarios name events and properties. Data only; what an event does is the machine's business.
import type { EventName } from './scenario.ts';

/** Mnemonics by vector (SDM vol. 3, "Exception and Interrupt Reference"; 28 to 30 from the APM, "Vectors"). */
const byVector: readonly (readonly [number, EventName])[] = [
  [0, 'DE'], [1, 'DB'], [2, 'NMI'], [3, 'BP'], [4, 'OF'], [5, 'BR'], [6, 'UD'], [7, 'NM'], [8, 'DF'], [10, 'TS'], [11, 'NP'],
  [12, 'SS'], [13, 'GP'], [14, 'PF'], [16, 'MF'], [17, 'AC'], [18, 'MC'], [19, 'XF'], [20, 'VE'], [21, 'CP'], [28, 'HV'], [29, 'VC'], [30, 'SX'],
];

/** `IRQ` is any maskable external interrupt. */
export const eventNames: readonly EventName[] = [...byVector.map(([, name]) => name), 'IRQ'];

/** As written in files: all upper or all lower case. */
export const eventWords: readonly string[] = [...eventNames, ...eventNames.map((name) => name.toLowerCase())];

/** `ve`, `VE` or 20 as `VE`; vectors without a mnemonic keep their number, those above 31 are `IRQ`. null where it is none. */
export function eventNamed(word: string | number): EventName | null {
  if (typeof word === 'string') return eventWords.includes(word) ? word.toUpperCase() : null;
  if (!Number.isInteger(word) || word < 0 || word > 255) return null;
  return word > 31 ? 'IRQ' : (byVector.find(([vector]) => vector === word)?.[1] ?? String(word));
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
