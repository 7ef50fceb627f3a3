// XR-MC06: an MSR access in a machine check handler has a fixup that returns by IRET.
import type { Tree } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, entryPremise, factsOf, findings, isCall, treeRule } from './tree-entries.ts';

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
          if (isCall(step, /^(?:rdmsr|wrmsr)l?q?_safe$/) && (tree.design || where.function.file.includes('/mce/'))) found.at(step, where, `${step.name}() expects to fault, and in the machine check handler the IRET of that fault unblocks NMIs; use the accessor for machine checks`, { premises });
          return state;
        },
      },
      factsOf(entry),
    );
  }
  return found.all();
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
  bad: [{ title: 'The ordinary type', files: { 'mce.c': handler('EX_TYPE_RDMSR', ' //~ msr-fault-in-machine-check') } }],
  good: [
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
