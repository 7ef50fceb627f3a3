// XR-MC02: code goes on after a machine check without having asked whether the saved RIP may be restarted and has to do
// with the error.
import type { Step, Tree } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';
import { clearsMcip } from './work-after-mcip-clear.ts';

const asksRipv = /\bMCG_STATUS_RIPV\b|mce_ripv|mc_recoverable\(/;
const recoverable: Proof = { key: 'r', what: '', test: (text, holds) => (holds && /MCE_IN_KERNEL_RECOV|mc_recoverable\(/.test(text)) || (/RIPV/.test(text) && /EIPV/.test(text)) };
const fromKernel: Proof = { key: 'k', what: '', test: (text, holds) => !holds && /cs & 3\) == 3$|^user_mode\(/.test(text) };
const restartable: Proof = { key: 'i', what: '', test: (text) => asksRipv.test(text), does: (step) => step.kind === 'store' && /\bMCG_STATUS_RIPV\b/.test(step.value) && !step.target.endsWith('mce_ripv') };

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    const { steps } = one.graph();
    if (steps.some((step) => isFixup(step) || marks(step))) {
      watchProofs(tree, one, [recoverable, fromKernel], {
        at: (step, missing, where) => {
          if (isFixup(step) && missing.includes(recoverable)) found.at(step, where, 'the fixup for a machine check runs without a test of RIPV and EIPV: the saved RIP need not be the instruction that failed; recover only what was marked MCE_IN_KERNEL_RECOV');
          if (marks(step) && missing.length > 0) found.at(step, where, `the error is marked as recoverable in the kernel ${missing.includes(recoverable) ? 'without a test of RIPV and EIPV' : 'although it may come from user mode'}; test that first`);
          return false;
        },
      });
    }
    if (steps.some(asksStatus) && steps.some(clearsMcip)) {
      const gathered: Proof = { key: 'g', what: '', does: asksStatus };
      watchProofs(tree, one, [gathered, restartable], {
        at: (step, missing, where) => {
          if (clearsMcip(step) && missing.includes(restartable) && !missing.includes(gathered)) found.at(step, where, 'the handler lets the interrupted code go on without having tested RIPV: it may restart at an instruction that was executed in part; treat an error without RIPV as fatal');
          return false;
        },
      });
    }
    if (steps.some((step) => isCall(step, /^memory_failure$/)) && steps.some((step) => step.kind === 'store' && /\bMF_ACTION_REQUIRED\b/.test(step.value))) {
      watchProofs(tree, one, [restartable], {
        at: (step, missing, where) => {
          if (isCall(step, /^memory_failure$/) && missing.length > 0) found.at(step, where, 'the task may go on after the page was taken away although its RIP may not be restarted; ask what RIPV was, and kill it with MF_MUST_KILL where it was clear');
          return false;
        },
      });
    }
  }
  return found.all();
}

/** The status of the machine check is read: what was asked of it decides whether the code that it hit may go on. */
function asksStatus(step: Step): boolean {
  return isCall(step, /^mce_gather_info$|rdmsr[lq]?$/) && (step.name === 'mce_gather_info' || step.arguments[0] === 'MSR_IA32_MCG_STATUS');
}

function isFixup(step: Step): boolean {
  return isCall(step, /^fixup_exception$/) && step.arguments.includes('X86_TRAP_MC');
}

function marks(step: Step): boolean {
  return step.kind === 'store' && step.operator === '|=' && /\bMCE_IN_KERNEL_RECOV\b/.test(step.value);
}

const recovery = (lines: string): string => `static void recover(struct mce *m, struct pt_regs *regs)
{
${lines}}
`;

export const recoveryWithoutRipvEipv = treeRule({
  name: 'recovery-without-ripv-eipv',
  id: 'XR-MC02',
  group: '#MC',
  severity: 'error',
  summary: 'a machine check is recovered from without a test of RIPV and EIPV',
  why: 'RIPV says that the saved RIP may be restarted, EIPV that it belongs to the error. Without RIPV the interrupted code cannot go on at all; without EIPV a fixup looked up by RIP is that of an innocent instruction.',
  instead: 'Test MCG_STATUS before fixup_exception() and before the task is let go on; panic or kill where RIPV is clear.',
  falsePositives: ['Recovery that a severity table has already tied to RIPV and EIPV: MCE_IN_KERNEL_RECOV.'],
  references: ['SDM vol. 3B, "IA32_MCG_STATUS MSR"', 'semantics MC-03, MC-06'],
  bad: [{ title: 'The fixup first', files: { 'mce.c': recovery('\tif (!fixup_exception(regs, X86_TRAP_MC, 0, 0)) //~ recovery-without-ripv-eipv\n\t\tpanic("machine check");\n') } }],
  good: [{ title: 'Behind the mark', files: { 'mce.c': recovery('\tif (m->kflags & MCE_IN_KERNEL_RECOV) {\n\t\tif (!fixup_exception(regs, X86_TRAP_MC, 0, 0))\n\t\t\tpanic("machine check");\n\t}\n') } }],
  examine,
});
