// XR-GS06: the CPU number that leads to the GS base comes from a register that a guest can own.
import type { PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Judgement, Rule } from './rule.ts';

function judge(step: PathStep): readonly Judgement[] {
  const { node, start } = step;
  if (!isInstruction(node) || !/^(rdpid|rdtscp)$/.test(node.mnemonic) || start.door.kind !== 'event' || start.user) return [];
  return [{ place: pathPlace(node), message: `${node.text} takes the CPU number from IA32_TSC_AUX, which may be a guest's here; read it with LSL from the segment of the CPU number`, premises: pathPremises(step) }];
}

const NMI = handlerOfGp.replace('vector=GP', 'vector=NMI ist=NMI');

function stub(number: string, call: string): string {
  return entryStub({ placeholder: '\tpushq\t$-1\n', swap: `\trdgsbase\t%rbx\n\t${number}\n\tandl\t$0xfff, %eax\n\tmovq\t__per_cpu_offset(, %rax, 8), %rax\n\twrgsbase\t%rax\n`, unswap: '\twrgsbase\t%rbx\n', call });
}

export const cpuNumberFromRdpid: Rule = {
  name: 'cpu-number-from-rdpid',
  id: 'XR-GS06',
  group: 'GS base',
  severity: 'error',
  summary: 'the GS base is looked up by a CPU number that RDPID reads',
  why: 'RDPID and RDTSCP read IA32_TSC_AUX. Virtual machine monitors let their guests write that register and put the host\'s value back only on the way to user mode, so an NMI or #MC behind a VM exit finds the guest\'s. The base loaded by it is wherever the guest points.',
  instead: 'Read the CPU number with LSL from the segment that the kernel keeps for it: no guest can write the GDT.',
  falsePositives: ['RDPID in code that only runs for user mode.'],
  references: ['SDM vol. 2, "RDPID - Read Processor ID"', 'Linux commit 6a3ea3e68b8a', 'semantics GS-03'],
  bad: [{ title: 'The index of the table comes from RDPID', files: { 'entry.S': stub('rdpid\t%rax #~ cpu-number-from-rdpid', '\tcall\tdemo_gp #~ percpu-before-gs\n'), 'design.c': NMI } }],
  good: [{ title: 'The index comes from LSL', files: { 'entry.S': stub('movl\t$0x7b, %eax\n\tlsl\t%rax, %rax', '\tcall\tdemo_gp\n'), 'design.c': NMI } }],
  judge: null,
  path: { at: ['system'], monitor: null, rank: 2, judge },
  inspect: null,
  fix: null,
};
