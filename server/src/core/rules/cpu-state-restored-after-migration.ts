// XR-DB04: state of the CPU that was saved on entry is written back after the task may have moved to another CPU.
import { mayMigrate } from '../tree/primitives.ts';
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement, Rule } from './rule.ts';
import { entriesOf, factsOf, findings, isCall, isNmiLike, known } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';

/** What saves and what restores a register of this CPU. */
const saves: readonly { readonly what: string; readonly save: RegExp; readonly restore: RegExp }[] = [
  { what: 'DR7', save: /^local_db_save$/, restore: /^local_db_restore$/ },
  { what: 'the IST entry of #VC', save: /^(?:__)?sev_es_ist_enter$/, restore: /^(?:__)?sev_es_ist_exit$/ },
  { what: 'CR2', save: /^read_cr2$/, restore: /^write_cr2$/ },
  { what: 'the interrupt registers', save: /^set_irq_regs$/, restore: /^set_irq_regs$/ },
];

/** The MSR that a step reads or writes, by name. */
function msrOf(step: Step, how: 'rd' | 'wr'): string | null {
  return isCall(step, new RegExp(`^${how}msr[lq]?(?:_safe)?$`)) && /^MSR_\w+$/.test(step.arguments[0] ?? '') ? (step.arguments[0] ?? null) : null;
}

/** What a handler reads of an MSR and then writes to it concerns this CPU: no interrupt, and so no scheduler, in between. */
function betweenMsrs(tree: Tree, one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  if (!steps.some((step) => msrOf(step, 'rd') !== null) || !steps.some((step) => isCall(step, /^(?:cond_)?local_irq_enable$/))) return;
  for (const msr of new Set(steps.flatMap((step) => msrOf(step, 'wr') ?? []))) {
    watch<State>(tree, one, 'free', {
      follow: () => false,
      step: (step, state, where) => {
        if (msrOf(step, 'rd') === msr) return 'saved';
        if (msrOf(step, 'wr') === msr) {
          if (state === 'moved') found.at(step, where, `${msr} was read before interrupts were enabled, and is written after: the task may run on another CPU by now, whose register it changes, and that of the first stays as it was; write it before`);
          return 'free';
        }
        return state === 'saved' && isCall(step, /^(?:cond_)?local_irq_enable$/) ? 'moved' : state;
      },
    });
  }
}

type State = 'free' | 'saved' | 'moved';

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const entries = new Map(entriesOf(tree).map((entry) => [entry.function, entry] as const));
  for (const one of tree.functions) {
    const { steps } = one.graph();
    for (const { what, save, restore } of saves) {
      if (!steps.some((step) => isCall(step, save)) || !steps.some((step) => isCall(step, restore))) continue;
      const entry = entries.get(one);
      const facts = entry === undefined ? new Map<string, boolean>() : factsOf(entry);
      let handOver: Step | null = null;
      watch<State>(tree, one, 'free', {
        follow: (callee) => !mayMigrate.test(callee.name) && !save.test(callee.name) && !restore.test(callee.name) && callee.attributes.some((word) => /^(?:noinstr|__always_inline|static)$/.test(word)) && callee.file === one.file,
        step: (step, state, where) => {
          if (isCall(step, restore) && state !== 'free') {
            if (where.calls.length > 0) return state;
            if (state === 'moved' && handOver !== null) {
              found.at(step, where, `${what} of this CPU was saved before the task could be scheduled, and is written back after: it may run on another CPU by now; restore it before the return to user mode is prepared`, {
                premises: [known(tree, `${handOver.kind === 'call' ? handOver.name : ''}() may schedule`, one.file, handOver)],
              });
            }
            return 'free';
          }
          if (isCall(step, save)) return where.calls.length > 0 ? state : 'saved';
          // An NMI-like entry from kernel mode must not come to the scheduler at all, which other rules say.
          if (isCall(step, mayMigrate) && state === 'saved' && !(entry !== undefined && entry.origin === 'kernel' && isNmiLike(entry))) {
            handOver = step;
            return 'moved';
          }
          return state;
        },
      }, facts);
    }
    betweenMsrs(tree, one, found);
  }
  return found.all();
}

const handler = (lines: string): string => `DEFINE_IDTENTRY_MCE_USER(exc_machine_check)
{
	unsigned long dr7;

${lines}}
`;

const cleared = (before: string, behind: string, mark: string): string => `static bool handle_feature_event(struct pt_regs *regs)
{
	u64 what;

	rdmsrl(MSR_IA32_XFD_ERR, what);
	if (!what)
		return false;
${before}	wrmsrl(MSR_IA32_XFD_ERR, 0);${mark}
${behind}	enable_feature(what);
	local_irq_disable();
	return true;
}
`;

export const cpuStateRestoredAfterMigration: Rule = {
  name: 'cpu-state-restored-after-migration',
  id: 'XR-DB04',
  group: '#DB',
  severity: 'error',
  summary: 'a register of the CPU is saved, the task may be scheduled, and the value is written back',
  why: 'The exit work of an event from user mode runs signals and the scheduler. A task that continues on another CPU and then restores DR7, CR2 or an IST entry writes the state of the first CPU into the second one: breakpoints of another task fire, its own are lost.',
  instead: 'Save after the entry helper and restore before the exit helper, so that nothing between the two can schedule.',
  falsePositives: ['State that belongs to the task and not to the CPU.'],
  references: ['semantics DB-07, ENT-05', 'Linux b8d1d5b63a8e'],
  bad: [{ title: 'A register that is cleared too late', files: { 'fpu.c': cleared('\tlocal_irq_enable();\n', '', ' //~ cpu-state-restored-after-migration') } }, { title: 'Around the exit work', files: { 'mce.c': handler('\tdr7 = local_db_save();\n\tirqentry_enter_from_user_mode(regs);\n\thandle(regs);\n\tirqentry_exit_to_user_mode(regs);\n\tlocal_db_restore(dr7); //~ cpu-state-restored-after-migration\n') } }],
  good: [{ title: 'Cleared first', files: { 'fpu.c': cleared('', '\tlocal_irq_enable();\n', '') } }, { title: 'Inside', files: { 'mce.c': handler('\tirqentry_enter_from_user_mode(regs);\n\tdr7 = local_db_save();\n\thandle(regs);\n\tlocal_db_restore(dr7);\n\tirqentry_exit_to_user_mode(regs);\n') } }],
  judge: null,
  inspect: null,
  examine,
  fix: null,
};
