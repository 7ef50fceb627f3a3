// XR-INS04: a page fault handler reads CR2 after something that may fault itself.
import type { Tree, TreeFunction } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { stateHelpers } from '../tree/primitives.ts';
import { watch } from '../tree/watch.ts';
import { entriesWithPlain, factsOf, findings, treeRule } from './tree-entries.ts';

/** Neither faults nor lets anything else in. */
const harmless = /^(?:(?:native_)?read_cr2|cpu_feature_enabled|boot_cpu_has|static_cpu_has|fred_event_data|prefetchw?|user_mode|barrier)$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const entry of entriesWithPlain(tree)) {
    if ((entry.vector !== 'PF' && entry.vector !== 'DF') || entry.delivery === 'fred') continue;
    const follow = (callee: TreeFunction): boolean => callee.file === entry.function.file && !stateHelpers.has(callee.name) && !/oops|^show_|^dump/.test(callee.name);
    watch<'first' | 'read' | 'late'>(
      tree,
      entry.function,
      'first',
      {
        follow,
        step: (step, state, where) => {
          if (step.kind !== 'call') return state;
          if (step.name === 'read_cr2' || step.name === 'native_read_cr2') {
            if (state === 'late' || (state === 'read' && where.calls.length > 0)) found.at(step, where, 'CR2 is read after code that may fault, or be interrupted by something that does: the handler then works on another address; read it as the first statement and hand the value on');
            return 'read';
          }
          if (step.name === 'fred_event_data') return 'read';
          // What a function that is followed does counts, not that it is called.
          const callee = step.indirect ? null : tree.resolve(step.name, where.function.file);
          if (state === 'first' && callee !== null && follow(callee)) return state;
          return state === 'first' && !harmless.test(step.name) ? 'late' : state === 'read' && stateHelpers.has(step.name) ? 'late' : state;
        },
      },
      factsOf(entry),
    );
  }
  return found.all();
}

const handler = (lines: string): string => `DEFINE_IDTENTRY_RAW_ERRORCODE(exc_page_fault)
{
	irqentry_state_t state;
	unsigned long address;

${lines}	handle(regs, error_code, address);
	irqentry_exit(regs, state);
}
`;

export const cr2ReadLate = treeRule({
  name: 'cr2-read-late',
  id: 'XR-INS04',
  group: 'Entry state',
  severity: 'error',
  summary: 'CR2 is read after something in the handler that may raise a page fault',
  why: 'Every page fault overwrites CR2. Context tracking, tracers and whatever they call may fault; so may a debug handler or an NMI that the entry helper lets in. The first statement of the handler is the only place where the value is certain.',
  instead: 'Read CR2, or the event data under FRED, before the entry helper, and pass the value on.',
  falsePositives: ['A look at a CPU feature, and a prefetch.'],
  references: ['SDM vol. 3A, "Interrupt 14 - Page-Fault Exception"', 'semantics CR2-01, CR2-03', 'Linux a0d14b8909de'],
  bad: [{ title: 'After the entry helper', files: { 'fault.c': handler('\tstate = irqentry_enter(regs);\n\taddress = read_cr2(); //~ cr2-read-late\n') } }],
  good: [{ title: 'First', files: { 'fault.c': handler('\taddress = read_cr2();\n\tstate = irqentry_enter(regs);\n') } }],
  examine,
  besideRuns: true,
});
