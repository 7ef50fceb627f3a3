// Calls from stubs to code that is not in view: what the rows of the kernel's functions say happens to pt_regs, frames
// and registers by the time they return.
import { entryCall, QUIET_ROUTINES } from '../kernel/entry-calls.ts';
import type { InstructionNode } from '../machine/code.ts';
import { ROUTINES } from './entry-routines.ts';
import { copyWords, FRAME_OFFSET, moveFrame, PT_REGS_BYTES, syncRegs } from './pt-regs.ts';
import type { MachineSetup } from '../machine/config.ts';
import { pop, push } from '../machine/carry.ts';
import { draftOf, finish, fork, load, register, setRegister, store } from '../machine/draft.ts';
import type { Draft } from '../machine/draft.ts';
import { addressOfNode, nodeAtAddress, stackNamed, stackOf, top } from '../machine/layout.ts';
import { CALLER_SAVED, RAX, RDI, REGISTER_NAMES } from '../machine/registers.ts';
import { ARITHMETIC } from '../machine/state.ts';
import { innermostOf } from '../machine/recording.ts';
import type { State } from '../machine/state.ts';
import type { Program } from '../program/program.ts';
import { and, ALL, constant, isConstant, ONE, or, UNKNOWN, word, ZERO } from '../machine/word.ts';

export interface OutsideCall {
  readonly name: string;
  /** The state in which the first instruction of the function would run. */
  readonly inside: State;
  readonly after: readonly Draft[];
}

/** The name that a call or a tail jump goes to where that is not in view, or null. */
export function outsideName(node: InstructionNode): string | null {
  if (node.target !== null || node.targetName === null) return null;
  return /^(call|jmp|j[a-z]+)$/.test(node.mnemonic) ? node.targetName : null;
}

/** Takes the call or the tail jump at `state`; the conditional forms are taken by the caller. */
export function callOutside(program: Program, setup: MachineSetup, state: State, node: InstructionNode, name: string, insideNode: number): OutsideCall {
  const draft = draftOf(state);
  const calls = node.mnemonic === 'call' && node.next !== null;
  if (calls && node.next !== null) push(draft, setup, constant(addressOfNode(node.next, false)));
  const within = fork(draft);
  within.node = insideNode;
  const inside = finish(within);
  const routine = calls ? ROUTINES.get(name) : undefined;
  if (routine !== undefined) {
    pop(draft, setup);
    routine(draft, setup, node);
    return { name, inside, after: [draft] };
  }
  const row = entryCall(name);
  if (row.effect === 'no-return') {
    draft.ended = 'panic';
    draft.effects.push({ kind: 'ended', why: `${name}()` });
    return { name, inside, after: [draft] };
  }
  const regs = register(draft, RDI);
  let result = UNKNOWN;
  if (isConstant(regs) && row.effect === 'sync-regs') result = constant(syncRegs(draft, setup, regs.value));
  if (isConstant(regs) && row.effect === 'fixup-bad-iret') result = constant(fixupBadIret(draft, setup, regs.value, regsOffset(program, name)));
  if (isConstant(regs) && row.setsUserReturn) userReturn(draft, setup, regs.value);
  if (isConstant(regs) && row.effect === 'vc-switch-off-ist') result = constant(vcSwitchOffIst(draft, setup, regs.value));
  if (isConstant(regs) && row.effect === 'returns') fixUp(draft, setup, regs.value);
  if (row.effect === 'flags') result = draft.flags;
  const quiet = QUIET_ROUTINES.get(name);
  for (const index of quiet === undefined ? CALLER_SAVED : quiet.map((register) => REGISTER_NAMES.indexOf(register))) setRegister(draft, index, UNKNOWN);
  if (quiet === undefined || row.effect === 'flags') setRegister(draft, RAX, result);
  draft.flags = or(and(draft.flags, constant(~ARITHMETIC)), word(ALL & ~ARITHMETIC, 0n, ''));
  const outcomes = row.effect === 'bool' && asksResult(setup, node) ? [ONE, ZERO] : [null];
  const after = outcomes.map((value, index) => {
    const one = index === outcomes.length - 1 ? draft : fork(draft);
    if (value !== null) setRegister(one, RAX, value);
    comeBack(one, setup);
    return one;
  });
  return { name, inside, after };
}

/** Releases differ in which functions return an answer: a caller that tests AL right behind the call gets one. */
function asksResult(setup: MachineSetup, node: InstructionNode): boolean {
  let at = node.next;
  for (let count = 0; count < 6 && at !== null; count += 1) {
    const behind = setup.code.nodes[at];
    if (behind?.kind === 'feature') at = behind.absent;
    else if (behind?.kind !== 'instruction') return false;
    else if (behind.mnemonic.startsWith('test')) return behind.operands.every((operand) => operand.kind === 'register' && operand.register === RAX);
    else at = /^(jmp|call|ret)/.test(behind.mnemonic) ? null : behind.next;
  }
  return false;
}

function comeBack(draft: Draft, setup: MachineSetup): void {
  const address = pop(draft, setup);
  const node = isConstant(address) ? nodeAtAddress(address.value) : null;
  if (node === null || setup.code.nodes[node] === undefined) {
    draft.ended = 'left-code';
    draft.effects.push({ kind: 'unknown', what: 'the return address is not known' });
  } else draft.node = node;
}

/** Bytes between what a function's argument points at and the pt_regs in it, by the type that the tree declares it with. */
export function regsOffset(program: Program, name: string): bigint {
  const { regsBehind } = entryCall(name);
  if (regsBehind === null) return 0n;
  for (const { parameterTypes } of program.sources) {
    const type = parameterTypes.get(name)?.[0];
    if (type !== undefined) return new RegExp(`\\b${regsBehind.type}\\b`).test(type) ? regsBehind.bytes : 0n;
  }
  return 0n;
}

/**
 * arch/x86/kernel/traps.c, fixup_bad_iret(): general registers of the fault, frame of the IRET, on the entry stack, with
 * the words before pt_regs where it takes any. The result is of the type of the argument.
 */
function fixupBadIret(draft: Draft, setup: MachineSetup, argument: bigint, before: bigint): bigint {
  const regs = argument + before;
  const entry = stackNamed(setup.layout, 'entry');
  const to = (entry === null ? 0n : top(entry)) - PT_REGS_BYTES;
  const saved = load(draft, setup, regs + FRAME_OFFSET + 24n, 8);
  const scratch: { readonly at: bigint; readonly value: ReturnType<typeof load> }[] = [];
  for (let offset = -before; offset < FRAME_OFFSET; offset += 8n) scratch.push({ at: to + offset, value: load(draft, setup, regs + offset, 8) });
  if (isConstant(saved)) for (let offset = 0n; offset < 40n; offset += 8n) scratch.push({ at: to + FRAME_OFFSET + offset, value: load(draft, setup, saved.value + offset, 8) });
  const fault = draft.frames.at(-1);
  const interrupted = draft.frames.at(-2);
  if (fault !== undefined) draft.frames = draft.frames.slice(0, -1);
  for (const { at, value } of scratch) store(draft, setup, at, 8, value);
  if (interrupted !== undefined) moveFrame(draft, setup, interrupted.base, to + FRAME_OFFSET);
  return to - before;
}

/** arch/x86/kernel/traps.c, vc_switch_off_ist(): VC-02. */
function vcSwitchOffIst(draft: Draft, setup: MachineSetup, regs: bigint): bigint {
  const frame = draft.frames.at(-1);
  const saved = load(draft, setup, regs + FRAME_OFFSET + 24n, 8);
  const trusted = isConstant(saved) ? stackOf(setup.layout, saved.value) : null;
  const gap = frame !== undefined && setup.gap !== null && frame.interrupted >= setup.gap.first && frame.interrupted < setup.gap.end;
  const fallback = stackNamed(setup.layout, 'VC2');
  const task = stackNamed(setup.layout, 'task');
  let from = fallback === null ? 0n : top(fallback);
  if (gap && task !== null) from = top(task);
  else if (isConstant(saved) && trusted !== null && trusted.name !== 'entry') from = saved.value;
  const to = (from & ~7n) - PT_REGS_BYTES;
  copyWords(draft, setup, regs, to, PT_REGS_BYTES);
  moveFrame(draft, setup, regs + FRAME_OFFSET, to + FRAME_OFFSET);
  return to;
}

/** A handler sends a fault of an instruction with an exception-table entry to its landing pad (EXT-01). */
function fixUp(draft: Draft, setup: MachineSetup, regs: bigint): void {
  const innermost = innermostOf(draft);
  if (innermost === undefined || !FAULTS.has(innermost.vector)) return;
  const frame = draft.frames.at(-1);
  const entry = frame === undefined ? undefined : setup.code.extable.find((one) => one.fault === frame.interrupted);
  const at = regs + FRAME_OFFSET;
  if (entry === undefined || frame === undefined || load(draft, setup, at, 8) !== constant(addressOfNode(frame.interrupted, false))) return;
  store(draft, setup, at, 8, constant(addressOfNode(entry.fixup, false)));
  draft.effects.push({ kind: 'fixup', type: entry.type, at: entry.fault });
}

/** Whose handlers look the saved RIP up in the exception table. */
export const FAULTS: ReadonlySet<number> = new Set([10, 11, 12, 13, 14]);

/** arch/x86/entry/common.c, do_SYSENTER_32(): SYSENTER saved nothing, so C code fills in where user mode goes on (SYS-08). */
function userReturn(draft: Draft, setup: MachineSetup, regs: bigint): void {
  store(draft, setup, regs + FRAME_OFFSET, 8, constant(addressOfNode(setup.contexts.get('user') ?? 0, true)));
  store(draft, setup, regs + FRAME_OFFSET + 24n, 8, load(draft, setup, regs + 0x20n, 8));
}
