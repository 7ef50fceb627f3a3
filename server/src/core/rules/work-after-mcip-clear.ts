// XR-MC01: work is done after MCG_STATUS.MCIP was cleared, or a machine check handler ends without having cleared it.
import type { Step, Tree } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { entriesWithPlain, factsOf, findings, isCall, treeRule } from './tree-entries.ts';
import { targetsOf, watch } from '../tree/watch.ts';
import type { Where } from '../tree/watch.ts';

/** `asked` with the number of the read. */
type State = 'before' | `asked ${number}` | 'gathered' | 'cleared' | 'cleared by the entry itself';

/** What may stand behind the clear: it takes state back and touches no bank. */
const closing = /^(?:instrumentation_(?:begin|end)|irqentry_\w+|nmi_exit|trace_hardirqs_on_prepare|local_db_restore|barrier|(?:cond_)?local_irq_\w+)$/;

export function clearsMcip(step: Step): boolean {
  return isCall(step, /wrmsr/) && step.arguments[0] === 'MSR_IA32_MCG_STATUS' && step.arguments.slice(1).every((one) => /^0(?:[uUlLxX]*)?$/.test(one));
}

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  /** Reads behind which a path ends without the clear. */
  const left: { readonly step: Step; readonly where: Where }[] = [];
  /** Functions that clear it on some path: what is left to them is judged in them. */
  const clearers = new Set(tree.functions.filter((one) => one.graph().steps.some(clearsMcip)));
  // Or leave that to a function of their own.
  for (const one of tree.functions) {
    const calls = (step: Step): boolean => step.kind === 'call' && !step.indirect && [...clearers].some((clearer) => clearer.name === step.name);
    if (one.graph().steps.some(calls)) clearers.add(one);
  }
  for (const entry of entriesWithPlain(tree)) {
    if (entry.vector !== 'MC') continue;
    const reads: { readonly step: Step; readonly where: Where }[] = [];
    watch<State>(
      tree,
      entry.function,
      'before',
      {
        follow: (callee) => !closing.test(callee.name) && !/wrmsr/.test(callee.name),
        step: (step, state, where) => {
          if (clearsMcip(step)) return where.calls.length === 0 ? 'cleared by the entry itself' : 'cleared';
          if (step.kind === 'call' && step.name === 'mce_gather_info') return 'gathered';
          if (isCall(step, /rdmsr/) && step.arguments[0] === 'MSR_IA32_MCG_STATUS' && state === 'before' && !entry.plain && !where.calls.some((call) => call.step.name === 'mce_gather_info')) {
            return `asked ${reads.push({ step, where }) - 1}`;
          }
          const read = state.startsWith('asked ') ? reads[Number(state.slice('asked '.length))] : undefined;
          if (step.kind === 'call' && read !== undefined && targetsOf(tree, step, where.function).some((callee) => clearers.has(callee))) return 'before';
          if (step.kind === 'return' && read !== undefined && where.calls.length === 0) {
            left.push(read);
            return 'before';
          }
          if (step.kind === 'call' && state.startsWith('cleared') && !closing.test(step.name) && !/^(?:WARN|BUG)/.test(step.name) && (where.calls.length > 0 || entry.plain || state !== 'cleared')) {
            found.at(step, where, `${step.name}() runs after MCIP was cleared: a machine check from here on rewinds the stack over the live frame; clear MCIP last`);
            return 'before';
          }
          if (step.kind === 'return' && state === 'gathered' && where.function.graph().steps.some((one) => isCall(one, /^mce_gather_info$/))) {
            found.at(step, where, 'the machine check handler ends with MCIP set: the next machine check shuts the CPU down; clear MCG_STATUS on every path that has read the banks');
            return 'before';
          }
          return state;
        },
      },
      factsOf(entry),
    );
  }
  // Where the end of the work is wrong, that is said already.
  if (found.all().length === 0) for (const read of left) found.at(read.step, read.where, 'the machine check handler ends with MCIP set on a path that has read MCG_STATUS: the next machine check shuts the CPU down; write 0 to it before the way out');
  return found.all();
}

const handler = (tail: string): string => `DEFINE_IDTENTRY_MCE(exc_machine_check)
{
	unsigned long dr7 = local_db_save();
	irqentry_state_t state = irqentry_nmi_enter(regs);

	demo_machine_check(regs);
	irqentry_nmi_exit(regs, state);
	local_db_restore(dr7);
}

noinstr void demo_machine_check(struct pt_regs *regs)
{
	struct mce m;

	mce_gather_info(&m, regs);
	if (!(m.mcgstatus & MCG_STATUS_RIPV))
		panic("not restartable");
${tail}`;

export const workAfterMcipClear = treeRule({
  name: 'work-after-mcip-clear',
  id: 'XR-MC01',
  group: '#MC',
  severity: 'warning',
  summary: 'MCIP is cleared before the work on the machine check is done, or not at all',
  why: 'While MCIP is set a second machine check shuts the CPU down; once it is clear one is delivered at the top of the same IST stack, over the frame of the first. Both make the clear the last act: what follows it works on a stack that may be overwritten, and a path without it leaves the CPU one error from shutdown.',
  instead: 'Read the banks, log and recover first; clear MCG_STATUS last, on every path.',
  falsePositives: ['The return itself and the exit helpers behind the clear: no hardware offers better.', 'Paths that have not begun to read the banks.'],
  references: ['SDM vol. 3B, "Machine-Check Architecture"', 'semantics MC-01, MC-02'],
  bad: [
    { title: 'Logged after', files: { 'mce.c': handler('\tmce_wrmsrl(MSR_IA32_MCG_STATUS, 0);\n\tmce_log(&m); //~ work-after-mcip-clear\n}\n') } },
    { title: 'A path without it', files: { 'mce.c': handler('\tif (m.status)\n\t\treturn; //~ work-after-mcip-clear\n\tmce_log(&m);\n\tmce_wrmsrl(MSR_IA32_MCG_STATUS, 0);\n}\n') } },
  ],
  good: [{ title: 'Last', files: { 'mce.c': handler('\tmce_log(&m);\n\tmce_wrmsrl(MSR_IA32_MCG_STATUS, 0);\n}\n') } }],
  examine,
  besideRuns: true,
});
