// XR-DB07: the compiler may move an access to DR7 to a place where it must not fault.
import type { Tree } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { findings, treeRule } from './tree-entries.ts';

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    for (const step of one.graph().steps) {
      if (step.kind !== 'asm' || !/%%?(?:db|dr)7\b/.test(step.template)) continue;
      const missing = [...(/\b(?:__)?volatile(?:__)?\b/.test(step.text) ? [] : ['volatile']), ...(/__FORCE_ORDER|"memory"/.test(step.text) ? [] : ['a memory operand or clobber'])];
      if (missing.length > 0) found.at(step, { function: one, calls: [] }, `the compiler may move this access to DR7 over other statements, for want of ${missing.join(' and ')}: under SEV-ES it raises #VC, which is not safe before the IST entry was shifted; add __FORCE_ORDER`);
    }
  }
  return found.all();
}

const read = (statement: string, mark: string): string => `static __always_inline unsigned long read_dr7(void)
{
	unsigned long val;

	${statement}${mark}
	return val;
}
`;

export const dr7AccessReordered = treeRule({
  name: 'dr7-access-reordered',
  id: 'XR-DB07',
  group: '#DB',
  severity: 'error',
  summary: 'an access to DR7 is not ordered with the code around it',
  why: 'A hypervisor may intercept DR7: under SEV-ES an access raises #VC. The NMI handler shifts the IST entry of #VC first, and an inline assembly statement that is not volatile or names no memory may be moved over that call; the #VC then rewinds a stack that is in use.',
  instead: 'asm volatile with __FORCE_ORDER among the operands, or a memory clobber.',
  falsePositives: ['The other debug registers.'],
  references: ['Linux 9d2c7203ffdb', 'semantics VC-01, VC-03'],
  bad: [{ title: 'Free to move', files: { 'debugreg.c': read('asm("mov %%db7, %0" : "=r" (val));', ' //~ dr7-access-reordered') } }],
  good: [{ title: 'In its place', files: { 'debugreg.c': read('asm volatile("mov %%db7, %0" : "=r" (val) : __FORCE_ORDER);', '') } }],
  examine,
});
