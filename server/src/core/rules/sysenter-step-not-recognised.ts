// XR-DB06: the kernel's #DB handler does not know the single step that SYSENTER lets a user bring into the kernel.
import { X86_32 } from '../tree/kernel-32.ts';
import { placeIn } from '../tree/tree.ts';
import type { Tree } from '../tree/tree.ts';
import type { PathStep } from '../contexts/entry-paths.ts';
import { isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, entryPremise, findings, isCall, treeRule } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';

const recognised = /^is_sysenter_singlestep$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  if (!tree.design && !tree.option('CONFIG_IA32_EMULATION') && !tree.option(X86_32)) return [];
  for (const entry of entriesOf(tree)) {
    if (entry.vector !== 'DB' || entry.origin !== 'kernel') continue;
    watchProofs(
      tree,
      entry.function,
      [{ key: 's', what: '', does: (step) => isCall(step, recognised), test: (text, holds) => (holds ? /cpu_feature_enabled\(X86_FEATURE_FRED\)/.test(text) : /& DR_STEP\b/.test(text)) }],
      {
        facts: new Map([['user_mode(regs)', false]]),
        follow: (callee) => callee.attributes.includes('noinstr') && !recognised.test(callee.name) && !callee.name.startsWith('irqentry_'),
        at: (step, missing, where) => {
          if (!isCall(step, /^(?:notify_debug|notify_die)$/)) return false;
          if (missing.length > 0) {
            found.at(step, where, 'a single step in the kernel is judged without is_sysenter_singlestep(): SYSENTER does not clear TF, so that any user steps through the first instructions of the entry; ask for that range first and drop DR_STEP', { premises: [entryPremise(tree, entry)] });
          }
          return true;
        },
      },
    );
  }
  for (const one of tree.functions) {
    if (!recognised.test(one.name) || !one.whole) continue;
    const text = one.graph().steps.map((step) => step.text).join(' ');
    if (!/entry_SYSENTER_compat|__begin_SYSENTER/.test(text) || !/__end_/.test(text)) {
      found.place(placeIn(tree, one.file, one.nameSpan), `${one.name}() does not compare the address with both ends of the SYSENTER entry: a single step in it is taken for a stray one; compare with its start and its end`);
    }
  }
  return found.all();
}

/** The instruction that clears TF is stepped itself: the range of the predicate has to hold it. */
function judge(step: PathStep): readonly Judgement[] {
  const { node, start, program } = step;
  if (!isInstruction(node) || !node.mnemonic.startsWith('popf') || start.door.kind !== 'instruction' || start.door.instruction !== 'SYSENTER') return [];
  const end = program.code.symbols.get(`__end_${start.door.name}`);
  if (end === undefined || node.symbol !== start.door.name || node.id < end) return [];
  return [{ place: pathPlace(node), message: `${node.text} clears TF behind __end_${start.door.name}, where is_sysenter_singlestep() takes a single step for a stray one: the steps up to it are those of a user who set TF before SYSENTER; put the label behind it`, premises: pathPremises(step) }];
}

const handler = (check: string, mark: string): string => `static bool is_sysenter_singlestep(struct pt_regs *regs)
{
	return regs->ip - (unsigned long)entry_SYSENTER_compat <
		(unsigned long)__end_entry_SYSENTER_compat - (unsigned long)entry_SYSENTER_compat;
}

DEFINE_IDTENTRY_DEBUG(exc_debug)
{
	unsigned long dr6 = debug_read_reset_dr6();
	unsigned long dr7 = local_db_save();
	irqentry_state_t state = irqentry_nmi_enter(regs);

${check}	notify_die(DIE_DEBUG, "debug", regs, (long)&dr6, 0, SIGTRAP);${mark}
	irqentry_nmi_exit(regs, state);
	local_db_restore(dr7);
}
`;

export const sysenterStepNotRecognised = treeRule({
  name: 'sysenter-step-not-recognised',
  id: 'XR-DB06',
  group: '#DB',
  severity: 'warning',
  summary: 'the kernel #DB handler does not recognise the single step that comes in with SYSENTER',
  why: 'SYSENTER leaves TF as the user had it. The first instructions of its entry are stepped until the flags are loaded anew; a handler that does not know the range warns, clears flags of a context that is not to blame, or hands the step to a debugger.',
  instead: 'Compare the saved RIP with the range of the entry before DR_STEP is acted on, and clear it there.',
  falsePositives: ['Kernels without 32-bit programs, and FRED, which clears the flags on delivery.'],
  references: ['SDM vol. 2B, "SYSENTER"', 'semantics DB-05'],
  bad: [{ title: 'Not asked', files: { 'debug.c': handler('', ' //~ sysenter-step-not-recognised') } }],
  good: [{ title: 'Asked first', files: { 'debug.c': handler('\tif ((dr6 & DR_STEP) && is_sysenter_singlestep(regs))\n\t\tdr6 &= ~DR_STEP;\n', '') } }],
  path: { at: ['flags'], monitor: null, judge },
  examine,
});
