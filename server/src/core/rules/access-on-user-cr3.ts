// XR-CR01: memory that only the kernel's page table maps is accessed while the user page table is loaded.
import type { PathStep } from '../contexts/entry-paths.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { accesses, addressOf, cFunctionCalled, cr3Of, entered, isConstant, isInstruction, knowledgeOf, pathPlace, pathPremises, rspOf, usesStack } from './path-vocabulary.ts';
import { KERNEL_STACKS, PER_CPU_IN_USER_CR3 } from '../kernel/stacks.ts';
import { nameAddress, regionIndexOf, stackOf } from '../machine/layout.ts';
import type { MachineOperand } from '../machine/code.ts';
import type { Program } from '../program/program.ts';
import type { Judgement, Rule } from './rule.ts';

const NOT_MAPPED: ReadonlySet<string> = new Set(KERNEL_STACKS.filter((stack) => !stack.inUserCr3).map((stack) => stack.name));

function judge(step: PathStep): readonly Judgement[] {
  const { before, node, program } = step;
  if (!isInstruction(node) || before.cpu.cpl === 3 || !knowledgeOf(program).cr3 || cr3Of(before) !== 'user') return [];
  const what = unmappedAccess(step);
  if (what === null) return [];
  return [{ place: pathPlace(node), message: `${node.text} ${what} on the user CR3, which does not map it (${entered(step.start)}); do it while the kernel CR3 is loaded`, premises: pathPremises(step), blamed: [{ kind: 'cr3' }] }];
}

function unmappedAccess(step: PathStep): string | null {
  const { before, node, program } = step;
  if (!isInstruction(node)) return null;
  const name = cFunctionCalled(step);
  if (name !== null) return `enters ${name}()`;
  for (const operand of accesses(node)) {
    const address = addressOf(before, operand);
    const table = tableOf(program, operand);
    if (table !== null) return `reads the table ${table}`;
    if (!isConstant(address)) continue;
    const region = program.layout.regions[regionIndexOf(program.layout, address.value)];
    if (region?.kind === 'percpu') {
      const variable = nameAddress(program.layout, address.value);
      if (!mapped(program, variable.replace(/[+].*$/, ''))) return `accesses the per-CPU word ${variable}`;
    }
    if (region?.kind === 'stack' && NOT_MAPPED.has(region.name)) return `accesses the ${region.name} stack`;
  }
  const rsp = rspOf(before);
  const stack = rsp === undefined || !isConstant(rsp) ? null : stackOf(program.layout, rsp.value);
  return usesStack(node) && stack !== null && NOT_MAPPED.has(stack.name) ? `uses the ${stack.name} stack` : null;
}

/** The variable that an operand with an index alone points into. */
function tableOf(program: Program, { base, index, segment, displacement }: MachineOperand & { kind: 'memory' }): string | null {
  if (base !== null || index === null || segment !== null) return null;
  const address = BigInt.asUintN(64, displacement);
  return program.layout.regions[regionIndexOf(program.layout, address)]?.kind === 'global' ? nameAddress(program.layout, address) : null;
}

/** Known to be mapped, or said to be by `xctx: mapped-in user` above its declaration. */
function mapped(program: Program, variable: string): boolean {
  if (PER_CPU_IN_USER_CR3.has(variable)) return true;
  return program.directives.some((directive) => {
    if (directive.kind !== 'mapped-in' || directive.where !== 'user') return false;
    const { file, subjectOffset } = directive.annotation;
    const behind = program.sources.flatMap((source) => source.variables).filter((one) => one.place.file === file && one.place.span.end > subjectOffset);
    return behind.sort((a, b) => a.place.span.start - b.place.span.start)[0]?.name === variable;
  });
}

/** Goes to the kernel CR3 on the way in from user mode, and back on the way out on the entry stack. */
function exit(back: string): string {
  return entryStub({
    swap: `	movq	%cr3, %r14
	testb	$3, 17*8(%rsp)
	jz	1f
	swapgs
	movq	%r14, %rax
	andq	$~0x1800, %rax
	movq	%rax, %cr3
1:	lfence
`,
    unswap: `	testb	$3, 17*8(%rsp)
	jz	2f
	movq	%r14, %rax
${back}	swapgs
2:
`,
  });
}

export const accessOnUserCr3: Rule = {
  name: 'access-on-user-cr3',
  id: 'XR-CR01',
  group: 'CR3 and page-table isolation',
  severity: 'error',
  summary: 'an access on the user page table to memory that it does not map',
  why: 'With page-table isolation the user CR3 maps the entry text, the entry and IST stacks, the GDT, IDT and TSS, and nothing else of the kernel. Any other access before the switch, or behind the switch back, is a page fault in the entry code, whose delivery or handler faults again: a double fault.',
  instead: 'Load what is needed before the switch to the user CR3, and use only the entry stack behind it.',
  falsePositives: ['Variables that are mapped for both: the TSS, and what `xctx: mapped-in user` names.', 'CPUs on which page-table isolation is off.'],
  references: ['Linux, Documentation/arch/x86/pti.rst', 'semantics CR3-02, CR3-05'],
  bad: [{ title: 'A per-CPU word behind the switch back', files: { 'entry.S': exit('\tmovq\t%rax, %cr3\n\tincq\t%gs:exits(%rip) #~ access-on-user-cr3\n'), 'design.c': handlerOfGp } }],
  good: [{ title: 'The word first, then the switch', files: { 'entry.S': exit('\tincq\t%gs:exits(%rip)\n\tmovq\t%rax, %cr3\n'), 'design.c': handlerOfGp } }],
  judge: null,
  path: { at: ['call', 'access', 'return'], monitor: null, rank: 1, judge },
  inspect: null,
  fix: null,
};
