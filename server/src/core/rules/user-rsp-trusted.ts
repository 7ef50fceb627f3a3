// XR-STK07: a stack pointer that the user chose decides about a kernel stack.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { targetsOf } from '../tree/watch.ts';
import { aliases, mentions, notInGap, notUser, registersOf } from './interrupted-rsp.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, findings, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watchProofs, whats } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const fromUser = reachedFromUser(tree);
  for (const one of tree.functions) {
    bothEnds(tree, one, found);
    const regs = registersOf(one);
    if (regs === undefined) continue;
    const pointers = aliases(one, `${regs}->sp`);
    const compares = (step: Step): boolean => step.kind === 'test' && /__this_cpu_ist_(?:top|bottom)_va|\bist_(?:top|bottom)\b/.test(step.text) && pointers.some((name) => mentions(step.text, name));
    const steps = one.graph().steps;
    if (steps.some(compares)) {
      watchProofs(tree, one, fromUser.has(one) ? [notInGap, notUser] : [notInGap], {
        at: () => false,
        asked: (test, missing, where) => {
          if (compares(test) && missing.length > 0) found.once(test, where, `the interrupted stack pointer is compared with a kernel stack before ${whats(missing)}: a user can choose it, and the kernel then takes user data for its own frame; ask that first`);
        },
      });
    }
  }
  return found.all();
}

/** A position is in a stack where it is below its end and not below its beginning: both are asked. */
function bothEnds(tree: Tree, one: TreeFunction, found: Findings): void {
  const ends = new Set(one.graph().steps.flatMap((step) => (step.kind === 'test' ? (/ < __this_cpu_ist_(?:top|bottom)_va\((\w+)\)$/.exec(step.text)?.[1] ?? []) : [])));
  for (const stack of ends) {
    const low: Proof = { key: 'l', what: 'the stack pointer is not below it', test: (text, holds) => !holds && text.endsWith(` < __this_cpu_ist_bottom_va(${stack})`) };
    const high: Proof = { key: 'h', what: 'the stack pointer is below its end', test: (text, holds) => holds && text.endsWith(` < __this_cpu_ist_top_va(${stack})`) };
    watchProofs(tree, one, [low, high], {
      follow: () => false,
      at: (step, missing, where) => {
        if (step.kind === 'return' && /^(?:true|1)$/.test(step.value ?? '') && missing.length === 1) found.at(step, where, `a stack pointer is taken for one in the ${stack} stack before it was seen that ${whats(missing)}: frames are then kept, or moved, relative to a stack that it is not in; compare it with both ends`);
        return false;
      },
    });
  }
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
  summary: 'the interrupted stack pointer is taken for a position in a kernel stack without proof that it is the kernel\'s own',
  why: 'SYSCALL does not change RSP: for some instructions the kernel runs on whatever the user put there, in kernel mode by CS. A handler that takes that value for a position in one of its stacks moves the IST entry to where the user points.',
  instead: 'Refuse user mode and the ranges of ip_within_syscall_gap() before the stack pointer is looked at.',
  falsePositives: ['Code that moves a frame there: unsafe-switch-off-ist speaks of it.', 'Handlers whose stub calls them for kernel mode only need no user_mode() test.'],
  references: ['semantics VC-02, VC-03, SYS-03', 'Linux 545ac14c16b5'],
  bad: [{ title: 'The gap', files: { 'sev.c': predicate('\tif (user_mode(regs))\n\t\treturn false;\n', ' //~ user-rsp-trusted') } }],
  good: [{ title: 'Both refused', files: { 'sev.c': predicate('\tif (user_mode(regs))\n\t\treturn false;\n\tif (ip_within_syscall_gap(regs))\n\t\treturn false;\n', '') } }],
  examine,
});
