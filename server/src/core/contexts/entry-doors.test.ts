// Doors and calls as releases differ in them: a system call's gate, the argument of fixup_bad_iret(), operations that go
// through a table before boot patches them. Each in the small kernel, with what must be said of it and what must not.
import assert from 'node:assert/strict';
import { kernelOf, kernelTable, kernelText } from '../../testing/kernel.ts';
import { createKernelRun } from '../review/kernel-run.ts';
import type { KernelRun } from '../review/kernel-run.ts';
import { RULES } from '../rules/index.ts';

async function run(text: string, table: string = kernelTable): Promise<KernelRun> {
  const made = createKernelRun(await kernelOf(text, table), RULES);
  while (!made.advance(50_000));
  return made;
}

/** What the small kernel gives up as it is: its NMIs and machine checks stay on their stacks, whoever they are of, and no fault of an IRET is told. */
const GIVEN_UP: ReadonlySet<string> = new Set(['user-origin-stays-on-ist', 'handler-of-other-origin', 'iret-fault-unhandled']);

function messages(made: KernelRun): readonly string[] {
  return made.reports().flatMap((report) => report.findings.filter(({ rule }) => !GIVEN_UP.has(rule)).map((finding) => `${finding.rule}: ${finding.message}`));
}

async function said(text: string, table: string = kernelTable): Promise<readonly string[]> {
  return messages(await run(text, table));
}

function replaced(text: string, old: string, by: string): string {
  assert.equal(text.split(old).length, 2, `${old} stands once`);
  return text.replace(old, () => by);
}

/** INT 0x80 with a stub of its own: it asks nobody where it comes from. */
function systemCallStub(name: string, leave = ''): string {
  return `${kernelText}
	.globl	${name}
${name}:
	clac
	cld
	swapgs
	pushq	%rax
	pushq	%rdi
	movq	%rsp, %rdi
	movq	%gs:cpu_current_top_of_stack(%rip), %rsp
	pushq	6*8(%rdi)
	pushq	5*8(%rdi)
	pushq	4*8(%rdi)
	pushq	3*8(%rdi)
	pushq	2*8(%rdi)
	pushq	1*8(%rdi)
	movq	(%rdi), %rdi
	SAVE
	movq	%rsp, %rdi
	call	do_int80
	RESTORE
${leave}	swapgs
	iretq
`;
}

const gate = (row: string): string => `#define IA32_SYSCALL_VECTOR 0x80\n${replaced(kernelTable, '};', `\t${row},\n};`)}`;
const SYSTEM_CALL = gate('SYSG(IA32_SYSCALL_VECTOR, entry_INT80)');

describe('the small kernel', () => {
  it('has no finding but what it gives up', async () => {
    assert.deepEqual(await said(kernelText), []);
  });
});

describe('a gate that INT n goes through in user mode', () => {
  it('is taken from user mode alone', async () => {
    const made = await run(systemCallStub('entry_INT80'), SYSTEM_CALL);
    assert.deepEqual(messages(made), []);
    const { program } = made.analysis;
    const starts = new Set(made.analysis.reached(program.code.symbols.get('entry_INT80') ?? -1).map(({ start }) => `${start.door.kind}, CPL ${start.interrupted.cpu.cpl}`));
    assert.deepEqual([...starts], ['software-interrupt, CPL 3']);
  });

  it('is an event of any mode where no INT n can open it, or its stub is one for events', async () => {
    for (const [stub, table] of [['entry_INT80', gate('INTG(IA32_SYSCALL_VECTOR, entry_INT80)')], ['asm_int80', gate('SYSG(IA32_SYSCALL_VECTOR, asm_int80)')]] as const) {
      const found = await said(systemCallStub(stub), table);
      assert.ok(found.some((one) => one.includes('INT 0x80 from kernel mode')), `${stub}: ${found.join('\n')}`);
    }
  });

  it('returns a result in RAX and gives back every register that INT n leaves alone', async () => {
    for (const allowed of ['\tmovl\t$1, %eax\n', '\txorl\t%r8d, %r8d\n\txorl\t%r11d, %r11d\n']) assert.deepEqual(await said(systemCallStub('entry_INT80', allowed), SYSTEM_CALL), [], allowed);
    for (const name of ['rcx', 'rbx', 'rdx', 'r12']) {
      const found = await said(systemCallStub('entry_INT80', `\tmovq\t%rsp, %${name}\n`), SYSTEM_CALL);
      assert.ok(found.some((one) => one.startsWith('registers-not-restored: ') && one.includes(`%${name} than INT 0x80 from user mode found`)), `%${name}: ${found.join('\n')}`);
    }
  });

  it('has a frame that pt_regs must have in its place', async () => {
    const found = await said(replaced(systemCallStub('entry_INT80'), '\tpushq\t1*8(%rdi)\n', ''), SYSTEM_CALL);
    assert.ok(found.some((one) => one.startsWith('error-code-frame-mismatch: do_int80() gets a pt_regs whose frame is off by one word')), found.join('\n'));
  });
});

/** A fault of the IRET to user mode is made to look like one of user mode; `before` words lie below pt_regs. */
function badIret(before: 0 | 1): string {
  const labelled = replaced(kernelText, '\tRESTORE\n\tswapgs\t\t\t# guard\n\tiretq\n.Lfrom_kernel:\n', '\tRESTORE\n\tswapgs\t\t\t# guard\n\t.globl\tnative_irq_return_iret\nnative_irq_return_iret:\n\tiretq\n.Lfrom_kernel:\n\tleaq\tnative_irq_return_iret(%rip), %rcx\n\tcmpq\t%rcx, 16*8(%rsp)\n\tje\t.Lbad_iret\n');
  return replaced(labelled, '\t.globl\tasm_exc_machine_check\n', `.Lbad_iret:
	swapgs
	lfence
${before === 1 ? '\tpushq\t$0\n' : ''}	movq	%rsp, %rdi
	call	fixup_bad_iret
	movq	%rax, %rsp
${before === 1 ? '\taddq\t$8, %rsp\n' : ''}	movq	%rsp, %rdi
	call	sync_regs
	movq	%rax, %rsp
	movq	%rsp, %rdi
	call	exc_general_protection
	RESTORE
	swapgs
	iretq

	.globl	asm_exc_machine_check
`);
}

const takes = (type: string): string => `struct ${type} *fixup_bad_iret(struct ${type} *argument);\n${kernelTable}`;

describe('fixup_bad_iret()', () => {
  it('takes and gives what its prototype says', async () => {
    assert.deepEqual(await said(badIret(0), takes('pt_regs')), []);
    assert.deepEqual(await said(badIret(0)), [], 'without a prototype');
    assert.deepEqual(await said(badIret(1), takes('bad_iret_stack')), []);
    for (const [before, type] of [[0, 'bad_iret_stack'], [1, 'pt_regs']] as const) {
      const found = await said(badIret(before), takes(type));
      assert.ok(found.some((one) => one.startsWith('error-code-frame-mismatch: fixup_bad_iret()')), `${type}: ${found.join('\n')}`);
    }
  });
});

describe('an operation that goes through the table of paravirt operations', () => {
  const leave = '\tRESTORE\n\tswapgs\t\t\t# guard\n\tiretq\n.Lfrom_kernel:\n';
  const assertion = (operation: string): string => `\tpushq\t%rax\n\tcall\t*(pv_ops+${operation})(%rip)\n\ttestl\t$0x200, %eax\n\tjz\t7f\n\tud2\n7:\tpopq\t%rax\n`;
  const through = (operation: string): string => replaced(kernelText, leave, `${assertion(operation)}\tRESTORE\n\tcall\t*(pv_ops+PV_CPU_swapgs)(%rip)\n\tjmp\t*(pv_ops+PV_CPU_iret)(%rip)\n\t.globl\tnative_iret\nnative_iret:\n\tiretq\n.Lfrom_kernel:\n`);

  it('is what boot leaves there', async () => {
    const made = await run(through('PV_IRQ_save_fl'));
    assert.deepEqual(messages(made), []);
    const { nodes, symbols } = made.analysis.program.code;
    assert.ok(made.analysis.reached(symbols.get('native_iret') ?? -1).some(({ state }) => state.cpu.gsBase.name.startsWith('user')), 'the return runs on the user GS base');
    assert.deepEqual(nodes.filter((node) => node.kind === 'instruction' && node.text.startsWith('ud2')).map(({ id }) => made.analysis.reached(id).length), [0]);
  });

  it('is unknown where no row names it', async () => {
    const { nodes } = (await run(through('PV_MMU_something'))).analysis.program.code;
    assert.ok(nodes.some((node) => node.kind === 'instruction' && node.mnemonic === 'call' && node.text.includes('PV_MMU_something') && node.targetName === null));
  });
});

describe('a routine that maintains predictors and buffers', () => {
  const behind = (routine: string): string => replaced(kernelText, '\tRESTORE\n\tswapgs\t\t\t# guard\n\tiretq\n.Lfrom_kernel:\n', `\tRESTORE\n\tcall\t${routine}\n\tswapgs\n\tiretq\n.Lfrom_kernel:\n`);

  it('changes the registers that its row names and no others', async () => {
    for (const [routine, lost] of [['entry_ibpb', '%rax, %rcx, %rdx'], ['srso_untrain_ret', '%rax'], ['retbleed_untrain_ret', null]] as const) {
      const found = (await said(behind(routine))).filter((one) => one.startsWith('registers-not-restored'));
      if (lost === null) assert.deepEqual(found, [], routine);
      else assert.ok(found.some((one) => one.includes(`another value in ${lost} than`)), `${routine}: ${found.join('\n')}`);
    }
  });
});
