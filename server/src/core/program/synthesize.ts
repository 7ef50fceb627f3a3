// Code that stands in where the unit shows none: a plain stub around a C handler, fixup_exception(), and the handlers
// that a scenario gives as a list of operations.
import type { Origin, Place } from '../base/span.ts';
import type { CExpression, CodeNode, ExtableEntry, InstructionNode, MachineOperand, NodeId, Operation, RegisterIndex } from '../machine/code.ts';
import { RDI, RSP } from '../machine/registers.ts';
import { EXTABLE_HANDLERS } from '../kernel/primitives.ts';
import type { Names } from './link-assembler.ts';

function originOf(place: Place | null): Origin {
  return { file: place?.file ?? '', span: place?.span ?? { start: 0, end: 0 }, uses: [] };
}

const register = (index: RegisterIndex): MachineOperand => ({ kind: 'register', register: index, size: 8, high: false });
const immediate = (value: bigint): MachineOperand => ({ kind: 'immediate', value });
const onStack = (offset: bigint): MachineOperand => ({ kind: 'memory', segment: null, displacement: offset, base: RSP, index: null, scale: 1 });

/** Order in which a stub pushes the registers of pt_regs (arch/x86/entry/calling.h, PUSH_REGS). */
export const PUSHED: readonly RegisterIndex[] = [7, 6, 2, 1, 0, 8, 9, 10, 11, 3, 5, 12, 13, 14, 15];
const PT_REGS_BYTES = 0xa8n;
const PT_REGS_WORDS = 21n;

interface Builder {
  readonly nodes: InstructionNode[];
  readonly add: (text: string, operands: readonly MachineOperand[], target?: NodeId | null, targetName?: string | null) => NodeId;
}

function builder(from: NodeId, symbol: string, place: Place | null): Builder {
  const nodes: InstructionNode[] = [];
  const origin = originOf(place);
  return {
    nodes,
    add: (text, operands, target = null, targetName = null) => {
      const id = from + nodes.length;
      const mnemonic = text.split(' ')[0] ?? text;
      const [prefix, rest] = mnemonic === 'rep' ? [['rep'], text.split(' ')[1] ?? ''] : [[], mnemonic];
      nodes.push({ kind: 'instruction', id, symbol, text, origin, mnemonic: rest, prefixes: prefix, operands, next: mnemonic === 'iretq' ? null : id + 1, target, targetName });
      return id;
    },
  };
}

/**
 * A stub that does what every stub must and nothing else: pt_regs, the switch to the task stack from user mode, the
 * call, the return. C code reaches per-CPU data without GS here, so GS is left alone; that is an assumption.
 */
export function plainStub(from: NodeId, name: string, callee: NodeId, calleeName: string, errorCode: boolean, taskTop: bigint, place: Place | null): readonly InstructionNode[] {
  const code = builder(from, name, place);
  // DEL-03: the direction flag is still the interrupted code's.
  code.add('cld', []);
  if (!errorCode) code.add('pushq $-1', [immediate(-1n)]);
  for (const index of PUSHED) code.add('pushq register', [register(index)]);
  code.add('movq %rsp, %rdi', [register(RSP), register(RDI)]);
  code.add('testb $3, CS(%rsp)', [immediate(3n), onStack(0x88n)]);
  const jump = code.add('je 1f', []);
  code.add('movq %rsp, %rsi', [register(RSP), register(6)]);
  code.add('movq $task_regs, %rdi', [immediate(taskTop - PT_REGS_BYTES), register(RDI)]);
  code.add('movl $21, %ecx', [immediate(PT_REGS_WORDS), register(1)]);
  code.add('rep movsq', []);
  code.add('movq $task_regs, %rsp', [immediate(taskTop - PT_REGS_BYTES), register(RSP)]);
  code.add('movq %rsp, %rdi', [register(RSP), register(RDI)]);
  const call = code.add(`call ${calleeName}`, [], callee, calleeName);
  for (const index of [...PUSHED].reverse()) code.add('popq register', [register(index)]);
  code.add('addq $8, %rsp', [immediate(8n), register(RSP)]);
  code.add('iretq', []);
  return code.nodes.map((node) => (node.id === jump ? { ...node, target: call } : node));
}

const local = (slot: number): CExpression => ({ kind: 'local', slot });
const number = (value: bigint): CExpression => ({ kind: 'constant', value });

/**
 * fixup_exception(regs, trapnr, error_code, address) (arch/x86/mm/extable.c): finds the entry, runs the handler of its
 * type where the unit has one, and otherwise moves the saved RIP to the landing pad.
 */
export function fixupException(from: NodeId, extable: readonly ExtableEntry[], names: Names): readonly CodeNode[] {
  const operations: { readonly text: string; readonly operation: Operation }[] = [];
  const entry = 4;
  const add = (text: string, operation: Operation): void => {
    operations.push({ text, operation });
  };
  const next = (): NodeId => from + operations.length + 1;
  add('fixup_exception(regs, trapnr, error_code, address)', { kind: 'enter', parameters: 4, slots: 6, next: next() });
  add('search the exception table for regs->ip', { kind: 'primitive', name: '__search_extable', arguments: [local(0)], result: entry, next: next(), fixup: null });
  add('no entry', { kind: 'branch', condition: local(entry), then: from + 4, otherwise: from + 3 });
  add('return 0', { kind: 'return', value: number(0n), slots: 6 });
  extable.forEach((row, index) => {
    const handler = (EXTABLE_HANDLERS.get(row.type) ?? []).map((name) => ({ name, node: names.function(name) })).find((one) => one.node !== null);
    if (handler === undefined || handler.node === null) return;
    const at = from + operations.length;
    add(`entry ${index + 1} has type ${row.type}`, { kind: 'branch', condition: { kind: 'binary', operator: '==', left: local(entry), right: number(BigInt(index + 1)) }, then: at + 1, otherwise: at + 2 });
    add(`${handler.name}(entry, regs, ...)`, { kind: 'call', callee: handler.node, name: handler.name, arguments: [local(entry), local(0), local(1), local(2), local(3)], result: null, next: at + 2 });
  });
  add('regs->ip = landing pad', { kind: 'primitive', name: '__continue_at_fixup', arguments: [local(0)], result: null, next: next(), fixup: null });
  add('return 1', { kind: 'return', value: number(1n), slots: 6 });
  return operations.map(({ text, operation }, index) => ({ kind: 'operation', id: from + index, symbol: 'fixup_exception', text, origin: originOf(null), operation }));
}
