// XR-STK09: C code runs on an IST stack whose vector it may raise again.
import type { PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { cFunctionCalled, entered, isInstruction, pathPlace, pathPremises, rspOf, stackNameOf } from './path-vocabulary.ts';
import { entryCall } from '../kernel/entry-calls.ts';
import type { Judgement, Rule } from './rule.ts';

const VC = 29;

function judge(step: PathStep): readonly Judgement[] {
  const { node, before, start, program } = step;
  if (!isInstruction(node) || start.door.kind !== 'event' || start.door.vector !== VC) return [];
  const name = cFunctionCalled(step);
  const stack = program.handlers.find((handler) => handler.vector === VC)?.ist.value ?? null;
  if (name === null || stack === null || entryCall(name).anyStack || stackNameOf(step.setup, rspOf(before)) !== stack) return [];
  return [{ place: pathPlace(node), message: `${name}() runs on the ${stack} stack, which the next #VC starts over (${entered(start)}); move the frame to another stack first`, premises: pathPremises(step) }];
}

const VC_HANDLER = handlerOfGp.replace('vector=GP', 'vector=VC ist=VC');

export const cOnReusableIst: Rule = {
  name: 'c-on-reusable-ist',
  id: 'XR-STK09',
  group: 'Stacks and frames',
  severity: 'error',
  summary: 'C code stays on the #VC stack although it may cause the next #VC',
  why: 'The handler of #VC talks to the hypervisor and touches memory that can cause another #VC at any time, and an NMI in it may too. On its IST stack the second one starts over at the top and overwrites the frame of the first.',
  instead: 'Move the frame off the #VC stack before the handler runs, to the interrupted stack where it can be trusted and to a fall-back stack otherwise.',
  falsePositives: ['What does that move, which has to run there.'],
  references: ['Linux commits 315562c9af3d, 545ac14c16b5', 'semantics VC-01, VC-02'],
  bad: [{ title: 'The handler on the IST stack', files: { 'entry.S': entryStub({ swap: '', unswap: '', call: '\tcall\tdemo_gp #~ c-on-reusable-ist\n' }), 'design.c': VC_HANDLER } }],
  good: [{ title: 'Without an IST stack', files: { 'entry.S': entryStub({ swap: '', unswap: '' }), 'design.c': VC_HANDLER.replace(' ist=VC', '') } }],
  judge: null,
  path: { at: ['call'], monitor: null, judge },
  inspect: null,
  fix: null,
};
