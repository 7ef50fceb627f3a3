// XR-NMI04: an NMI is taken for a nested one because the interrupted RSP lies in the NMI stack. User space can arrange
// that, and the NMI is dropped.
import type { Monitor, PathStep } from '../contexts/entry-paths.ts';
import type { CodeNode, InstructionNode, NodeId } from '../machine/code.ts';
import { draftOf, load } from '../machine/draft.ts';
import { regionIndexOf, stackNamed } from '../machine/layout.ts';
import type { MachineSetup } from '../machine/config.ts';
import { RSP } from '../machine/registers.ts';
import { innermostOf } from '../machine/recording.ts';
import type { State } from '../machine/state.ts';
import { entryStub, handlerOfGp } from './path-examples.ts';
import { accesses, addressOf, cFunctionCalled, entered, isConstant, isEventReturn, isInstruction, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Inspection, Judgement, Rule } from './rule.ts';

export const FORGED_RSP_RULE = 'nested-test-trusts-rsp';

const NMI = 2;

/** Words of a hardware frame, from its base (SDM vol. 3A, "Stack Switching in IA-32e Mode"). */
const RIP_SLOT = 0n;
const FLAGS_SLOT = 16n;
const RSP_SLOT = 24n;

/** Whether the instruction compares or tests a word of the innermost frame: in memory, or as it was loaded from there. */
function looksAt(node: CodeNode, state: State, setup: MachineSetup, slot: bigint): boolean {
  if (!isInstruction(node) || !/^(cmp|test|bt|sub)/.test(node.mnemonic)) return false;
  const frame = innermostOf(state);
  if (frame === undefined) return false;
  return node.operands.some((operand) => {
    if (operand.kind === 'register') {
      const word = state.registers[operand.register];
      return word !== undefined && (isConstant(word) || word.name !== '') && load(draftOf(state), setup, frame.base + slot, 8) === word;
    }
    if (operand.kind !== 'memory' || operand.segment !== null) return false;
    const address = addressOf(state, operand);
    return isConstant(address) && address.value >= frame.base + slot && address.value < frame.base + slot + 8n;
  });
}

/** Whether the instruction asks for the RSP that the NMI interrupted. */
export function asksForRsp(node: CodeNode, state: State, setup: MachineSetup): boolean {
  return innermostOf(state)?.vector === NMI && looksAt(node, state, setup, RSP_SLOT);
}

/** Whether it asks for what user space cannot choose: the interrupted RIP, the flags, a word that the stub keeps. */
function asksForMore(step: PathStep): boolean {
  const { node, before, setup } = step;
  if (looksAt(node, before, setup, RIP_SLOT) || looksAt(node, before, setup, FLAGS_SLOT)) return true;
  return isInstruction(node) && /^(cmp|test)/.test(node.mnemonic) && accesses(node).some((operand) => operand.base === RSP && operand.displacement < 0n);
}

const HANDLED = -1;
const MORE = 1;
const NODE = 2;

/** Which instruction asked for RSP last, and whether anything else was asked; nothing once C code runs. */
const asked: Monitor = {
  initial: () => 0,
  next: (value, step) => {
    const { start, node, before, setup } = step;
    if (value === HANDLED || start.door.kind !== 'event' || start.door.vector !== NMI) return HANDLED;
    if (cFunctionCalled(step) !== null) return HANDLED;
    if (asksForRsp(node, before, setup)) return node.id * NODE + (value % NODE);
    return asksForMore(step) ? value - (value % NODE) + MORE : value;
  },
};

function judge(step: PathStep, value: number): readonly Judgement[] {
  const { start, program } = step;
  if (value < NODE || program.gap === null || start.door.kind !== 'event' || start.door.vector !== NMI || !isEventReturn(step)) return [];
  const { interrupted } = start;
  if (interrupted.frames.some((frame) => frame.vector === NMI)) return [];
  const test = program.code.nodes[Math.floor(value / NODE)];
  const stack = stackNamed(program.layout, program.handlers.find((handler) => handler.vector === NMI)?.ist.value ?? '');
  const rsp = interrupted.registers[RSP];
  const forged = stack !== null && rsp !== undefined && isConstant(rsp) && regionIndexOf(program.layout, rsp.value - 1n) === stack.index;
  if (test === undefined || (!forged && value % NODE === MORE)) return [];
  return [{ place: pathPlace(test), message: forgedRspMessage(test, entered(start)), premises: pathPremises(step) }];
}

interface Walk {
  readonly node: NodeId;
  /** Bytes pushed on top of the frame. */
  readonly pushed: bigint;
  /** Registers that hold the interrupted RSP. */
  readonly holds: readonly number[];
  readonly test: CodeNode | null;
}

const LONGEST = 400;

/** A stub without a SYSCALL entry in view: a way from its entry to IRET without a call, on which RSP alone was asked for. */
function inspect({ program }: Inspection): readonly Judgement[] {
  if (program.gap !== null || program.delivery === 'fred') return [];
  const handler = program.handlers.find((one) => one.vector === NMI && one.ist.value !== null && !one.synthesized);
  if (handler === undefined) return [];
  const waiting: Walk[] = [{ node: handler.stub, pushed: 0n, holds: [], test: null }];
  const found = new Map<NodeId, CodeNode>();
  for (let steps = 0; steps < LONGEST; steps += 1) {
    const walk = waiting.pop();
    const node = walk === undefined ? undefined : program.code.nodes[walk.node];
    if (walk === undefined) break;
    if (node?.kind === 'feature') for (const target of new Set([node.present, node.absent])) waiting.push({ ...walk, node: target });
    if (node?.kind !== 'instruction') continue;
    if (node.mnemonic.startsWith('iret')) {
      if (walk.test !== null) found.set(walk.test.id, walk.test);
      continue;
    }
    if (node.mnemonic.startsWith('call')) continue;
    const next = stepOf(walk, node);
    if (next === null) continue;
    if (node.next !== null && node.mnemonic !== 'jmp') waiting.push({ ...next, node: node.next });
    if (node.target !== null && node.mnemonic.startsWith('j')) waiting.push({ ...next, node: node.target });
  }
  return [...found.values()].map((test) => ({ place: pathPlace(test), message: forgedRspMessage(test, `stub ${handler.stubName}`), premises: [] }));
}

/** One instruction further; null where something else than RSP is asked for. */
function stepOf(walk: Walk, node: InstructionNode): Walk | null {
  const slots = accesses(node).filter((operand) => operand.base === RSP && operand.segment === null).map((operand) => (operand.displacement - walk.pushed) & ~7n);
  const held = node.operands.some((operand) => operand.kind === 'register' && walk.holds.includes(operand.register));
  if (/^(cmp|test|bt)/.test(node.mnemonic)) return slots.includes(RSP_SLOT) || held ? { ...walk, test: node } : slots.length > 0 ? null : walk;
  if (node.mnemonic.startsWith('push')) return { ...walk, pushed: walk.pushed + 8n };
  if (node.mnemonic.startsWith('pop')) return { ...walk, pushed: walk.pushed - 8n };
  const [source, target] = node.operands;
  const moved = source?.kind === 'immediate' && target?.kind === 'register' && target.register === RSP ? source.value : 0n;
  if (node.mnemonic.startsWith('sub')) return { ...walk, pushed: walk.pushed + moved };
  if (node.mnemonic.startsWith('add')) return { ...walk, pushed: walk.pushed - moved };
  if (node.mnemonic.startsWith('mov') && target?.kind === 'register') return { ...walk, holds: slots.includes(RSP_SLOT) ? [...walk.holds, target.register] : walk.holds.filter((register) => register !== target.register) };
  return walk;
}

export function forgedRspMessage(test: CodeNode, start: string): string {
  return `${test.text} decides alone that an NMI is nested, and the NMI is dropped: between SYSCALL and the load of the kernel's RSP, and behind the load of the user's, RSP is what user space chose (${start}); ask for RIP too, or for DF, which the stub sets and SYSCALL clears`;
}

const HANDLER = handlerOfGp.replace('vector=GP', 'vector=NMI ist=NMI');

/** A stub that compares the interrupted RSP with the top of its stack; `more` is what else it asks. */
function stub(mark: string, more: string): string {
  return entryStub({
    clac: `	cmpq	$nmi_stack_top, 3*8(%rsp)${mark}
	ja	5f
${more}	iretq
5:
`,
    placeholder: '\tpushq\t$-1\n',
    swap: '',
    unswap: '',
  });
}

const short = (mark: string, more: string): string => `	.globl	demo_nmi_entry
/* xctx: handler vector=NMI ist=NMI */
demo_nmi_entry:
	pushq	%rdx
	movq	4*8(%rsp), %rdx
	cmpq	$nmi_stack_top, %rdx${mark}
	ja	1f
	cmpq	$nmi_stack_end, %rdx
	jb	1f
${more}	popq	%rdx
	iretq
1:	call	demo_nmi
	popq	%rdx
	iretq
`;

export const nestedTestTrustsRsp: Rule = {
  name: FORGED_RSP_RULE,
  id: 'XR-NMI04',
  group: 'NMI nesting',
  severity: 'error',
  summary: 'an NMI is taken for a nested one by the interrupted RSP alone',
  why: 'SYSCALL leaves RSP as user space had it, and the way out loads the user\'s RSP before it leaves the kernel. An NMI at one of these instructions finds an RSP that user space chose. Where it points into the NMI stack, a stub that believes it takes the first NMI for a nested one and returns: the NMI is lost, and what watches over the machine with it (CVE-2015-3291).',
  instead: 'Ask for a second thing that user space cannot have: the interrupted RIP within the stub, or a flag that SYSCALL clears by its mask and that the stub sets for the instructions behind its marker.',
  falsePositives: ['Stubs that ask a marker word of their own stack, the RIP or the flags besides.', 'NMIs that are nested indeed.'],
  references: ['CVE-2015-3291', 'Linux commit 810bc075f78f', 'semantics NMI-06, SYS-01'],
  bad: [
    { title: 'A comparison of RSP alone', files: { 'entry.S': stub(' #~ nested-test-trusts-rsp', ''), 'design.c': HANDLER } },
    { title: 'The same with both ends of the stack', files: { 'entry.S': short('', '').replace('\tcmpq\t$nmi_stack_end, %rdx\n', '\tcmpq\t$nmi_stack_end, %rdx #~ nested-test-trusts-rsp\n') } },
  ],
  good: [
    { title: 'DF decides where RSP lies in the stack', files: { 'entry.S': stub('', '\ttestb\t$4, 2*8+1(%rsp)\n\tjz\t5f\n'), 'design.c': HANDLER } },
    { title: 'The interrupted RIP decides', files: { 'entry.S': short('', '\tcmpq\t$1b, 1*8(%rsp)\n\tjb\t1f\n') } },
  ],
  judge: null,
  path: { at: ['return'], monitor: asked, judge },
  inspect,
  fix: null,
};
