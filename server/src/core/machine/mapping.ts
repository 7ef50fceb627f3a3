// Which addresses are mapped under the page table in force (CR3-02), and what stack a push lands on.
import type { MachineSetup } from './config.ts';
import type { Draft } from './draft.ts';
import { regionIndexOf } from './layout.ts';
import { SIGN } from './word.ts';
import type { Word } from './word.ts';

export type Mapping = 'mapped' | 'read-only' | 'absent' | 'unknown';

/** Whether CR3 names the user page table: null where its bit is not known. */
export function onUserTable(setup: MachineSetup, cr3: Word): boolean | null {
  const bit = setup.pageTables?.userBit ?? 0n;
  if (bit === 0n) return false;
  return (cr3.known & bit) === 0n ? null : (cr3.value & bit) !== 0n;
}

/** Kernel memory outside the regions is a guard page or nothing at all; of user memory nobody knows. */
export function mappingOf(draft: Draft, setup: MachineSetup, address: bigint): Mapping {
  const region = regionIndexOf(setup.layout, address);
  if (region < 0) return (address & SIGN) === 0n ? 'unknown' : 'absent';
  const tables = setup.pageTables;
  if (tables === undefined) return 'mapped';
  if (!tables.user.has(region)) {
    const user = onUserTable(setup, draft.cpu.cr3);
    if (user === true) return 'absent';
    if (user === null) return 'unknown';
  }
  return tables.readOnly.has(region) ? 'read-only' : 'mapped';
}
