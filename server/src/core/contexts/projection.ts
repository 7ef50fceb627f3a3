// A state in the words of hovers and traces: stack, flags, blocking, live frames, guards.
import type { CodeNode } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { draftOf, guardBusy } from '../machine/draft.ts';
import { nameAddress, PERCPU_REGION, regionBase, stackOf } from '../machine/layout.ts';
import type { State } from '../machine/state.ts';
import { IF } from '../machine/state.ts';
import { vectorTitle } from '../machine/vectors.ts';
import { isConstant, show } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import type { Program } from '../program/program.ts';

export interface Projection {
  readonly stack: string;
  readonly rewinding: boolean;
  readonly rsp: string;
  readonly cpl: number;
  readonly gs: string;
  readonly cr3: string;
  readonly interruptFlag: string;
  readonly nmiBlocked: string;
  readonly frames: readonly string[];
  readonly guards: readonly { readonly name: string; readonly state: 'armed' | 'busy' | 'unknown' }[];
  readonly pending: string;
  readonly lane: readonly string[];
}

export function contextName(context: string): string {
  switch (context) {
    case 'user':
      return 'user';
    case 'kernel':
      return 'kernel, IF=1';
    case 'kernel-irqs-off':
      return 'kernel, IF=0';
    case 'gap':
      return 'SYSCALL gap';
    default:
      return context;
  }
}

/** The interrupted context at the bottom of a state, by the node of its outermost frame. */
export function laneOf(program: Program, state: State, start: string): readonly string[] {
  const bottom = state.frames[0]?.interrupted ?? state.node;
  const node = program.code.nodes[bottom];
  const context = node?.kind === 'interrupted' ? node.context : start;
  return [contextName(context), ...state.frames.map((frame) => vectorTitle(frame.vector))];
}

/** Whose page table it is where the bit that tells is known (CR3-01). */
export function cr3Text(state: State): string {
  const { cr3 } = state.cpu;
  if (!/ CR3/.test(cr3.name) || (cr3.known & USER_PAGE_TABLE) === 0n) return show(cr3);
  return (cr3.value & USER_PAGE_TABLE) === 0n ? 'kernel CR3' : 'user CR3';
}

const USER_PAGE_TABLE = 1n << 12n;

export function project(program: Program, setup: MachineSetup, state: State, start: string): Projection {
  const rsp = state.registers[4];
  const stack = rsp !== undefined && isConstant(rsp) ? stackOf(setup.layout, rsp.value) : null;
  const draft = draftOf(state);
  return {
    stack: state.cpu.cpl === 3 ? 'user' : (stack?.name ?? (rsp !== undefined && !isConstant(rsp) && rsp.name.startsWith('user ') ? 'user RSP' : 'unknown')),
    rewinding: stack?.rewinding === true,
    rsp: rsp === undefined ? 'unknown' : isConstant(rsp) ? nameAddress(setup.layout, rsp.value) : show(rsp),
    cpl: state.cpu.cpl,
    gs: gsText(state),
    cr3: cr3Text(state),
    interruptFlag: flagText(state.flags, IF),
    nmiBlocked: state.cpu.nmiBlocked ? 'yes' : 'no',
    frames: state.frames.map((frame) => `${vectorTitle(frame.vector)} on ${setup.layout.regions[frame.region]?.name ?? 'an unknown'} stack`),
    guards: setup.guards.map((guard, index) => {
      const busy = guardBusy(draft, setup, index);
      return { name: guard.name, state: busy === null ? 'unknown' : busy ? 'busy' : 'armed' };
    }),
    pending: pendingText(state),
    lane: laneOf(program, state, start),
  };
}

export function gsText(state: State): string {
  const { gsBase } = state.cpu;
  if (isConstant(gsBase)) return gsBase.value === regionBase(PERCPU_REGION) ? 'kernel' : show(gsBase);
  return gsBase.name.startsWith('user') ? 'user' : show(gsBase);
}

export function flagText({ known, value }: Word, bit: bigint): string {
  if ((known & bit) === 0n) return 'unknown';
  return (value & bit) === 0n ? '0' : '1';
}

/** Deferrals that are armed; '' for none. */
export function pendingText({ pending }: State): string {
  return pending.map((one) => (one.kind === 'irq' ? vectorTitle(one.vector) : 'task work')).join(', ');
}

/** `exc_ve: WRITE_ONCE(ve->busy, 0)`, or the words for a context that has no code. */
export function nodeText(node: CodeNode): string {
  return node.kind === 'interrupted' ? node.text : `${node.symbol}: ${node.text}`;
}

/** Fields that differ, in a fixed order, as `field: from -> to`. */
export function changes(before: Projection, after: Projection): readonly { readonly field: string; readonly from: string; readonly to: string }[] {
  const out: { field: string; from: string; to: string }[] = [];
  const note = (field: string, from: string, to: string): void => {
    if (from !== to) out.push({ field, from: from === '' ? 'none' : from, to: to === '' ? 'none' : to });
  };
  note('live frames', before.frames.join(', '), after.frames.join(', '));
  note('stack', before.stack, after.stack);
  note('CPL', String(before.cpl), String(after.cpl));
  note('GS base', before.gs, after.gs);
  note('CR3', before.cr3, after.cr3);
  note('IF', before.interruptFlag, after.interruptFlag);
  note('NMI blocked', before.nmiBlocked, after.nmiBlocked);
  after.guards.forEach((guard, index) => note(guard.name, before.guards[index]?.state ?? '', guard.state));
  note('pending', before.pending, after.pending);
  return out;
}
