// XR-CTX06: the page fault handler resolves a fault of the kernel that is a bug, or returns to one that it did not resolve.
import type { Step, Tree } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

const userAccess: Proof = { key: 'u', what: '', test: (text, holds) => holds && /^\(?(?:error_code|hw_error_code) & X86_PF_USER\)?$/.test(text) };
const fromUser: Proof = { key: 'm', what: '', test: (text, holds) => holds && text.startsWith('user_mode(') };
/** SMAP: the kernel reaches user pages with AC set alone (SDM vol. 3A, "Determination of Access Rights"). */
const allowed: Proof = { key: 'a', what: '', test: (text, holds) => (holds ? /->flags & X86_EFLAGS_AC\)?$/.test(text) : text.endsWith('(X86_FEATURE_SMAP)')) };
const killed: Proof = { key: 'k', what: '', test: (text, holds) => holds && text.startsWith('fault_signal_pending(') };
const fixed: Proof = { key: 'x', what: '', does: (step) => isCall(step, /^(?:kernelmode_fixup_or_oops|no_context|page_fault_oops|bad_area\w*)$/) };

const resolves = (step: Step): boolean => isCall(step, /^(?:handle_mm_fault|lock_mm_and_find_vma|mmap_read_trylock|mmap_read_lock|lock_vma_under_rcu)$/);

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    const { steps } = one.graph();
    if (!steps.some((step) => isCall(step, /^handle_mm_fault$/)) || !one.parameters.some((name) => /^(?:hw_)?error_code$/.test(name))) continue;
    watchProofs(tree, one, [userAccess, fromUser, allowed], {
      follow: (callee) => callee.file === one.file && callee.returns === 'bool',
      at: (step, missing, where) => {
        if (!resolves(step)) return false;
        if (missing.includes(userAccess) && missing.includes(fromUser) && missing.includes(allowed)) found.once(step, where, 'a fault of the kernel on a user page is resolved without a look at SMAP and AC: an access through a wild pointer, which SMAP has just caught, then succeeds; oops where AC is clear');
        return true;
      },
    });
    // The task is to die, and the fault stays as it was.
    watchProofs(tree, one, [killed, fromUser, fixed], {
      follow: () => false,
      at: (step, missing, where) => {
        if (step.kind === 'return' && !missing.includes(killed) && missing.includes(fromUser) && missing.includes(fixed)) found.at(step, where, 'the handler goes back to kernel code whose fault it did not resolve because the task is to die: the access faults again, for ever, and the task never gets to die; go to the fixup of that code');
        return false;
      },
    });
  }
  const resolvers = new Set(tree.functions.filter((one) => one.graph().steps.some((step) => isCall(step, /^handle_mm_fault$/)) && one.parameters.includes('address')).map(({ name }) => name));
  for (const one of tree.functions) {
    const hands = (step: Step): boolean => step.kind === 'call' && resolvers.has(step.name) && step.arguments.includes('address');
    if (!one.graph().steps.some(hands)) continue;
    watchProofs(tree, one, [{ key: 's', what: '', test: (text, holds) => !holds && text.startsWith('fault_in_kernel_space(') }], {
      follow: () => false,
      at: (step, missing, where) => {
        if (hands(step) && missing.length > 0) found.at(step, where, 'a fault is resolved in the address space of the task without a look at the address: one of the kernel\'s part, from user mode too, then takes locks of the task and enables interrupts; ask fault_in_kernel_space() first');
        return hands(step);
      },
    });
  }
  return found.all();
}

const fault = (asked: string, fixup: string, marks: readonly [string, string]): string => `static void do_demo_fault(struct pt_regs *regs, unsigned long error_code, unsigned long address)
{
	vm_fault_t fault;

${asked}	if (faulthandler_disabled())
		return bad_area_nosemaphore(regs, error_code, address);
	fault = handle_mm_fault(find_vma(current->mm, address), address, 0, regs);${marks[0]}
	if (fault_signal_pending(fault, regs)) {
${fixup}		return;${marks[1]}
	}
}
`;
const smap = '\tif (cpu_feature_enabled(X86_FEATURE_SMAP) && !(error_code & X86_PF_USER) && !(regs->flags & X86_EFLAGS_AC))\n\t\treturn page_fault_oops(regs, error_code, address);\n';
const fixup = '\t\tif (!user_mode(regs))\n\t\t\tkernelmode_fixup_or_oops(regs, error_code, address);\n';

export const kernelFaultUnasked = treeRule({
  name: 'kernel-fault-unasked',
  id: 'XR-CTX06',
  group: 'C context',
  severity: 'error',
  summary: 'the page fault handler resolves a kernel fault that SMAP caught, or returns to one that it did not resolve',
  why: 'The handler serves faults of programs and of the kernel alike. A kernel access to a user page with AC clear is a bug that the processor has just stopped; and kernel code that faults goes on only where the page is there or where its fixup says, even if the task is about to be killed.',
  instead: 'Oops on a kernel access without AC before anything is resolved, and go to the fixup of the code on every path that does not resolve the fault.',
  falsePositives: ['Handlers that are called for user mode alone.'],
  references: ['SDM vol. 3A, "Determination of Access Rights"', 'semantics EXT-03'],
  bad: [
    { title: 'SMAP is not asked for', files: { 'fault.c': fault('', fixup, [' //~ kernel-fault-unasked', '']) } },
    { title: 'No fixup', files: { 'fault.c': fault(smap, '', ['', ' //~ kernel-fault-unasked']) } },
  ],
  good: [{ title: 'Both', files: { 'fault.c': fault(smap, fixup, ['', '']) } }],
  examine,
});
