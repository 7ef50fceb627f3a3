// XR-GS04: the sign of the GS base decides whose it is, on a CPU where user mode may write any base.
import type { PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { isConstant, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import { RCX } from '../machine/registers.ts';
import type { Judgement, Rule } from './rule.ts';

const IA32_GS_BASE = 0xc000_0101n;

function judge(step: PathStep): readonly Judgement[] {
  const { node, before, start } = step;
  if (!isInstruction(node) || node.mnemonic !== 'rdmsr' || start.door.kind !== 'event') return [];
  const number = before.registers[RCX];
  if (number === undefined || !isConstant(number) || (number.value & 0xffff_ffffn) !== IA32_GS_BASE || !start.variant.present.includes('X86_FEATURE_FSGSBASE')) return [];
  return [{ place: pathPlace(node), message: `${node.symbol} reads the GS base to tell by its sign whose it is, on a CPU with FSGSBASE where user mode can write a negative one; save it, load the true base and restore it verbatim`, premises: pathPremises(step) }];
}

const NMI = handlerOfGp.replace('vector=GP', 'vector=NMI ist=NMI');

function stub(swap: string, unswap: string, mark: string): string {
  return entryStub({ placeholder: '\tpushq\t$-1\n', swap, unswap, call: `\tcall\tdemo_gp${mark}\n` });
}

export const gsSignTestWithFsgsbase: Rule = {
  name: 'gs-sign-test-with-fsgsbase',
  id: 'XR-GS04',
  group: 'GS base',
  severity: 'error',
  summary: 'the sign of the GS base decides whose it is although user mode can write it',
  why: 'With CR4.FSGSBASE set user mode writes any GS base it likes, a negative one too. An entry that takes a negative base for the kernel\'s then runs C code on a base of user space\'s choice.',
  instead: 'Save the base with RDGSBASE, load the true one from a table by the CPU number that LSL gives, and write the saved one back on exit.',
  falsePositives: ['The sign test behind an alternative that is patched out where FSGSBASE is enabled.'],
  references: ['SDM vol. 2, "WRFSBASE/WRGSBASE - Write FS/GS Segment Base"', 'Linux, Documentation/arch/x86/x86_64/fsgs.rst', 'semantics GS-03'],
  bad: [{ title: 'The sign alone', files: { 'entry.S': stub('\tmovl\t$0xc0000101, %ecx\n\trdmsr #~ gs-sign-test-with-fsgsbase\n\ttestl\t%edx, %edx\n\tmovl\t$1, %ebx\n\tjs\t1f\n\txorl\t%ebx, %ebx\n\tswapgs\n1:\tlfence\n', '\ttestl\t%ebx, %ebx\n\tjnz\t2f\n\tswapgs\n2:\n', ''), 'design.c': NMI } }],
  good: [{ title: 'The base saved and the true one loaded', files: { 'entry.S': stub('\trdgsbase\t%rbx\n\tmovq\t__per_cpu_offset(%rip), %rax\n\twrgsbase\t%rax\n', '\twrgsbase\t%rbx\n', ''), 'design.c': NMI } }],
  judge: null,
  path: { at: ['system'], monitor: null, rank: 2, judge },
  inspect: null,
  fix: null,
};
