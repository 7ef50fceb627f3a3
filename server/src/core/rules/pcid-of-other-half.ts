// XR-CR06: the user page table runs under the PCID of the kernel's, or the kernel's under that of the user's.
import type { PathStep } from '../contexts/entry-paths.ts';
import { USER_CR3, USER_PCID } from '../contexts/entry-start.ts';
import { REGISTER_NAMES } from '../machine/registers.ts';
import type { Program } from '../program/program.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { entered, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Judgement, Rule } from './rule.ts';

const FEATURE = 'X86_FEATURE_PCID';

const keeping = new WeakMap<Program, boolean>();

/** A sketch that sets the no-flush bit has PCIDs; what features its CPU has it does not say. */
function keepsTranslations(program: Program): boolean {
  const before = keeping.get(program) ?? program.code.nodes.some((node) => isInstruction(node) && /^btsq?$/.test(node.mnemonic) && /\$(?:63|0x3f)\b/.test(node.text));
  keeping.set(program, before);
  return before;
}

function judge(step: PathStep): readonly Judgement[] {
  const { node, before, start } = step;
  if (!isInstruction(node) || !(step.program.contexts.has('inside C') ? start.variant.present.includes(FEATURE) : keepsTranslations(step.program))) return [];
  const [source, target] = node.operands;
  if (!node.mnemonic.startsWith('mov') || target?.kind !== 'system-register' || target.name !== 'cr3' || source?.kind !== 'register') return [];
  const written = before.registers[source.register];
  if (written === undefined || (written.known & USER_CR3) === 0n || (written.known & USER_PCID) === 0n) return [];
  const user = (written.value & USER_CR3) !== 0n;
  if (user === ((written.value & USER_PCID) !== 0n)) return [];
  const [own, other] = user ? ['user', 'kernel'] : ['kernel', 'user'];
  return [{ place: pathPlace(node), message: `${node.text} loads the ${own} page table under the PCID of the ${other} half (${entered(start)}): the TLB has translations of the ${other} page table under that tag, which the ${own} half then uses${user ? ', kernel memory included' : ', and it fills it with its own'}; change both bits together`, premises: pathPremises(step), blamed: [{ kind: 'register', name: REGISTER_NAMES[source.register] ?? 'rax' }] }];
}

function stub(mask: string, mark: string): string {
  return entryStub({
    swap: `	movq	%cr3, %r14
	movq	%r14, %rax
	btsq	$63, %rax
	andq	$~${mask}, %rax
	movq	%rax, %cr3${mark}
	testb	$3, 17*8(%rsp)
	jz	1f
	swapgs
1:	lfence
`,
    unswap: `	movq	%r14, %cr3
	testb	$3, 17*8(%rsp)
	jz	2f
	swapgs
2:
`,
  });
}

export const pcidOfOtherHalf: Rule = {
  name: 'pcid-of-other-half',
  id: 'XR-CR06',
  group: 'CR3 and page-table isolation',
  severity: 'error',
  summary: 'a page table runs under the PCID of the other half',
  why: 'Page-table isolation gives each address space two page tables and two PCIDs, and translations are tagged with the PCID that they were made under. A user page table under the PCID of the kernel finds the kernel\'s translations in the TLB, the ones that it is there to hide; and what it adds stays for the kernel, past the flushes that are done for the other tag.',
  instead: 'Change the bit of the page table and the bit of the PCID together.',
  falsePositives: ['CPUs without PCIDs, where the bit is not used: only those with X86_FEATURE_PCID are judged.'],
  references: ['SDM vol. 3A, "Process-Context Identifiers (PCIDs)"', 'Linux, arch/x86/mm/tlb.c', 'semantics CR3-01'],
  bad: [{ title: 'The bit of the page table alone', files: { 'entry.S': stub('0x1000', ' #~ pcid-of-other-half'), 'design.c': handlerOfGp } }],
  good: [{ title: 'Both bits', files: { 'entry.S': stub('0x1800', ''), 'design.c': handlerOfGp } }],
  judge: null,
  path: { at: ['system'], monitor: null, judge },
  inspect: null,
  fix: null,
};
