// XR-REG04: pt_regs that an entry builds hold something else than what was interrupted.
import type { Monitor, PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { cFunctionCalled, entered, isConstant, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import { entryCall } from '../kernel/entry-calls.ts';
import { draftOf, load } from '../machine/draft.ts';
import { addressOfNode, stackNamed, top } from '../machine/layout.ts';
import { RAX, RDI, REGISTER_NAMES, RSI, RSP } from '../machine/registers.ts';
import { USER32_CS, USER_CS, USER_SS } from '../machine/state.ts';
import { constant, SIGN, truncate, UNKNOWN } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import { vectorByNumber } from '../machine/vectors.ts';
import type { Judgement, Rule } from './rule.ts';

/** Offsets in struct pt_regs (arch/x86/include/asm/ptrace.h). */
const ORIG_AX = 0x78n;
const PT_REGS_BYTES = 168n;
const REGISTERS: readonly (readonly [string, bigint])[] = [['bp', 0x20n], ['bx', 0x28n], ['dx', 0x60n], ['si', 0x68n], ['di', 0x70n]];
const REGISTERS_64: readonly (readonly [string, bigint])[] = [['r15', 0n], ['r14', 0x8n], ['r13', 0x10n], ['r12', 0x18n], ['r10', 0x38n], ['r9', 0x40n], ['r8', 0x48n]];

interface Expected {
  readonly field: string;
  readonly word: Word;
}

/** What stands for no system call in orig_ax. */
const NO_SYSCALL = constant(-1n);

/** What a system call gives that nothing answered. */
const NO_ANSWER = constant(-38n);

/** A part of an entry's name by which it is one for programs of 32 bits. */
const COMPAT = /compat/;
/** INT 0x80 is an event by its gate and a system call all the same. */
const SYSTEM_CALL = 0x80;

/** What each word of pt_regs must be that an instruction which saves none makes the entry build; nothing for those of C code. */
function expectedOf({ start, program }: PathStep): ReadonlyMap<bigint, Expected> {
  const words = new Map<bigint, Expected>();
  if (start.door.kind !== 'instruction') return words;
  const { registers, flags, node } = start.interrupted;
  const narrow = COMPAT.test(start.door.name);
  const set = (offset: bigint, field: string, word: Word | undefined): void => {
    if (word !== undefined) words.set(offset, { field, word });
  };
  const register = (name: string): Word | undefined => registers[REGISTER_NAMES.findIndex((one) => one === name || one === `r${name}`)];
  set(ORIG_AX, 'orig_ax', register('ax'));
  // C code leaves it where the number is no system call's; a sketch need not have it here.
  if (program.contexts.has('inside C')) set(0x50n, 'ax', NO_ANSWER);
  set(0x88n, 'cs', constant(narrow ? USER32_CS : USER_CS));
  set(0xa0n, 'ss', constant(USER_SS));
  for (const [name, offset] of narrow ? REGISTERS : [...REGISTERS, ...REGISTERS_64]) set(offset, name, register(name));
  if (start.door.instruction !== 'SYSCALL') return words;
  // The program has put its second argument in EBP, as SYSCALL takes ECX.
  if (narrow) set(0x58n, 'cx', register('bp'));
  const rsp = registers[RSP];
  set(0x80n, 'ip', constant(addressOfNode(node, true)));
  set(0x90n, 'flags', flags);
  set(0x98n, 'sp', rsp === undefined || !narrow ? rsp : truncate(rsp, 4));
  return words;
}

/** Whether the upper half of the number is cleared for programs of 32 bits syscall-number-not-extended says. */
function isAs({ field, word }: Expected, found: Word, { door }: PathStep['start']): boolean {
  return found === word || (field === 'orig_ax' && COMPAT.test(door.name) && truncate(found, 4) === truncate(word, 4));
}

function noAnswer(what: string): string {
  return `${what}: a number that is no system call's returns to user mode as its own result, and a tracer that skips the call does not see that nothing ran`;
}

/** A push to where pt_regs lie on the task's stack. */
function wrongPush(step: PathStep): readonly Judgement[] {
  const { node, after, setup, program, start } = step;
  const task = stackNamed(setup.layout, 'task');
  const rsp = after.registers[RSP];
  if (start.door.kind !== 'instruction' || !program.contexts.has('inside C') || task === null || rsp === undefined || !isConstant(rsp)) return [];
  const expected = expectedOf(step).get(rsp.value - (top(task) - PT_REGS_BYTES));
  if (expected === undefined || isAs(expected, load(draftOf(after), setup, rsp.value, 8), start)) return [];
  return [judgement(step, expected.word === NO_ANSWER ? noAnswer(`${node.text} saves something else as ax than -ENOSYS (${entered(start)})`) : `${node.text} saves something else as ${expected.field} than ${entered(start)} had`)];
}

/** The C function of a system call with its pt_regs. */
function wrongCall(step: PathStep, name: string): readonly Judgement[] {
  const { before, setup, start } = step;
  const argument = before.registers[RDI];
  const task = stackNamed(setup.layout, 'task');
  if (start.door.kind !== 'instruction' || !/^do_\w*(?:syscall|SYSENTER)/.test(name) || task === null) return [];
  // Up to Linux 5.12 the number came first.
  const regs = top(task) - PT_REGS_BYTES;
  const swapped = argument === undefined || !isConstant(argument) || argument.value !== regs;
  if (swapped && before.registers[RSI] !== constant(regs)) return [];
  const draft = draftOf(before);
  // A sketch leaves out words that it is not about.
  const leavesOut = (word: Word): boolean => word === UNKNOWN && !step.program.contexts.has('inside C');
  const wrong = [...expectedOf(step)].filter(([offset, expected]) => {
    const found = load(draft, setup, regs + offset, 8);
    return !isAs(expected, found, start) && !leavesOut(found);
  }).map(([, { field }]) => field);
  if (wrong.length === 1 && wrong[0] === 'ax') return [judgement(step, noAnswer(`${name}() gets pt_regs whose ax is not -ENOSYS (${entered(start)})`))];
  if (wrong.length > 0) return [judgement(step, `${name}() gets pt_regs whose ${wrong.join(', ')} ${wrong.length === 1 ? 'is' : 'are'} not what ${entered(start)} had`)];
  // A sketch may leave it to C code to take the number from pt_regs.
  if (name !== 'do_syscall_64' || !step.program.contexts.has('inside C') || isNumber(step, before.registers[swapped ? RDI : RSI])) return [];
  return [judgement(step, `${name}() gets another system call number than ${entered(start)} had in %eax`, writtenBefore(step, RAX, '%eax'))];
}

/** Whether the low half of a word is that of the RAX of user mode. */
function isNumber({ start }: PathStep, word: Word | undefined): boolean {
  const rax = start.interrupted.registers[REGISTER_NAMES.indexOf('rax')];
  return word === undefined || rax === undefined || truncate(word, 4) === truncate(rax, 4);
}

/**
 * An exception's handler finds -1 as orig_ax: where it is not negative, a signal on the way back takes the exception for a
 * system call and may start it again, two bytes before the saved RIP (arch/x86/kernel/signal.c).
 */
function restarts(step: PathStep, name: string): readonly Judgement[] {
  const { before, setup, start, program } = step;
  const argument = before.registers[RDI];
  if (start.door.kind !== 'event' || start.door.vector === SYSTEM_CALL || !start.user || program.fred !== null || !program.contexts.has('inside C')) return [];
  if (argument === undefined || !isConstant(argument) || entryCall(name).anyStack) return [];
  const frame = before.frames.at(-1);
  if (frame === undefined || load(draftOf(before), setup, argument.value + 0x98n, 8) !== frame.rsp) return [];
  const word = load(draftOf(before), setup, argument.value + ORIG_AX, 8);
  if ((word.known & word.value & SIGN) !== 0n) return errorCode(step, name);
  return [judgement(step, `${name}() gets pt_regs whose orig_ax is not -1 (${entered(start)}): a signal takes the exception for a system call that may be started again`, stubOf(step))];
}

/** The handler of a vector with an error code takes it as its second argument. */
function errorCode(step: PathStep, name: string): readonly Judgement[] {
  const { start, before, node } = step;
  const code = before.registers[RSI];
  if (start.door.kind !== 'event' || vectorByNumber(start.door.vector)?.errorCode !== true || code !== NO_SYSCALL) return [];
  return [{ place: pathPlace(node), message: `${name}() gets -1 as the error code of ${entered(start)}: the word was overwritten before it was read; read it first`, premises: pathPremises(step) }];
}

/** How far back the code before a call is looked through. */
const FAR = 80;

/** The last instruction in the text before a step that writes a register. */
function writtenBefore({ program, node }: PathStep, register: number, name: string): Related {
  for (let id = node.id - 1; id >= Math.max(0, node.id - FAR); id -= 1) {
    const one = program.code.nodes[id];
    if (one?.kind !== 'instruction' || /^(?:push|cmp|test|bt)/.test(one.mnemonic)) continue;
    const target = one.operands.at(-1);
    if (target?.kind === 'register' && target.register === register) return [{ place: { file: one.origin.file, span: one.origin.span }, message: `${name} is written here` }];
  }
  return [];
}

function stubOf({ start, program }: PathStep): Related {
  const first = start.door.kind === 'event' ? program.code.nodes[start.door.stub] : undefined;
  return first === undefined ? [] : [{ place: pathPlace(first), message: 'its stub' }];
}

type Related = NonNullable<Judgement['related']>;

function judgement(step: PathStep, what: string, related: Related = []): Judgement {
  return { place: pathPlace(step.node), message: `${what}; save each value before anything overwrites it, in the word that pt_regs has for it`, premises: pathPremises(step), related };
}

const CALLED = 1;
/** pt_regs are built until C code has them; what is pushed behind that is for the way out. */
const called: Monitor = { initial: () => 0, next: (value, step) => (value === CALLED || cFunctionCalled(step) !== null ? CALLED : value) };

function judge(step: PathStep, value: number): readonly Judgement[] {
  if (!isInstruction(step.node)) return [];
  if (step.node.mnemonic.startsWith('push')) return value === CALLED ? [] : wrongPush(step);
  const name = cFunctionCalled(step);
  return name === null ? [] : [...wrongCall(step, name), ...restarts(step, name)];
}

const PUSHES = ['rdi', 'rsi', 'rdx', 'rcx', 'rax', 'r8', 'r9', 'r10', 'r11', 'rbx', 'rbp', 'r12', 'r13', 'r14', 'r15'];

function entry(stash: string, mark: string): string {
  return `	.globl	entry_SYSCALL_64
entry_SYSCALL_64:
	swapgs
${stash}	movq	%gs:top_of_stack(%rip), %rsp
	.globl	entry_SYSCALL_64_safe_stack
entry_SYSCALL_64_safe_stack:
	pushq	$0x2b
	pushq	%gs:saved_rsp(%rip)
	pushq	%r11
	pushq	$0x33
	pushq	%rcx
	pushq	%rax
${PUSHES.map((name) => `\tpushq\t%${name}\n`).join('')}	movslq	%eax, %rsi
	xorl	%eax, %eax
${['edx', 'ecx', 'r8d', 'r9d', 'r10d', 'r11d', 'ebx', 'ebp', 'r12d', 'r13d', 'r14d', 'r15d'].map((name) => `\txorl\t%${name}, %${name}\n`).join('')}	movq	%rsp, %rdi
	call	do_syscall_64${mark}
	hlt

${entryStub()}`;
}

export const savedWordWrong: Rule = {
  name: 'saved-word-wrong',
  id: 'XR-REG04',
  group: 'Registers',
  severity: 'error',
  summary: 'an entry hands C code pt_regs with another value than what was interrupted had',
  why: 'SYSCALL and SYSENTER save nothing but RIP and RFLAGS: what C code knows of user mode is what the entry has put in pt_regs. A register that was scratch before it was saved, a selector of the other mode, a number that was taken after a macro clobbered it reach C code as if user mode had chosen them, and go back to it. An exception whose orig_ax is not negative is taken for a system call when a signal is delivered.',
  instead: 'Save each value before anything overwrites it, in the word that pt_regs has for it; -1 as orig_ax of whatever is no system call.',
  falsePositives: ['RCX and R11 of a system call, and in sketches RAX.', 'RIP, RSP and flags of SYSENTER, which C code fills in.', 'The upper halves of the entries for 32-bit programs, which are cleared.'],
  references: ['SDM vol. 3A, "Fast System Calls in 64-Bit Mode"', 'Linux, arch/x86/include/asm/ptrace.h', 'semantics SYS-01, SYS-08'],
  bad: [{ title: 'RSP is saved behind the switch of stacks', files: { 'entry.S': entry('', ' #~ saved-word-wrong').replace('\t.globl\tentry_SYSCALL_64_safe_stack\n', '\tmovq\t%rsp, %gs:saved_rsp(%rip)\n\t.globl\tentry_SYSCALL_64_safe_stack\n'), 'design.c': handlerOfGp } }],
  good: [{ title: 'RSP is saved first', files: { 'entry.S': entry('\tmovq\t%rsp, %gs:saved_rsp(%rip)\n', ''), 'design.c': handlerOfGp } }],
  judge: null,
  path: { at: ['call', 'push'], monitor: called, judge },
  inspect: null,
  fix: null,
};
