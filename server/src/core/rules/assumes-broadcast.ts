// XR-MC04: a machine check handler waits for all CPUs although only this one may have got the event.
import type { Tree, TreeFunction } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, factsOf, findings, treeRule } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';

const BIT = /LMCES?\b/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const entry of entriesOf(tree)) {
    if (entry.vector !== 'MC') continue;
    const askers = new Set(tree.functions.flatMap((one) => (one.graph().steps.some((step) => (step.kind === 'return' && BIT.test(step.value ?? '')) || (one.returns === 'bool' && step.kind === 'test' && BIT.test(step.text))) ? [one.name] : [])));
    const asks = (text: string): boolean => BIT.test(text) || [...text.matchAll(/\b(\w+)\(/g)].some(([, name = '']) => askers.has(name));
    const local = new Set(tree.functions.flatMap((one) => one.graph().steps.flatMap((step) => (step.kind === 'store' && asks(step.value) ? [step.target] : []))));
    watchProofs(tree, entry.function, [{ key: 'b', what: '', test: (text, holds) => !holds && (local.has(text) || asks(text)) }], {
      facts: factsOf(entry),
      follow: (callee) => !waitsForAll(callee),
      at: (step, missing, where) => {
        const callee = step.kind === 'call' && !step.indirect ? tree.resolve(step.name, where.function.file) : null;
        if (callee !== null && missing.length > 0 && waitsForAll(callee)) {
          found.at(step, where, `${callee.name}() waits for every CPU, and this path has not asked whether the machine check was local: the others never come, and the CPU spins until the timeout panics; test MCG_STATUS.LMCE_S first`);
        }
        return false;
      },
    });
  }
  return found.all();
}

/** A loop over an atomic counter until all online CPUs have come. */
function waitsForAll(one: TreeFunction): boolean {
  const { steps } = one.graph();
  return steps.some((step) => step.kind === 'test' && /atomic_read\(/.test(step.text)) && steps.some((step) => /\bnum_online_cpus\(\)/.test(step.text));
}

const handler = (lines: string): string => `static atomic_t arrived;

static void rendezvous(void)
{
	atomic_inc(&arrived);
	while (atomic_read(&arrived) < num_online_cpus())
		cpu_relax();
}

DEFINE_IDTENTRY_MCE(exc_machine_check)
{
	unsigned long dr7 = local_db_save();
	irqentry_state_t state = irqentry_nmi_enter(regs);
	u64 lmce = mcg_status() & MCG_STATUS_LMCES;

${lines}	irqentry_nmi_exit(regs, state);
	local_db_restore(dr7);
}
`;

export const assumesBroadcast = treeRule({
  name: 'assumes-broadcast',
  id: 'XR-MC04',
  group: '#MC',
  severity: 'info',
  summary: 'the machine check handler waits for all CPUs without asking whether the event was local',
  why: 'Intel delivers a machine check to every logical CPU, or with local machine checks enabled to one; AMD always to one. A rendezvous that the others never enter ends in the timeout.',
  instead: 'Rendezvous only where LMCE_S is clear and the vendor broadcasts.',
  falsePositives: ['Vendors whose machine checks are always local: the variable starts as such.'],
  references: ['SDM vol. 3B, "Local Machine Check"', 'semantics MC-04'],
  bad: [{ title: 'Always', files: { 'mce.c': handler('\trendezvous(); //~ assumes-broadcast\n') } }],
  good: [
    { title: 'Where it was broadcast', files: { 'mce.c': handler('\tif (!lmce)\n\t\trendezvous();\n') } },
    { title: 'As a helper says', files: { 'mce.c': `static bool is_local(u64 status)\n{\n\treturn status & MCG_STATUS_LMCES;\n}\n\n${handler('\tbool alone = is_local(mcg_status());\n\n\tif (!alone)\n\t\trendezvous();\n')}` } },
  ],
  examine,
});
