// XR-VE07: code leaves an IST stack for the interrupted RSP without asking whether that is a kernel stack. Judged where
// the interrupted RSP is one that user space chose.
import { vectorTitle } from '../machine/vectors.ts';
import { isConstant } from '../machine/word.ts';
import { guardedWord } from './example-text.ts';
import type { Judgement, Observation, Rule } from './rule.ts';
import { placeOf, stackName } from './vocabulary.ts';

function judge(observation: Observation): readonly Judgement[] {
  const { program, before, node } = observation;
  const frame = before.frames.at(-1);
  if (frame === undefined || frame.cpl === 3 || isConstant(frame.rsp)) return [];
  return observation.effects
    .filter((effect) => effect.kind === 'stack-switch' && effect.userChosen)
    .map(() => ({
      place: placeOf(node),
      message: `${node.symbol} leaves the ${stackName(program, frame)} stack for the interrupted RSP: between SYSCALL and the load of the kernel's RSP that is the user's, and there might not be a kernel stack; check RIP and RSP first and use a stack of its own otherwise`,
      premises: [{ fact: `${vectorTitle(frame.vector)} interrupted kernel mode on a stack pointer that user space chose`, place: null, assumed: false }],
    }));
}

/** The stub of a handler that goes back to the interrupted stack; `check` is what it asks before. */
function stub(check: string, mark: string): string {
  return `/* xctx: handler vector=VE ist=VE */
.globl asm_demo_ve
asm_demo_ve:
	pushq	$-1
	pushq	%rdi
	pushq	%rsi
	pushq	%rcx
	pushq	%rax
	testb	$3, 6*8(%rsp)		/* CS */
	jnz	.Lstay
	movq	8*8(%rsp), %rax		/* interrupted RSP */
${check}	andq	$-16, %rax
	subq	$0x50, %rax
	movq	%rax, %rdi
	movq	%rsp, %rsi
	movl	$10, %ecx
	rep movsq
	movq	%rax, %rsp${mark}
	movl	$0, %gs:(ve_page + 4)(%rip)
.Lleave:
	popq	%rax
	popq	%rcx
	popq	%rsi
	popq	%rdi
	addq	$8, %rsp
	iretq
.Lstay:
	movq	%gs:top_of_stack(%rip), %rax
	subq	$0x50, %rax
	movq	%rax, %rdi
	movq	%rsp, %rsi
	movl	$10, %ecx
	rep movsq
	movq	%rax, %rsp
	movl	$0, %gs:(ve_page + 4)(%rip)
	jmp	.Lleave
`;
}

const declared = `${guardedWord('after-frame-move', 'stack')}DECLARE_PER_CPU(unsigned long, top_of_stack);
`;

export const unsafeSwitchOffIst: Rule = {
  name: 'unsafe-switch-off-ist',
  id: 'XR-VE07',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'an IST stack is left for the interrupted RSP, which may be one that user space chose',
  why: 'SYSCALL switches no stack. For two instructions the CPU is in kernel mode on the RSP that user mode left in the register. A handler that copies its frame to the interrupted stack writes kernel data, at CPL 0, wherever that points.',
  instead: 'Have a checker return the stack pointer to go to: reject the SYSCALL gap by RIP, accept an RSP only within a known kernel stack and with room to spare, and use a stack of its own otherwise.',
  falsePositives: ['A switch to the top of the task stack, as from user mode.', 'A switch to a per-CPU stack that does not come from the frame.'],
  references: ['SDM vol. 2, "SYSCALL - Fast System Call"', 'semantics VE-20, VC-02, SYS-03'],
  bad: [{ title: 'Copies the frame to wherever the interrupted RSP points', files: { 'entry.S': stub('', ' #~ unsafe-switch-off-ist'), 'design.c': declared } }],
  good: [
    {
      title: 'Uses the task stack where the interrupted RSP is not a kernel address',
      files: { 'entry.S': stub('\ttestq\t%rax, %rax\n\tjns\t.Lstay\n', ''), 'design.c': declared },
    },
  ],
  judge,
  inspect: null,
  fix: null,
};
