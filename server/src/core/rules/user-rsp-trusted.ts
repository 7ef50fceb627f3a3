// XR-STK07: a stack pointer that the user chose decides about a kernel stack.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { targetsOf } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, findings, treeRule } from './tree-entries.ts';
import { watchProofs, whats } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

const gap: Proof = { key: 'g', what: 'ip_within_syscall_gap() said no', test: (text, holds) => !holds && text.startsWith('ip_within_syscall_gap(') };
const kernel: Proof = { key: 'k', what: 'user_mode() said no', test: (text, holds) => !holds && text.startsWith('user_mode(') };
const knownStack: Proof = { key: 's', what: 'get_stack_info_noinstr() knows the stack', test: (text, holds) => holds && /^get_stack_info(?:_noinstr)?\(/.test(text) };
const notEntry: Proof = { key: 'e', what: 'the stack is not the entry stack', test: (text, holds) => !holds && text.endsWith('== STACK_TYPE_ENTRY') };
const inRange: Proof = { key: 'r', what: 'the stack is one of the known exception stacks', test: (text, holds) => !holds && text.endsWith('> STACK_TYPE_EXCEPTION_LAST') };

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const fromUser = reachedFromUser(tree);
  for (const one of tree.functions) {
    const regs = one.parameters.find((name) => one.graph().steps.some((step) => step.text.includes(`${name}->sp`)));
    if (regs === undefined) continue;
    const pointers = aliases(one, `${regs}->sp`);
    const compares = (step: Step): boolean => step.kind === 'test' && /__this_cpu_ist_(?:top|bottom)_va|\bist_(?:top|bottom)\b/.test(step.text) && pointers.some((name) => mentions(step.text, name));
    const moves = (step: Step): boolean => step.kind === 'store' && /^\*\w+$/.test(step.target) && step.value === `*${regs}`;
    const steps = one.graph().steps;
    if (steps.some(compares)) {
      watchProofs(tree, one, fromUser.has(one) ? [gap, kernel] : [gap], {
        at: () => false,
        asked: (test, missing, where) => {
          if (compares(test) && missing.length > 0) found.once(test, where, `the interrupted stack pointer is compared with a kernel stack before ${whats(missing)}: a user can choose it, and the kernel then takes user data for its own frame; ask that first`);
        },
      });
    }
    if (steps.some(moves) && steps.some((step) => step.kind === 'store' && step.value === `${regs}->sp`)) {
      const taken: Proof = { key: 't', what: '', does: (step) => step.kind === 'store' && step.value === `${regs}->sp`, undoes: (step) => step.kind === 'store' && pointers.includes(step.target) && !pointers.some((name) => mentions(step.value, name)) };
      watchProofs(tree, one, [taken, gap, knownStack, notEntry, inRange], {
        at: (step, missing, where) => {
          if (!moves(step) || missing.includes(taken)) return false;
          if (missing.length > 0) found.at(step, where, `the frame is moved to the interrupted stack pointer before ${whats(missing)}: the user, or a stack that is being rewound, chooses where the kernel writes; use the fall-back stack there`);
          return true;
        },
      });
    }
  }
  return found.all();
}

function aliases(one: TreeFunction, source: string): readonly string[] {
  const names = [source];
  for (const step of one.graph().steps) if (step.kind === 'store' && /^\w+$/.test(step.target) && mentions(step.value, source)) names.push(step.target);
  return names;
}

function mentions(text: string, name: string): boolean {
  const at = text.indexOf(name);
  return at !== -1 && !/\w/.test(text[at + name.length] ?? '') && !/[\w>.]/.test(text[at - 1] ?? '');
}

/** Functions that an entry which may come from user mode reaches. */
function reachedFromUser(tree: Tree): ReadonlySet<TreeFunction> {
  const reached = new Set<TreeFunction>();
  const waiting = entriesOf(tree).filter((entry) => entry.origin !== 'kernel').map((entry) => entry.function);
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if (reached.has(one)) continue;
    reached.add(one);
    for (const step of one.graph().steps) if (step.kind === 'call' && !step.indirect) waiting.push(...targetsOf(tree, step, one));
  }
  return reached;
}

const predicate = (checks: string, mark: string): string => `static __always_inline bool on_ve_stack(struct pt_regs *regs)
{
	unsigned long sp = regs->sp;

${checks}	return sp >= __this_cpu_ist_bottom_va(VE) && sp < __this_cpu_ist_top_va(VE);${mark}
}

DEFINE_IDTENTRY_RAW(exc_demo)
{
	if (on_ve_stack(regs))
		count_nested();
}
`;

export const userRspTrusted = treeRule({
  name: 'user-rsp-trusted',
  id: 'XR-STK07',
  group: 'Stacks and frames',
  severity: 'error',
  summary: 'the interrupted stack pointer is used for a kernel stack without proof that it is the kernel\'s own',
  why: 'SYSCALL does not change RSP: for some instructions the kernel runs on whatever the user put there, in kernel mode by CS. An NMI that takes that value for a position in one of its stacks moves the IST entry, or copies a frame, to where the user points.',
  instead: 'Refuse user mode and the ranges of ip_within_syscall_gap() before the stack pointer is looked at, and unknown stacks and the entry stack before a frame is moved.',
  falsePositives: ['Handlers whose stub calls them for kernel mode only need no user_mode() test.'],
  references: ['semantics VC-02, VC-03, SYS-03', 'Linux 545ac14c16b5'],
  bad: [{ title: 'The gap', files: { 'sev.c': predicate('\tif (user_mode(regs))\n\t\treturn false;\n', ' //~ user-rsp-trusted') } }],
  good: [{ title: 'Both refused', files: { 'sev.c': predicate('\tif (user_mode(regs))\n\t\treturn false;\n\tif (ip_within_syscall_gap(regs))\n\t\treturn false;\n', '') } }],
  examine,
});
