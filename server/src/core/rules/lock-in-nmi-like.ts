// XR-CTX02: NMI-like code spins for a lock that the code it interrupted may hold.
import { spinningLocks } from '../tree/primitives.ts';
import type { Tree } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { visitContexts } from './tree-contexts.ts';
import { entryPremise, findings, isCall, treeRule } from './tree-entries.ts';

/** Whether a lock is one that only its file can take. */
function isOfFile(tree: Tree, file: string, lock: string): boolean {
  return new RegExp(`^static\\b[^;(]*(?:\\(${lock}\\)|\\b${lock}\\b)`, 'm').test(tree.active(file) ?? '');
}

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  // A lock that only NMI-like code takes cannot be held by what it interrupted.
  const inNmi = new Set<string>();
  visitContexts(tree, (step, context, where) => {
    if (context === 'nmi' && step.kind === 'call') inNmi.add(`${where.function.file}|${step.span.start}`);
  });
  const elsewhere = new Set<string>();
  for (const one of tree.functions) {
    for (const step of one.graph().steps) if (isCall(step, /_lock(?:_irq|_irqsave|_bh)?$|_trylock/) && !inNmi.has(`${one.file}|${step.span.start}`)) elsewhere.add(step.arguments[0] ?? '');
  }
  visitContexts(tree, (step, context, where, entry) => {
    if (context !== 'nmi' || !isCall(step, spinningLocks)) return;
    const lock = step.arguments[0] ?? '';
    if (/^&\w+$/.test(lock) && !elsewhere.has(lock) && isOfFile(tree, where.function.file, lock.slice(1))) return;
    found.at(step, where, `${step.name}(${lock}) spins in NMI-like context: whoever was interrupted with the lock held never gives it back; use the try form and a way without the lock`, { premises: [entryPremise(tree, entry)] });
  });
  return found.all();
}

const handler = (lines: string): string => `static DEFINE_RAW_SPINLOCK(demo_lock);

void demo_update(void)
{
	raw_spin_lock(&demo_lock);
	raw_spin_unlock(&demo_lock);
}

DEFINE_IDTENTRY_MCE(exc_machine_check)
{
	unsigned long dr7 = local_db_save();
	irqentry_state_t state = irqentry_nmi_enter(regs);

${lines}	irqentry_nmi_exit(regs, state);
	local_db_restore(dr7);
}
`;

export const lockInNmiLike = treeRule({
  name: 'lock-in-nmi-like',
  id: 'XR-CTX02',
  group: 'C context',
  severity: 'error',
  summary: 'NMI-like code spins for a lock that other code takes too',
  why: 'Turning interrupts off does not keep NMI-like events away. One that arrives on the CPU that holds the lock waits for code that cannot run before it returns.',
  instead: 'A try form with a fallback, a lock that only this context takes, or a lockless list.',
  falsePositives: ['Locks that only NMI-like code takes.'],
  references: ['semantics section 18, permission matrix'],
  bad: [{ title: 'Waiting', files: { 'mce.c': handler('\traw_spin_lock(&demo_lock); //~ lock-in-nmi-like\n\traw_spin_unlock(&demo_lock);\n') } }],
  good: [{ title: 'Trying', files: { 'mce.c': handler('\tif (raw_spin_trylock(&demo_lock))\n\t\traw_spin_unlock(&demo_lock);\n') } }],
  examine,
  besideRuns: true,
});
