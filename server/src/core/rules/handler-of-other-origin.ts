// XR-CTX07: a stub calls the handler that is made for events of the other mode.
import type { PathStep } from '../contexts/entry-paths.ts';
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import { stubFiles } from './path-examples.ts';
import { cFunctionCalled, entered, pathPlace, pathPremises, rspOf, stackNameOf } from './path-vocabulary.ts';
import type { Judgement, Rule } from './rule.ts';
import { entriesOf, factsOf, findings } from './tree-entries.ts';

/** The halves that Linux's macros make of one handler (arch/x86/include/asm/idtentry.h, arch/x86/include/asm/fred.h). */
const FOR_USER = /^(?:noist_|user_exc_)|^fred_entry_from_user$/;
const FOR_KERNEL = /^kernel_exc_|^fred_entry_from_kernel$/;
/** Of #DB and #MC the half without a prefix is the one for kernel mode. */
const BARE_FOR_KERNEL: ReadonlyMap<number, string> = new Map([[1, 'exc_debug'], [18, 'exc_machine_check']]);
const DECLARED = /^DECLARE_IDTENTRY_(?:MCE|DEBUG|VC|IST)$/;

/** Whether a name without a prefix is that of a handler which has another half. */
function isKernelHalf({ program, start }: PathStep, name: string): boolean {
  if (FOR_KERNEL.test(name)) return true;
  if (start.door.kind !== 'event' || BARE_FOR_KERNEL.get(start.door.vector) !== name || program.fred !== null || !program.contexts.has('inside C')) return false;
  const declared = program.sources.flatMap(({ declaredEntries }) => declaredEntries).find((one) => one.function === name);
  return declared === undefined || DECLARED.test(declared.macro);
}

function judge(step: PathStep): readonly Judgement[] {
  const name = cFunctionCalled(step);
  if (name === null || step.start.door.kind !== 'event') return [];
  // Inside a fault of the path's own what the path began with says nothing.
  if (step.program.fred !== null && step.before.frames.length > 1) return [];
  const { start, node } = step;
  if (FOR_USER.test(name) && !start.user && !countsAsUser(step)) {
    return [{ place: pathPlace(node), message: `${name}() is the handler for events from user mode and is called for ${entered(start)}: it does the work of the way back to user mode, on a stack and in a context of the kernel; call the half for kernel mode`, premises: pathPremises(step), related: stubOf(step) }];
  }
  // Of the stack that it is on another rule speaks: user-origin-stays-on-ist.
  if (isKernelHalf(step, name) && start.user && !isOnOwnIst(step)) {
    return [{ place: pathPlace(node), message: `${name}() is the handler for events from kernel mode and is called for ${entered(start)}: it takes the event for one that may hit any code, and does nothing of what is due before user mode; call the half for user mode`, premises: pathPremises(step), related: stubOf(step) }];
  }
  return [];
}

/** On the IST stack of its vector, or on the one of last resort of #VC. */
function isOnOwnIst({ program, setup, before, start }: PathStep): boolean {
  const { door } = start;
  const current = stackNameOf(setup, rspOf(before));
  return door.kind === 'event' && (current === 'VC2' || (current !== null && current === program.handlers.find((handler) => handler.vector === door.vector)?.ist.value));
}

function stubOf({ start, program }: PathStep): NonNullable<Judgement['related']> {
  const first = start.door.kind === 'event' ? program.code.nodes[start.door.stub] : undefined;
  return first === undefined ? [] : [{ place: pathPlace(first), message: 'its stub' }];
}

/** A fault of the IRET to user mode is made one of user mode: its frame is that of user mode by then. */
function countsAsUser({ before }: PathStep): boolean {
  return before.frames.at(-1)?.cpl === 3;
}

/** Of two C functions for one event, `virt_exception_user()` and `virt_exception_kernel()`, the one for the mode that was asked. */
function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const entries = new Map(entriesOf(tree).map((entry) => [entry.function, entry] as const));
  const half = (step: Step, from: TreeFunction): 'user' | 'kernel' | null => {
    if (step.kind !== 'call' || step.indirect || step.arguments[0]?.endsWith('regs') !== true) return null;
    const [, stem = '', mode] = /^(\w+)_(user|kernel)$/.exec(step.name) ?? [];
    const both = mode !== undefined && [step.name, `${stem}_${mode === 'user' ? 'kernel' : 'user'}`].every((name) => tree.resolve(name, from.file)?.file === from.file);
    return !both ? null : mode === 'user' ? 'user' : 'kernel';
  };
  for (const one of tree.functions) {
    if (!one.whole || !one.graph().steps.some((step) => half(step, one) !== null)) continue;
    const entry = entries.get(one);
    // Whoever asked before it called this function is not looked for.
    const asked = entry === undefined && tree.functions.some((caller) => caller !== one && caller.graph().steps.some((step) => step.kind === 'call' && step.name === one.name) && caller.graph().steps.some((step) => asksForMode(step)));
    if (asked) continue;
    watch<'user' | 'kernel' | 'either'>(
      tree,
      one,
      entry === undefined || entry.origin === 'both' ? 'either' : entry.origin,
      {
        follow: () => false,
        step: (step, state, where) => {
          const mode = half(step, where.function);
          if (mode !== null && step.kind === 'call' && mode !== state) found.at(step, where, `${step.name}() is for events from ${mode} mode and is called ${state === 'either' ? 'for both: nothing asks where this one came from' : `for one from ${state} mode`}; ${mode === 'kernel' ? 'a program is then served with the rights of the kernel' : 'the kernel is then refused what only programs are'}: ask user_mode() and call the half for each`);
          return state;
        },
        branch: (test, holds, state) => (asksForMode(test) ? (holds === /^(?:user_mode|fault_from_user)\(|== 3$/.test(test.text) ? 'user' : 'kernel') : state),
      },
      entry === undefined ? new Map() : factsOf(entry),
    );
  }
  return found.all();
}

function asksForMode(step: Step): boolean {
  return step.kind === 'test' && /^(?:user_mode|fault_from_user)\(|\bcs & 3\) == 3$/.test(step.text);
}

const split = (call: string): string => `static int emulate_user(struct pt_regs *regs)
{
	return emulate_cpuid(regs);
}

static int emulate_kernel(struct pt_regs *regs)
{
	return emulate_any(regs);
}

bool handle_event(struct pt_regs *regs)
{
${call}}
`;

export const handlerOfOtherOrigin: Rule = {
  name: 'handler-of-other-origin',
  id: 'XR-CTX07',
  group: 'C context',
  severity: 'error',
  summary: 'a stub or a handler calls the half of a handler that is made for events of the other mode',
  why: 'For #DB, #MC and #VC, and for all of FRED, there are two C functions: one that runs like any exception of user mode, on the task stack and with the work of the way back, and one that may have hit any kernel code and may do none of that. The wrong one schedules in an NMI-like context, or goes back to user mode without what is due.',
  instead: 'Ask the saved CS in the stub, and call on each way the half that is made for it.',
  falsePositives: ['Faults of the return to user mode, which are handled as faults of user mode.', 'Handlers without halves.'],
  references: ['Linux, arch/x86/include/asm/idtentry.h', 'semantics ENT-01'],
  bad: [
    { title: 'One half for both modes', files: stubFiles({ call: '\tcall\tnoist_demo_gp #~ handler-of-other-origin\n' }) },
    { title: 'The kernel\'s half for all', files: { 've.c': split('\treturn emulate_kernel(regs) >= 0; //~ handler-of-other-origin\n') } },
  ],
  good: [
    { title: 'A handler for both', files: stubFiles() },
    { title: 'Asked first', files: { 've.c': split('\tif (user_mode(regs))\n\t\treturn emulate_user(regs) >= 0;\n\treturn emulate_kernel(regs) >= 0;\n') } },
  ],
  judge: null,
  examine,
  path: { at: ['call'], monitor: null, judge },
  inspect: null,
  fix: null,
};
