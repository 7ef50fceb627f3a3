// Instructions on partly known operands: every flag and bit that is known afterwards is what each value that fits gives,
// and what the entry code of kernels asks for is decided.
import assert from 'node:assert/strict';
import { machineOf, step, until } from '../../../testing/machine.ts';
import type { Machine } from '../../../testing/machine.ts';
import { ARITHMETIC, CF, OF, PF, SF, ZF } from '../state.ts';
import type { State } from '../state.ts';
import { ALL, constant, opaque, SIGN, word } from '../word.ts';
import type { Word } from '../word.ts';

const RAX = 0;
const RBX = 3;
const codes = ['cmpb %bl, %al', 'addb %bl, %al', 'subb %bl, %al', 'testb %bl, %al', 'andb %bl, %al', 'orb %bl, %al', 'xorb %bl, %al', 'adcb %bl, %al', 'sbbb %bl, %al', 'incb %al', 'decb %al', 'negb %al', 'notb %al', 'shlb %al', 'shrb %al', 'sarb %al', 'shlb $3, %al', 'sarb $2, %al', 'cmpq %rbx, %rax', 'testl %edx, %edx', 'btsq $12, %rax', 'btq $63, %rax'];

describe('partly known operands', () => {
  let machine: Machine;
  before(async () => {
    machine = await machineOf(codes.map((code, at) => `SYM_INNER_LABEL(case${at})\n\t${code}`).join('\n'));
  });

  const run = (code: string, rax: Word, rbx: Word, carry = false): State => {
    const start = machine.at('kernel', `case${codes.indexOf(code)}`);
    const registers = start.registers.map((one, at) => (at === RAX ? rax : at === RBX ? rbx : at === 2 ? rax : one));
    return step(machine, { ...start, registers, flags: constant(carry ? 2n | CF : 2n) }).state;
  };
  const flag = (state: State, bit: bigint): boolean | null => ((state.flags.known & bit) === 0n ? null : (state.flags.value & bit) !== 0n);

  const samples: readonly (readonly [known: bigint, value: bigint])[] = [
    [0xffn, 0x00n], [0xffn, 0x7fn], [0xffn, 0x80n], [0xffn, 0xffn], [0x80n, 0x00n], [0x80n, 0x80n], [0xf1n, 0x51n], [0x0fn, 0x08n], [0xfen, 0x7en], [0xfcn, 0x00n], [0xf0n, 0xf0n], [0x3fn, 0x20n],
  ];
  const bytes = samples.map(([known, value]) => word(known | (ALL - 0xffn), value, ''));
  const fits = (sample: Word): readonly bigint[] => Array.from({ length: 256 }, (_, at) => BigInt(at)).filter((value) => (value & sample.known) === (sample.value & 0xffn));

  const some = (all: readonly bigint[]): readonly bigint[] => all.filter((_, at) => at % Math.ceil(all.length / 5) === 0 || at === all.length - 1);

  for (const code of codes.slice(0, 18)) {
    it(`${code}: what is known afterwards holds for every value`, function () {
      this.timeout(30_000);
      const unary = !code.includes('%bl');
      for (const a of bytes) {
        for (const b of unary ? bytes.slice(0, 1) : bytes) {
          const after = run(code, a, b, true);
          for (const x of unary ? fits(a) : some(fits(a))) {
            for (const y of unary ? [0n] : some(fits(b))) {
              const exact = run(code, constant(x), constant(y), true);
              const flags = after.flags.known & exact.flags.known;
              assert.equal(after.flags.value & flags, exact.flags.value & flags, `${code}: ${x} and ${y}`);
              assert.equal(after.flags.known & ~exact.flags.known & ARITHMETIC, 0n, `${code}: knows a flag that is undefined`);
              const [result, value] = [after.registers[RAX], exact.registers[RAX]];
              assert.equal((result?.value ?? 0n) & (result?.known ?? 0n), (value?.value ?? 0n) & (result?.known ?? 0n), `${code}: ${x} and ${y}`);
            }
          }
        }
      }
    });
  }

  it('a user pointer is below every kernel address', () => {
    const pointer = opaque('user RSP', SIGN, 0n);
    const below = run('cmpq %rbx, %rax', pointer, constant(0xffff_8000_0100_0000n));
    const above = run('cmpq %rbx, %rax', constant(0xffff_8000_0100_0000n), pointer);
    assert.deepEqual([flag(below, CF), flag(below, ZF), flag(above, CF), flag(above, ZF)], [true, false, false, false]);
  });

  it('a value equals itself', () => {
    const value = opaque('user R12');
    const after = run('cmpq %rbx, %rax', value, value);
    assert.deepEqual([ZF, CF, SF, OF, PF].map((bit) => flag(after, bit)), [true, false, false, false, true]);
  });

  it('the sign of a GS base decides in the upper half', () => {
    assert.equal(flag(run('testl %edx, %edx', word((ALL << 31n) & ALL, 1n << 31n, 'upper half'), constant(0n)), SF), true);
    assert.equal(flag(run('testl %edx, %edx', word((ALL << 31n) & ALL, 0n, 'upper half'), constant(0n)), SF), false);
  });

  it('bits of a CR3 image are tested and set whatever the others are', () => {
    const image = opaque('image', SIGN | 0x1800n, 0n);
    const after = run('btsq $12, %rax', image, constant(0n));
    assert.deepEqual([flag(after, CF), (after.registers[RAX]?.value ?? 0n) & 0x1800n, after.registers[RAX]?.name], [false, 0x1000n, 'image|0x1000']);
    assert.equal(flag(run('btq $63, %rax', image, constant(0n)), CF), false);
  });
});

describe('values that go through the halves of a register', () => {
  const code = `	movl	$0x48, %ecx
	rdmsr
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, %r15
	movl	$0x48, %ecx
	movl	$1, %eax
	xorl	%edx, %edx
	wrmsr
SYM_INNER_LABEL(changed)
	movl	$0x48, %ecx
	mov	%r15, %rdx
	mov	%r15d, %eax
	shr	$32, %rdx
	wrmsr
SYM_INNER_LABEL(restored)
	movl	$0xc0000101, %ecx
	rdmsr
	wrmsr
	mov	%cr3, %rax
	bts	$63, %rax
	andq	$~0x1800, %rax
	mov	%rax, %cr3
SYM_INNER_LABEL(kernel_cr3)
	movq	%cr3, %r14
	orq	$0x1800, %r14
	movq	%r14, %cr3
SYM_INNER_LABEL(user_cr3)
	movl	%edi, %gs`;

  it('IA32_SPEC_CTRL, the GS base and CR3 come back as they were', async () => {
    const machine = await machineOf(code);
    const start = machine.at('user');
    const cr3 = opaque('CR3 image', SIGN | 0x1800n, 0x1800n);
    const first: State = { ...start, cpu: { ...start.cpu, cr3, cpl: 0 } };
    const changed = until(machine, first, 'changed');
    assert.equal(changed.cpu.specCtrl, constant(1n));
    const restored = until(machine, changed, 'restored');
    assert.equal(restored.cpu.specCtrl, first.cpu.specCtrl);
    const kernel = until(machine, restored, 'kernel_cr3');
    assert.equal(kernel.cpu.gsBase, first.cpu.gsBase);
    assert.deepEqual([kernel.cpu.cr3.value, kernel.cpu.cr3.known & 0x1800n, kernel.cpu.cr3.known & SIGN], [0n, 0x1800n, SIGN]);
    const user = until(machine, kernel, 'user_cr3');
    assert.equal(user.cpu.cr3, cr3);
    const loaded = step(machine, user).state.cpu.gsBase;
    assert.deepEqual([loaded.name, loaded.known], ['base of GS user RDI[15:0]', ALL - 0xffff_ffffn]);
  });
});
