// XR-REG03: a return leaves other register values than the ones it found.
import type { PathStep } from '../contexts/entry-paths.ts';
import type { Blamed } from '../contexts/path-causes.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { entered, expectedState, ibrsIsClear, isConstant, isEventReturn, isInstruction, knowledgeOf, needsIbrs, pathPlace, pathPremises, stackNameOf } from './path-vocabulary.ts';
import { draftOf, load } from '../machine/draft.ts';
import { addressOfNode } from '../machine/layout.ts';
import { REGISTER_NAMES, RSP } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import { constant, truncate, UNKNOWN } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import type { Program } from '../program/program.ts';
import type { Judgement, Rule } from './rule.ts';

/** SYSCALL and SYSENTER give these another value by themselves, and the C code a result. */
const CHANGED_BY_SYSCALL: ReadonlySet<string> = new Set(['rax', 'rcx', 'r11', 'rsp', 'rdx', 'rbp']);
/** The SYSCALL of 64-bit programs changes these alone. */
const CHANGED_BY_SYSCALL_64: ReadonlySet<string> = new Set(['rax', 'rcx', 'r11']);
/** INT n gives none another value: the result alone changes, and registers that programs of 32 bits have not may be cleared. */
const CHANGED_BY_INT: ReadonlySet<string> = new Set(['rax', 'r8', 'r9', 'r10', 'r11']);
const NONE: ReadonlySet<string> = new Set();

function judge(step: PathStep): readonly Judgement[] {
  const lost = lostBySyscall(step);
  if (lost.length > 0) return [{ place: pathPlace(step.node), message: `${step.node.text} goes back with another ${lost.join(' and ')} than ${entered(step.start)} had; save RCX and R11 as they are at entry`, premises: pathPremises(step), blamed: lost.flatMap((one) => blamedFor(step, one === 'RIP' ? 'rcx' : 'r11', one === 'RIP' ? 0n : 16n)) }];
  if (!isEventReturn(step) || !knowledgeOf(step.program).saves || step.start.door.kind === 'call' || step.start.door.kind === 'way-out') return [];
  const narrow = keepsHighRsp(step);
  if (narrow !== null) return [narrow];
  const expected = expectedState(step);
  const changed = changedBySystemCall(step);
  const wrong = REGISTER_NAMES.filter((name, index) => {
    const after = step.after.registers[index];
    if (changed.has(name) || (entersFor32Bit(step) && index >= 8)) return name !== 'rax' && step.after.cpu.cpl === 3 && after !== expected.registers[index] && isLeftByKernel(after);
    return differs(expected.registers[index], after);
  }).map((name) => `%${name}`);
  if (rspOfCompat(step)) wrong.push('%rsp');
  if (step.after.cpu.cpl === 0 && specCtrlDiffers(expected, step.after)) wrong.push('SPEC_CTRL');
  if (step.after.cpu.cpl === 3 && needsIbrs(step) && !ibrsIsClear(step.after)) wrong.push('SPEC_CTRL');
  if (wrong.length === 0) return [];
  return [{ place: pathPlace(step.node), message: `${step.node.text} returns with another value in ${wrong.join(', ')} than ${entered(step.start)} found; restore what the entry saved`, premises: pathPremises(step), blamed: REGISTER_NAMES.filter((name) => wrong.includes(`%${name}`)).flatMap((name) => blamedFor(step, name, name === 'rsp' ? 24n : null)) }];
}

/** A register that the return loads from its frame comes from the word there. */
function blamedFor({ node, before }: PathStep, name: (typeof REGISTER_NAMES)[number], offset: bigint | null): readonly Blamed[] {
  const rsp = before.registers[RSP];
  const fromFrame = offset !== null && isInstruction(node) && node.mnemonic.startsWith('iret') && rsp !== undefined && isConstant(rsp);
  return [fromFrame ? { kind: 'word', address: rsp.value + offset } : { kind: 'register', name }];
}

const RCX = REGISTER_NAMES.indexOf('rcx');
const R11 = REGISTER_NAMES.indexOf('r11');

/** SYSCALL keeps RIP and RFLAGS in RCX and R11 alone: what the return takes for them must be those (SYS-01). */
function lostBySyscall({ start, node, before, setup, program }: PathStep): readonly string[] {
  if (start.door.kind !== 'instruction' || start.door.instruction !== 'SYSCALL' || !isInstruction(node) || !program.contexts.has('inside C')) return [];
  let rip: Word | undefined;
  let flags: Word | undefined;
  const rsp = before.registers[RSP];
  if (node.mnemonic.startsWith('sysret')) [rip, flags] = [before.registers[RCX], before.registers[R11]];
  else if (node.mnemonic.startsWith('iret') && rsp !== undefined && isConstant(rsp)) {
    const draft = draftOf(before);
    [rip, flags] = [load(draft, setup, rsp.value, 8), load(draft, setup, rsp.value + 16n, 8)];
  }
  const lost: string[] = [];
  if (rip !== undefined && rip !== constant(addressOfNode(start.interrupted.node, true))) lost.push('RIP');
  if (flags !== undefined && flags !== start.interrupted.flags) lost.push('RFLAGS');
  return lost;
}

/** What a system call may change, where the path, or the exit whose IRET faulted on it, began with one. */
function changedBySystemCall(step: PathStep): ReadonlySet<string> {
  for (let start: PathStep['start'] | undefined = step.start; start !== undefined; start = start.parent?.start) {
    if (start.door.kind === 'instruction' && start.door.name === 'entry_SYSCALL_64' && step.program.contexts.has('inside C')) return CHANGED_BY_SYSCALL_64;
    if (start.door.kind === 'instruction' || start.door.kind === 'way-out') return CHANGED_BY_SYSCALL;
    if (start.door.kind === 'software-interrupt') return CHANGED_BY_INT;
    if (start.user) return NONE;
  }
  return NONE;
}

/** Table indicator of a selector: a segment of the LDT, which may be one of 16 bits (SDM vol. 3A, "Segment Selectors"). */
const LDT = 4n;

const espfix = new WeakMap<Program, boolean>();

function usesEspfix(program: Program): boolean {
  const before = espfix.get(program);
  if (before !== undefined) return before;
  const found = program.code.nodes.some((node) => node.kind === 'instruction' && node.text.includes('espfix_stack'));
  espfix.set(program, found);
  return found;
}

/** IRET to a stack segment of 16 bits leaves bits 31 to 16 of RSP as they are: those of the stack that it is made from (IRET-04). */
function keepsHighRsp(step: PathStep): Judgement | null {
  const { node, before, after, setup, program } = step;
  if (!isInstruction(node) || !node.mnemonic.startsWith('iret') || after.cpu.cpl !== 3 || (after.cpu.ss.known & after.cpu.ss.value & LDT) === 0n) return null;
  if (!program.contexts.has('inside C') || !usesEspfix(program) || stackNameOf(setup, before.registers[RSP]) === 'espfix') return null;
  return { place: pathPlace(node), message: `${node.text} returns to a stack segment of the LDT from the ${stackNameOf(setup, before.registers[RSP])} stack (${entered(step.start)}): where that segment has 16 bits, bits 31 to 16 of the kernel's RSP stay in user mode's; return by the espfix stack`, premises: pathPremises(step), blamed: [] };
}

/** The RSP that a SYSCALL of a 32-bit program goes back with is the one it came with, cut to the width of that program. */
function rspOfCompat({ start, after, program }: PathStep): boolean {
  if (start.door.kind !== 'instruction' || start.door.name !== 'entry_SYSCALL_compat' || after.cpu.cpl !== 3 || !program.contexts.has('inside C')) return false;
  const [was, is] = [start.interrupted.registers[RSP], after.registers[RSP]];
  return was !== undefined && is !== undefined && is !== truncate(was, 4);
}

/** Programs of 32 bits have eight registers: their entries and exits clear the others. INT n is for those of 64 bits too. */
function entersFor32Bit(step: PathStep): boolean {
  for (let start: PathStep['start'] | undefined = step.start; start !== undefined; start = start.parent?.start) if (start.door.kind !== 'software-interrupt' && /compat/.test(start.door.name)) return true;
  return false;
}

/** What C code left in a register that a call may change, and what the entry code itself did: a value of the kernel. */
function isLeftByKernel(after: Word | undefined): boolean {
  return after === UNKNOWN || (after?.fields.some(({ root }) => OF_THE_KERNEL.test(root)) ?? false) || (after !== undefined && isConstant(after) && after.value >= KERNEL_HALF && after.value < SMALL_NEGATIVE);
}

/** Opaque values that user mode may not see. */
const OF_THE_KERNEL = /^~?(?:kernel |user CR3|user SPEC_CTRL|per-CPU )/;
/** Addresses of the kernel, and what is a small negative number. */
const KERNEL_HALF = 1n << 63n;
const SMALL_NEGATIVE = 0xffff_ffff_ffff_0000n;

/** An opaque value comes back as itself or not at all; what nobody knows is not judged. */
function differs(before: Word | undefined, after: Word | undefined): boolean {
  if (before === undefined || after === undefined || before === after) return false;
  if (isConstant(before)) return isConstant(after);
  return before.name !== '';
}

function specCtrlDiffers(before: State, after: State): boolean {
  return differs(before.cpu.specCtrl, after.cpu.specCtrl);
}

export const registersNotRestored: Rule = {
  name: 'registers-not-restored',
  id: 'XR-REG03',
  group: 'Registers',
  severity: 'error',
  summary: 'an event return leaves a register with another value than it found',
  why: 'The interrupted code knows nothing of the event: every general register, and SPEC_CTRL where the entry changes it, must be what it was. A saved value that was overwritten, or restored from a register that was used as scratch in between, corrupts code that did nothing wrong.',
  instead: 'Restore from where the value was saved, and use nothing as scratch that still holds a saved value.',
  falsePositives: ['System calls, which return a result in RAX and may clobber RCX and R11 (SYSCALL) or R8 to R11 (INT n), as long as no value of the kernel is left in them.', 'Handlers that change pt_regs on purpose.'],
  references: ['SDM vol. 3A, "Interrupt and Exception Handling in 64-bit Mode"', 'semantics DEL-11'],
  bad: [{ title: 'RBX is popped into RBP', files: { 'entry.S': entryStub({ swap: '', unswap: '', leave: '\tmovq\t%rbx, %rbp\n\taddq\t$8, %rsp\n\tiretq\t#~ registers-not-restored\n' }), 'design.c': handlerOfGp } }],
  good: [{ title: 'Every register from its own word', files: { 'entry.S': entryStub({ swap: '', unswap: '' }), 'design.c': handlerOfGp } }],
  judge: null,
  path: { at: ['return'], monitor: null, judge },
  inspect: null,
  fix: null,
};
