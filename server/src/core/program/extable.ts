// The exception table of an assembler stream, with its places as nodes and its types by name.
import type { ExtableEntry } from '../machine/code.ts';
import { EXTABLE_TYPES } from '../kernel/primitives.ts';
import type { Placed } from './link-assembler.ts';

export function extableOf(placed: Placed): readonly ExtableEntry[] {
  const rows: ExtableEntry[] = [];
  for (const record of placed.stream.extable) {
    const fault = placed.labels.get(record.fault);
    const fixup = placed.labels.get(record.fixup);
    if (fault === undefined || fixup === undefined) continue;
    const type = record.type ?? 'EX_TYPE_DEFAULT';
    rows.push({ fault, fixup, type: /^\d+$/.test(type) ? (EXTABLE_TYPES.get(Number(type)) ?? `EX_TYPE ${type}`) : type });
  }
  return rows;
}
