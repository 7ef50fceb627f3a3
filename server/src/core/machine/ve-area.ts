// The information area that a processor fills before it delivers #VE (semantics.md §8.1; SDM vol. 3C,
// "Virtualization-Exception Information"). The re-entrancy word is its guard; nobody but software clears it (VE-03).
import type { GuardSetup, MachineSetup } from './config.ts';
import { load, store } from './draft.ts';
import type { Draft } from './draft.ts';
import { constant, insertBytes, opaque } from './word.ts';
import type { Word } from './word.ts';

/** Offset of the re-entrancy word, and the length of what hardware writes. */
const WORD = 4n;
const LENGTH = 34n;
const EPT_VIOLATION = constant(48n);
/** Exit qualification, "NMI unblocking due to IRET" (NMI-04). */
const NMI_UNBLOCKED = 1n << 12n;

/** Nothing but the word where the area is not laid out as the manual says, as in an abstract design. */
export function writeVeInformation(draft: Draft, setup: MachineSetup, guard: GuardSetup, address: Word, byIret: boolean): void {
  if (guard.address === null || guard.size !== 4) return;
  const area = guard.address - WORD;
  if (guard.info.start !== area || guard.info.end - area < LENGTH || (area & 7n) !== 0n) return;
  store(draft, setup, area, 8, insertBytes(load(draft, setup, area, 8), 0, 4, EPT_VIOLATION));
  const qualification = opaque(byIret ? 'exit qualification of IRET' : 'exit qualification', NMI_UNBLOCKED, byIret ? NMI_UNBLOCKED : 0n);
  store(draft, setup, area + 8n, 8, qualification);
  store(draft, setup, area + 16n, 8, address);
  store(draft, setup, area + 24n, 8, opaque('guest physical address'));
  store(draft, setup, area + 32n, 2, opaque('EPTP index', ~0xffffn & 0xffff_ffff_ffff_ffffn, 0n));
}
