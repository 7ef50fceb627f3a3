// XR-GS01: an event return brings back another GS base than the one that was interrupted: a swap too many or too few.
import type { PathStep } from '../contexts/entry-paths.ts';
import { stubFiles } from './path-examples.ts';
import { entered, exitJump, exitPlace, expectedState, gsOf, isConstant, isEventReturn, isInstruction, knowledgeOf, pathPlace, pathPremises, rspOf } from './path-vocabulary.ts';
import { draftOf, load } from '../machine/draft.ts';
import { KERNEL_CS } from '../machine/state.ts';
import type { Judgement, Rule } from './rule.ts';

/** A routine that C code calls goes back to it, by its own end or by that of the landing pad of a fault in it. */
function returnsToC(step: PathStep): boolean {
  let called = false;
  for (let start: PathStep['start'] | undefined = step.start; start !== undefined && !called; start = start.parent?.start) called = start.door.kind === 'call';
  return called && isInstruction(step.node) && step.node.mnemonic.startsWith('ret') && step.program.code.nodes[step.after.node]?.kind === 'interrupted';
}

/** The return to user mode asserts that it has a frame of user mode, and has one of kernel mode. */
export function leavesByTheWrongWay({ node, before, start, setup, program }: PathStep): boolean {
  if (!isInstruction(node) || node.mnemonic !== 'ud2' || start.door.kind !== 'event' || start.interrupted.cpu.cpl !== 0 || !program.contexts.has('inside C') || gsOf(before.cpu.gsBase) === 'kernel') return false;
  const rsp = rspOf(before);
  if (rsp === undefined || !isConstant(rsp)) return false;
  const cs = load(draftOf(before), setup, rsp.value + 8n, 8);
  return isConstant(cs) && cs.value === KERNEL_CS;
}

function judge(step: PathStep, value: number): readonly Judgement[] {
  // GS-06, FR-10: event delivery and ERETU have swapped.
  if (isInstruction(step.node) && step.node.mnemonic === 'swapgs') {
    if (step.program.fred === null || step.program.contexts.has('inside C')) return [];
    return [{ place: pathPlace(step.node), message: 'swapgs raises #UD where FRED is enabled: delivery from user mode and ERETU swap the GS base themselves; leave it out', premises: pathPremises(step) }];
  }
  if (returnsToC(step) && knowledgeOf(step.program).gs && gsOf(step.after.cpu.gsBase) !== 'kernel') {
    return [{ place: pathPlace(step.node), message: `${step.node.text} goes back to C code on another GS base than the kernel's (${entered(step.start)}); swap back before it`, premises: pathPremises(step) }];
  }
  if (leavesByTheWrongWay(step)) {
    return [{ place: exitPlace(step, value), message: `${entered(step.start)} leaves by the return to user mode: the GS base and CR3 of user mode are loaded, and ${step.node.text} stops it there; ask the saved CS before the two ways part`, premises: pathPremises(step), blamed: [{ kind: 'gs' }] }];
  }
  if (!isEventReturn(step) || !knowledgeOf(step.program).gs) return [];
  const found = gsOf(step.after.cpu.gsBase);
  const wanted = step.after.cpu.cpl === 3 ? 'user' : gsOf(expectedState(step).cpu.gsBase);
  if (found === wanted || found === 'unknown' || wanted === 'unknown') return [];
  const to = step.after.cpu.cpl === 3 ? 'user mode' : `the ${wanted} GS base`;
  return [{ place: exitPlace(step, value), message: `${step.node.text} returns to ${to} with the ${found} GS base: the path of ${entered(step.start)} swaps GS once too often or once too seldom; undo on the way out exactly what was done on the way in`, premises: pathPremises(step), blamed: [{ kind: 'gs' }] }];
}

export const swapgsImbalance: Rule = {
  name: 'swapgs-imbalance',
  id: 'XR-GS01',
  group: 'GS base',
  severity: 'error',
  summary: 'an event return leaves with another GS base than it came with',
  why: 'SWAPGS has no memory of nesting: each exit must undo exactly what its entry did. One swap too many returns to kernel code with the GS base of user mode, or to user mode with the base of the kernel, and the next per-CPU access goes wherever user space wants.',
  instead: 'Decide on the way out by the same test as on the way in, or by a value saved then.',
  falsePositives: ['Entries that repair a faulting IRET or segment load, which are told apart by the saved RIP.', 'Xen PV paths.'],
  references: ['SDM vol. 2, "SWAPGS - Swap GS Base Register"', 'Linux, Documentation/arch/x86/entry_64.rst', 'semantics GS-01, GS-02'],
  bad: [{ title: 'The swap on the way out does not ask where the event came from', files: stubFiles({ unswap: '\tswapgs\n', leave: '\taddq\t$8, %rsp\n\tiretq\t#~ swapgs-imbalance\n' }) }],
  good: [{ title: 'The same test on both ways', files: stubFiles() }],
  judge: null,
  path: { at: ['return', 'system'], monitor: exitJump, judge },
  inspect: null,
  fix: null,
};
