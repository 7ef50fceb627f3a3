// XR-NMI03: IF becomes 1 on a path where NMIs are still blocked.
import type { PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Judgement, Rule } from './rule.ts';

function judge(step: PathStep): readonly Judgement[] {
  const { node, before } = step;
  if (!isInstruction(node) || !/^(sti|popf)/.test(node.mnemonic) || !before.cpu.nmiBlocked || before.cpu.cpl === 3) return [];
  if (!step.effects.some((effect) => effect.kind === 'irqs-enabled')) return [];
  return [{ place: pathPlace(node), message: `${node.text} enables interrupts in an NMI, whose blocking the IRET of the first interrupt ends; return without the work of an ordinary exit`, premises: pathPremises(step) }];
}

const NMI = handlerOfGp.replace('vector=GP', 'vector=NMI ist=NMI');

function stub(enable: string): string {
  return entryStub({ placeholder: '\tpushq\t$-1\n', swap: '', unswap: enable });
}

export const irqsEnabledWhileNmiBlocked: Rule = {
  name: 'irqs-enabled-while-nmi-blocked',
  id: 'XR-NMI03',
  group: 'NMI nesting',
  severity: 'error',
  summary: 'interrupts are enabled while NMIs are blocked',
  why: 'The return of any interrupt is an IRET, and IRET ends the blocking by NMI: the NMI handler can then be entered again in the middle. And work on the way to user mode may sleep, with NMIs blocked on this CPU until the task comes back.',
  instead: 'Return from the NMI without the work of an ordinary exit, and leave IF alone.',
  falsePositives: ['A terminal path that only waits to panic.'],
  references: ['SDM vol. 3A, "Handling Multiple NMIs"', 'Linux, arch/x86/entry/entry_64.S', 'semantics NMI-02, NMI-08, ENT-05'],
  bad: [{ title: 'STI behind the handler', files: { 'entry.S': stub('\tsti #~ irqs-enabled-while-nmi-blocked user-origin-stays-on-ist\n\tcli\n'), 'design.c': NMI } }],
  good: [{ title: 'IF stays as it is', files: { 'entry.S': stub(''), 'design.c': NMI } }],
  judge: null,
  path: { at: ['flags'], monitor: null, judge },
  inspect: null,
  fix: null,
};
