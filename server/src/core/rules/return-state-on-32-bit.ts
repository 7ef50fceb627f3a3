// XR-BIT02: entry code of a 32-bit kernel goes back with another page table, stack or flags than it came with, or without a
// fixup for the faults of what a program chose.
import type { Tree } from '../tree/tree.ts';
import type { Observation32, Walk32 } from '../tree/walk-32.ts';
import type { Judgement } from './rule.ts';
import { findings, treeRule } from './tree-entries.ts';

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const walk of tree.walks32) {
    for (const one of walk.observed) {
      const wrong = one.kind === 'return' ? back(one, walk) : one.kind === 'flags' ? flags(one) : one.kind === 'clear' ? clear(one) : null;
      if (wrong === null) continue;
      const asked = one.kind === 'return' && one.asks !== null && (one.state.cr3 !== one.start.state.cr3 || one.state.stack !== one.start.state.stack);
      const [place, shown] = asked && one.asks !== null ? [one.asks, one.place] : [one.place, one.used];
      found.place(place, `${wrong} (${one.entry}, entered from ${one.start.name})`, { related: shown === null ? [] : [{ place: shown, message: asked ? 'it returns here' : 'used here' }] });
    }
    for (const { item, place } of walk.unfixed) found.place(place, `${item.text} may fault with what a program chose, and no entry of the exception table catches it: the kernel dies of it; add one`);
  }
  return found.all();
}

/** The interrupted code goes on as it was. */
function back({ item, state, start }: Observation32, walk: Walk32): string | null {
  const how = item.mnemonic.toUpperCase().replace(/L$/, '');
  if (state.cr3 !== start.state.cr3) return start.state.cr3 === 'user' ? `${how} goes back with the page table of the kernel, and came with that of user mode: a program can read kernel memory by speculation; switch CR3 back` : `${how} goes back to the kernel with the page table of user mode, and came with that of the kernel; write back the CR3 that was saved`;
  if (state.stack !== start.state.stack) return start.state.stack === 'entry' ? `${how} goes back from the task's stack, and was entered on the entry stack: with the page table of user mode it is not mapped; copy the frame back first` : `${how} goes back on the entry stack, and came from another one; switch only where the frame says so`;
  if (how === 'SYSEXIT') return null;
  if (start.how === 'nmi' && start.state.mode === 'kernel' && state.ss !== start.state.ss) return `${how} goes back to the kernel with another stack segment than it came with`;
  if (start.state.mode === 'user' && walk.asksEspfix && !state.espfixAsked) return `${how} goes back to user mode without a look at the SS of the program: with one from the LDT the high half of ESP stays the kernel's and tells where its stack is; check for ESPFIX first`;
  return null;
}

function flags({ item, state, entry, start }: Observation32): string | null {
  if (!state.back || start.how !== 'sysenter' || state.registers['top'] === 'flags' || state.ifCut) return null;
  return `${item.text} of ${entry} loads IF with the other flags of the program: an interrupt arrives in front of SYSEXIT, on the entry stack and with the page table of user mode; clear IF in the word, and STI right before SYSEXIT`;
}

function clear({ state }: Observation32): string | null {
  return state.flagsBack ? 'VERW changes ZF behind the POPF that gave the program its flags back; clear the buffers before it' : null;
}

const way = (first: string, last: string, marks: readonly [string, string] = ['', '']): string => `	.section .entry.text, "ax"
	.globl entry_INT80_32
entry_INT80_32:
	clac
	cld
	movl	$0xd8, %edx
	movl	%edx, %fs
	movl	$0x7b, %edx
	movl	%edx, %ds
	movl	%edx, %es
	andl	$0x0000ffff, 4*4(%esp)
	movl	%cr3, %ecx
	andl	$~0x1000, %ecx
	movl	%ecx, %cr3
	movl	%esp, %ebx
	movl	%fs:pcpu_hot + X86_top_of_stack, %esp
	call	demo_work
	movl	%ebx, %esp
${first}1:
	popl	%ds${marks[0]}
2:
	iret${marks[1]}
	.size entry_INT80_32, .-entry_INT80_32
${last}	.pushsection .fixup, "ax"
3:	jmp	2b
	.popsection
`;
const userCr3 = '\tmovl\t%cr3, %eax\n\torl\t$0x1000, %eax\n\tmovl\t%eax, %cr3\n';
const row = (fault: string): string => `	.pushsection __ex_table, "a"\n	.long ${fault} - .\n	.long 3f - .\n	.long 1\n	.popsection\n`;
const table = row('1b') + row('2b');

export const returnStateOn32Bit = treeRule({
  name: 'return-state-on-32-bit',
  id: 'XR-BIT02',
  group: '32-bit kernels',
  severity: 'error',
  summary: 'entry code of a 32-bit kernel goes back with another page table, stack or flags than it came with, or without a fixup',
  why: 'A program goes on with its own page table or can read the kernel by Meltdown, and then only the entry stack is mapped. Segments that it chose are loaded by the kernel, and IRET checks the rest of them: each of these may fault, at the last moment. SYSEXIT does not load flags, so that POPF does it while the kernel still runs. An event that hit the entry stack has to leave on it, with the CR3 that it found.',
  instead: 'The frame to the entry stack, ESPFIX, CR3, VERW, segments with a fixup each, IRET with one; before SYSEXIT POPF without IF, then STI.',
  falsePositives: ['Kernels without PTI: their code is judged with it.'],
  references: ['SDM vol. 2B, "SYSEXIT"', 'Linux 48a2440d0f20, 82cb8a0b1d8d, 3c88c692c287'],
  bad: [
    { title: 'The kernel\'s page table', files: { 'entry.S': way('', table, ['', ' #~ return-state-on-32-bit']) } },
    { title: 'A fault that nothing catches', files: { 'entry.S': way(userCr3, row('2b'), [' #~ return-state-on-32-bit', '']) } },
  ],
  good: [{ title: 'As it came, with fixups', files: { 'entry.S': way(userCr3, table) } }],
  examine,
});
