// XR-STK01: the frame that the stub hands to C is not where pt_regs says: an error code too many or too few.
import type { PathStep } from '../contexts/entry-paths.ts';
import { stubFiles } from './path-examples.ts';
import { cFunctionCalled, entered, isConstant, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import { draftOf, load } from '../machine/draft.ts';
import { RDI } from '../machine/registers.ts';
import type { Judgement, Rule } from './rule.ts';

/** Offset of the saved RSP in pt_regs (arch/x86/include/asm/ptrace.h). */
const SAVED_RSP = 0x98n;

/** Words by which the frame lies beside where pt_regs has it; null where it is there or nothing tells. */
export function frameShift(step: PathStep): number | null {
  const regs = step.before.registers[RDI];
  const frame = step.before.frames.at(-1);
  if (regs === undefined || !isConstant(regs) || frame === undefined || step.start.door.kind !== 'event') return null;
  const draft = draftOf(step.before);
  const holds = (shift: bigint): boolean => load(draft, step.setup, regs.value + SAVED_RSP + shift, 8) === frame.rsp;
  if (frame.rsp.name === '' && !isConstant(frame.rsp)) return null;
  if (holds(0n)) return null;
  return holds(8n) ? 1 : holds(-8n) ? -1 : null;
}

function judge(step: PathStep): readonly Judgement[] {
  if (!isInstruction(step.node)) return [];
  const name = cFunctionCalled(step);
  const shift = name === null ? null : frameShift(step);
  if (shift === null) return [];
  const what = shift > 0 ? 'one word more than' : 'one word less than';
  return [{ place: pathPlace(step.node), message: `${name}() gets a pt_regs whose frame is off by one word: the stub pushed ${what} it should for ${entered(step.start)}; push a placeholder exactly where the vector has no error code`, premises: pathPremises(step) }];
}

export const errorCodeFrameMismatch: Rule = {
  name: 'error-code-frame-mismatch',
  id: 'XR-STK01',
  group: 'Stacks and frames',
  severity: 'error',
  summary: 'the stub and the hardware disagree about the error code',
  why: 'The processor pushes an error code for some vectors and none for others. A stub that pushes a placeholder too many, or none where it is needed, hands C a pt_regs whose RIP is the saved CS, and returns to what lies beside the frame.',
  instead: 'Push a placeholder exactly where the vector has no error code, and declare the handler accordingly.',
  falsePositives: ['Interrupt stubs that push their vector in the slot.'],
  references: ['SDM vol. 3A, "Error Code"', 'semantics DEL-07'],
  bad: [{ title: 'A placeholder beside the error code of #GP', files: stubFiles({ placeholder: '\tpushq\t$-1\n', swap: '', unswap: '', call: '\tcall\tdemo_gp #~ error-code-frame-mismatch\n', leave: '\taddq\t$16, %rsp\n\tiretq\n' }) }],
  good: [{ title: 'The error code stands in the slot', files: stubFiles({ swap: '', unswap: '' }) }],
  judge: null,
  path: { at: ['call'], monitor: null, rank: 2, judge },
  inspect: null,
  fix: null,
};
