// Instructions that kernel sources write as bytes, because assemblers of their day did not know them. Knows the byte
// sequences only; values come from the SDM's instruction reference.
import { printExpression, valueOf } from './expression.ts';
import { parseStatement } from './operands.ts';
import type { Expression, InstructionItem, Operand, StreamItem } from './stream.ts';

/** By bytes in hexadecimal. */
const encodings: ReadonlyMap<string, string> = new Map([
  ['0f01ca', 'clac'], ['0f01cb', 'stac'], ['f20f01ca', 'erets'], ['f30f01ca', 'eretu'], ['0f01f8', 'swapgs'],
  ['0f01c1', 'vmcall'], ['0f01c2', 'vmlaunch'], ['0f01c3', 'vmresume'], ['0f01d9', 'vmmcall'], ['660f01cc', 'tdcall'], ['660f01cd', 'seamret'], ['660f01ce', 'seamops'], ['660f01cf', 'seamcall'],
  ['0f01c6', 'wrmsrns'], ['0f01ee', 'rdpkru'], ['0f01ef', 'wrpkru'], ['0f01cf', 'encls'], ['0f01d7', 'enclu'], ['0f01c0', 'enclv'],
  ['0f0b', 'ud2'], ['cc', 'int3'], ['f1', 'int1'], ['d6', 'udb'], ['90', 'nop'], ['6690', 'data16 nop'], ['f390', 'pause'], ['f4', 'hlt'], ['fa', 'cli'], ['fb', 'sti'],
  ['c3', 'ret'], ['f3c3', 'repz ret'], ['48cf', 'iretq'], ['480f07', 'sysretq'], ['0f05', 'syscall'], ['0f34', 'sysenter'], ['0f35', 'sysexit'],
  ['f30f1efa', 'endbr64'], ['f30f1efb', 'endbr32'], ['0fa2', 'cpuid'], ['0f31', 'rdtsc'], ['0f30', 'wrmsr'], ['0f32', 'rdmsr'], ['0f09', 'wbinvd'], ['0f08', 'invd'],
  ['0faee8', 'lfence'], ['0faef0', 'mfence'], ['0faef8', 'sfence'], ['f30fc7f8', 'rdpid %rax'],
  ['0f1f00', 'nopl (%rax)'], ['0f1f4000', 'nopl 0(%rax)'], ['0f1f440000', 'nopl 0(%rax,%rax,1)'], ['660f1f440000', 'nopw 0(%rax,%rax,1)'], ['0f1f8000000000', 'nopl 0(%rax)'], ['0f1f840000000000', 'nopl 0(%rax,%rax,1)'],
]);

const code = /text|fixup|replacement|head|trampoline/;

/** The items with `decoded` set; a relative branch of two statements becomes one. */
export function decodeData(items: readonly StreamItem[]): StreamItem[] {
  const out: StreamItem[] = [];
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    if (item.kind !== 'data' || item.size !== 1 || item.values.length === 0 || !code.test(item.section)) {
      out.push(item);
      continue;
    }
    const made = decode(item.values);
    if (made !== null) {
      out.push({ ...item, decoded: instruction(item, made.mnemonic, made.operands) });
      continue;
    }
    const covering = decodeCovering(item, items, i);
    if (covering !== null) {
      out.push({ ...item, decoded: covering });
      continue;
    }
    const following = items[i + 1];
    const opcode = item.values.length === 1 ? valueOf(item.values[0]!) : null;
    const target = following?.kind === 'data' && following.size === 4 && following.values.length === 1 && following.section === item.section ? branchTarget(following.values[0]!) : null;
    if ((opcode === 0xe9n || opcode === 0xe8n) && target !== null && following?.kind === 'data') {
      out.push({ ...item, values: [...item.values, ...following.values], decoded: instruction(item, opcode === 0xe9n ? 'jmp' : 'call', [target]) });
      i++;
    } else out.push(item);
  }
  return out;
}

/** Bytes of the instructions that code hides in the operand of another one. */
const hidden: ReadonlyMap<string, string> = new Map([['ret', 'c3'], ['int3', 'cc'], ['lea 8(%rsp), %rsp', '488d642408']]);

/** Opcodes written alone, with what the instructions behind them then are to the processor. */
const openings: ReadonlyMap<string, { readonly bytes: number; readonly decode: (hidden: string) => string | null }> = new Map([
  ['f6', { bytes: 2, decode: (bytes) => (bytes.startsWith('c3') ? `testb $0x${bytes.slice(2)}, %bl` : null) }],
  ['48b8', { bytes: 8, decode: (bytes) => `movabs $0x${bytes.match(/../g)!.reverse().join('')}, %rax` }],
]);

/** An instruction that ends in the middle of the statements behind it: run from there, they are something else. */
function decodeCovering(item: Extract<StreamItem, { kind: 'data' }>, items: readonly StreamItem[], at: number): InstructionItem | null {
  const opening = openings.get(item.values.map((value) => (valueOf(value) ?? -1n).toString(16)).join(''));
  if (opening === undefined) return null;
  let bytes = '';
  let covers = 0;
  for (let i = at + 1; i < items.length && bytes.length < opening.bytes * 2; i++) {
    const next = items[i]!;
    if (next.section !== item.section || next.kind !== 'instruction') continue;
    bytes += hidden.get(next.text) ?? '?'.repeat(opening.bytes * 2 + 1);
    covers++;
  }
  const written = bytes.length === opening.bytes * 2 ? opening.decode(bytes) : null;
  return written === null ? null : { ...instruction(item, written, []), covers };
}

/** `target - . - 4` or `target - (. + 4)`. */
function branchTarget(value: Expression): Operand | null {
  if (value.kind !== 'binary' || value.operator !== '-') return null;
  const four = (each: Expression): boolean => each.kind === 'number' && each.value === 4n;
  let target: Expression | null = null;
  if (four(value.right) && value.left.kind === 'binary' && value.left.operator === '-' && value.left.right.kind === 'here') target = value.left.left;
  else if (value.right.kind === 'binary' && value.right.operator === '+' && value.right.left.kind === 'here' && four(value.right.right)) target = value.left;
  return target === null ? null : memory(target);
}

function memory(displacement: Expression): Operand {
  return { kind: 'memory', segment: null, displacement, base: null, index: null, scale: 1, indirect: false };
}

function decode(values: readonly Expression[]): { readonly mnemonic: string; readonly operands: readonly Operand[] } | null {
  if (values.length > 15) return null;
  const first = valueOf(values[0]!);
  const second = values[1];
  if (values.length === 2 && second !== undefined) {
    // PUSH imm8 sign-extends its operand.
    if (first === 0x6an) return { mnemonic: 'push', operands: [{ kind: 'immediate', value: second.kind === 'number' ? { kind: 'number', value: BigInt.asIntN(8, second.value) } : second }] };
    if (first === 0xcdn) return { mnemonic: 'int', operands: [{ kind: 'immediate', value: second }] };
    if (first === 0xebn && second.kind === 'number') {
      return { mnemonic: 'jmp', operands: [memory({ kind: 'binary', operator: '+', left: { kind: 'here' }, right: { kind: 'number', value: BigInt.asIntN(8, second.value) + 2n } })] };
    }
  }
  let bytes = '';
  for (const value of values) {
    const byte = valueOf(value);
    if (byte === null) return null;
    bytes += BigInt.asUintN(8, byte).toString(16).padStart(2, '0');
  }
  const known = encodings.get(bytes);
  return known === undefined ? null : { mnemonic: known, operands: [] };
}

function instruction(item: Extract<StreamItem, { kind: 'data' }>, written: string, operands: readonly Operand[]): InstructionItem {
  const parsed = parseStatement(written);
  const shown = operands.map(printOperand).join(', ');
  return {
    kind: 'instruction', prefixes: parsed.prefixes, mnemonic: parsed.mnemonic, operands: operands.length > 0 ? operands : parsed.operands,
    text: shown === '' ? parsed.text : `${parsed.text} ${shown}`, origin: item.origin, section: item.section,
  };
}

function printOperand(operand: Operand): string {
  if (operand.kind === 'immediate') return `$${printExpression(operand.value)}`;
  return operand.kind === 'memory' && operand.displacement !== null ? printExpression(operand.displacement) : '';
}
