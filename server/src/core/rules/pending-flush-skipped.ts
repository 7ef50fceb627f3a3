// XR-CR05: the user page table is loaded without a flush that is pending, or without asking whether one is.
import type { Monitor, PathStep } from '../contexts/entry-paths.ts';
import { USER_CR3 } from '../contexts/entry-start.ts';
import { entryStub, handlerOfGp, TO_KERNEL_CR3 } from './path-examples.ts';
import { entered, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { InstructionNode } from '../machine/code.ts';
import { REGISTER_NAMES } from '../machine/registers.ts';
import type { Program } from '../program/program.ts';
import type { Judgement, Rule } from './rule.ts';

const NOT_ASKED = 0;
const ASKED = 1;
const PENDING = 2;
const NONE_PENDING = 3;

/** Linux's word with a bit for each address space whose user half has to be flushed (arch/x86/include/asm/tlbflush.h). */
const asksMask = (node: PathStep['node']): boolean => isInstruction(node) && /^bt[rsc]?[bwlq]?$/.test(node.mnemonic) && /flush_mask/.test(node.text);

/** What the path knows of the bit of its address space: CF behind a bit test, by the branch on it. */
const pending: Monitor = {
  initial: () => NOT_ASKED,
  next: (value, step) => {
    const { node, after } = step;
    if (!isInstruction(node)) return value;
    if (asksMask(node)) return value === PENDING ? value : ASKED;
    if (writesCr3(node)) return NOT_ASKED;
    const branch = /^j(n?c|n?b|n?ae)$/.exec(node.mnemonic)?.[1];
    if (value !== ASKED || branch === undefined) return value;
    const carry = /^(?:c|b|nae)$/.test(branch);
    return (after.node === node.target) === carry ? PENDING : NONE_PENDING;
  },
};

function writesCr3(node: InstructionNode): boolean {
  const target = node.operands[1];
  return node.mnemonic.startsWith('mov') && target?.kind === 'system-register' && target.name === 'cr3';
}

const asking = new WeakMap<Program, boolean>();

function asks(program: Program): boolean {
  const before = asking.get(program);
  if (before !== undefined) return before;
  const found = program.code.nodes.some(asksMask);
  asking.set(program, found);
  return found;
}

/** Bit 63 of a value that is written to CR3: nothing is flushed (SDM vol. 3A, "Invalidation of TLBs and Paging-Structure Caches"). */
const NO_FLUSH = 1n << 63n;

function judge(step: PathStep, value: number): readonly Judgement[] {
  const { node, before, start } = step;
  if (!isInstruction(node) || !writesCr3(node) || value === NONE_PENDING || !asks(step.program)) return [];
  const [source] = node.operands;
  const written = source?.kind === 'register' ? before.registers[source.register] : undefined;
  if (written === undefined || (written.known & written.value & NO_FLUSH) === 0n || (written.known & written.value & USER_CR3) === 0n) return [];
  const why = value === PENDING ? 'although the mask says that a flush is pending' : 'and nothing asked whether a flush is pending';
  return [{ place: pathPlace(node), message: `${node.text} loads the user page table with the no-flush bit ${why} (${entered(start)}): user mode goes on with translations that were taken away; leave the bit clear where the mask has the bit of this address space`, premises: pathPremises(step), blamed: [{ kind: 'register', name: nameOf(source) }, { kind: 'branch' }] }];
}

function nameOf(source: InstructionNode['operands'][number] | undefined): (typeof REGISTER_NAMES)[number] {
  return (source?.kind === 'register' ? REGISTER_NAMES[source.register] : undefined) ?? 'rax';
}

function stub(branch: string, mark: string): string {
  return entryStub({
    swap: TO_KERNEL_CR3,
    unswap: `	btq	$12, %r14
	jnc	4f
	movq	%r14, %rax
	andq	$0x7ff, %rax
	btrq	%rax, %gs:user_pcid_flush_mask(%rip)
	${branch}	3f
	btsq	$63, %r14
3:	movq	%r14, %cr3${mark}
4:	testb	$3, 17*8(%rsp)
	jz	2f
	swapgs
2:
`,
  });
}

export const pendingFlushSkipped: Rule = {
  name: 'pending-flush-skipped',
  id: 'XR-CR05',
  group: 'CR3 and page-table isolation',
  severity: 'error',
  summary: 'the user page table is loaded without the flush that is pending for it',
  why: 'With PCIDs the kernel cannot flush the user half of an address space while it runs on the other half: it notes that a flush is due, and the write of CR3 on the way to user mode does it by leaving the no-flush bit clear. With the bit set user mode goes on with translations of pages that it no longer has.',
  instead: 'Test and clear the bit of the address space right before the write, and set the no-flush bit only where it was clear.',
  falsePositives: ['A write without the no-flush bit, which flushes more than it has to.', 'Kernel page tables, which are flushed when that is asked for.'],
  references: ['SDM vol. 3A, "Invalidation of TLBs and Paging-Structure Caches"', 'Linux, arch/x86/mm/tlb.c', 'semantics CR3-01'],
  bad: [{ title: 'The branch on the bit is the wrong way round', files: { 'entry.S': stub('jnc', ' #~ pending-flush-skipped'), 'design.c': handlerOfGp } }],
  good: [{ title: 'No flush where none is pending', files: { 'entry.S': stub('jc', ''), 'design.c': handlerOfGp } }],
  judge: null,
  path: { at: ['system'], monitor: pending, judge },
  inspect: null,
  fix: null,
};
