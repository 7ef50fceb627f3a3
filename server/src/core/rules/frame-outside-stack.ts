// XR-STK10: C code that moves the frame of an entry to another stack puts it where it does not fit or takes the wrong words.
import { placeIn } from '../tree/tree.ts';
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, factsOf, findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watchProofs, whats } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

const copies = /^(?:__)?mem(?:cpy|move)$/;
/** The end of a stack: nothing of it lies there or above. */
const end = /(?:current_top_of_stack\(\)|top_of_stack\)|x86_tss\.sp0\)|this_cpu_ist_top_va\(\w+\))$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    const { steps } = one.graph();
    const frames = new Set(steps.flatMap((step) => (step.kind === 'store' && /^\*\w+$/.test(step.target) ? [step.target.slice(1)] : isCall(step, copies) ? [step.arguments[0] ?? ''] : [])));
    if (frames.size === 0) continue;
    for (const step of steps) {
      if (step.kind === 'store' && frames.has(step.target) && /^\(struct \w+ \*\)/.test(step.value) && end.test(step.value)) found.at(step, { function: one, calls: [] }, 'the frame begins at the end of the stack and lies above it: it overwrites what is there, and the switch to it leaves the stack; go down by the size of the frame');
    }
    roomBelow(tree, one, frames, found);
    badIret(one, found);
  }
  const sync = tree.functions.find(({ name }) => name === 'sync_regs');
  if (sync?.whole === true && !sync.graph().steps.some((step) => /top_of_stack|task_pt_regs\(/.test(step.text))) found.place(placeIn(tree, sync.file, sync.nameSpan), 'sync_regs() does not give the frame at the top of the task stack: the stub goes on where it was entered, on the entry stack, which the next entry of this CPU overwrites; copy it there');
  if (sync?.whole === true) staysThere(tree, sync, found);
  doubleFault(tree, found);
  return found.all();
}

/** What it returns is the frame that it made, and the one that it got only where the two are the same. */
function staysThere(tree: Tree, sync: TreeFunction, found: Findings): void {
  const [old = ''] = sync.parameters;
  const same: Proof = { key: 's', what: '', test: (text, holds) => holds && new RegExp(`^${old} == \\w+$|^\\w+ == ${old}$`).test(text) };
  watchProofs(tree, sync, [same], {
    at: (step, missing, where) => {
      if (step.kind === 'return' && step.value === old && missing.length > 0) found.at(step, where, 'sync_regs() returns the frame that it was given: the stub goes on where it was entered, on the entry stack, which the next entry of this CPU overwrites; return the one at the top of the task stack');
      return false;
    },
  });
}

/** A frame at a stack pointer needs room below it: `sp = ALIGN_DOWN(sp, 8) - sizeof(*frame)`. */
function roomBelow(tree: Tree, one: TreeFunction, frames: ReadonlySet<string>, found: Findings): void {
  const pointers = new Set(one.graph().steps.flatMap((step) => (step.kind === 'store' && frames.has(step.target) ? (/^\(struct \w+ \*\)(\w+)$/.exec(step.value)?.[1] ?? []) : [])));
  for (const pointer of pointers) {
    if (!one.graph().steps.some((step) => step.kind === 'store' && step.target === pointer && /->sp\b/.test(step.value))) continue;
    watch<'live' | 'room'>(tree, one, 'live', {
      follow: () => false,
      step: (step, state, where) => {
        if (step.kind !== 'store') return state;
        if (step.target === pointer) return /- (?:sizeof|\d)/.test(step.value) || step.operator === '-=' ? 'room' : 'live';
        if (frames.has(step.target) && step.value.endsWith(`)${pointer}`) && state === 'live') found.at(step, where, `the frame is put at ${pointer} itself: what the interrupted code has on its stack there is overwritten; go down by the size of the frame first`);
        return state;
      },
    });
  }
}

/** The frame of an IRET that faulted is five words at the interrupted RSP, on the stack that the new frame goes to. */
function badIret(one: TreeFunction, found: Findings): void {
  for (const step of one.graph().steps) {
    const fromStack = isCall(step, copies) && /^\(void \*\)\w+(?:->regs)?(?:->|\.)sp$|->sp$/.test(step.arguments[1] ?? '') && /\bip$/.test(step.arguments[0] ?? '');
    if (!fromStack || step.kind !== 'call') continue;
    const [to = '', , size = ''] = step.arguments;
    if (/^\d+ ?\* ?8$|^\d+$/.test(size) && !/^(?:5 ?\* ?8|40)$/.test(size)) found.at(step, { function: one, calls: [] }, 'the target of an IRET is five words (RIP, CS, RFLAGS, RSP, SS): what is left out of the copy is what lay in the frame before; copy 5*8 bytes');
    else if (to.includes('->')) found.at(step, { function: one, calls: [] }, 'the target of the IRET is copied straight into the new frame, which lies over the old one on the entry stack: the words that are still to be copied may be gone; copy to a local first');
  }
}

/** The double fault that is an IRET to a 16-bit stack is told by all three: stack, CS and RIP. */
const espfix: readonly Proof[] = [
  { key: 's', what: 'RSP is on the stacks of espfix', test: (text, holds) => holds && text.endsWith('== ESPFIX_PGD_ENTRY') },
  { key: 'c', what: 'CS is the kernel\'s', test: (text, holds) => holds && text.endsWith('->cs == __KERNEL_CS') },
  { key: 'i', what: 'RIP is the IRET', test: (text, holds) => holds && text.includes('->ip == ') && text.includes('iret') },
];

function doubleFault(tree: Tree, found: Findings): void {
  for (const entry of entriesOf(tree)) {
    if (entry.vector !== 'DF') continue;
    const takes = (step: Step): boolean => step.kind === 'store' && step.target.endsWith('->ip') && /^\w+\[0\]$/.test(step.value);
    watchProofs(tree, entry.function, espfix, {
      facts: factsOf(entry),
      follow: (callee) => callee.file === entry.function.file && callee.returns === 'bool',
      at: (step, missing, where) => {
        if (takes(step) && missing.length > 0) found.at(step, where, `the double fault is taken for a bad IRET before ${whats(missing)}: any other one, with a stack pointer that user space chose, is then returned from as a #GP of user mode; ask for all three`);
        return takes(step);
      },
    });
  }
}

const move = (top: string, mark: string): string => `noinstr struct pt_regs *sync_regs(struct pt_regs *eregs)
{
	struct pt_regs *regs = (struct pt_regs *)${top};${mark}

	if (regs != eregs)
		*regs = *eregs;
	return regs;
}
`;
const bad = (line: string, mark: string): string => `noinstr struct pt_regs *fixup_iret(struct pt_regs *bad_regs)
{
	struct pt_regs tmp, *new_stack = (struct pt_regs *)__this_cpu_read(cpu_tss_rw.x86_tss.sp0) - 1;

	${line}${mark}
	__memcpy(&tmp, bad_regs, offsetof(struct pt_regs, ip));
	__memcpy(new_stack, &tmp, sizeof(tmp));
	return new_stack;
}
`;

export const frameOutsideStack = treeRule({
  name: 'frame-outside-stack',
  id: 'XR-STK10',
  group: 'Stacks and frames',
  severity: 'error',
  summary: 'a frame is moved to another stack, and does not lie in it, lies over what is live, or lacks words',
  why: 'Stubs go on at the frame that such a function gives them. A frame above the end of its stack, or over live words of the one that was interrupted, is a write to memory of others in every entry; and one whose words were copied in part returns to where an older frame said.',
  instead: 'The end of the stack less the size of the frame, five words for what IRET pops, and a copy in a local where source and destination may overlap.',
  falsePositives: ['Frames that stay where they are.'],
  references: ['Linux 7f2590a110b8', 'semantics section 15, section 18'],
  bad: [
    { title: 'The frame that it got', files: { 'traps.c': move('current_top_of_stack() - 1', '').replace('return regs;', 'return eregs; //~ frame-outside-stack') } },
    { title: 'Above the end', files: { 'traps.c': move('current_top_of_stack()', ' //~ frame-outside-stack') } },
    { title: 'A word too few', files: { 'traps.c': bad('__memcpy(&tmp.ip, (void *)bad_regs->sp, 4*8);', ' //~ frame-outside-stack') } },
  ],
  good: [
    { title: 'The old one where it is the same', files: { 'traps.c': move('current_top_of_stack() - 1', '').replace('\tif (regs != eregs)\n\t\t*regs = *eregs;\n', '\tif (regs == eregs)\n\t\treturn eregs;\n\t*regs = *eregs;\n') } },
    { title: 'Below the end', files: { 'traps.c': move('current_top_of_stack() - 1', '') } },
    { title: 'Five words, through a local', files: { 'traps.c': bad('__memcpy(&tmp.ip, (void *)bad_regs->sp, 5*8);', '') } },
  ],
  examine,
});
