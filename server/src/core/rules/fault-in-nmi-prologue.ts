// XR-NMI01: the NMI stub does what may fault before its protection against nesting is in place. The IRET of the fault
// unblocks NMIs, and the next one starts over on the same stack.
import type { Monitor, PathStep } from '../contexts/entry-paths.ts';
import { draftOf, load } from '../machine/draft.ts';
import { regionIndexOf } from '../machine/layout.ts';
import type { Region } from '../machine/layout.ts';
import { RSP } from '../machine/registers.ts';
import { stackNamed } from '../machine/layout.ts';
import type { Program } from '../program/program.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { accesses, addressOf, cFunctionCalled, entered, gsOf, isConstant, isInstruction, pathPlace, pathPremises, rspOf } from './path-vocabulary.ts';
import type { Judgement, Rule } from './rule.ts';

const NMI = 2;

/** Decimal digits of the monitor: what is known, and above them where the stub looked for its marker. */
const BRANCHED = 1;
const PUBLISHED = 2;
const MARKER = 4;

/** The NMI stack, where it is one that starts over at each delivery and the stub keeps a marker on it. */
function nmiStack(program: Program): Region | null {
  const known = stacks.get(program);
  if (known !== undefined) return known;
  const handler = program.handlers.find((one) => one.vector === NMI && !one.synthesized);
  const region = handler === undefined || handler.ist.value === null ? null : stackNamed(program.layout, handler.ist.value);
  const stub = handler === undefined ? undefined : program.code.nodes[handler.stub];
  const marks = stub !== undefined && program.code.nodes.some((node) => isInstruction(node) && node.symbol === stub.symbol && node.mnemonic.startsWith('mov') && node.operands[0]?.kind === 'immediate' && node.operands[0].value !== 0n && node.operands[1]?.kind === 'memory' && node.operands[1].base === RSP);
  const found = region?.rewinding === true && (marks || region.keepsStale) ? region : null;
  stacks.set(program, found);
  return found;
}

const stacks = new WeakMap<Program, Region | null>();

/** Where the stub looks for the marker word, and whether it has stored there; protection also begins off the stack. */
const prologue: Monitor = {
  initial: () => 0,
  next: (value, step) => {
    const { node, before, after, start, program, setup } = step;
    if (start.door.kind !== 'event' || start.door.vector !== NMI || (value & PUBLISHED) !== 0 || !isInstruction(node)) return value;
    const stack = nmiStack(program);
    if (stack === null) return PUBLISHED;
    const rsp = rspOf(after);
    if (rsp === undefined || !isConstant(rsp) || regionIndexOf(program.layout, rsp.value - 1n) !== stack.index) return PUBLISHED;
    let next = value;
    if (/^j(?!mp)/.test(node.mnemonic)) next |= BRANCHED;
    const marker = Math.floor(next / MARKER);
    for (const operand of accesses(node)) {
      const address = operand.segment === null ? addressOf(before, operand) : null;
      if (address === null || !isConstant(address) || regionIndexOf(program.layout, address.value) !== stack.index) continue;
      const slot = Number(stack.base + BigInt(stack.size) - (address.value & ~7n)) / 8;
      if (/^(cmp|test)/.test(node.mnemonic) && operand.base === RSP && operand.displacement < 0n) next = (next % MARKER) + slot * MARKER;
      const constantStored = node.mnemonic.startsWith('mov') && node.operands[0]?.kind === 'immediate' && node.operands[0].value !== 0n && node.operands[1] === operand;
      if (constantStored && (marker === 0 || marker === slot)) return PUBLISHED;
    }
    if (marker > 0 && node.mnemonic.startsWith('push') && node.operands[0]?.kind === 'immediate') {
      const address = stack.base + BigInt(stack.size - marker * 8);
      const word = load(draftOf(after), setup, address, 8);
      if (rsp.value === address && isConstant(word) && word.value !== 0n) return PUBLISHED;
    }
    return next;
  },
};

function judge(step: PathStep, value: number): readonly Judgement[] {
  const { node, before, start, program } = step;
  if (!isInstruction(node) || start.door.kind !== 'event' || start.door.vector !== NMI || (value & PUBLISHED) !== 0) return [];
  const stack = nmiStack(program);
  const rsp = rspOf(before);
  if (stack === null || rsp === undefined || !isConstant(rsp) || regionIndexOf(program.layout, rsp.value - 1n) !== stack.index) return [];
  const what = mayFault(step, value, stack);
  if (what === null) return [];
  return [{
    place: pathPlace(node),
    message: `${node.text} ${what} before the NMI stub has its marker set: the IRET of a fault there unblocks NMIs, and the next NMI overwrites the frame at the top of the ${stack.name} stack (${entered(start)}); move it behind the store of the marker`,
    premises: pathPremises(step),
  }];
}

/** What the instruction does that may fault or trap, null where it uses the stub's own stack and registers only. */
function mayFault(step: PathStep, value: number, stack: Region): string | null {
  const { node, before, start, program } = step;
  if (!isInstruction(node)) return null;
  // Behind its branches the path from user mode may use what the kernel's GS base and page table map.
  const apart = start.user && (value & BRANCHED) !== 0;
  const name = cFunctionCalled(step);
  if (name !== null) return apart ? null : `enters ${name}()`;
  if (/^(call|jmp|ret|iret|push|pop)/.test(node.mnemonic) && accesses(node).length === 0) return null;
  for (const operand of accesses(node)) {
    if (operand.segment === 'gs') {
      if (apart) continue;
      return gsOf(before.cpu.gsBase) === 'kernel' && start.user ? null : 'accesses memory through a GS base that may be the user\'s';
    }
    const address = addressOf(before, operand);
    if (isConstant(address) && (regionIndexOf(program.layout, address.value) === stack.index || apart)) continue;
    if (apart && operand.base === null) continue;
    return 'accesses memory other than the NMI stack';
  }
  return null;
}

const HANDLER = handlerOfGp.replace('vector=GP', 'vector=NMI ist=NMI');

/** A stub with a marker at the bottom of what it pushes; `first` is what it does on entry. */
function stub(first: string, behind: string): string {
  return entryStub({
    clac: `	cmpl	$1, -8(%rsp)
	je	7f
${first}`,
    placeholder: `	pushq	$1
${behind}`,
    swap: '',
    unswap: '',
    leave: `	movq	$0, (%rsp)
	addq	$8, %rsp
7:	iretq
`,
  });
}

/** The same in ten lines, with no test in view. */
const short = (body: string): string => `	.globl	demo_nmi_entry
/* xctx: handler vector=NMI ist=NMI */
demo_nmi_entry:
	pushq	%rdx
${body}	popq	%rdx
	movq	$0, -16(%rsp)
	iretq
`;

const OTHER = `
	.globl	asm_other
asm_other:
	swapgs
	swapgs
	ret
`;

export const faultInNmiPrologue: Rule = {
  name: 'fault-in-nmi-prologue',
  id: 'XR-NMI01',
  group: 'NMI nesting',
  severity: 'error',
  summary: 'the NMI stub does what may fault before its protection against nesting is in place',
  why: 'A fault, a breakpoint or a trap in the NMI stub returns with IRET, and that IRET unblocks NMIs although the first one is not done. Until the marker is set the stub takes the next NMI for a first one, and that has already overwritten the hardware frame at the top of the same stack.',
  instead: 'Up to the store of the marker touch registers and the NMI stack itself only; counters, per-CPU words, tracing and C code come behind it.',
  falsePositives: [
    'CLD, CLAC, LFENCE and comparisons of words on the NMI stack.',
    'From user mode, behind the tests that tell user mode: there the stub has swapped GS and leaves the NMI stack.',
    'An IRET on purpose behind the copies of the frame, as a debugging kernel makes one.',
    'An NMI without an IST stack.',
  ],
  references: ['SDM vol. 3A, "Handling Multiple NMIs"', 'Linux, arch/x86/entry/entry_64.S, asm_exc_nmi', 'semantics NMI-01, NMI-02, NMI-07'],
  bad: [
    { title: 'A per-CPU counter first', files: { 'entry.S': stub('\tincl\t%gs:nmis(%rip) #~ fault-in-nmi-prologue\n', ''), 'design.c': HANDLER } },
    { title: 'The same in a sketch whose GS base is unknown', files: { 'entry.S': short('\tincl\t%gs:nmis(%rip) #~ fault-in-nmi-prologue\n\tmovq\t$1, -16(%rsp)\n') + OTHER } },
    { title: 'A global counter', files: { 'entry.S': short('\tincl\tnmis(%rip) #~ fault-in-nmi-prologue\n\tmovq\t$1, -16(%rsp)\n') } },
  ],
  good: [
    { title: 'The counter behind the marker', files: { 'entry.S': stub('', '\tincl\tnmis(%rip)\n'), 'design.c': HANDLER } },
    { title: 'The same in a sketch', files: { 'entry.S': short('\tmovq\t$1, -16(%rsp)\n\tincl\tnmis(%rip)\n') } },
  ],
  judge: null,
  path: { at: ['call', 'access'], monitor: prologue, rank: 4, judge },
  inspect: null,
  fix: null,
};
