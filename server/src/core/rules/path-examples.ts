// An entry stub in parts, so that each example of the rules about entry paths shows only what differs.

export interface StubParts {
  readonly clac?: string;
  readonly cld?: string;
  readonly placeholder?: string;
  readonly clear?: string;
  readonly swap?: string;
  readonly call?: string;
  readonly unswap?: string;
  readonly leave?: string;
}

const PUSHED = ['rdi', 'rsi', 'rdx', 'rcx', 'rax', 'r8', 'r9', 'r10', 'r11', 'rbx', 'rbp', 'r12', 'r13', 'r14', 'r15'];

export const CLEARED = ['esi', 'edx', 'ecx', 'r8d', 'r9d', 'r10d', 'r11d', 'ebx', 'ebp', 'r12d', 'r13d', 'r14d', 'r15d'].map((name) => `\txorl\t%${name}, %${name}\n`).join('');

export const SWAP = `	testb	$3, 17*8(%rsp)
	jz	1f
	swapgs
1:	lfence
`;

export const UNSWAP = `	testb	$3, 17*8(%rsp)
	jz	2f
	swapgs
2:
`;

/** The CR3 that was there goes to R14 and the kernel's is loaded; GS is swapped for user mode. */
export const TO_KERNEL_CR3 = `	movq	%cr3, %r14
	movq	%r14, %rax
	andq	$~0x1800, %rax
	movq	%rax, %cr3
	testb	$3, 17*8(%rsp)
	jz	1f
	swapgs
1:	lfence
`;

/** The stub of #GP, which pushes an error code: saves and clears all registers, swaps GS from user mode, calls C. */
export function entryStub(parts: StubParts = {}): string {
  return `	.globl	asm_demo_gp
asm_demo_gp:
${parts.clac ?? '\tclac\n'}${parts.cld ?? '\tcld\n'}${parts.placeholder ?? ''}${PUSHED.map((name) => `\tpushq\t%${name}\n`).join('')}${parts.clear ?? CLEARED}${parts.swap ?? SWAP}	movq	%rsp, %rdi
${parts.call ?? '\tcall\tdemo_gp\n'}${parts.unswap ?? UNSWAP}${[...PUSHED].reverse().map((name) => `\tpopq\t%${name}\n`).join('')}${parts.leave ?? '\taddq\t$8, %rsp\n\tiretq\n'}`;
}

/** The C side of the stub above. */
export const handlerOfGp = `/* xctx: handler vector=GP */
void demo_gp(struct pt_regs *regs)
{
}
`;

/** Files of an example: the stub with the parts that differ, and its handler. */
export function stubFiles(parts: StubParts = {}): Readonly<Record<string, string>> {
  return { 'entry.S': entryStub(parts), 'design.c': handlerOfGp };
}
