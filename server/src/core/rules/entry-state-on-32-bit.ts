// XR-BIT01: entry code of a 32-bit kernel uses memory or calls C code before segments, page table, stack and flags are its own.
import type { Tree } from '../tree/tree.ts';
import type { Observation32 } from '../tree/walk-32.ts';
import { VM } from '../tree/machine-32.ts';
import { immediate } from '../tree/walk-32.ts';
import type { Judgement } from './rule.ts';
import { findings, treeRule } from './tree-entries.ts';

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const { observed } of tree.walks32) {
    for (const one of observed) {
      const wrong = one.kind === 'call' ? call(one) : one.kind === 'memory' || one.kind === 'copy' ? access(one) : one.kind === 'mode' ? mode(one) : one.kind === 'marker' ? marker(one) : null;
      if (wrong === null) continue;
      // What is owed from the start is told where segments are saved, which goes with it.
      const early = one.saves !== null && !one.state.back && (!one.state.df || one.state.fs === 'user' || (one.kind === 'call' && (one.state.ds === 'user' || one.state.es === 'user')));
      const [place, shown] = early && one.saves !== null ? [one.saves, one.place] : [one.place, one.used];
      found.place(place, `${wrong} (${one.entry}, entered from ${one.start.name})`, { related: shown === null ? [] : [{ place: shown, message: early ? 'it is needed here' : 'used here' }] });
    }
  }
  return found.all();
}

/** What C code counts on. */
function call({ item, state }: Observation32): string | null {
  const called = item.text;
  if (!state.df) return `${called}: DF is as a program left it, and string instructions of C code run backwards; CLD first`;
  if (!state.ac) return `${called}: AC is as a program left it, and SMAP is off in C code; CLAC first`;
  if (!state.nt) return `${called}: NT is set, and the next IRET tries to switch tasks and faults; load EFLAGS first`;
  if (!state.tf) return `${called}: TF is as a program left it, and C code is single-stepped; load EFLAGS first`;
  if (!state.ts) return `${called}: the task switch has set CR0.TS, and the next use of the FPU faults; CLTS first`;
  const segment = (['ds', 'es', 'fs'] as const).find((name) => state[name] === 'user');
  if (segment !== undefined) return `${called}: ${segment.toUpperCase()} is what a program chose, and C code reads and writes through it; load the kernel's selector first`;
  if (state.ss === 'espfix') return `${called}: SS is the 16-bit stack segment of the way back, which C code cannot run on; switch to the flat one first`;
  if (state.cr3 === 'user') return `${called}: the page table of user mode is loaded, in which C code is not mapped; switch CR3 first`;
  if (state.stack === 'entry') return `${called}: C code runs on the entry stack, which is a few hundred bytes and the next event of this CPU's; switch to the task's stack first`;
  if (!state.numberGone) return `${called}: the error code stays where the number of a system call is looked for, and a signal may restart it; store -1 there first`;
  return null;
}

/** Addresses that segments and page table have to fit. */
function access({ kind, item, state }: Observation32): string | null {
  const memory = item.operands.find((operand) => operand.kind === 'memory');
  const segment = memory?.kind === 'memory' ? memory.segment : null;
  const text = item.text;
  if (kind === 'copy') {
    if (!state.df) return `${text} copies in the direction that a program left in DF; CLD first`;
    if (state.ds === 'user' || state.es === 'user') return `${text} copies through ${state.ds === 'user' ? 'DS' : 'ES'}, which is what a program chose; load the kernel's selector first`;
    if (state.stack === 'entry') return `${text} copies a frame while RSP is on the entry stack: an NMI that finds it there runs on the task's stack and overwrites the frame; be on the task's stack until it is copied`.replace('RSP', 'ESP');
    return null;
  }
  if (memory?.kind !== 'memory' || memory.indirect || /^(?:push|pop|l[defgs]s)/.test(item.mnemonic) && memory.base === 'esp') return null;
  if (segment === 'fs') {
    if (state.fs === 'user') return `${text} uses FS, which is what a program chose; load the per-CPU selector first`;
    if (state.cr3 === 'user') return `${text} uses per-CPU memory, which the page table of user mode does not map; switch CR3 first`;
    return null;
  }
  if (segment !== null || item.prefixes.some((prefix) => /^[c-gs]s$/.test(prefix)) || /^e?[sb]p$/.test(memory.base ?? '')) return null;
  return state.ds === 'user' ? `${text} goes through DS, which is what a program chose: with another base or a limit it reads or writes elsewhere, or faults; say %ss: or %cs:, or load DS first` : null;
}

/** The way back asks for them. */
function marker({ item, state }: Observation32): string | null {
  return state.csCut ? null : `${item.text} leaves a marker in the high half of the saved CS, which is as the processor left it and may be anything: the way back takes other bits of it for markers too; clear it first`;
}

/** In vm86 mode any value of CS may stand in the frame. */
function mode({ item, state }: Observation32): string | null {
  const by = immediate(item.operands[0]) ?? 0n;
  if ((by & VM) !== 0n || (item.mnemonic === 'testl' && state.vmAsked)) return null;
  return `${item.text} takes the saved CS for the mode without a look at EFLAGS.VM: in vm86 mode a program has any CS, and its frame is taken for one of the kernel; ask for VM too`;
}

const stub = (before: string, inside: string, mark: string): string => `	.section .entry.text, "ax"
	.globl entry_INT80_32
entry_INT80_32:
	clac
${before}	pushl	$0
	pushl	%fs${mark}
	pushl	%eax
	movl	$0xd8, %eax
	movl	%eax, %fs
	popl	%eax
	andl	$0x0000ffff, 4*4(%esp)
	pushl	%es
	pushl	%ds
	pushl	%eax
	pushl	%edx
	movl	$0x7b, %edx
${inside}	movl	%edx, %es
	movl	%cr3, %eax
	andl	$~0x1000, %eax
	movl	%eax, %cr3
	movl	%esp, %ebx
	movl	%fs:pcpu_hot + X86_top_of_stack, %esp
	call	demo_work
	movl	%ebx, %esp
	movl	%cr3, %eax
	orl	$0x1000, %eax
	movl	%eax, %cr3
	iret
	.size entry_INT80_32, .-entry_INT80_32
`;

export const entryStateOn32Bit = treeRule({
  name: 'entry-state-on-32-bit',
  id: 'XR-BIT01',
  group: '32-bit kernels',
  severity: 'error',
  summary: 'entry code of a 32-bit kernel uses memory or calls C code before segments, page table, stack and flags are its own',
  why: 'On delivery a 32-bit processor loads CS, EIP, SS and ESP. Data segments, CR3 with PTI, and of the flags DF and AC stay as the program had them; SYSENTER leaves NT and TF too, and the task gate of #DF sets NT and CR0.TS. On the entry stack there is room for a frame, and an NMI that arrives there runs on the task\'s stack. The high half of a saved CS is undefined on some processors, and Linux keeps markers in it.',
  instead: 'CLD and CLAC, the kernel\'s FS, DS and ES, CR3, then the stack; a segment override where DS is not loaded yet, or no longer.',
  falsePositives: ['Accesses through ESP, which go through SS.', 'Code that interrupted the kernel, as far as the frame tells.'],
  references: ['SDM vol. 3A, "Flag Usage By Exception- or Interrupt-Handler Procedure"', 'SDM vol. 3A, "Task Switching"', 'Linux 40ad2199580e, 82cb8a0b1d8d'],
  bad: [
    { title: 'No CLD', files: { 'entry.S': stub('', '\tmovl\t%edx, %ds\n', ' #~ entry-state-on-32-bit') } },
    { title: 'DS of the program', files: { 'entry.S': stub('\tcld\n', '', ' #~ entry-state-on-32-bit') } },
  ],
  good: [{ title: 'All set up', files: { 'entry.S': stub('\tcld\n', '\tmovl\t%edx, %ds\n', '') } }],
  examine,
});
