// XR-VE07: code leaves an IST stack for the interrupted RSP without asking whether that is a kernel stack. Judged where
// the interrupted RSP is one that user space chose.
import { vectorTitle } from '../machine/vectors.ts';
import { isConstant } from '../machine/word.ts';
import { guardedWord, rearmInterrupt } from './example-text.ts';
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

/** A stub; `leave` is what it does on the IST stack in kernel mode. */
function stub(leave: string): string {
  return `.macro save
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
.endm
.macro restore
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
.endm
/* Copies the nine registers and the frame below RAX, and goes there. */
.macro move_to_rax
	subq	$14*8, %rax
	movq	%rax, %rdi
	movq	%rsp, %rsi
	movl	$14, %ecx
	rep movsq
	movq	%rax, %rsp
.endm

/* xctx: handler vector=VE ist=VE */
.globl asm_demo_ve
asm_demo_ve:
	cld
	save
	testb	$3, 10*8(%rsp)		/* CS */
	jnz	.Lfrom_user
${leave}	restore
	iretq
.Lfrom_user:
	swapgs
	movq	%gs:top_of_stack(%rip), %rax
	move_to_rax
	call	demo_ve_moved
	restore
	swapgs
	iretq
`;
}

const handlers = `${guardedWord('after-frame-move', 'stack')}DECLARE_PER_CPU(unsigned long, top_of_stack);

void demo_ve_moved(void)
{
	this_cpu_write(ve_page.busy, 0);
}

/* xctx: defers-to ve_rearm via=self-ipi */
/* xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back */
void demo_ve_on_ist(void)
{
	apic_self_ipi(0xf3);
}
${rearmInterrupt}`;

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
  bad: [
    {
      title: 'Copies the frame to wherever the interrupted RSP points',
      files: {
        'entry.S': stub('\tmovq\t12*8(%rsp), %rax\t\t/* interrupted RSP */\n\tandq\t$-16, %rax\n\tmove_to_rax #~ unsafe-switch-off-ist\n\tcall\tdemo_ve_moved\n'),
        'design.c': handlers,
      },
    },
  ],
  good: [{ title: 'Stays on the IST stack in kernel mode, and re-arms by an interrupt', files: { 'entry.S': stub('\tcall\tdemo_ve_on_ist\n'), 'design.c': handlers } }],
  judge,
  inspect: null,
  fix: null,
};
