// XR-MC06: an MSR access in a machine check handler has a fixup that returns by IRET.
import type { Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, entryPremise, factsOf, findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';

/** Up to Linux 5.16 an entry of the table named its handler. */
function panics(tree: Tree, extable: string, file: string): boolean {
  const name = /\bex_handler_\w+/.exec(extable)?.[0];
  const handler = name === undefined ? null : tree.resolve(name, file);
  return handler !== null && handler.graph().steps.some((step) => isCall(step, /^panic$/));
}

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const entry of entriesOf(tree)) {
    if (entry.vector !== 'MC') continue;
    const premises = [entryPremise(tree, entry)];
    watch<'in'>(
      tree,
      entry.function,
      'in',
      {
        follow: (callee) => !/panic$|^(?:print|show|die|oops)/.test(callee.name),
        step: (step, state, where) => {
          if (step.kind === 'asm' && /\b(?:rd|wr)msr/.test(step.template) && step.extable !== null && (tree.design || where.function.file.includes('/mce/')) && !step.extable.includes('_IN_MCE') && !panics(tree, step.extable, where.function.file)) {
            found.at(step, where, 'a fault of this MSR access in the machine check handler is fixed up, and the IRET of that fault unblocks NMIs; use the exception table type for machine checks (EX_TYPE_RDMSR_IN_MCE, EX_TYPE_WRMSR_IN_MCE), which panics', { premises });
          }
          if (isCall(step, /^(?:rdmsr|wrmsr)[lq]?$/) && /^(?:MSR_IA32_MC|mca_msr_reg)/.test(step.arguments[0] ?? '') && where.function.attributes.includes('noinstr') && where.function.file.includes('/mce/')) found.at(step, where, `a fault of ${step.name}() in the machine check handler is fixed up, and the IRET of that fault unblocks NMIs; it may be traced as well: use the accessor for machine checks, or __rdmsr() and __wrmsr(), which have no fixup`, { premises });
          if (isCall(step, /^(?:rdmsr|wrmsr)l?q?_safe$/) && (tree.design || where.function.file.includes('/mce/'))) found.at(step, where, `${step.name}() expects to fault, and in the machine check handler the IRET of that fault unblocks NMIs; use the accessor for machine checks`, { premises });
          return state;
        },
      },
      factsOf(entry),
    );
  }
  for (const one of tree.functions) fixupReturns(one, found);
  return found.all();
}

/** The kinds of exception table entry for machine checks do not go back to the code that faulted. */
function fixupReturns(one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  for (const choice of steps) {
    if (choice.kind !== 'switch') continue;
    for (const { value, to } of choice.arms) {
      if (value?.endsWith('_IN_MCE') !== true) continue;
      for (let step = steps[to]; step !== undefined; step = step.kind === 'call' || step.kind === 'store' || step.kind === 'pass' ? steps[step.next] : undefined) {
        if (step.kind !== 'return' || !/^ex_handler_(?:default|msr)\(/.test(step.value ?? '')) continue;
        found.at(step, { function: one, calls: [] }, `the fixup for ${value} goes on behind the access: it is for the machine check handler, and the IRET of the fault unblocks NMIs in it; panic instead`);
      }
    }
  }
}

const handler = (type: string, mark: string): string => `static noinstr u64 mce_read(u32 msr)
{
	u32 low, high;

	asm volatile("1: rdmsr\\n"${mark}
		     "2:\\n"
		     _ASM_EXTABLE_TYPE(1b, 2b, ${type})
		     : "=a" (low), "=d" (high) : "c" (msr));
	return low | (u64)high << 32;
}

DEFINE_IDTENTRY_MCE(exc_machine_check)
{
	unsigned long dr7 = local_db_save();
	irqentry_state_t state = irqentry_nmi_enter(regs);

	log_status(mce_read(MSR_IA32_MC0_STATUS));
	irqentry_nmi_exit(regs, state);
	local_db_restore(dr7);
}
`;

const fixups = (line: string): string => `int fixup_demo(struct pt_regs *regs, const struct exception_table_entry *e, int type)
{
	switch (type) {
	case EX_TYPE_DEFAULT:
		return ex_handler_default(e, regs);
	case EX_TYPE_RDMSR_IN_MCE:
		${line}
	}
	BUG();
}
`;

export const msrFaultInMachineCheck = treeRule({
  name: 'msr-fault-in-machine-check',
  id: 'XR-MC06',
  group: '#MC',
  severity: 'error',
  summary: 'an MSR access in the machine check handler has a fixup that returns',
  why: 'A machine check may arrive inside an NMI handler. A fixup lets the #GP of the access return by IRET, which unblocks NMIs while both handlers run. An MSR of the machine check architecture that faults is a broken machine anyway.',
  instead: 'EX_TYPE_RDMSR_IN_MCE and EX_TYPE_WRMSR_IN_MCE, whose handler panics.',
  falsePositives: ['Accesses without an exception table entry, and those outside the machine check handler.'],
  references: ['Linux e2def7d49d08', 'semantics NMI-02, section 20'],
  bad: [{ title: 'A fixup that returns', files: { 'extable.c': fixups('return ex_handler_msr(e, regs, false); //~ msr-fault-in-machine-check') } }, { title: 'The ordinary type', files: { 'mce.c': handler('EX_TYPE_RDMSR', ' //~ msr-fault-in-machine-check') } }],
  good: [
    { title: 'A fixup that does not', files: { 'extable.c': fixups('panic("no such MSR");') } },
    { title: 'The type for machine checks', files: { 'mce.c': handler('EX_TYPE_RDMSR_IN_MCE', '') } },
    { title: 'A handler that panics', files: { 'mce.c': `bool ex_handler_demo(const struct exception_table_entry *fixup, struct pt_regs *regs)
{
	panic("no such MSR");
	return true;
}

${handler('', '').replace('_ASM_EXTABLE_TYPE(1b, 2b, )', '_ASM_EXTABLE_HANDLE(1b, 2b, ex_handler_demo)')}` } },
  ],
  examine,
});
