// XR-DB08: #DB clears the bit for stepping by branches, and its handler leaves flag and bit apart.
import { isEntryCode } from '../tree/tree.ts';
import type { Tree } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, factsOf, findings, isCall, treeRule } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

const flag = /\bTIF_BLOCKSTEP\b/;

/** The bit is in the value that is written, or the task does not step by branches. */
const bit: Proof = { key: 'b', what: '', test: (text, holds) => !holds && /^test_(?:tsk_)?thread_flag\(/.test(text) && flag.test(text) };
/** Set in the value that is then written: a write of what was read takes it back. */
const value: Proof = {
  key: 'v',
  what: '',
  does: (step) => (step.kind === 'store' ? sets(step.value) : isCall(step, /^(?:native_)?wrmsr[lq]?$|^update_debugctlmsr$/) && step.arguments.some(sets)),
  undoes: (step) => isCall(step, /^(?:native_)?rdmsr[lq]?$/),
};
const cleared: Proof = { key: 'c', what: '', does: (step) => isCall(step, /^clear_(?:tsk_)?thread_flag$/) && flag.test(step.text) };

const sets = (written: string): boolean => /\bDEBUGCTLMSR_BTF\b/.test(written) && !written.includes('~');

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const about = tree.functions.some((one) => flag.test((tree.active(one.file) ?? '').slice(one.span.start, one.span.end)));
  if (!about) return [];
  for (const entry of entriesOf(tree)) {
    if (entry.vector !== 'DB') continue;
    watchProofs(tree, entry.function, [bit, value, cleared], {
      facts: factsOf(entry),
      follow: (callee) => isEntryCode(callee) && !/^irqentry_|dr[67]/.test(callee.name),
      at: (step, missing, where) => {
        if (isCall(step, /^irqentry_nmi_exit$/)) {
          if (missing.includes(bit) && missing.includes(value)) found.at(step, where, 'the way back from a #DB of kernel mode leaves BTF clear: the processor cleared it when it delivered the exception, and the task that is traced by branches in user mode then steps by instructions or not at all; set DEBUGCTLMSR_BTF again where TIF_BLOCKSTEP is set');
          return true;
        }
        if (isCall(step, /^irqentry_exit_to_user_mode$/)) {
          if (missing.includes(cleared)) found.at(step, where, 'the way back from a #DB of user mode leaves TIF_BLOCKSTEP set, and the processor cleared BTF: the next switch of tasks takes the bit for set already; clear the flag');
          return true;
        }
        return false;
      },
    });
  }
  return found.all();
}

const handler = (value: string, mark: string): string => `DEFINE_IDTENTRY_DEBUG(exc_debug)
{
	unsigned long dr6 = debug_read_reset_dr6();
	unsigned long dr7 = local_db_save();
	irqentry_state_t state = irqentry_nmi_enter(regs);

	instrumentation_begin();
	if (test_thread_flag(TIF_BLOCKSTEP)) {
		unsigned long control;

		rdmsrl(MSR_IA32_DEBUGCTLMSR, control);
${value}		wrmsrl(MSR_IA32_DEBUGCTLMSR, control);
	}
	handle(regs, dr6);
	instrumentation_end();
	irqentry_nmi_exit(regs, state);${mark}
	local_db_restore(dr7);
}
`;

export const blockStepLost = treeRule({
  name: 'block-step-lost',
  id: 'XR-DB08',
  group: '#DB',
  severity: 'error',
  summary: 'a #DB handler does not set BTF again, or leaves the flag of the task set that says it is',
  why: 'The processor clears BTF of IA32_DEBUGCTL whenever it generates #DB. A debugger asked for it in user mode; a #DB of kernel mode in between loses it, and one of user mode is what it was set for, so that the flag of the task has to go as well.',
  instead: 'In the handler for kernel mode set DEBUGCTLMSR_BTF where TIF_BLOCKSTEP is set; in the one for user mode clear TIF_BLOCKSTEP.',
  falsePositives: ['Code that knows nothing of TIF_BLOCKSTEP.'],
  references: ['SDM vol. 3B, "Debug, Branch Profile, TSC, and Intel Resource Director Technology Features"'],
  bad: [{ title: 'Written back as it was', files: { 'traps.c': handler('', ' //~ block-step-lost') } }],
  good: [{ title: 'Set again', files: { 'traps.c': handler('\t\tcontrol |= DEBUGCTLMSR_BTF;\n', '') } }],
  examine,
});
