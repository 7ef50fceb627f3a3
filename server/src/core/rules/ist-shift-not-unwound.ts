// XR-STK04: the IST entry of #VC is shifted and not set back, is shifted too late, or its old value is not kept.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import { aliases, mentions } from './interrupted-rsp.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, factsOf, findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';

const shift = /^(?:__)?sev_es_ist_enter$/;
const unshift = /^(?:__)?sev_es_ist_exit$/;

/** Moves an IST entry by itself: `this_cpu_sub(cpu_tss_rw.x86_tss.ist[n], size)`, and back by `this_cpu_add`. */
function movesIst(step: Step, direction: 'sub' | 'add'): boolean {
  return isCall(step, new RegExp(`^(?:raw_|__)*this_cpu_${direction}$`)) && /\bist\[/.test(step.arguments[0] ?? '');
}

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const helper = tree.functions.some((one) => shift.test(one.name));
  const handlers = new Set(entriesOf(tree).filter((entry) => entry.vector === 'NMI' && entry.delivery === 'idt').map((entry) => entry.function));
  for (const one of tree.functions) {
    const { steps } = one.graph();
    const shifts = steps.some((step) => isCall(step, shift)) && !shift.test(one.name);
    const owes = helper && handlers.has(one) && steps.some((step) => isCall(step, /^local_db_save$/));
    if (shifts || owes) {
      const facts = entriesOf(tree).filter((entry) => entry.function === one).map(factsOf)[0];
      watch<'plain' | 'shifted'>(
        tree,
        one,
        'plain',
        {
          follow: () => false,
          step: (step, state, where) => {
            if (isCall(step, unshift)) {
              if (state === 'plain') found.at(step, where, 'the IST entry of #VC is set back without having been shifted on this path: it takes the value of an outer handler; shift and set back on the same paths');
              return 'plain';
            }
            if (isCall(step, shift)) return 'shifted';
            if (isCall(step, /^local_db_(?:save|restore)$/) && state === 'plain' && helper) {
              found.at(step, where, 'DR7 is accessed while the IST entry of #VC is not shifted: the #VC that the access raises under SEV-ES overwrites the frame of an interrupted one; call sev_es_ist_enter() before and sev_es_ist_exit() after');
            }
            if (step.kind === 'return' && state === 'shifted') found.at(step, where, 'the handler returns with the IST entry of #VC shifted: every further #VC of this CPU uses less of its stack, until it runs over; call sev_es_ist_exit() on every path');
            return state;
          },
        },
        facts,
      );
    }
    if (steps.some((step) => movesIst(step, 'sub'))) {
      watch<'plain' | 'moved'>(tree, one, 'plain', {
        follow: () => false,
        step: (step, state, where) => {
          if (movesIst(step, 'sub')) return 'moved';
          if (movesIst(step, 'add')) return 'plain';
          if (step.kind === 'return' && state === 'moved') found.at(step, where, `${one.name}() returns with the IST entry that it moved still down: every further event of the vector uses less of its stack, until it runs over; move it back on every path`);
          return state;
        },
      });
    }
    const reads = steps.find((step) => isCall(step, /^(?:raw_|__)*this_cpu_read$/) && /\.ist\[/.test(step.arguments[0] ?? ''));
    if (unshift.test(one.name) && reads !== undefined && !steps.some((step) => isCall(step, istWriter) && /\.ist\[/.test(step.arguments[0] ?? ''))) {
      found.at(reads, { function: one, calls: [] }, 'the shifted IST entry is read and never set back: every further event of the vector uses less of its stack, until it runs over; write the old entry, which lies at the new top');
    }
    const written = steps.find(writesIst);
    if (written !== undefined && one.parameters.length > 0 && !below(one, written)) {
      found.at(written, { function: one, calls: [] }, 'the new IST entry is not below the interrupted stack pointer on any path: the next event of the vector starts over at the top and overwrites the frame that was interrupted; where RSP lies on that stack, take it as the new entry');
    }
    if (steps.some(writesIst)) {
      aboveTop(tree, one, found);
      watchProofs(tree, one, [{ key: 'k', what: '', does: (step) => step.kind === 'store' && (step.target.startsWith('*') || step.target.endsWith('[0]')) }], {
        at: (step, missing, where) => {
          if (writesIst(step) && missing.length > 0) found.at(step, where, 'the IST entry is replaced and its old value was not kept at the new top: nothing can set it back; store the old value there first');
          return false;
        },
      });
    }
  }
  return found.all();
}

/** The old value is kept in a word below what is live: the pointer goes down by its size first. */
function aboveTop(tree: Tree, one: TreeFunction, found: Findings): void {
  const kept = one.graph().steps.flatMap((step) => (step.kind === 'store' ? (/^\*\(\w[\w ]*\*\)(\w+)$/.exec(step.target)?.[1] ?? []) : []))[0];
  if (kept === undefined) return;
  watch<'high' | 'low'>(tree, one, 'high', {
    follow: () => false,
    step: (step, state, where) => {
      if (step.kind !== 'store') return state;
      if (step.target === kept) return step.operator === '-=' || /- (?:sizeof|\d)/.test(step.value) ? 'low' : step.operator === '=' ? 'high' : state;
      if (step.target.startsWith('*(') && step.target.endsWith(kept) && state === 'high') found.at(step, where, 'the old IST entry is written at the interrupted stack pointer, over what lies there, or above the top of the stack; go down by its size first');
      return state;
    },
  });
}

/** Whether the value that is written comes from the interrupted stack pointer. */
function below(one: TreeFunction, written: Step): boolean {
  const value = written.kind === 'call' ? (written.arguments[1] ?? '') : '';
  return one.parameters.some((regs) => aliases(one, `${regs}->sp`).some((name) => mentions(value, name)));
}

const istWriter = /^(?:raw_|__)*this_cpu_write$/;

/** A new value for an IST entry of the live TSS, not the old one that is taken back. */
function writesIst(step: Step): boolean {
  return isCall(step, istWriter) && /\.ist\[/.test(step.arguments[0] ?? '') && !(step.arguments[1] ?? '').startsWith('*');
}

const handler = (lines: string): string => `DEFINE_IDTENTRY_RAW(exc_nmi)
{
	irqentry_state_t state;
	unsigned long dr7, cr2 = read_cr2();

${lines}	if (read_cr2() != cr2)
		write_cr2(cr2);
}
`;

const moved = (early: string): string => `void exc_debug(struct pt_regs *regs)
{
	this_cpu_sub(cpu_tss_rw.x86_tss.ist[IST_INDEX_DB], EXCEPTION_STKSZ);
${early}	note_debug(regs);
	this_cpu_add(cpu_tss_rw.x86_tss.ist[IST_INDEX_DB], EXCEPTION_STKSZ);
}
`;

const shifted = (down: string, mark: string): string => `noinstr void shift_ist(struct pt_regs *regs)
{
	unsigned long old_ist = this_cpu_read(cpu_tss_rw.x86_tss.ist[IST_INDEX_VC]);
	unsigned long new_ist = old_ist;

	if (!user_mode(regs) && !ip_within_syscall_gap(regs) && on_ist_stack(regs->sp))
		new_ist = regs->sp;
${down}	*(unsigned long *)new_ist = old_ist;${mark}
	this_cpu_write(cpu_tss_rw.x86_tss.ist[IST_INDEX_VC], new_ist);
}
`;

export const istShiftNotUnwound = treeRule({
  name: 'ist-shift-not-unwound',
  id: 'XR-STK04',
  group: 'Stacks and frames',
  severity: 'error',
  summary: 'a handler shifts an IST entry and does not set it back on every path',
  why: 'The NMI handler may raise #VC while an interrupted #VC handler is still on its IST stack. It moves the IST entry below the live frame and keeps the old value above; a path that leaves without setting it back eats the stack, and an access that may raise #VC before the shift overwrites the frame.',
  instead: 'Shift before the first access to DR7, set back after the last one, on every path and in reverse order.',
  falsePositives: ['Early returns before the shift.'],
  references: ['semantics VC-03', 'Linux 315562c9af3d'],
  bad: [
    { title: 'Kept over what is live', files: { 'sev.c': shifted('', ' //~ ist-shift-not-unwound') } },
    { title: 'Moved by hand, and an early return', files: { 'debug.c': moved('\tif (hits_kprobe(regs))\n\t\treturn; //~ ist-shift-not-unwound\n') } },
    { title: 'An early return', files: { 'nmi.c': handler('\tsev_es_ist_enter(regs);\n\tdr7 = local_db_save();\n\tstate = irqentry_nmi_enter(regs);\n\tpoll_sources(regs);\n\tirqentry_nmi_exit(regs, state);\n\tlocal_db_restore(dr7);\n\tif (read_cr2() == cr2)\n\t\treturn; //~ ist-shift-not-unwound\n\tsev_es_ist_exit();\n') } },
  ],
  good: [
    { title: 'Kept below it', files: { 'sev.c': shifted('\tnew_ist -= sizeof(old_ist);\n', '') } },
    { title: 'Moved by hand, and back', files: { 'debug.c': moved('') } },
    { title: 'Around everything', files: { 'nmi.c': handler('\tsev_es_ist_enter(regs);\n\tdr7 = local_db_save();\n\tstate = irqentry_nmi_enter(regs);\n\tpoll_sources(regs);\n\tirqentry_nmi_exit(regs, state);\n\tlocal_db_restore(dr7);\n\tsev_es_ist_exit();\n') } },
  ],
  examine,
  besideRuns: true,
});
