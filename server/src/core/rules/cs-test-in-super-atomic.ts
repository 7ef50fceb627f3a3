// XR-GS02: an IST entry decides by the saved CS whether to swap, and hits entry code that runs in kernel mode on the GS base
// of user mode.
import type { PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { cFunctionCalled, entered, gsOf, knowledgeOf, pathPlace, pathPremises } from './path-vocabulary.ts';
import { ENTRY_ROUTINES } from '../kernel/entry-calls.ts';
import type { Program } from '../program/program.ts';
import type { Judgement, Rule } from './rule.ts';

const NMI_LIKE: ReadonlySet<number> = new Set([1, 2, 8, 18, 29]);

/** Whether this is the case of this rule: kernel code was interrupted on the GS base of user mode. */
export function interruptedOnUserGs(step: PathStep): boolean {
  const { start } = step;
  return start.door.kind === 'event' && NMI_LIKE.has(start.door.vector) && start.interrupted.cpu.cpl === 0 && gsOf(start.interrupted.cpu.gsBase) === 'user';
}

const readers = new WeakMap<Program, boolean>();

/** A sketch of one stub, without the entry code that it may hit: it swaps, and nothing in it reads the base. */
function decidesAlone({ program, start }: PathStep): boolean {
  if (program.gap !== null || program.contexts.has('inside C') || start.door.kind !== 'event' || !NMI_LIKE.has(start.door.vector) || start.user) return false;
  const { vector } = start.door;
  const handler = program.handlers.find((one) => one.vector === vector);
  if (handler === undefined || handler.ist.value === null) return false;
  const symbol = program.code.nodes[handler.stub]?.symbol;
  const reads = readers.get(program) ?? program.code.nodes.some((node) => node.kind === 'instruction' && (/^(rdmsr|rdgsbase|wrgsbase)/.test(node.mnemonic) || ENTRY_ROUTINES.get(node.targetName ?? '') === 'paranoid'));
  readers.set(program, reads);
  // Behind a branch for user mode that does not come back, a swap says nothing of the kernel's path.
  return !reads && program.code.nodes.some((node) => node.kind === 'instruction' && node.symbol === symbol && node.mnemonic === 'swapgs');
}

function judge(step: PathStep): readonly Judgement[] {
  const name = cFunctionCalled(step);
  if (name !== null && decidesAlone(step)) {
    return [{ place: pathPlace(step.node), message: `${name}() may run on the user GS base: the stub of an event that may hit entry code swaps by the saved CS alone; read the GS base itself`, premises: [...pathPremises(step), { fact: 'entry code that runs on the user GS base is not in view', place: null, assumed: true }] }];
  }
  if (name === null || !knowledgeOf(step.program).gs || !interruptedOnUserGs(step) || gsOf(step.before.cpu.gsBase) !== 'user') return [];
  return [{ place: pathPlace(step.node), message: `${name}() runs on the user GS base: ${entered(step.start)} finds CS of kernel mode and the GS base of user mode; read the GS base itself instead of the saved CS`, premises: pathPremises(step) }];
}

/** A SYSCALL entry that an NMI may hit before its SWAPGS, and an NMI stub that decides by CS or by the base. */
function nmi(test: 'jz' | 'sign', mark: string): Readonly<Record<string, string>> {
  const stub = entryStub({ placeholder: '\tpushq\t$-1\n', swap: test === 'jz' ? SWAP_BY_CS : SWAP_BY_SIGN, call: `\tcall\tdemo_gp${mark}\n`, unswap: test === 'jz' ? UNSWAP_BY_CS : '\twrgsbase\t%rbx\n' });
  return { 'entry.S': `${SYSCALL}${stub}`, 'design.c': handlerOfGp.replace('vector=GP', 'vector=NMI ist=NMI') };
}

const SYSCALL = `	.globl	entry_SYSCALL_64
entry_SYSCALL_64:
	swapgs
	movq	%rsp, %gs:saved_rsp(%rip)
	movq	%gs:top_of_stack(%rip), %rsp
	.globl	entry_SYSCALL_64_safe_stack
entry_SYSCALL_64_safe_stack:
	hlt

`;
const SWAP_BY_CS = `	testb	$3, 17*8(%rsp)
	jz	1f
	swapgs
1:	lfence
`;
const UNSWAP_BY_CS = `	testb	$3, 17*8(%rsp)
	jz	2f
	swapgs
2:
`;
/** Saves the base and loads the true one, as where user mode may write it. */
const SWAP_BY_SIGN = `	rdgsbase	%rbx
	movq	__per_cpu_offset(%rip), %rax
	wrgsbase	%rax
	lfence
`;

export const csTestInSuperAtomic: Rule = {
  name: 'cs-test-in-super-atomic',
  id: 'XR-GS02',
  group: 'GS base',
  severity: 'error',
  summary: 'an entry that may hit entry code chooses the GS base by the saved CS',
  why: 'Between SYSCALL or an IDT delivery and the SWAPGS behind it, and behind the SWAPGS of an exit, the CPU is in kernel mode with the GS base of user mode. NMI, #MC, #DB and #VC may arrive there. The saved CS then says kernel, the swap is left out, and C code runs on a GS base that user space chose.',
  instead: 'Read the GS base itself (paranoid entry): save it and load the true one where user mode may write it, else test its sign.',
  falsePositives: ['The branch for user origin: a saved CS of user mode is conclusive.'],
  references: ['Linux, Documentation/arch/x86/entry_64.rst', 'CVE-2014-9322', 'semantics GS-02, GS-03'],
  bad: [{ title: 'An NMI stub with the test of an ordinary exception', files: nmi('jz', ' #~ cs-test-in-super-atomic') }],
  good: [{ title: 'The GS base itself decides', files: nmi('sign', '') }],
  judge: null,
  path: { at: ['call'], monitor: null, rank: 3, judge },
  inspect: null,
  fix: null,
};
