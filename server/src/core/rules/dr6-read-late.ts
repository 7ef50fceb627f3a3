// XR-DB03: a #DB handler reads DR6 after something that may raise another #DB, or does not reset it.
import { isEntryCode } from '../tree/tree.ts';
import type { Step, Tree } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { entriesWithPlain, factsOf, findings, isCall, treeRule } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

/** Linux's name, and what people call such a helper. */
const readsIt = /^(?:debug_read|read|get)_(?:\w+_)?dr6$/;
const isRead = (step: Step): boolean => step.kind === 'call' && (readsIt.test(step.name) || (/^(?:native_)?get_debugreg$/.test(step.name) && step.arguments.includes('6')));
const isReset = (step: Step): boolean => step.kind === 'call' && (step.name === 'debug_read_reset_dr6' || (/^(?:native_)?set_debugreg$/.test(step.name) && step.arguments.includes('6')));

const read: Proof = { key: 'r', what: '', does: isRead };
const reset: Proof = { key: 's', what: '', does: isReset };
/** With every breakpoint off nothing changes DR6 behind it: enough in a sketch, where Linux's order is not the subject. */
const off: Proof = { key: 'o', what: '', does: (step) => isCall(step, /^local_db_save$/) };
const event: Proof = { key: 'e', what: '', does: (step) => isCall(step, /^fred_event_data$/) || (step.kind === 'store' && /fred_event_data\(/.test(step.value)) };

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  // A sketch that shows no read leaves it out.
  const reads = tree.functions.some((one) => one.graph().steps.some(isRead));
  for (const entry of entriesWithPlain(tree)) {
    if (entry.vector !== 'DB' || (tree.design && !reads)) continue;
    watchProofs(tree, entry.function, tree.design ? [read, event, off] : [read, event], {
      facts: factsOf(entry),
      follow: (callee) => isEntryCode(callee),
      at: (step, missing, where) => {
        const starts = isCall(step, /^(?:irqentry_\w*enter\w*|enter_from_user_mode|nmi_enter|instrumentation_begin|notify_die|notify_debug)$/);
        if (entry.delivery === 'fred' && isRead(step)) {
          found.at(step, where, 'under FRED the reasons for #DB are in the event data of the frame, and DR6 holds those of an older one; use fred_event_data()');
          return true;
        }
        if (starts && missing.length === (tree.design ? 3 : 2)) {
          // The entry is what has to read it, however deep the first use is.
          const outermost = where.calls[0];
          found.at(outermost?.step ?? step, outermost === undefined ? where : { function: outermost.function, calls: [] }, `${step.name}() may raise #DB before DR6 was read: the reasons of this one are lost or mixed with those of the next; read and reset DR6 first`);
          return true;
        }
        return starts;
      },
    });
  }
  for (const one of tree.functions) {
    if (!/dr6/.test(one.name) || !one.graph().steps.some(isRead)) continue;
    for (const step of one.graph().steps) {
      if (isCall(step, /^(?:native_)?set_debugreg$/) && step.arguments[1] === '6' && /^(?:0|0x0|0U?L)$/i.test(step.arguments[0] ?? '')) found.at(step, { function: one, calls: [] }, 'DR6 is reset to 0: some of its bits say by 0 that something happened (BLD, RTM), and the next #DB shows them; write its reset value, DR6_RESERVED');
    }
    watchProofs(tree, one, [reset], {
      at: (step, missing, where) => {
        if (step.kind === 'return' && missing.length > 0) found.at(step, where, 'DR6 is read and not reset: the processor does not clear all of its bits, and the next #DB shows reasons of this one; write DR6_RESERVED back');
        return false;
      },
    });
  }
  return found.all();
}

const handler = (lines: string): string => `static __always_inline unsigned long debug_read_reset_dr6(void)
{
	unsigned long dr6;

	get_debugreg(dr6, 6);
	set_debugreg(DR6_RESERVED, 6);
	return dr6;
}

DEFINE_IDTENTRY_DEBUG_USER(exc_debug)
{
	unsigned long dr6;

${lines}	handle(regs, dr6);
	irqentry_exit_to_user_mode(regs);
}
`;

export const dr6ReadLate = treeRule({
  name: 'dr6-read-late',
  id: 'XR-DB03',
  group: '#DB',
  severity: 'warning',
  summary: 'DR6 is read or reset too late in a #DB handler',
  why: 'A #DB sets bits in DR6 and clears few. Everything that may take a breakpoint between delivery and the read changes what the handler sees, and bits that nobody resets are taken for reasons of the next #DB.',
  instead: 'Read and reset DR6 as the first statement; under FRED take the event data.',
  falsePositives: ['FRED, where the reasons are on the frame.', 'In sketches, code behind local_db_save(): with every breakpoint off nothing changes DR6.', 'Sketches that show no read of DR6.'],
  references: ['SDM vol. 3B, "Debug Status Register (DR6)"', 'semantics DB-07, FR-07'],
  bad: [{ title: 'Reset to what it never is', files: { 'debug.c': `static unsigned long read_dr6(void)\n{\n\tunsigned long dr6;\n\n\tget_debugreg(dr6, 6);\n\tset_debugreg(0, 6); //~ dr6-read-late\n\treturn dr6;\n}\n` } }, { title: 'After the entry helper', files: { 'debug.c': handler('\tirqentry_enter_from_user_mode(regs); //~ dr6-read-late\n\tdr6 = debug_read_reset_dr6();\n') } }],
  good: [{ title: 'First', files: { 'debug.c': handler('\tdr6 = debug_read_reset_dr6();\n\tirqentry_enter_from_user_mode(regs);\n') } }],
  examine,
  besideRuns: true,
});
