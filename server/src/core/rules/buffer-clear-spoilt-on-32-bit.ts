// XR-SPC05: a 32-bit kernel clears the CPU's buffers too early, not at all, or through a segment of user space.
import type { Tree } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { findings, treeRule } from './tree-entries.ts';

/** Behind VERW the SYSEXIT path still takes one register and the flags off the entry stack, and needs to. */
const MOST_LOADS = 2;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const { clears, bare } = tree.returns32;
  for (const { place, written, loadsBehind, userDs } of clears) {
    if (userDs !== null) {
      found.place(written, 'VERW reads its selector through DS, which holds what user space chose by then: a limit that is too small makes it fault in the kernel; use %cs:', { related: [{ place: userDs, message: 'DS of user space is loaded here' }, ...(place.file === written.file && place.span.start === written.span.start ? [] : [{ place, message: 'cleared here' }])] });
    }
    if (loadsBehind > MOST_LOADS) found.place(place, `${loadsBehind} registers are loaded from the kernel's stack behind VERW: what it cleared is filled again before the return to user mode; clear behind the restore`);
  }
  for (const { mnemonic, place } of bare) found.place(place, `${mnemonic.toUpperCase()} returns to user mode without VERW, which other ways back have: kernel data stays in the CPU's buffers; clear them right before the return`);
  return found.all();
}

const exit = (before: string, behind: string): string => `	.text
	.globl demo_return
demo_return:
	call	demo_work
${before}	popl	%ebx
	popl	%ecx
	popl	%edx
	popl	%esi
	popl	%edi
	popl	%ebp
	popl	%eax
	popl	%ds
	addl	$4, %esp
${behind}	iret
	.size demo_return, .-demo_return
`;

export const bufferClearSpoiltOn32Bit = treeRule({
  name: 'buffer-clear-spoilt-on-32-bit',
  id: 'XR-SPC05',
  group: 'Speculation',
  severity: 'warning',
  summary: 'a 32-bit kernel clears the CPU buffers too early, or through a segment of user space',
  why: 'VERW overwrites what loads and stores left in the buffers of the processor. Loads of kernel data behind it fill them again. Its operand is read through DS unless a prefix says otherwise, and DS is what user space had in it once the registers are restored.',
  instead: 'Restore the registers, then VERW with a CS override, then IRET or SYSEXIT.',
  falsePositives: ['One register and the flags taken from the entry stack behind VERW, as SYSEXIT needs.', 'Returns to kernel mode.'],
  references: ['SDM vol. 2D, "VERR/VERW"', 'CVE-2024-50072', 'Documentation/arch/x86/mds.rst'],
  bad: [
    { title: 'Cleared before the registers are restored', files: { 'entry.S': exit('\tverw\t%cs:demo_sel #~ buffer-clear-spoilt-on-32-bit\n', '') } },
    { title: 'Read through the DS of user space', files: { 'entry.S': exit('', '\tverw\tdemo_sel #~ buffer-clear-spoilt-on-32-bit\n') } },
  ],
  good: [{ title: 'Behind the restore, through CS', files: { 'entry.S': exit('', '\tverw\t%cs:demo_sel\n') } }],
  examine,
});
