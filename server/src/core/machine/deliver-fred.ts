// FRED delivery (semantics.md FR-01 to FR-11): one entry point for each origin, a stack level by event, 64-byte frames
// that never rewind, RFLAGS cleared to 2.
import type { MachineSetup } from './config.ts';
import { selectorsOf } from './config.ts';
import { enter, pushOnUserStack, savedFlags, savedOf } from './enter.ts';
import { changeCpu, register, setRegister, store } from './draft.ts';
import type { Draft } from './draft.ts';
import { DEBUG, DOUBLE_FAULT, PAGE_FAULT, pushesErrorCode, pushFault } from './event.ts';
import type { EventKind, Happening } from './event.ts';
import { FRAME_BYTES, noteOverwritten } from './frames.ts';
import { addressOfNode, stackOf, top } from './layout.ts';
import { mappingOf } from './mapping.ts';
import { RSP } from './registers.ts';
import { constant, isConstant, opaque, or, truncate, ZERO } from './word.ts';
import type { Word } from './word.ts';

const FRED_FRAME_BYTES = 64n;

/** FR-02: event types in the frame. */
const TYPES: Readonly<Record<EventKind, bigint>> = {
  external: 0n,
  nmi: 2n,
  exception: 3n,
  'software-interrupt': 4n,
  'privileged-software-exception': 5n,
  'software-exception': 6n,
  'system-call': 7n,
};

/** Bits of the SS image. */
const STI_SHADOW = 1n << 16n;
const SOFTWARE_EVENT = 1n << 17n;
const NMI_EVENT = 1n << 18n;
const LONG_MODE = 1n << 57n;
const NESTED = 1n << 58n;

/** The fault that delivery meets, or null where it went through or ended the run. */
export function deliverFred(draft: Draft, setup: MachineSetup, event: Happening): Happening | null {
  const fred = setup.fred;
  if (fred === null) {
    draft.ended = 'no-gate';
    draft.effects.push({ kind: 'unknown', what: 'FRED has no entry points' });
    return null;
  }
  const user = draft.cpu.cpl === 3;
  const old = register(draft, RSP);
  const before = user ? 0 : draft.cpu.level;
  const level = levelOf(draft, setup, event, before);
  const region = setup.layout.regions[fred.stacks[level] ?? -1];
  const fresh = user || level > before;
  if (!fresh && !isConstant(old)) {
    pushOnUserStack(draft, event.vector);
    return null;
  }
  const start = fresh ? (region === undefined ? setup.rsp0 : top(region)) : (old.value - BigInt(fred.redZone ?? 0)) & ~63n;
  const base = start - FRED_FRAME_BYTES + 8n;
  for (let address = start - 8n; address >= base - 8n; address -= 8n) {
    const mapping = mappingOf(draft, setup, address);
    if (mapping === 'absent' || mapping === 'read-only') return { ...pushFault(address, mapping === 'read-only'), returnTo: event.kind === 'exception' ? event.returnTo : null };
  }
  noteOverwritten(draft, setup, base - 8n, start, event.vector);
  const image: readonly Word[] = [
    event.ripImage ?? constant(addressOfNode(event.returnTo ?? draft.node, user)),
    or(truncate(draft.cpu.cs, 2), constant(BigInt(before) << 16n)),
    savedFlags(draft, event),
    old,
    or(truncate(draft.cpu.ss, 2), constant(information(draft, setup, event))),
    eventData(draft, event),
    ZERO,
  ];
  const saved = savedOf(draft);
  store(draft, setup, base - 8n, 8, pushesErrorCode(event) ? event.errorCode : ZERO);
  image.forEach((value, slot) => store(draft, setup, base + BigInt(slot * 8), 8, value));
  setRegister(draft, RSP, constant(base - 8n));
  draft.flags = constant(2n);
  if (user) changeCpu(draft, { gsBase: draft.cpu.kernelGsBase, kernelGsBase: draft.cpu.gsBase });
  changeCpu(draft, { level });
  const ss = user ? constant(selectorsOf(setup).kernelStack) : draft.cpu.ss;
  enter(draft, setup, event, user ? fred.user : fred.kernel, { base, end: base + FRAME_BYTES, old, region: stackOf(setup.layout, start), level: before, fred: true, saved, ss });
  return null;
}

/** FR-03: an event from user mode comes on level 0, unless it is nested or #DF; INT n and system calls raise no level. */
function levelOf(draft: Draft, setup: MachineSetup, event: Happening, before: number): number {
  if (draft.cpu.cpl === 3 && !event.nested && event.vector !== DOUBLE_FAULT) return 0;
  if (event.kind === 'software-interrupt' || event.kind === 'system-call') return before;
  const wanted = event.kind === 'external' ? (setup.fred?.interruptLevel ?? setup.fred?.levels.get(event.vector) ?? 0) : (setup.fred?.levels.get(event.vector) ?? 0);
  return Math.max(before, wanted);
}

/** FR-02, FR-09: bits 16 and up of the SS image. */
function information(draft: Draft, setup: MachineSetup, event: Happening): bigint {
  const software = event.kind === 'software-interrupt' || event.kind === 'system-call';
  let bits = (BigInt(event.vector & 0xff) << 32n) | (TYPES[event.kind] << 48n);
  if (draft.cpu.cs !== constant(selectorsOf(setup).userCode32)) bits |= LONG_MODE;
  if (event.shadow === 'sti') bits |= STI_SHADOW;
  if (software) bits |= SOFTWARE_EVENT;
  if (event.kind === 'nmi') bits |= NMI_EVENT;
  if (event.nested) bits |= NESTED;
  return bits | (BigInt(event.length) << 60n);
}

/** FR-07, CR2-03: what the vector has to tell. */
function eventData(draft: Draft, event: Happening): Word {
  if (event.kind !== 'exception') return ZERO;
  if (event.vector === PAGE_FAULT) return draft.cpu.cr2;
  if (event.vector !== DEBUG) return ZERO;
  return event.debug === null ? opaque('cause of #DB', ~0x400fn & 0xffff_ffff_ffff_ffffn, 0n) : constant(BigInt(event.debug & 0x400f));
}
