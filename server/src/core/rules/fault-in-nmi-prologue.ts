// XR-NMI01: the NMI stub does what may fault before its protection against nesting is in place. The IRET of the fault
// unblocks NMIs, and the next one starts over on the same stack.
import type { Monitor, PathStep } from '../contexts/entry-paths.ts';
import type { InstructionNode } from '../machine/code.ts';
import { regionIndexOf, stackNamed } from '../machine/layout.ts';
import type { Region } from '../machine/layout.ts';
import { RSP } from '../machine/registers.ts';
import type { Program } from '../program/program.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { accesses, addressOf, cFunctionCalled, entered, gsOf, isConstant, isInstruction, pathPlace, pathPremises, rspOf } from './path-vocabulary.ts';
import type { Judgement, Rule } from './rule.ts';

const NMI = 2;

/** Bits of the monitor. */
const BRANCHED = 1;
const PUBLISHED = 2;

interface Protocol {
  readonly stack: Region;
  /** What the stub stores to say that an NMI is handled. */
  readonly isMark: (value: bigint) => boolean;
}

const protocols = new WeakMap<Program, Protocol | null>();

/** The NMI stack, where it starts over at each delivery and the stub keeps a marker on it. */
function protocolOf(program: Program): Protocol | null {
  const known = protocols.get(program);
  if (known !== undefined) return known;
  const handler = program.handlers.find((one) => one.vector === NMI && !one.synthesized);
  const stack = handler === undefined || handler.ist.value === null ? null : stackNamed(program.layout, handler.ist.value);
  const symbol = program.code.nodes[handler?.stub ?? -1]?.symbol;
  const body = program.code.nodes.filter(isInstruction).filter((node) => node.symbol === symbol);
  const test = body.find((node) => node.mnemonic.startsWith('cmp') && node.operands[0]?.kind === 'immediate' && accesses(node).some((operand) => operand.base === RSP && operand.displacement < 0n));
  const asked = test?.operands[0]?.kind === 'immediate' ? test.operands[0].value : null;
  const isMark = (value: bigint): boolean => (asked === null ? value !== 0n : value === asked);
  const made = stack?.rewinding === true && body.some((node) => marks(node, isMark)) ? { stack, isMark } : null;
  protocols.set(program, made);
  return made;
}

/** Whether the instruction stores the mark on the stack; a pushed one is the marker only where the stub asks for it. */
function marks(node: InstructionNode, isMark: (value: bigint) => boolean): boolean {
  const [source, target] = node.operands;
  if (source?.kind !== 'immediate' || !isMark(source.value)) return false;
  return node.mnemonic.startsWith('push') ? !isMark(-1n) : node.mnemonic.startsWith('mov') && target?.kind === 'memory' && target.base === RSP;
}

/** Whether the marker is stored; protection also begins where the stub has left the stack. */
const prologue: Monitor = {
  initial: () => 0,
  next: (value, { node, after, start, program }) => {
    if (start.door.kind !== 'event' || start.door.vector !== NMI || (value & PUBLISHED) !== 0 || !isInstruction(node)) return value;
    const protocol = protocolOf(program);
    const rsp = rspOf(after);
    const onStack = protocol !== null && rsp !== undefined && isConstant(rsp) && regionIndexOf(program.layout, rsp.value - 1n) === protocol.stack.index;
    if (!onStack || marks(node, protocol.isMark)) return PUBLISHED;
    return /^j(?!mp)/.test(node.mnemonic) ? value | BRANCHED : value;
  },
};

function judge(step: PathStep, value: number): readonly Judgement[] {
  const { node, before, start, program } = step;
  if (!isInstruction(node) || start.door.kind !== 'event' || start.door.vector !== NMI || (value & PUBLISHED) !== 0) return [];
  const stack = protocolOf(program)?.stack ?? null;
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
    // A place relative to RSP is one of the stack, or the stub has its frames wrong.
    if (operand.base === RSP) continue;
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
  path: { at: ['call', 'memory', 'string'], monitor: prologue, rank: 4, judge },
  inspect: null,
  fix: null,
};
