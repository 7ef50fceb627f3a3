// XR-SPC08: a number that user space chose selects an entry of a table of functions and is bounded by a branch alone.
import type { Step, Tree } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { findings, treeRule } from './tree-entries.ts';

/** The index by which a call chooses its target: `table[nr](regs)`, or the switch that stands for the table of system calls. */
function indexOf(step: Step): string | null {
  if (step.kind !== 'call') return null;
  if (step.indirect) return /^\w+\[(.+)\]\(/.exec(step.text)?.[1] ?? null;
  return /^(?:x64|x32|ia32)_sys_call$/.test(step.name) ? (step.arguments[1] ?? null) : null;
}

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    if (!tree.design && !one.file.startsWith('arch/x86/entry/')) continue;
    const indices = new Set(one.graph().steps.flatMap((step) => indexOf(step) ?? []));
    for (const index of indices) {
      if (index.includes('array_index_nospec(')) continue;
      const name = index.replace(/\((?:unsigned |signed )?(?:int|long|u32|u64)\)/g, '').match(/\b[a-z]\w*\b/)?.[0];
      if (name === undefined) continue;
      watch<'free' | 'masked'>(tree, one, 'free', {
        follow: () => false,
        step: (step, state, where) => {
          if (step.kind === 'store' && step.target === name) return /nospec|mask/.test(step.value) ? 'masked' : 'free';
          if (indexOf(step) === index && state === 'free') found.at(step, where, `${name} chooses which function is called, and only a branch bounds it: the processor may go on past that branch with any value, and from wherever it then jumps to what it read shows in the caches; pass it through array_index_nospec() behind the comparison`);
          return state;
        },
      });
    }
  }
  return found.all();
}

const call = (mask: string, mark: string): string => `static bool demo_call(struct pt_regs *regs, unsigned int nr)
{
	if (nr < NR_syscalls) {
${mask}		regs->ax = sys_call_table[nr](regs);${mark}
		return true;
	}
	return false;
}
`;

export const indexNotMasked = treeRule({
  name: 'index-not-masked',
  id: 'XR-SPC08',
  group: 'Speculation',
  severity: 'warning',
  summary: 'an index into a table of functions, chosen by user space, is bounded by a branch alone',
  why: 'A branch that is predicted wrong lets the load from the table and the jump run with an index far out of bounds. The table of system calls is indexed by a register of the program, which makes it the best known place for that.',
  instead: 'array_index_nospec() between the comparison and the use: it makes the index 0 where the comparison fails, without a branch.',
  falsePositives: ['Indices that are constants or loop counters.', 'Tables outside the entry code.'],
  references: ['CVE-2017-5753', 'Linux 2fbd7af5af86'],
  bad: [{ title: 'By a branch', files: { 'common.c': call('', ' //~ index-not-masked') } }],
  good: [{ title: 'Masked as well', files: { 'common.c': call('\t\tnr = array_index_nospec(nr, NR_syscalls);\n', '') } }],
  examine,
});
