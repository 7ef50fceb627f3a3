// XR-FLG01: C code, or a string instruction, runs with DF as the interrupted code left it.
import type { PathStep } from '../contexts/entry-paths.ts';
import { inFrontOf } from './line-fix.ts';
import { stubFiles } from './path-examples.ts';
import { cFunctionCalled, entered, isInstruction, knowledgeOf, pathPlace, pathPremises } from './path-vocabulary.ts';
import { DF } from '../machine/state.ts';
import type { Judgement, Rule } from './rule.ts';

function judge(step: PathStep): readonly Judgement[] {
  const { node, before } = step;
  if (!isInstruction(node) || !knowledgeOf(step.program).cld || step.start.door.kind === 'call' || step.start.door.kind === 'way-out') return [];
  const name = cFunctionCalled(step);
  const moves = /^(movs|stos|lods|scas|cmps)[bwlq]?$/.test(node.mnemonic) && node.operands.length === 0;
  if (name === null && !moves) return [];
  const clear = (before.flags.known & DF) !== 0n && (before.flags.value & DF) === 0n;
  if (clear) return [];
  const what = name === null ? `${node.text} runs` : `${name}() is entered`;
  return [{ place: pathPlace(node), message: `${what} with DF as ${entered(step.start)} left it; add cld at the start of the stub`, premises: pathPremises(step) }];
}

export const missingCld: Rule = {
  name: 'missing-cld',
  id: 'XR-FLG01',
  group: 'Flags',
  severity: 'error',
  summary: 'C code is entered with DF as the interrupted code left it',
  why: 'Event delivery leaves DF as it was. User space may have set it, and the C code of the kernel is compiled for DF=0: its string instructions would run backwards over memory.',
  instead: 'CLD first thing in the stub.',
  falsePositives: ['SYSCALL, whose mask clears DF.', 'FRED, which starts handlers with RFLAGS = 2.'],
  references: ['SDM vol. 3A, "Interrupt and Exception Handling in 64-bit Mode"', 'semantics DEL-03'],
  bad: [{ title: 'One way in forgets it', files: stubFiles({ cld: '\ttestb\t$3, 16(%rsp)\n\tjnz\t5f\n\tcld\n5:\n', call: '\tcall\tdemo_gp #~ missing-cld\n' }) }],
  good: [{ title: 'Cleared first thing', files: stubFiles() }],
  judge: null,
  path: { at: ['call', 'string'], monitor: null, judge },
  inspect: null,
  fix: (place, inspection) => inFrontOf(place, 'cld', inspection),
};
