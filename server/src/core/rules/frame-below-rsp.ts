// XR-STK03: data below RSP on a stack that any event may use.
import type { PathStep } from '../contexts/entry-paths.ts';
import { stubFiles } from './path-examples.ts';
import { accesses, addressOf, entered, isConstant, isInstruction, pathPlace, pathPremises, rspOf } from './path-vocabulary.ts';
import { RSP } from '../machine/registers.ts';
import { stackOf } from '../machine/layout.ts';
import type { Judgement, Rule } from './rule.ts';

function judge(step: PathStep): readonly Judgement[] {
  const { node, before, program } = step;
  if (!isInstruction(node) || before.cpu.cpl === 3) return [];
  const rsp = rspOf(before);
  if (rsp === undefined || !isConstant(rsp)) return [];
  const stack = stackOf(program.layout, rsp.value);
  if (stack === null || stack.rewinding || stack.keepsStale) return [];
  for (const operand of accesses(node)) {
    if (operand.base !== RSP || operand.segment !== null) continue;
    const address = addressOf(before, operand);
    if (!isConstant(address) || address.value >= rsp.value || stackOf(program.layout, address.value + 1n) !== stack) continue;
    return [{ place: pathPlace(node), message: `${node.text} uses a word below RSP on the ${stack.name} stack, where the next event pushes its frame (${entered(step.start)}); move RSP first`, premises: pathPremises(step) }];
  }
  return [];
}

export const frameBelowRsp: Rule = {
  name: 'frame-below-rsp',
  id: 'XR-STK03',
  group: 'Stacks and frames',
  severity: 'warning',
  summary: 'a word below RSP is used on a stack that the next event writes to',
  why: 'The kernel has no red zone: an event without IST pushes its frame right below RSP. What lies there is gone at the next interrupt, NMI or fault.',
  instead: 'Move RSP first: push the word, or subtract from RSP.',
  falsePositives: ['IST stacks with a documented protocol, as the marker word of Linux\'s NMI stub.'],
  references: ['SDM vol. 3A, "Interrupt Stack Table"', 'semantics NMI-06, IDT-04'],
  bad: [{ title: 'A register parked below RSP', files: stubFiles({ swap: '\tmovq\t%rax, -16(%rsp) #~ frame-below-rsp\n', unswap: '' }) }],
  good: [{ title: 'The register is pushed', files: stubFiles({ swap: '\tpushq\t%rax\n\tpopq\t%rax\n', unswap: '' }) }],
  judge: null,
  path: { at: ['memory'], monitor: null, judge },
  inspect: null,
  fix: null,
};
