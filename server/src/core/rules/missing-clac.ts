// XR-FLG02: C code runs with AC as the interrupted code left it.
import type { PathStep } from '../contexts/entry-paths.ts';
import { inFrontOf } from './line-fix.ts';
import { entryStub, handlerOfGp, stubFiles } from './path-examples.ts';
import { cFunctionCalled, entered, isInstruction, knowledgeOf, pathPlace, pathPremises } from './path-vocabulary.ts';
import { AC } from '../machine/state.ts';
import type { Judgement, Rule } from './rule.ts';

function judge(step: PathStep): readonly Judgement[] {
  const { node, before } = step;
  if (!isInstruction(node) || !knowledgeOf(step.program).clac || step.start.door.kind === 'call' || step.start.door.kind === 'way-out') return [];
  const name = cFunctionCalled(step);
  if (name === null) return [];
  const clear = (before.flags.known & AC) !== 0n && (before.flags.value & AC) === 0n;
  if (clear) return [];
  const what = `${name}() is entered`;
  return [{ place: pathPlace(node), message: `${what} with AC as ${entered(step.start)} left it; add clac at the start of the stub`, premises: pathPremises(step) }];
}

export const missingClac: Rule = {
  name: 'missing-clac',
  id: 'XR-FLG02',
  group: 'Flags',
  severity: 'error',
  summary: 'C code is entered with AC as the interrupted code left it',
  why: 'Event delivery leaves AC as it was. With AC=1 the handler may access user memory without SMAP noticing, whether user space set the flag or the event hit an access to user memory.',
  instead: 'CLAC first thing in the stub.',
  falsePositives: ['SYSCALL, whose mask clears AC.', 'FRED, which starts handlers with RFLAGS = 2.', 'Code for CPUs without SMAP: a unit without any CLAC is not about it.'],
  references: ['SDM vol. 3A, "Interrupt and Exception Handling in 64-bit Mode"', 'semantics DEL-03'],
  bad: [{ title: 'One way in forgets it', files: stubFiles({ clac: '\ttestb\t$3, 16(%rsp)\n\tjz\t5f\n\tclac\n5:\n', call: '\tcall\tdemo_gp #~ missing-clac\n' }) }],
  good: [{ title: 'Cleared first thing', files: stubFiles() }, { title: 'A unit that is not about SMAP', files: { 'entry.S': entryStub({ clac: '' }), 'design.c': handlerOfGp } }],
  judge: null,
  path: { at: ['call'], monitor: null, judge },
  inspect: null,
  fix: (place, inspection) => inFrontOf(place, 'clac', inspection),
};
