// XR-SPC06: an entry from kernel mode returns from a routine before it has looked for a safe return that it interrupted.
import type { Monitor, PathStep } from '../contexts/entry-paths.ts';
import { QUIET_ROUTINES, UNTRAINING } from '../kernel/entry-calls.ts';
import type { Program } from '../program/program.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { cFunctionCalled, entered, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Judgement, Rule } from './rule.ts';

/** Linux's names for the sequence that stands for RET on CPUs with SRSO. */
const SAFE_RETURN = /\bsrso_(?:alias_)?safe_ret\b/;
const REPAIR = /^(?:handle_interrupted_saferet|__handle_intr_saferet\w*)$/;
const FEATURES: readonly string[] = ['X86_FEATURE_SRSO', 'X86_FEATURE_SRSO_ALIAS'];

/** The comparison as it stands in the entry, or the routine that makes it (Linux 6.1). */
const compares = (node: PathStep['node']): boolean => isInstruction(node) && ((node.mnemonic.startsWith('cmp') && SAFE_RETURN.test(node.text)) || (node.targetName?.startsWith('__handle_intr_saferet') ?? false));

const looked: Monitor = { initial: (start) => (start.user || start.parent !== null ? 1 : 0), next: (value, step) => (value === 0 && compares(step.node) ? 1 : value) };

const known = new WeakMap<Program, boolean>();

/** Whether the code repairs such returns anywhere: then the kernel is one that has them. */
function repairs(program: Program): boolean {
  const before = known.get(program);
  if (before !== undefined) return before;
  const found = program.code.nodes.some(compares);
  known.set(program, found);
  return found;
}

function judge(step: PathStep, value: number): readonly Judgement[] {
  const { node, start, program } = step;
  if (value !== 0 || !isInstruction(node) || step.before.cpu.cpl === 3 || start.door.kind !== 'event' || !repairs(program)) return [];
  if (program.contexts.has('inside C') && !FEATURES.some((name) => start.variant.present.includes(name))) return [];
  const name = cFunctionCalled(step);
  // What untrains the predictor, or repairs it, returns by itself.
  if (name === null ? !node.mnemonic.startsWith('ret') || QUIET_ROUTINES.has(node.symbol) : UNTRAINING.has(name) || REPAIR.test(name)) return [];
  return [{ place: pathPlace(node), message: `${name === null ? node.text : `${name}()`} runs before it was asked whether a safe return was interrupted (${entered(start)}, SRSO): its CALL has left an entry in the return predictor that the handler may spoil, and it goes on by that; compare the saved RIP with the sequence first`, premises: pathPremises(step) }];
}

const look = `	cmpq	$(srso_safe_ret), 16*8(%rsp)
	jne	6f
	lfence
	movq	%rsp, %rdi
	call	handle_interrupted_saferet
6:
`;
const both = (second: string): string => `${entryStub({ swap: look, unswap: '' })}
${entryStub({ swap: second, unswap: '' }).replaceAll('demo_gp', 'demo_np').replaceAll(/\b6([f:])/g, '7$1')}`;
const handlers = `${handlerOfGp}
/* xctx: handler vector=NP */
void demo_np(struct pt_regs *regs)
{
}
`;

export const interruptedSaferetNotRepaired: Rule = {
  name: 'interrupted-saferet-not-repaired',
  id: 'XR-SPC06',
  group: 'Speculation',
  severity: 'warning',
  summary: 'an entry from kernel mode does not look for a safe return that it interrupted',
  why: 'On CPUs with SRSO every RET is a short sequence that puts an entry of its own into the return predictor and uses it at once. An event in the middle of it runs code that replaces the entry, and the interrupted RET is then predicted by what user space trained. The entry repairs that by setting the saved RIP back to the start of the sequence.',
  instead: 'Compare the saved RIP with the sequence on every entry from kernel mode, before the first RET, and call the repair behind an LFENCE.',
  falsePositives: ['Entries from user mode.', 'Faults of the return to user mode, whose saved RIP is another.', 'CPUs without SRSO, and kernels without the sequence.'],
  references: ['CVE-2023-20569', 'Linux, Documentation/admin-guide/hw-vuln/srso.rst'],
  bad: [{ title: 'One of two entries does not look', files: { 'entry.S': both('').replace(/(\tcall\tdemo_np)\n/, '$1 #~ interrupted-saferet-not-repaired\n'), 'design.c': handlers } }],
  good: [{ title: 'Both look', files: { 'entry.S': both(look), 'design.c': handlers } }],
  judge: null,
  path: { at: ['call', 'return'], monitor: looked, judge },
  inspect: null,
  fix: null,
};
