// XR-DB01: an NMI-like handler works while data breakpoints are armed, arms them too early, or leaves them off.
import { isEntryCode, placeIn } from '../tree/tree.ts';
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Where } from '../tree/watch.ts';
import type { Judgement, Rule } from './rule.ts';
import { entriesOf, entryPremise, findings, isAbout, isCall, isNmiLike, watchEntry } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';

type State = 'live' | 'off' | 'inside' | 'inside live' | 'behind';

/** Saves DR7 for its caller: it neither works nor brings it back. */
function saves(one: TreeFunction): boolean {
  const { steps } = one.graph();
  return steps.some((step) => isCall(step, /^local_db_save$/)) && !steps.some((step) => isCall(step, /^(?:local_db_restore|(?:irqentry_)?nmi_enter)$/));
}

/** Whether the function itself takes care of DR7: what it saved, or had saved for it, it owes. */
function saver(tree: Tree, { function: one, calls }: Where): boolean {
  if (saves(one) && calls.length > 0) return false;
  return one.graph().steps.some((step) => {
    if (step.kind !== 'call' || step.indirect) return false;
    const callee = step.name === 'local_db_save' ? null : tree.resolve(step.name, one.file);
    return step.name === 'local_db_save' || (callee !== null && saves(callee));
  });
}

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const about = isAbout(tree, /local_db_|\b(?:get|set)_debugreg|dr7/i);
  for (const entry of about ? entriesOf(tree) : []) {
    if (!isNmiLike(entry) || !/^(?:NMI|DB|MC)$/.test(entry.vector ?? '') || (entry.delivery === 'fred' && entry.vector === 'NMI')) continue;
    const premises = [entryPremise(tree, entry)];
    watchEntry<State>(tree, entry, 'live', {
      follow: (callee) => isEntryCode(callee) && !/^(?:local_db_|irqentry_)/.test(callee.name),
      step: (step, state, where) => {
        if (isCall(step, /^local_db_save$/)) {
          if (state === 'inside live') return 'inside';
          return state === 'live' ? 'off' : state;
        }
        if (isCall(step, /^local_db_restore$/)) {
          if (state === 'inside') found.at(step, where, 'DR7 is restored while the handler still works: a data breakpoint on anything that it touches from here on recurses; restore it after the last access', { premises });
          return 'live';
        }
        if (isCall(step, /^(?:irqentry_)?nmi_enter$/)) {
          if (state !== 'live') return 'inside';
          found.at(step, where, 'the handler starts its work with data breakpoints armed: one on anything that it touches raises #DB in it; call local_db_save() before this', { premises });
          return 'inside live';
        }
        if (isCall(step, /^(?:irqentry_)?nmi_exit$/)) return state === 'inside' ? 'behind' : state === 'inside live' ? 'live' : state;
        if (step.kind === 'return' && saver(tree, where) && (state === 'off' || state === 'behind' || state === 'inside')) {
          found.at(step, where, 'the handler ends with data breakpoints off: those of the task and of perf are lost on this CPU; call local_db_restore() on every path', { premises });
        }
        return state;
      },
    });
  }
  for (const one of tree.functions) wordOfDr7(tree, one, found);
  // The helper itself: what it saves it switches off.
  for (const one of tree.functions) {
    const { steps } = one.graph();
    const reads = steps.some((step) => isCall(step, /^(?:native_)?get_debugreg$/) && step.arguments.includes('7'));
    const writes = steps.some((step) => isCall(step, /^(?:native_)?set_debugreg$/) && step.arguments.includes('7'));
    if (one.name === 'local_db_save' && one.whole && reads && !writes) found.place(placeIn(tree, one.file, one.nameSpan), 'local_db_save() reads DR7 and does not write it: data breakpoints stay armed in every handler that relies on it, and one on what #DB touches recurses; write DR7 with all of them off');
  }
  return found.all();
}

/**
 * `cpu_dr7` tells an NMI-like handler under a hypervisor whether DR7 has to be looked at: it is set before DR7 arms a
 * breakpoint, and cleared after DR7 has let go of it.
 */
function wordOfDr7(tree: Tree, one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  const pointers = new Set(steps.flatMap((step) => (step.kind === 'store' && /this_cpu_ptr\(&cpu_dr7\)/.test(step.value) ? [`*${step.target}`] : [])));
  const arms = steps.some((step) => step.kind === 'store' && step.operator === '|=' && /encode_dr7\(/.test(step.value));
  const disarms = steps.some((step) => step.kind === 'store' && step.operator === '&=' && /encode_dr7\(/.test(step.value));
  const word = (step: Step): boolean => (isCall(step, /^(?:raw_cpu|_*this_cpu)_write$/) && step.arguments[0] === 'cpu_dr7') || (step.kind === 'store' && pointers.has(step.target));
  const register = (step: Step): boolean => isCall(step, /^(?:native_)?set_debugreg$/) && step.arguments[1] === '7';
  if (arms === disarms || !steps.some(word) || !steps.some(register)) return;
  const [first, second] = arms ? [word, register] : [register, word];
  watch<'none' | 'first'>(tree, one, 'none', {
    follow: () => false,
    step: (step, state, where) => {
      if (first(step)) return 'first';
      if (second(step) && state === 'none') {
        found.at(step, where, arms
          ? 'DR7 arms the breakpoint before cpu_dr7 says so: an NMI in between takes DR7 for empty, leaves it armed and recurses on the breakpoint; write cpu_dr7 first'
          : 'cpu_dr7 says that no breakpoint is armed while DR7 still has it: an NMI in between leaves DR7 armed and recurses on the breakpoint; write DR7 first');
      }
      return state;
    },
  });
}

const save = (disarm: string, mark: string): string => `static __always_inline unsigned long local_db_save(void)${mark}
{
	unsigned long dr7;

	get_debugreg(dr7, 7);
${disarm}	barrier();
	return dr7;
}
`;

const handler = (lines: string): string => `DEFINE_IDTENTRY_DEBUG(exc_debug)
{
	unsigned long dr6 = debug_read_reset_dr6();
	irqentry_state_t state;
	unsigned long dr7 = 0;

${lines}}
`;

const install = (lines: string): string => `void install_breakpoint(int i)
{
	unsigned long *dr7 = this_cpu_ptr(&cpu_dr7);

${lines}}
`;

export const dr7LiveInNmiLike: Rule = {
  name: 'dr7-live-in-nmi-like',
  id: 'XR-DB01',
  group: '#DB',
  severity: 'warning',
  summary: 'a handler for #DB, NMI or #MC from kernel mode works with data breakpoints armed, or leaves them off',
  why: 'No delivery of an event clears DR7. A watchpoint on memory that the handler touches raises #DB inside it: on the #DB stack itself that rewinds the stack over its live frame, inside an NMI the return of that #DB unblocks NMIs.',
  instead: 'local_db_save() before the state helper and before anything instrumentable, local_db_restore() after the last such access, on every path.',
  falsePositives: ['#DB from user mode runs on the task stack and may recurse once.', 'An NMI under FRED: a #DB in it returns without unblocking NMIs.'],
  references: ['SDM vol. 3B, "Debug Registers"', 'semantics DB-07, DB-08'],
  bad: [
    { title: 'Saved too late', files: { 'debug.c': handler('\tstate = irqentry_nmi_enter(regs); //~ dr7-live-in-nmi-like\n\tdr7 = local_db_save();\n\thandle(regs, dr6);\n\tirqentry_nmi_exit(regs, state);\n\tlocal_db_restore(dr7);\n') } },
    { title: 'Saved and left on', files: { 'debugreg.c': save('', ' //~ dr7-live-in-nmi-like') } },
    { title: 'Armed before it is said', files: { 'breakpoint.c': install('\tset_debugreg(*dr7 | encode_dr7(i), 7); //~ dr7-live-in-nmi-like\n\t*dr7 |= encode_dr7(i);\n') } },
    { title: 'Restored too early', files: { 'debug.c': handler('\tdr7 = local_db_save();\n\tstate = irqentry_nmi_enter(regs);\n\thandle(regs, dr6);\n\tlocal_db_restore(dr7); //~ dr7-live-in-nmi-like\n\tirqentry_nmi_exit(regs, state);\n') } },
  ],
  good: [{ title: 'Said before it is armed', files: { 'breakpoint.c': install('\t*dr7 |= encode_dr7(i);\n\tbarrier();\n\tset_debugreg(*dr7, 7);\n') } }, { title: 'Saved and off', files: { 'debugreg.c': save('\tif (dr7)\n\t\tset_debugreg(0, 7);\n', '') } }, { title: 'First and last', files: { 'debug.c': handler('\tdr7 = local_db_save();\n\tstate = irqentry_nmi_enter(regs);\n\thandle(regs, dr6);\n\tirqentry_nmi_exit(regs, state);\n\tlocal_db_restore(dr7);\n') } }],
  judge: null,
  inspect: null,
  examine,
  fix: null,
};
