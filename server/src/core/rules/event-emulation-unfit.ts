// XR-VE20: an event of a guest counts as emulated although that failed, or RIP moves by a length that nobody gave.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { successorsOf } from '../tree/paths.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';

/** Ask the host, and say whether it answered. */
const asks = /^(?:_*tdx_hypercall|sev_es_ghcb_hv_call)$/;
/** Emulate an event, and say whether they could. */
const handles = /^(?:vc_raw_handle_exception|tdx_handle_virt_exception|virt_exception_(?:user|kernel)|_*vc_handle_\w+)$/;
/** What becomes of an event that could not be emulated, besides what never returns. */
const refuses = /^(?:force_sig\w*|ve_raise_fault|do_trap|gp_try_fixup_and_notify|die\w*|exc_general_protection)$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  // What does nothing with the result of the host but hand it on: `__halt()`.
  const hands = new Set(tree.functions.flatMap((one) => (one.graph().steps.some((step) => step.kind === 'return' && asks.test(/^!?(\w+)\(/.exec(step.value ?? '')?.[1] ?? '')) ? [one.name] : [])));
  for (const one of tree.functions) {
    const { steps } = one.graph();
    if (steps.some((step) => step.kind === 'call' && (asks.test(step.name) || handles.test(step.name) || hands.has(step.name)))) {
      const handler = one.parameters.some((name) => /^(?:regs|ve|ctxt|ghcb)$/.test(name)) || steps.some((step) => step.kind === 'store' && step.value.startsWith('__sev_get_ghcb('));
      if (handler) lostResult(one, hands, found);
      answerBeforeResult(tree, one, found);
      goesOn(tree, one, found);
    }
    lengthOfViolation(one, found);
  }
  return found.all();
}

/** A result that nothing looks at. */
function lostResult(one: TreeFunction, hands: ReadonlySet<string>, found: Findings): void {
  const { steps } = one.graph();
  for (const step of steps) {
    if (step.kind !== 'call' || step.indirect || !(asks.test(step.name) || handles.test(step.name) || hands.has(step.name))) continue;
    const holder = steps.find((other) => other.kind === 'store' && other.value.includes(step.text));
    const looked = holder?.kind === 'store' ? mentionsElsewhere(steps, holder, holder.target) : mentionsElsewhere(steps, step, step.text);
    if (!looked) found.at(step, { function: one, calls: [] }, `nothing asks whether ${step.name}() failed: ${asks.test(step.name) ? 'the registers that it should have written are then taken for the answer of the host' : 'the event counts as handled'}, and the interrupted code goes on with them; return the failure`);
  }
}

function mentionsElsewhere(steps: readonly Step[], own: Step, text: string): boolean {
  const uses = (written: string | null): boolean => written !== null && (/^\w+$/.test(text) ? new RegExp(`\\b${text}\\b`).test(written) : written.includes(text));
  return steps.some((step) => {
    if (step === own) return false;
    switch (step.kind) {
      case 'store':
        return uses(step.value);
      case 'return':
        return uses(step.value);
      case 'call':
        return step.text !== text && step.arguments.some(uses);
      case 'test':
      case 'switch':
      case 'asm':
        return uses(step.text);
      default:
        return false;
    }
  });
}

/** What the host wrote into the GHCB is read before it was asked whether the call worked. */
function answerBeforeResult(tree: Tree, one: TreeFunction, found: Findings): void {
  const results = new Set(one.graph().steps.flatMap((step) => (step.kind === 'store' && step.value.startsWith('sev_es_ghcb_hv_call(') && /^\w+$/.test(step.target) ? [step.target] : [])));
  if (results.size === 0) return;
  const names = (text: string): boolean => [...results].some((result) => new RegExp(`\\b${result}\\b`).test(text));
  watch<'asked' | 'called'>(tree, one, 'asked', {
    follow: () => false,
    step: (step, state, where) => {
      if (step.kind === 'store' && results.has(step.target) && step.value.startsWith('sev_es_ghcb_hv_call(')) return 'called';
      const reads = step.kind === 'store' && /\bghcb->save\.\w+/.test(step.value);
      if (reads && state === 'called') found.at(step, where, 'the answer of the host is taken before it was asked whether the call failed: the GHCB then holds what an older request left there; return the failure first');
      return state;
    },
    branch: (test, _holds, state) => (names(test.text) ? 'asked' : state),
  });
}

/** Behind a failure the interrupted code may not just go on. */
function goesOn(tree: Tree, one: TreeFunction, found: Findings): void {
  watch<'fine' | 'failed'>(tree, one, 'fine', {
    follow: () => false,
    step: (step, state, where) => {
      if (isCall(step, refuses)) return 'fine';
      if (step.kind === 'return' && state === 'failed' && !/^(?:false|0|-\w+)$/.test(step.value ?? '')) found.at(step, where, 'the event could not be emulated, and the interrupted code goes on as if it had been: at the same instruction for ever, or with registers that nothing wrote; raise a signal or a fault for user mode, and stop the kernel otherwise');
      return state;
    },
    branch: (test, holds, state) => (/^(?:vc_raw_handle_exception|tdx_handle_virt_exception)\(/.test(test.text) ? (holds ? 'fine' : 'failed') : state),
  });
}

/** Only what an instruction raised has a length; a violation of the EPT has none (arch/x86/coco/tdx/tdx.c, `ve_instr_len()`). */
function lengthOfViolation(one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  const at = (step: Step): void => found.at(step, { function: one, calls: [] }, 'RIP moves by the length in the exit information, which is not defined for a violation of the EPT: it moves into the middle of an instruction, or nowhere; use the length of the instruction as decoded');
  const given = (step: Step): boolean => step.kind === 'return' && step.value !== null && /->instr_len$|^ve_instr_len\(/.test(step.value);
  if (steps.some((step) => isCall(step, /^insn_decode_mmio$/))) for (const step of steps) if (given(step)) at(step);
  for (const choice of steps) {
    if (choice.kind !== 'switch' || !choice.text.endsWith('exit_reason')) continue;
    const waiting = choice.arms.flatMap(({ value, to }) => (value === 'EXIT_REASON_EPT_VIOLATION' ? [to] : []));
    const seen = new Set(waiting);
    for (const index of seen) {
      const step = steps[index];
      if (step === undefined) continue;
      if (given(step)) at(step);
      for (const next of successorsOf(step)) seen.add(next);
    }
  }
}

const read = (call: string): string => `static int read_register(struct pt_regs *regs, struct ve_info *ve)
{
	struct tdx_args args = { .r12 = regs->cx };

${call}
	regs->ax = args.r11;
	return ve_instr_len(ve);
}
`;

const violation = (length: string, mark: string): string => `static int handle_mmio(struct pt_regs *regs, struct ve_info *ve)
{
	struct insn insn = {};
	int size;

	if (insn_decode_mmio(&insn, &size) < 0 || user_mode(regs))
		return -EINVAL;
	emulate(regs, ve, size);
	return ${length};${mark}
}
`;

const event = (failed: string, mark: string): string => `DEFINE_IDTENTRY_VC_USER(exc_vmm_communication)
{
	irqentry_enter_from_user_mode(regs);
	instrumentation_begin();
	if (!vc_raw_handle_exception(regs, error_code))
		${failed};
	instrumentation_end();
	irqentry_exit_to_user_mode(regs);
}${mark}
`;

export const eventEmulationUnfit = treeRule({
  name: 'event-emulation-unfit',
  id: 'XR-VE20',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'a #VE or #VC counts as emulated although that failed, or RIP moves by a length that is not defined',
  why: 'The handler stands for an instruction that did not run. Where the host refused, the registers hold what was there before, and code that goes on takes it for the result. The length in the exit information belongs to instructions that exit by themselves; for a violation of the EPT the processor gives none.',
  instead: 'Return each failure, up to a signal, a fault or panic(), and move RIP by the decoded length where memory was accessed.',
  falsePositives: ['Requests that have no answer and whose failure nothing can mend, outside of handlers.'],
  references: ['semantics TDX-01, VC-05', 'Linux, Documentation/arch/x86/tdx.rst'],
  bad: [
    { title: 'A failure is dropped', files: { 'tdx.c': read('\t__tdx_hypercall(&args); //~ event-emulation-unfit') } },
    { title: 'The length of a violation', files: { 'tdx.c': violation('ve->instr_len', ' //~ event-emulation-unfit') } },
    { title: 'The program goes on', files: { 'sev.c': event('count_failure()', ' //~ event-emulation-unfit') } },
  ],
  good: [
    { title: 'A failure is returned', files: { 'tdx.c': read('\tif (__tdx_hypercall(&args))\n\t\treturn -EIO;') } },
    { title: 'The length of the instruction', files: { 'tdx.c': violation('insn.length', '') } },
    { title: 'The program gets a signal', files: { 'sev.c': event('force_sig_fault(SIGBUS, BUS_OBJERR, NULL)', '') } },
  ],
  examine,
});
