// XR-STK05: the frame that was left behind on an IST stack is still used after RSP has gone to another stack, although
// the next event of the same vector may start that stack over.
import type { PathStep } from '../contexts/entry-paths.ts';
import { vectorTitle } from '../machine/vectors.ts';
import { regionIndexOf } from '../machine/layout.ts';
import type { Region } from '../machine/layout.ts';
import { REGISTER_NAMES } from '../machine/registers.ts';
import type { Word } from '../machine/word.ts';
import { handlerOfGp } from './path-examples.ts';
import { accesses, addressOf, cFunctionCalled, entered, isConstant, isInstruction, pathPlace, pathPremises, rspOf } from './path-vocabulary.ts';
import type { Judgement, Rule } from './rule.ts';

const NMI = 2;
const MACHINE_CHECK = 18;

/** The IST stack that a path came in on and has left; null while RSP is on it, or where its event cannot arrive. */
function leftStack(step: PathStep): Region | null {
  const { start, before, program } = step;
  if (start.door.kind !== 'event' || before.cpu.cpl === 3 || program.delivery === 'fred') return null;
  const { vector } = start.door;
  // A whole copy takes the place of the frame: where it was delivered counts.
  const frame = start.first.frames.at(-1);
  const region = frame === undefined ? undefined : program.layout.regions[frame.region];
  if (frame === undefined || frame.vector !== vector || region === undefined || !region.rewinding) return null;
  if (program.handlers.find((handler) => handler.vector === vector)?.ist.value !== region.name) return null;
  const rsp = rspOf(before);
  if (rsp === undefined || (isConstant(rsp) && regionIndexOf(program.layout, rsp.value - 1n) === region.index)) return null;
  if ((vector === NMI && before.cpu.nmiBlocked) || (vector === MACHINE_CHECK && before.cpu.mcip)) return null;
  // A word that keeps the event from arriving is followed by the scenarios, which clear it where the code does.
  return program.guards.some((guard) => guard.vector === vector && !guard.implicit && guard.protects.includes('stack')) ? null : region;
}

function judge(step: PathStep): readonly Judgement[] {
  const { node, before, start, program } = step;
  if (!isInstruction(node)) return [];
  const region = leftStack(step);
  if (region === null) return [];
  const within = (word: Word | undefined): boolean => word !== undefined && isConstant(word) && regionIndexOf(program.layout, word.value) === region.index;
  const register = (name: string): Word | undefined => before.registers[REGISTER_NAMES.indexOf(name as (typeof REGISTER_NAMES)[number])];
  const name = cFunctionCalled(step);
  const used =
    name !== null
      ? within(register('rdi')) ? `hands ${name}() the frame` : null
      : accesses(node).some((operand) => operand.segment === null && within(addressOf(before, operand))) || (/movs[bwlq]?$/.test(node.mnemonic) && (within(register('rsi')) || within(register('rdi')))) ? 'uses the frame' : null;
  if (used === null || start.door.kind !== 'event') return [];
  return [{
    place: pathPlace(node),
    message: `${node.text} ${used} that was left on the ${region.name} stack: RSP is on another stack, and the next ${vectorTitle(start.door.vector)} overwrites the old frame (${entered(start)}); copy all of it, switch last, and use the copy from there on`,
    premises: pathPremises(step),
  }];
}

const HANDLER = handlerOfGp.replace('vector=GP', 'vector=VC ist=VC err=yes');

/** A stub that moves its frame with what it has pushed to the task stack and goes on there. */
function stub(move: string, mark = ''): string {
  return `	.globl	asm_demo_gp
asm_demo_gp:
	testb	$3, 2*8(%rsp)
	jz	1f
	swapgs
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	movq	%gs:top_of_stack(%rip), %rax
	movq	%rsp, %rbx
${move}	call	demo_gp${mark}
	popq	%rcx
	popq	%rbx
	popq	%rax
	addq	$8, %rsp
	swapgs
	iretq
1:	addq	$8, %rsp
	iretq
`;
}

const COPY = [8, 7, 6, 5, 4, 3, 2, 1, 0];
const whole = (use: string): string => `	subq	$9*8, %rax
${COPY.map((word) => `	movq	${word}*8(%rbx), %rcx\n	movq	%rcx, ${word}*8(%rax)\n`).join('')}	movq	%rax, %rsp
${use}`;
const late = (mark: string): string => `	movq	%rax, %rsp
${COPY.map((word, index) => `	pushq	${word}*8(%rbx)${index === 0 ? mark : ''}\n`).join('')}`;

export const copyThenSwitchAtomicity: Rule = {
  name: 'copy-then-switch-atomicity',
  id: 'XR-STK05',
  group: 'Stacks and frames',
  severity: 'error',
  summary: 'the old frame on an IST stack is used after RSP has left that stack',
  why: 'As long as RSP is on an IST stack, code there knows that its frame is at stake. Behind the switch nothing keeps the next event of that vector from starting the stack over. What is read from the old frame then is the next event\'s, and what is written there is lost.',
  instead: 'Copy the whole frame first, load RSP with one instruction, and use the copy from there on; hand C code the pointer to the copy.',
  falsePositives: [
    'NMIs while NMIs are blocked, and machine checks while MCIP is set: the event cannot arrive.',
    'C helpers that copy and return the new pointer, as sync_regs() and vc_switch_off_ist() do.',
    'The entry stack: only an entry from user mode starts it over.',
  ],
  references: ['SDM vol. 3A, "Interrupt Stack Table"', 'Linux, arch/x86/entry/entry_64.S, idtentry_vc', 'semantics VE-24, VC-02, IDT-04'],
  bad: [
    { title: 'The switch first, the copy second', files: { 'entry.S': stub(late(' #~ copy-then-switch-atomicity') + '\tmovq\t%rsp, %rdi\n'), 'design.c': HANDLER } },
    { title: 'C code gets the old frame', files: { 'entry.S': stub(whole('\tmovq\t%rbx, %rdi\n'), ' #~ copy-then-switch-atomicity'), 'design.c': HANDLER } },
  ],
  good: [{ title: 'The copy first, and nothing but the copy behind', files: { 'entry.S': stub(whole('\tmovq\t%rsp, %rdi\n')), 'design.c': HANDLER } }],
  judge: null,
  path: { at: ['call', 'memory', 'string'], monitor: null, judge },
  inspect: null,
  fix: null,
};
