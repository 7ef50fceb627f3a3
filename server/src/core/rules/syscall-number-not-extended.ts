// XR-REG02: a 32-bit entry hands C code the upper half of a register that user space set.
import type { PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { cFunctionCalled, isConstant, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import { draftOf, load } from '../machine/draft.ts';
import { RDI } from '../machine/registers.ts';
import { X86_32 } from '../tree/kernel-32.ts';
import type { Tree } from '../tree/tree.ts';
import type { Judgement, Rule } from './rule.ts';
import { findings } from './tree-entries.ts';

/** Offset of the system call number in pt_regs (arch/x86/include/asm/ptrace.h). */
const ORIG_AX = 0x78n;
const UPPER = 0xffff_ffff_0000_0000n;
const TAKES_32 = /^(do_fast_syscall_32|do_SYSENTER_32|do_int80_syscall_32)$/;

function judge(step: PathStep): readonly Judgement[] {
  const { node, before } = step;
  if (!isInstruction(node)) return [];
  const name = cFunctionCalled(step);
  const regs = before.registers[RDI];
  if (name === null || !TAKES_32.test(name) || regs === undefined || !isConstant(regs)) return [];
  const number = load(draftOf(before), step.setup, regs.value + ORIG_AX, 8);
  if ((number.known & UPPER) === UPPER) return [];
  return [{ place: pathPlace(node), message: `${name}() gets a system call number whose upper half is as user space set it; zero-extend it before it is pushed`, premises: pathPremises(step) }];
}

/** INT 0x80 leaves the number in RAX, of which C code takes 32 bits. */
function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  if (tree.option(X86_32)) return [];
  for (const one of tree.functions) {
    if (!/^(?:do_|fred_)?int80_emulation$/.test(one.name)) continue;
    for (const step of one.graph().steps) {
      if (step.kind === 'store' && step.target === 'regs->orig_ax' && step.value === 'regs->ax') found.at(step, { function: one, calls: [] }, 'the system call number keeps the upper half of RAX, which a 64-bit program sets as it likes: tracers and filters read another number than the one that is called; take the lower 32 bits');
    }
  }
  return found.all();
}

function entry(extend: string, mark: string): string {
  return `	.globl	entry_SYSCALL_compat
entry_SYSCALL_compat:
	swapgs
	movq	%rsp, %gs:saved_rsp(%rip)
	movq	%gs:top_of_stack(%rip), %rsp
${extend}	subq	$5*8, %rsp
	pushq	%rax
	subq	$15*8, %rsp
${['ebx', 'ecx', 'edx', 'esi', 'ebp', 'r8d', 'r9d', 'r10d', 'r11d', 'r12d', 'r13d', 'r14d', 'r15d'].map((name) => `\txorl\t%${name}, %${name}\n`).join('')}	movq	%rsp, %rdi
	call	do_fast_syscall_32${mark}
	hlt

${entryStub()}`;
}

export const syscallNumberNotExtended: Rule = {
  name: 'syscall-number-not-extended',
  id: 'XR-REG02',
  group: 'Registers',
  severity: 'error',
  summary: 'a 32-bit entry keeps the upper half of the system call number',
  why: 'A 64-bit task can enter through the doors of 32-bit programs with anything in the upper half of RAX. The number is checked as 32 bits and used as an index of 64, or the other way round.',
  instead: 'Zero-extend the number before it is saved: `movl %eax, %eax`.',
  falsePositives: ['Entries whose C code takes the number as an int and stores it back.'],
  references: ['CVE-2007-4573', 'CVE-2010-3301'],
  bad: [{ title: 'RAX is pushed as it is', files: { 'entry.S': entry('', ' #~ syscall-number-not-extended'), 'design.c': handlerOfGp } }],
  good: [{ title: 'Zero-extended first', files: { 'entry.S': entry('\tmovl\t%eax, %eax\n', ''), 'design.c': handlerOfGp } }],
  judge: null,
  path: { at: ['call'], monitor: null, judge },
  examine,
  inspect: null,
  fix: null,
};
