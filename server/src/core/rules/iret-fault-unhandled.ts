// XR-SYS03: a fault of the IRET to user mode is handled as if the kernel had faulted.
import type { PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { accesses, cFunctionCalled, cr3Of, entered, gsOf, isInstruction, knowledgeOf, pathPlace, pathPremises } from './path-vocabulary.ts';
import { nodeAtAddress } from '../machine/layout.ts';
import type { Program } from '../program/program.ts';
import type { Judgement, Rule } from './rule.ts';

/** Whether the path is a fault of an IRET to user mode. */
export function handlesIretFault(step: PathStep): boolean {
  const { start, program } = step;
  const node = program.code.nodes[start.interrupted.node];
  return start.door.kind === 'event' && start.interrupted.cpu.cpl === 0 && node?.kind === 'instruction' && node.mnemonic.startsWith('iret');
}

const compared = new WeakMap<Program, ReadonlySet<number>>();

/** The IRETs whose labels entry code loads to compare a saved RIP with. */
function comparedIrets(program: Program): ReadonlySet<number> {
  const known = compared.get(program);
  if (known !== undefined) return known;
  const found = new Set<number>();
  for (const node of program.code.nodes) {
    if (node.kind !== 'instruction' || !node.mnemonic.startsWith('lea')) continue;
    const [source] = node.operands;
    const at = source?.kind === 'memory' && source.base === null && source.index === null ? nodeAtAddress(BigInt.asUintN(64, source.displacement)) : null;
    const target = at === null ? undefined : program.code.nodes[at];
    if (target?.kind === 'instruction' && target.mnemonic.startsWith('iret')) found.add(target.id);
  }
  compared.set(program, found);
  return found;
}

function judge(step: PathStep): readonly Judgement[] {
  const { program, start } = step;
  if (!isInstruction(step.node) || !knowledgeOf(step.program).gs) return [];
  const called = cFunctionCalled(step);
  const reads = accesses(step.node).some((operand) => operand.segment === 'gs');
  if (called === null && !reads) return [];
  const name = called === null ? step.node.text : `${called}()`;
  const gs = gsOf(step.before.cpu.gsBase) === 'user';
  const cr3 = cr3Of(step.before) === 'user';
  if ((!gs && !cr3) || !handlesIretFault(step)) return [];
  const own = program.code.nodes[start.interrupted.node];
  const others = comparedIrets(program);
  if (own !== undefined && others.size > 0 && !others.has(own.id)) {
    return [{ place: pathPlace(own), message: `a fault of this ${own.text} is taken for one of the kernel, and ${name} runs on the user GS base or CR3: the handler compares the saved RIP with the label of another IRET; return by that one, or have this one recognised`, premises: pathPremises(step), related: [{ place: pathPlace(step.node), message: 'on the state of user mode' }] }];
  }
  const state = gs && cr3 ? 'GS base and CR3' : gs ? 'GS base' : 'CR3';
  return [{ place: pathPlace(step.node), message: `${name} runs on the user ${state}: ${entered(step.start)} is a fault of the return to user mode and is taken for one of the kernel; compare the saved RIP with the label of that IRET`, premises: pathPremises(step) }];
}

function stub(label: string, mark: string): string {
  return entryStub({
    swap: `	testb	$3, 17*8(%rsp)
	jnz	1f
	leaq	${label}(%rip), %rcx
	cmpq	%rcx, 16*8(%rsp)
	jne	2f
1:	swapgs
2:	lfence
`,
    call: `	call	demo_gp
`,
    unswap: `	testb	$3, 17*8(%rsp)
	jnz	3f
	leaq	${label}(%rip), %rcx
	cmpq	%rcx, 16*8(%rsp)
	jne	4f
3:	swapgs
4:
`,
    leave: `	addq	$8, %rsp
	.globl	demo_iret
demo_iret:
	iretq${mark}
.Lother:
	iretq
`,
  });
}

export const iretFaultUnhandled: Rule = {
  name: 'iret-fault-unhandled',
  id: 'XR-SYS03',
  group: 'SYSCALL, SYSRET and IRET',
  severity: 'error',
  summary: 'a fault of the IRET to user mode reaches C code on the state of user mode',
  why: 'IRET to user mode can fault on the selectors that user space set up. The fault arrives in kernel mode, behind the SWAPGS and the CR3 switch of the exit. An entry that only looks at the saved CS takes it for a fault of the kernel and runs C code on the GS base and CR3 of user mode.',
  instead: 'Compare the saved RIP with the label of that IRET and turn the fault into one from user mode.',
  falsePositives: ['IRET to kernel code, which cannot fault.'],
  references: ['SDM vol. 2, "IRET/IRETD/IRETQ - Interrupt Return"', 'CVE-2014-9322', 'Linux, arch/x86/entry/entry_64.S', 'semantics IRET-03, IRET-05, GS-02'],
  bad: [{ title: 'The label of another IRET is compared', files: { 'entry.S': stub('.Lother', ' #~ iret-fault-unhandled'), 'design.c': handlerOfGp } }],
  good: [{ title: 'The fault becomes one from user mode', files: { 'entry.S': stub('demo_iret', ''), 'design.c': handlerOfGp } }],
  judge: null,
  path: { at: ['call', 'per-CPU'], monitor: null, rank: 3, judge },
  inspect: null,
  fix: null,
};
