// XR-SPC03: a RET on the way in before the return predictor was untrained.
import type { PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { cFunctionCalled, entered, gsOf, ibrsIsClear, isInstruction, knowledgeOf, needsIbrs, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Monitor } from '../contexts/entry-paths.ts';
import { QUIET_ROUTINES, UNTRAINING } from '../kernel/entry-calls.ts';
import type { Judgement, Rule } from './rule.ts';

const DONE = 1;
/** From kernel code on the user GS base: a fault of the IRET to user mode counts as from there, one of another load does not. */
const LEAVING = 2;

const untrained: Monitor = {
  initial: (start) => {
    if (start.user || (start.door.kind === 'event' && [1, 2, 8, 18, 29].includes(start.door.vector))) return 0;
    return start.door.kind === 'event' && gsOf(start.interrupted.cpu.gsBase) === 'user' ? LEAVING : DONE;
  },
  next: (value, step) => {
    if (value === DONE || (step.calls !== null && UNTRAINING.has(step.calls))) return DONE;
    if (value === 0) return 0;
    const left = step.program.code.nodes[step.start.interrupted.node];
    return left !== undefined && isInstruction(left) && left.mnemonic === 'iretq' ? 0 : DONE;
  },
};

const NEEDS: readonly string[] = ['X86_FEATURE_UNRET', 'X86_FEATURE_SRSO', 'X86_FEATURE_SRSO_ALIAS'];

function judge(step: PathStep, value: number): readonly Judgement[] {
  return [...withoutIbrs(step), ...beforeUntraining(step, value)];
}

/** On other CPUs IBRS keeps user space from what RETs are predicted to do: it is set before the first and cleared behind the last. */
function withoutIbrs(step: PathStep): readonly Judgement[] {
  const { node, before, start } = step;
  if (!isInstruction(node)) return [];
  const name = cFunctionCalled(step);
  if ((name === null && !node.mnemonic.startsWith('ret')) || before.cpu.cpl === 3 || !needsIbrs(step) || !ibrsIsClear(before)) return [];
  return [{ place: pathPlace(node), message: `${name === null ? node.text : `${name}()`} runs without IBRS (${entered(start)}, RETBleed); set it before the first RET, clear it behind the last`, premises: pathPremises(step), blamed: [{ kind: 'branch' }] }];
}

function beforeUntraining(step: PathStep, value: number): readonly Judgement[] {
  const { node, start, program } = step;
  if (value !== 0 || !isInstruction(node) || !knowledgeOf(program).untrains || step.before.cpu.cpl === 3) return [];
  const routine = node.mnemonic === 'call' ? (program.code.nodes[step.after.node]?.symbol ?? '') : '';
  const returns = node.mnemonic.startsWith('ret') || (step.calls !== null && !UNTRAINING.has(step.calls)) || QUIET_ROUTINES.has(routine) || cFunctionCalled(step) !== null;
  if (!returns || (program.contexts.has('inside C') && !NEEDS.some((name) => start.variant.present.includes(name)))) return [];
  return [{ place: pathPlace(node), message: `${node.text} runs a RET before the return predictor is untrained (${entered(start)}, RETBleed); untrain first`, premises: pathPremises(step) }];
}

function stub(call: string): string {
  return entryStub({ swap: '', unswap: '', call });
}

export const returnBeforeUntrain: Rule = {
  name: 'return-before-untrain',
  id: 'XR-SPC03',
  group: 'Speculation',
  severity: 'warning',
  summary: 'a RET runs on the way in before the return predictor is untrained or IBRS is set',
  why: 'On CPUs with RETBleed user space can train what the next RET in the kernel is predicted to jump to. The entry untrains it once, or sets IBRS on other CPUs, and until then no RET may run.',
  instead: 'Untrain or set IBRS first thing after the switch to the kernel\'s page table, and use no routine that returns before it.',
  falsePositives: ['CPUs that need neither: the alternative is not patched in.', 'Entries from kernel mode that use the cheap path.'],
  references: ['CVE-2022-29900', 'Linux commit 7c81c0c9210c', 'Linux, Documentation/admin-guide/hw-vuln/srso.rst'],
  bad: [{ title: 'A helper that returns comes first', files: { 'entry.S': stub('\tcall\tdemo_gp #~ return-before-untrain\n\tcall\tentry_untrain_ret\n'), 'design.c': handlerOfGp } }],
  good: [{ title: 'Untrained first', files: { 'entry.S': stub('\tcall\tentry_untrain_ret\n\tcall\tdemo_gp\n'), 'design.c': handlerOfGp } }],
  judge: null,
  path: { at: ['call', 'return'], monitor: untrained, judge },
  inspect: null,
  fix: null,
};
