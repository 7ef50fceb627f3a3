// XR-NMI06: user memory is read where a page fault must not sleep, without the measures that make the fault fail.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { entriesWithPlain, factsOf, findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watchProofs, whats } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

/** Accessors that take a page fault as it comes. */
const accessors = /^(?:raw_|__)?(?:copy_(?:from|to)_user|clear_user|get_user|put_user|strncpy_from_user|strnlen_user)(?:_inatomic)?$|^unsafe_(?:get|put)_user$/;
/** Those that check nothing of the address themselves. */
const unchecked = /^(?:raw_|__)/;

const refused: Proof = { key: 'd', what: 'page faults are refused by pagefault_disable()', does: (step) => isCall(step, /^pagefault_disable$/), undoes: (step) => isCall(step, /^pagefault_enable$/) };
const ours: Proof = { key: 'o', what: 'nmi_uaccess_okay() says that the address space is the one of the task', test: (text, holds) => holds && text === 'nmi_uaccess_okay()' };
// Up to Linux 5.17 the check was asked the other way round as well.
const checked: Proof = { key: 'a', what: 'the range is checked by access_ok()', test: (text, holds) => (holds ? /^_*access_ok\(/ : /^__(?:chk_)?range_not_ok\(/).test(text) };

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    // The name is the contract: callable from an NMI, or never to sleep in a fault.
    const nmi = /(?:copy|user)\w*_nmi$/.test(one.name);
    if (!nmi && !one.name.endsWith('_nofault')) continue;
    watchProofs(tree, one, nmi ? [refused, ours, checked] : [refused], {
      at: (step, missing, where) => {
        if (!isUserAccess(step)) return false;
        const owed = missing.filter(({ key }) => key !== 'a' || unchecked.test(step.name));
        if (owed.length > 0) found.at(step, where, `${one.name}() may run where a page fault must not sleep, and reaches user memory by ${step.name}() before ${whats(owed)}; do that first`);
        return false;
      },
    });
  }
  for (const one of tree.functions) addressSpace(tree, one, found);
  // What makes those faults fail: the handler of page faults asks before it does what may sleep.
  for (const one of tree.functions) {
    if (!one.graph().steps.some((step) => isCall(step, /^handle_mm_fault$/)) || !one.parameters.includes('error_code')) continue;
    watchProofs(tree, one, [{ key: 'f', what: '', test: (text, holds) => !holds && /^(?:faulthandler_disabled|pagefault_disabled|in_atomic)\(/.test(text) }], {
      follow: () => false,
      at: (step, missing, where) => {
        const sleeps = isCall(step, /^(?:handle_mm_fault|mmap_read_lock|lock_mm_and_find_vma|down_read)$/);
        if (sleeps && missing.length > 0) found.once(step, where, `${step.name}() may sleep, and it was not asked whether the fault came from where page faults are refused: a copy in an NMI, or under pagefault_disable(), then sleeps in the middle of what must not; ask faulthandler_disabled() first`);
        return sleeps;
      },
    });
  }
  for (const entry of entriesWithPlain(tree)) {
    if (entry.vector !== 'NMI') continue;
    watchProofs(tree, entry.function, [refused, ours], {
      facts: factsOf(entry),
      follow: (callee) => !/(?:copy|user)\w*_nmi$|_nofault$|_inatomic$/.test(callee.name) && !accessors.test(callee.name),
      at: (step, missing, where) => {
        if (isUserAccess(step) && step.name.endsWith('_inatomic') && missing.includes(ours)) {
          found.at(step, where, `${step.name}() is reached from the NMI handler before ${ours.what}: an NMI may arrive while another address space is loaded; use copy_from_user_nmi(), which asks`);
        } else if (isUserAccess(step) && !step.name.endsWith('_inatomic') && missing.includes(refused)) {
          found.at(step, where, `${step.name}() is reached from the NMI handler and may sleep in the page fault that it takes; use copy_from_user_nmi(), which returns the number of bytes that it did not copy`);
        }
        return false;
      },
    });
  }
  return found.all();
}

/** What nmi_uaccess_okay() goes by: the address space that is loaded, which is marked before CR3 is written. */
function addressSpace(tree: Tree, one: TreeFunction, found: Findings): void {
  const same: Proof = { key: 'm', what: '', test: (text, holds) => holds && /^\w+ == \w+$/.test(text) };
  if (one.name === 'nmi_uaccess_okay') {
    const loaded = ['loaded_mm', ...one.graph().steps.flatMap((step) => (step.kind === 'store' && step.value.includes('loaded_mm') ? [step.target] : []))];
    const compared: Proof = { key: 'l', what: '', test: (text, holds) => holds && text.includes(' == ') && loaded.some((name) => new RegExp(`\\b${name}\\b`).test(text)) };
    watchProofs(tree, one, [compared], {
      follow: () => false,
      at: (step, missing, where) => {
        if (step.kind === 'return' && /^(?:true|1)$/.test(step.value ?? '') && missing.length > 0) found.at(step, where, 'the answer is yes without the loaded address space having been compared with that of the task: an NMI in the middle of a switch reads user memory of another process; say no where they differ');
        return false;
      },
    });
  }
  const marked: Proof = { key: 's', what: '', does: (step) => step.kind === 'call' && step.name.endsWith('_write') && (step.arguments[0] ?? '').endsWith('.loaded_mm') && step.arguments[1] === 'LOADED_MM_SWITCHING' };
  const loads = (step: Step): boolean => isCall(step, /^load_new_mm_cr3$/);
  if (!one.parameters.includes('next') || !one.graph().steps.some(loads)) return;
  watchProofs(tree, one, [marked, same], {
    follow: () => false,
    at: (step, missing, where) => {
      if (loads(step) && missing.length === 2) found.at(step, where, 'CR3 is written before loaded_mm says that the address space is being switched: nmi_uaccess_okay() still takes the old one for loaded, and an NMI reads user memory of another process; write LOADED_MM_SWITCHING first');
      return loads(step);
    },
  });
}

export function isUserAccess(step: Step): step is Step & { readonly kind: 'call' } {
  return isCall(step, accessors);
}

const copy = (body: string): string => `unsigned long copy_from_user_nmi(void *to, const void __user *from, unsigned long n)
{
	unsigned long ret;

	if (!access_ok(from, n))
		return n;
${body}	return ret;
}
`;

const switched = (mark: string, told: string): string => `void switch_address_space(struct mm_struct *prev, struct mm_struct *next)
{
	if (prev == next)
		return;
${mark}	load_new_mm_cr3(next->pgd, 0, true);${told}
	this_cpu_write(cpu_tlbstate.loaded_mm, next);
}
`;

export const nmiUserAccessNotNofault = treeRule({
  name: 'nmi-user-access-not-nofault',
  id: 'XR-NMI06',
  group: 'NMI nesting',
  severity: 'error',
  summary: 'user memory is accessed in NMI context without refusing page faults',
  why: 'A page fault in an NMI handler runs the ordinary fault handler, which takes mmap_lock and may sleep or enable interrupts, with the NMI on its stack. An NMI also arrives while the address space is being switched: then user addresses belong to nobody.',
  instead: 'copy_from_user_nmi(), or access_ok(), nmi_uaccess_okay() and pagefault_disable() before the access and pagefault_enable() after it.',
  falsePositives: ['Accessors whose callers have refused page faults, by name: `_inatomic`.'],
  references: ['semantics EXT-03', 'semantics section 18, permission matrix'],
  bad: [
    { title: 'A fault may sleep', files: { 'usercopy.c': copy('\tif (!nmi_uaccess_okay())\n\t\treturn n;\n\tret = raw_copy_from_user(to, from, n); //~ nmi-user-access-not-nofault\n') } },
    { title: 'Switched without a mark', files: { 'tlb.c': switched('', ' //~ nmi-user-access-not-nofault') } },
    { title: 'Another address space', files: { 'usercopy.c': copy('\tpagefault_disable();\n\tret = raw_copy_from_user(to, from, n); //~ nmi-user-access-not-nofault\n\tpagefault_enable();\n') } },
  ],
  good: [
    { title: 'Marked while it is switched', files: { 'tlb.c': switched('\tthis_cpu_write(cpu_tlbstate.loaded_mm, LOADED_MM_SWITCHING);\n', '') } },
    { title: 'All three', files: { 'usercopy.c': copy('\tif (!nmi_uaccess_okay())\n\t\treturn n;\n\tpagefault_disable();\n\tret = raw_copy_from_user(to, from, n);\n\tpagefault_enable();\n') } },
    { title: 'The range, asked the other way round', files: { 'usercopy.c': copy('\tif (!nmi_uaccess_okay())\n\t\treturn n;\n\tpagefault_disable();\n\tret = raw_copy_from_user(to, from, n);\n\tpagefault_enable();\n').replace('!access_ok(from, n)', '__range_not_ok(from, n, TASK_SIZE)') } },
  ],
  examine,
});
