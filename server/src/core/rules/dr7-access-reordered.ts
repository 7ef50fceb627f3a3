// XR-DB07: the compiler may move an access to DR7 to a place where it must not fault.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';

/**
 * GCC keeps volatile assembler statements in their order, and those that name memory in that of memory accesses; one without
 * outputs is volatile whether it says so or not (GCC manual, "Volatile" and "Clobbers and Scratch Registers").
 */
function isOrdered(statement: string): boolean {
  return /\b(?:__)?volatile(?:__)?\b|__FORCE_ORDER|"memory"/.test(statement) || !/"[=+]/.test(statement);
}

/** The two helpers around an NMI-like handler: what stands before them and behind them stays there. */
function withoutBarrier(tree: Tree, one: TreeFunction, found: Findings): void {
  const saves = one.name === 'local_db_save';
  if (!saves && one.name !== 'local_db_restore') return;
  const writes = (step: Step): boolean => isCall(step, /^(?:native_)?set_debugreg$/) && step.arguments[1] === '7';
  watch<'open' | 'barrier' | 'written'>(tree, one, 'open', {
    follow: () => false,
    step: (step, state, where) => {
      if (isCall(step, /^barrier$/)) return 'barrier';
      if (writes(step)) {
        if (!saves && state === 'open') found.at(step, where, 'nothing keeps the compiler from moving this up over what the handler does: breakpoints are then armed while it still works; put barrier() before it');
        return saves ? 'written' : state;
      }
      if (step.kind === 'return' && state === 'written') found.at(step, where, 'nothing keeps the compiler from moving the write of DR7 down into what the handler does: breakpoints are then still armed there; end with barrier()');
      return state;
    },
  });
}

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    withoutBarrier(tree, one, found);
    for (const step of one.graph().steps) {
      if (step.kind !== 'asm' || !/%%?(?:db|dr)7\b/.test(step.template)) continue;
      if (!isOrdered(step.text)) found.at(step, { function: one, calls: [] }, 'the compiler may move this access to DR7 over other statements: under SEV-ES it raises #VC, which is not safe before the IST entry was shifted; make it asm volatile');
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

const restore = (barrier: string, mark: string): string => `static __always_inline void local_db_restore(unsigned long dr7)
{
${barrier}	if (dr7)
		set_debugreg(dr7, 7);${mark}
}
`;

export const dr7AccessReordered = treeRule({
  name: 'dr7-access-reordered',
  id: 'XR-DB07',
  group: '#DB',
  severity: 'error',
  summary: 'an access to DR7 is not ordered with the code around it',
  why: 'A hypervisor may intercept DR7: under SEV-ES an access raises #VC. The NMI handler shifts the IST entry of #VC first, and an inline assembly statement that is neither volatile nor names memory may be moved over that call; the #VC then rewinds a stack that is in use.',
  instead: 'asm volatile, as Linux 7.x writes it; a memory clobber or __FORCE_ORDER among the operands, as 6.12 does, orders it too.',
  falsePositives: ['The other debug registers.', 'A statement without output operands, which the compiler treats as volatile.'],
  references: ['Linux 9d2c7203ffdb', 'semantics VC-01, VC-03'],
  bad: [{ title: 'Restored without a barrier', files: { 'debugreg.c': restore('', ' //~ dr7-access-reordered') } }, { title: 'Free to move', files: { 'debugreg.c': read('asm("mov %%db7, %0" : "=r" (val));', ' //~ dr7-access-reordered') } }],
  good: [
    { title: 'Behind a barrier', files: { 'debugreg.c': restore('\tbarrier();\n', '') } },
    { title: 'In its place', files: { 'debugreg.c': read('asm volatile("mov %%db7, %0" : "=r" (val));', '') } },
    { title: 'Ordered by the memory that it names', files: { 'debugreg.c': read('asm("mov %%db7, %0" : "=r" (val) : __FORCE_ORDER);', '') } },
    { title: 'Volatile for want of outputs', files: { 'debugreg.c': 'static __always_inline void write_dr7(unsigned long val)\n{\n\tasm("mov %0, %%db7" : : "r" (val));\n}\n' } },
  ],
  examine,
});
