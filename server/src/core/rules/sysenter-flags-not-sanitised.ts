// XR-FLG03: SYSENTER leaves flags as user space set them, and they reach C code.
import type { Monitor, PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { cFunctionCalled, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import { NT, TF } from '../machine/state.ts';
import { placeIn } from '../tree/tree.ts';
import type { Tree } from '../tree/tree.ts';
import type { Judgement, Rule } from './rule.ts';
import { findings } from './tree-entries.ts';

/** What a path has done about TF. With it set every instruction would trap, so that paths are run without and follow it here. */
const KEPT = 1;
const ASKED = 2;

const trapFlag: Monitor = {
  initial: ({ door }) => (door.kind === 'instruction' && door.instruction === 'SYSENTER' ? KEPT : 0),
  next: (value, { node }) => {
    if (value === 0 || !isInstruction(node)) return value;
    const { mnemonic, operands } = node;
    const [mask] = operands;
    if (mnemonic.startsWith('popf')) return 0;
    if (value === ASKED) return /^j(?!mp)/.test(mnemonic) ? 0 : /^(?:test|cmp|add|sub|and|or|xor)/.test(mnemonic) ? KEPT : value;
    return mnemonic.startsWith('test') && mask?.kind === 'immediate' && (mask.value & TF) !== 0n ? ASKED : value;
  },
};

function judge(step: PathStep, trap: number): readonly Judgement[] {
  const { node, before, start } = step;
  if (!isInstruction(node) || start.door.kind !== 'instruction' || start.door.instruction !== 'SYSENTER') return [];
  const name = cFunctionCalled(step);
  if (name === null) return trap === 0 ? [] : stepped(step);
  const set = [...((before.flags.known & before.flags.value & NT) === 0n ? [] : ['NT']), ...(trap === 0 ? [] : ['TF'])];
  if (set.length === 0) return [];
  return [{ place: pathPlace(node), message: `${name}() is entered with ${set.join(' and ')} as user space set it: SYSENTER clears only IF; load clean flags first`, premises: pathPremises(step) }];
}

/** SYSENTER clears IF before anybody could save it: C code puts it back into the saved flags. */
function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    if (one.name !== 'do_SYSENTER_32' || !one.whole) continue;
    if (!one.graph().steps.some((step) => step.kind === 'store' && step.target === 'regs->flags' && step.value.includes('X86_EFLAGS_IF'))) found.place(placeIn(tree, one.file, one.nameSpan), `${one.name}() leaves the saved IF as SYSENTER made it, clear: the program goes on with interrupts off, and nothing takes the CPU from it; set it in the saved flags`);
  }
  return found.all();
}

/** A routine of the mitigations lies outside the entry, in which alone the #DB handler passes over a single step (DB-05). */
function stepped(step: PathStep): readonly Judgement[] {
  const { node, program } = step;
  if (!isInstruction(node) || !node.mnemonic.startsWith('call') || !program.contexts.has('inside C')) return [];
  return [{ place: pathPlace(node), message: `${node.text} leaves the entry with TF as user space set it: the #DB handler passes over single steps in the instructions of the entry alone, and warns of the one in there; load clean flags first`, premises: pathPremises(step), severity: 'warning' }];
}

function entry(clean: string, mark: string): string {
  return `	.globl	entry_SYSENTER_compat
entry_SYSENTER_compat:
	swapgs
	movq	%gs:top_of_stack(%rip), %rsp
	cld
	clac
${clean}	xorl	%ebx, %ebx
	call	do_demo${mark}
	hlt

${entryStub({ clear: '' })}`;
}

export const sysenterFlagsNotSanitised: Rule = {
  name: 'sysenter-flags-not-sanitised',
  id: 'XR-FLG03',
  group: 'Flags',
  severity: 'error',
  summary: 'SYSENTER reaches C code with a flag that user space set',
  why: 'SYSENTER clears IF and nothing else. NT makes the next IRET fault, in kernel mode, whenever that comes; TF single-steps the kernel; IOPL and AC lift protections.',
  instead: 'Test the saved flags and load clean ones before C code runs or interrupts are enabled.',
  falsePositives: ['SYSCALL, whose mask clears them.'],
  references: ['SDM vol. 2, "SYSENTER - Fast System Call"', 'Linux commit 8c7aa698baca', 'semantics DB-05, SYS-08'],
  bad: [{ title: 'Straight to C code', files: { 'entry.S': entry('', ' #~ sysenter-flags-not-sanitised'), 'design.c': handlerOfGp } }],
  good: [{ title: 'Clean flags first', files: { 'entry.S': entry('\tpushq\t$2\n\tpopfq\n', ''), 'design.c': handlerOfGp } }],
  judge: null,
  examine,
  path: { at: ['call'], monitor: trapFlag, judge },
  inspect: null,
  fix: null,
};
