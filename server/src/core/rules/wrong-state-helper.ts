// XR-INS02: an entry uses the state helper of another kind of entry, or works before it has called one.
import { mayReturnBehind } from '../tree/paths.ts';
import { stateHelpers } from '../tree/primitives.ts';
import { placeIn } from '../tree/tree.ts';
import type { Step, Tree } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Where } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { watchProofs } from './tree-proofs.ts';
import { entriesOf, entryPremise, factsOf, findings, isCall, isNmiLike, title, treeRule } from './tree-entries.ts';

/** Whether a helper was called, then what is known of the interrupted mode. */
type State = `${'none' | 'set'} ${'user' | 'kernel' | 'either'}`;

const patches = /^(?:smp_text_)?poke_int3_handler$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const entries = new Map(entriesOf(tree).map((entry) => [entry.function, entry] as const));
  for (const entry of entries.values()) {
    if (entry.wrapped || entry.delivery === 'syscall') continue;
    const premises = [entryPremise(tree, entry)];
    // A breakpoint in kernel text may be hit by whatever runs there, an NMI included.
    const nmiLike = isNmiLike(entry) || (entry.vector === 'BP' && entry.origin !== 'user');
    const nmi = entry.vector === 'NMI';
    watch<State>(
      tree,
      entry.function,
      `none ${entry.origin === 'both' ? 'either' : entry.origin}`,
      {
        follow: (callee, state) => state.startsWith('none') && !stateHelpers.has(callee.name) && (callee.definedBy === null || callee === entry.function) && !/panic$|^kvm_|^microcode_/.test(callee.name),
        step: (step, state, where) => {
          const [set, mode] = state.split(' ', 2) as [string, string];
          if (step.kind !== 'call') return state;
          const helper = stateHelpers.get(step.name);
          if (helper?.role === 'exit') return `none ${mode}` as State;
          if (helper?.role === 'enter') {
            const wrong = wrongHelper(helper.state, mode, nmi, nmiLike);
            if (set === 'none' && wrong !== null) found.at(step, where, `${step.name}() is called for ${title(entry)}: ${wrong}`, { premises });
            return `set ${mode}` as State;
          }
          const other = step.indirect ? undefined : entries.get(tree.resolve(step.name, where.function.file) ?? entry.function);
          if (set === 'none' && other !== undefined && other !== entry && other.delivery === 'idt' && ((mode === 'user' && other.origin === 'kernel') || (mode === 'kernel' && other.origin === 'user'))) {
            found.at(step, where, `${step.name}() is the handler for ${other.origin} mode, and this comes from ${mode} mode: it sets up the state of the other; call the one for ${mode} mode`, { premises });
            return null;
          }
          const concerned = mode === 'user' || nmi || (nmiLike && mode === 'kernel');
          if (step.name === 'instrumentation_begin' && set === 'none' && concerned && mayReturnBehind(where.function, step)) {
            const at = responsible(step, where);
            found.at(at.step, at.where, `${at.step.kind === 'call' ? at.step.name : step.name}() runs instrumentable code before the entry helper was called: RCU is not watching and the context is not counted; call ${mode === 'user' && !nmi ? 'irqentry_enter_from_user_mode()' : 'irqentry_nmi_enter()'} before`, { premises });
            return null;
          }
          return state;
        },
        branch: (test, holds, state) => (test.text.startsWith('user_mode(') ? (`${state.split(' ', 1)[0] ?? 'none'} ${holds ? 'user' : 'kernel'}` as State) : state),
      },
      factsOf(entry),
    );
  }
  // Code that is being patched has an INT3 in it: only the handler that knows of it may run before that was asked.
  if (!tree.design || tree.functions.some(({ name }) => patches.test(name))) {
    for (const entry of entries.values()) {
      if (entry.vector !== 'BP') continue;
      watchProofs(tree, entry.function, [{ key: 'p', what: '', does: (step) => isCall(step, patches) }], {
        facts: factsOf(entry),
        at: (step, missing, where) => {
          const sets = step.kind === 'call' && stateHelpers.get(step.name)?.role === 'enter';
          if (sets && missing.length > 0) found.at(step, where, `${step.kind === 'call' ? step.name : ''}() may hit an INT3 that is being patched in, and this handler has not asked for one: it then comes here again, without end; ask poke_int3_handler() first`, { premises: [entryPremise(tree, entry)] });
          return sets;
        },
      });
    }
  }
  // Of #DB the hypervisor tells by #VC, from the middle of noinstr code as well: it is handled as #DB, before the state of #VC.
  const isDb = /^vc_is_db\(|SVM_EXIT_(?:DB|EXCP_BASE \+ X86_TRAP_DB)/;
  if (tree.functions.some((one) => one.name === 'vc_is_db' || one.graph().steps.some((step) => step.kind === 'test' && isDb.test(step.text)))) {
    for (const entry of entries.values()) {
      if (entry.vector !== 'VC') continue;
      watchProofs(tree, entry.function, [{ key: 'd', what: '', test: (text) => isDb.test(text) }], {
        facts: factsOf(entry),
        at: (step, missing, where) => {
          const sets = step.kind === 'call' && stateHelpers.get(step.name)?.role === 'enter';
          if (sets && missing.length > 0) found.at(step, where, `${step.kind === 'call' ? step.name : ''}() is called before it was asked whether this #VC stands for a #DB: a breakpoint in noinstr code then runs the handler of #VC, which is instrumentable and may meet the same breakpoint; hand those to exc_debug() first`, { premises: [entryPremise(tree, entry)] });
          return sets;
        },
      });
    }
  }
  // The table of FRED holds the bodies of system vectors without what the IDT's functions have around them.
  for (const one of tree.functions) {
    const runs = (step: Step): boolean => step.kind === 'call' && step.indirect && step.text.startsWith('sysvec_table[');
    if (!one.graph().steps.some(runs)) continue;
    watch<'none' | 'set'>(tree, one, 'none', {
      follow: () => false,
      step: (step, state, where) => {
        if (runs(step) && state === 'none') found.at(step, where, 'the body of a system vector runs before irqentry_enter(): RCU is not watching and the context is not counted; call it first, as the IDT handler of the vector does');
        const helper = step.kind === 'call' ? stateHelpers.get(step.name) : undefined;
        return helper === undefined ? state : helper.role === 'enter' ? 'set' : 'none';
      },
    });
  }
  for (const { name, file, body, start } of tree.entryMacros) {
    const [work, helper] = [/\w*##func\b/.exec(body), body.indexOf('irqentry_enter(')];
    if (work !== null && helper > work.index) found.place(placeIn(tree, file, { start: start + work.index, end: start + work.index + work[0].length }), `${name}() defines handlers whose body runs before irqentry_enter(): RCU is not watching and the context is not counted; call the helper first`);
  }
  return found.all();
}

function wrongHelper(state: string, mode: string, nmi: boolean, nmiLike: boolean): string | null {
  if (nmi) return state === 'nmi' ? null : 'an NMI may interrupt any entry half done, from user mode as well; use irqentry_nmi_enter()';
  if (mode === 'user' && state === 'nmi') return 'it then counts as an NMI, and signals and the scheduler are not for it; use irqentry_enter_from_user_mode()';
  if (mode !== 'user' && nmiLike && state !== 'nmi') return 'it may arrive at any kernel instruction, also where RCU does not watch and locks are held; use irqentry_nmi_enter()';
  return mode === 'kernel' && state === 'user' ? 'nothing came from user mode; use irqentry_enter()' : null;
}

/** The place in the function that calls the entry helper too late, or the exit helper without it; else the outermost call. */
function responsible(step: Step, where: Where): { readonly step: Step; readonly where: Where } {
  const callers = where.calls.map((call, index) => ({ step: call.step as Step, where: { function: call.function, calls: where.calls.slice(0, index) } }));
  const places = [...callers, { step, where }];
  const calls = (role: 'enter' | 'exit'): { readonly step: Step; readonly where: Where } | undefined => places.find((place) => place.where.function.graph().steps.some((one) => one.kind === 'call' && stateHelpers.get(one.name)?.role === role));
  return calls('enter') ?? calls('exit') ?? callers[0] ?? { step, where };
}

const handler = (macro: string, lines: string): string => `${macro}
{
	irqentry_state_t state;

${lines}}
`;

const breakpoint = (early: string, late: string, mark: string): string => `static noinstr bool poke_int3_handler(struct pt_regs *regs)
{
	return regs->ip == patched;
}

DEFINE_IDTENTRY_RAW(exc_int3)
{
	irqentry_state_t state;

${early}	state = irqentry_nmi_enter(regs);${mark}
	instrumentation_begin();
${late}	handle(regs);
	instrumentation_end();
	irqentry_nmi_exit(regs, state);
}
`;

const forwarded = (call: string, mark: string): string => `DEFINE_IDTENTRY_DEBUG(exc_debug)
{
	unsigned long dr6 = debug_read_reset_dr6();
	unsigned long dr7 = local_db_save();
	irqentry_state_t state = irqentry_nmi_enter(regs);

	handle(regs, dr6);
	irqentry_nmi_exit(regs, state);
	local_db_restore(dr7);
}

DEFINE_IDTENTRY_DEBUG_USER(exc_debug)
{
	unsigned long dr6 = debug_read_reset_dr6();

	irqentry_enter_from_user_mode(regs);
	handle(regs, dr6);
	irqentry_exit_to_user_mode(regs);
}

DEFINE_IDTENTRY_VC_USER(exc_vmm_communication)
{
	if (error_code == SVM_EXIT_DB) {
		${call}${mark}
		return;
	}
	irqentry_enter_from_user_mode(regs);
	handle(regs, 0);
	irqentry_exit_to_user_mode(regs);
}
`;

export const wrongStateHelper = treeRule({
  name: 'wrong-state-helper',
  id: 'XR-INS02',
  group: 'Entry state',
  severity: 'error',
  summary: 'an entry calls the state helper of another kind, or runs instrumentable code before it',
  why: 'An event that may hit any kernel instruction can interrupt an entry whose RCU and lockdep state is half set up; only the NMI helper makes no assumption about it. An entry from user mode, on the other hand, has to leave the RCU state of user mode and may not count as an NMI. Code that runs before either is traced in a context that does not exist.',
  instead: 'irqentry_nmi_enter() for NMI and for #DB, #MC, #DF and #VC from kernel mode, irqentry_enter_from_user_mode() for user mode, irqentry_enter() for the rest, first of all.',
  falsePositives: ['Paths that end in panic().', '#UD, INT3 and the fixup of #DF for espfix, which run in the context of the code that they interrupted.'],
  references: ['semantics ENT-01, ENT-02, ENT-04'],
  bad: [
    { title: 'A breakpoint that may be one of a patch', files: { 'traps.c': breakpoint('', '\tif (!poke_int3_handler(regs))\n\t', ' //~ wrong-state-helper') } },
    { title: 'The ordinary helper', files: { 'sev.c': handler('DEFINE_IDTENTRY_VC_KERNEL(exc_vmm_communication)', '\tstate = irqentry_enter(regs); //~ wrong-state-helper\n\thandle(regs);\n\tirqentry_exit(regs, state);\n') } },
    { title: 'Forwarded to the handler for kernel mode', files: { 'sev.c': forwarded('exc_debug(regs);', ' //~ wrong-state-helper') } },
    { title: 'Too late', files: { 'sev.c': handler('DEFINE_IDTENTRY_VC_KERNEL(exc_vmm_communication)', '\tinstrumentation_begin(); //~ wrong-state-helper\n\thandle(regs);\n\tinstrumentation_end();\n\tstate = irqentry_nmi_enter(regs);\n\tirqentry_nmi_exit(regs, state);\n') } },
  ],
  good: [
    { title: 'Asked for a patch first', files: { 'traps.c': breakpoint('\tif (poke_int3_handler(regs))\n\t\treturn;\n', '', '') } },
    { title: 'Forwarded to the handler for user mode', files: { 'sev.c': forwarded('noist_exc_debug(regs);', '') } }, { title: 'First', files: { 'sev.c': handler('DEFINE_IDTENTRY_VC_KERNEL(exc_vmm_communication)', '\tstate = irqentry_nmi_enter(regs);\n\tinstrumentation_begin();\n\thandle(regs);\n\tinstrumentation_end();\n\tirqentry_nmi_exit(regs, state);\n') } }],
  examine,
});
