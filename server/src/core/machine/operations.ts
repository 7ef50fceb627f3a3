// The steps of C functions on the machine: locals are stack slots, arguments are in registers, calls push a return
// address. Calls of kernel primitives act by their row; anything else that is not in view is opaque, and said to be.
import type { CExpression, Operation, OperationNode } from './code.ts';
import type { MachineSetup, PrimitiveBehaviour } from './config.ts';
import { pop, push } from './carry.ts';
import { changeCpu, fork, load, register, setRegister, stackPointer, store } from './draft.ts';
import type { Draft } from './draft.ts';
import { settleFrame } from './frames.ts';
import { evaluate, lowBits } from './expressions.ts';
import { noteIrqsEnabled, onLiveRewindingStack } from './instructions/system.ts';
import { unblockNmi } from './instructions/returns.ts';
import { fetchVeInformation } from './instructions/virtual.ts';
import { readMsr, writeMsr } from './msr.ts';
import { addressOfNode, nameAddress, nodeAtAddress } from './layout.ts';
import { ARGUMENT_REGISTERS, CALLER_SAVED, RAX, RSP } from './registers.ts';
import { IF } from './state.ts';
import { and, constant, equal, isConstant, ONE, opaque, or, UNKNOWN, ZERO } from './word.ts';
import type { Word } from './word.ts';

/** Offset of the saved RIP in pt_regs (arch/x86/include/asm/ptrace.h). */
export const PT_REGS_IP = 0x80n;


function setSlot(draft: Draft, setup: MachineSetup, slot: number | null, value: Word): void {
  const rsp = stackPointer(draft);
  if (slot === null || rsp === null) return;
  store(draft, setup, rsp + BigInt(slot * 8), 8, value);
}

function to(draft: Draft, node: number): readonly Draft[] {
  draft.node = node;
  return [draft];
}

/** Takes one step of a C function; several drafts where a condition or a result is not known. */
export function runOperation(draft: Draft, setup: MachineSetup, node: OperationNode): readonly Draft[] {
  const operation = node.operation;
  switch (operation.kind) {
    case 'enter': {
      settleFrame(draft, setup);
      const rsp = stackPointer(draft);
      if (rsp === null) return to(draft, operation.next);
      const base = rsp - BigInt(operation.slots * 8);
      setRegister(draft, RSP, constant(base));
      for (let slot = 0; slot < operation.slots; slot += 1) {
        const argument = slot < operation.parameters ? ARGUMENT_REGISTERS[slot] : undefined;
        store(draft, setup, base + BigInt(slot * 8), 8, argument === undefined ? UNKNOWN : register(draft, argument));
      }
      for (const index of CALLER_SAVED) setRegister(draft, index, UNKNOWN);
      return to(draft, operation.next);
    }
    case 'assign':
      setSlot(draft, setup, operation.slot, evaluate(draft, setup, operation.value));
      return to(draft, operation.next);
    case 'result':
      setSlot(draft, setup, operation.slot, register(draft, RAX));
      setRegister(draft, RAX, UNKNOWN);
      return to(draft, operation.next);
    case 'store':
      return storeStep(draft, setup, operation);
    case 'branch':
      return branch(draft, setup, operation);
    case 'call': {
      const values = operation.arguments.map((argument) => evaluate(draft, setup, argument));
      values.forEach((value, index) => {
        const target = ARGUMENT_REGISTERS[index];
        if (target !== undefined) setRegister(draft, target, value);
      });
      push(draft, setup, constant(addressOfNode(operation.next, false)));
      return to(draft, operation.callee);
    }
    case 'opaque':
      // What a call is given is read before it, whatever the call does.
      for (const argument of operation.arguments) evaluate(draft, setup, argument);
      draft.effects.push({ kind: 'unknown', what: `call of ${operation.name}(), which is not in view` });
      setSlot(draft, setup, operation.result, UNKNOWN);
      return to(draft, operation.next);
    case 'primitive': {
      const row = setup.primitives.get(operation.name);
      return row === undefined ? to(draft, operation.next) : primitive(draft, setup, operation, row);
    }
    case 'return':
      return returnFromC(draft, setup, operation.value, operation.slots);
  }
}

function storeStep(draft: Draft, setup: MachineSetup, operation: Operation & { kind: 'store' }): readonly Draft[] {
  const address = evaluate(draft, setup, operation.address);
  const value = lowBits(evaluate(draft, setup, operation.value), operation.size);
  if (operation.previous !== undefined) {
    const old = isConstant(address) ? load(draft, setup, address.value, operation.size) : UNKNOWN;
    setSlot(draft, setup, operation.previous, old);
  }
  if (isConstant(address) && store(draft, setup, address.value, operation.size, value)) {
    draft.effects.push({ kind: 'store', address: nameAddress(setup.layout, address.value), value: isConstant(value) ? value.value.toString() : '?' });
  }
  return to(draft, operation.next);
}

function branch(draft: Draft, setup: MachineSetup, operation: Operation & { kind: 'branch' }): readonly Draft[] {
  const zero = equal(evaluate(draft, setup, operation.condition), ZERO);
  if (zero !== null) return to(draft, zero ? operation.otherwise : operation.then);
  const other = fork(draft);
  refine(draft, setup, operation.condition, true);
  refine(other, setup, operation.condition, false);
  return [...to(draft, operation.then), ...to(other, operation.otherwise)];
}

/** A branch on an unknown local settles it, so that a second test of it agrees with the first. */
function refine(draft: Draft, setup: MachineSetup, condition: CExpression, taken: boolean): void {
  if (condition.kind === 'unary' && condition.operator === '!') {
    refine(draft, setup, condition.operand, !taken);
    return;
  }
  if (condition.kind !== 'local') return;
  const rsp = register(draft, RSP);
  if (!isConstant(rsp)) return;
  const address = rsp.value + BigInt(condition.slot * 8);
  store(draft, setup, address, 8, taken ? TRUE_VALUE : ZERO);
}

/** Not zero: one known bit stands for it. */
const TRUE_VALUE = opaque('nonzero', 1n, 1n);

function returnFromC(draft: Draft, setup: MachineSetup, value: CExpression | null, slots: number): readonly Draft[] {
  const result = value === null ? UNKNOWN : evaluate(draft, setup, value);
  const rsp = stackPointer(draft);
  if (rsp === null) {
    draft.ended = 'left-code';
    return [draft];
  }
  for (let slot = 0; slot < slots; slot += 1) store(draft, setup, rsp + BigInt(slot * 8), 8, UNKNOWN);
  setRegister(draft, RSP, constant(rsp + BigInt(slots * 8)));
  const address = pop(draft, setup);
  store(draft, setup, rsp + BigInt(slots * 8), 8, UNKNOWN);
  for (const index of CALLER_SAVED) setRegister(draft, index, UNKNOWN);
  setRegister(draft, RAX, result);
  const node = isConstant(address) ? nodeAtAddress(address.value) : null;
  if (node === null || setup.code.nodes[node] === undefined) {
    draft.effects.push({ kind: 'unknown', what: 'the return address is not known' });
    draft.ended = 'left-code';
    return [draft];
  }
  return to(draft, node);
}

function primitive(draft: Draft, setup: MachineSetup, operation: Operation & { kind: 'primitive' }, row: PrimitiveBehaviour): readonly Draft[] {
  const argument = (index: number): Word => {
    const expression = operation.arguments[index];
    return expression === undefined ? UNKNOWN : evaluate(draft, setup, expression);
  };
  let result: Word = UNKNOWN;
  switch (row.effect) {
    case 'irq-enable':
      draft.flags = or(draft.flags, constant(IF));
      noteIrqsEnabled(draft, onLiveRewindingStack({ draft, setup }));
      break;
    case 'irq-disable':
      draft.flags = and(draft.flags, constant(~IF));
      break;
    case 'irq-save':
      result = and(draft.flags, constant(IF));
      draft.flags = and(draft.flags, constant(~IF));
      break;
    case 'irq-restore': {
      const on = and(argument(0), constant(IF));
      const off = equal(on, ZERO);
      if (off === false) {
        draft.flags = or(draft.flags, constant(IF));
        noteIrqsEnabled(draft, onLiveRewindingStack({ draft, setup }));
      }
      break;
    }
    case 'self-ipi': {
      const vector = argument(operation.arguments.length - 1);
      postVector(draft, isConstant(vector) ? Number(vector.value) : null, operation.name);
      break;
    }
    case 'irq-work':
      postVector(draft, setup.irqWorkVector, operation.name);
      break;
    case 'task-work':
      if (!draft.pending.some((pending) => pending.kind === 'user-return')) draft.pending = [...draft.pending, { kind: 'user-return', vector: -1 }];
      draft.effects.push({ kind: 'pending', vector: -1, via: operation.name });
      result = ZERO;
      break;
    case 'no-return':
      draft.ended = 'panic';
      draft.effects.push({ kind: 'ended', why: `${operation.name}()` });
      return [draft];
    case 'read-cr2':
      result = draft.cpu.cr2;
      break;
    case 'write-cr2':
      changeCpu(draft, { cr2: argument(0) });
      break;
    case 'wrmsr': {
      const number = argument(0);
      if (isConstant(number)) writeMsr(draft, setup, number.value & 0xffff_ffffn, argument(1));
      break;
    }
    case 'rdmsr': {
      const number = argument(0);
      result = isConstant(number) ? readMsr(draft, setup, number.value & 0xffff_ffffn) : UNKNOWN;
      break;
    }
    case 'search-extable':
      result = searchExtable(draft, setup, argument(0));
      break;
    case 'continue-at-fixup':
      continueAtFixup(draft, setup, argument(0));
      break;
    case 'default-fixup':
      continueAtFixup(draft, setup, argument(1));
      result = ONE;
      break;
    case 'fixup-address':
      result = fixupAddress(setup, argument(0));
      break;
    case 'user-access':
      result = ZERO;
      break;
    case 'smp-id':
      result = ZERO;
      break;
    case 'user-mode':
      result = userMode(draft, setup, argument(0));
      break;
    case 'tdx-get-ve-info':
      fetchVeInformation(draft, setup);
      break;
    case 'nmi-complete':
      unblockNmi(draft);
      break;
    case 'nothing':
    case 'opaque':
      for (const one of operation.arguments) evaluate(draft, setup, one);
      break;
  }
  setSlot(draft, setup, operation.result, result);
  return to(draft, operation.next);
}

/** IF-01: a self-IPI waits in the IRR; the same vector coalesces. */
function postVector(draft: Draft, vector: number | null, via: string): void {
  if (vector === null) {
    draft.effects.push({ kind: 'unknown', what: `${via}(): the vector is not known` });
    return;
  }
  if (!draft.pending.some((pending) => pending.kind === 'irq' && pending.vector === vector)) {
    draft.pending = [...draft.pending, { kind: 'irq', vector }];
  }
  draft.effects.push({ kind: 'pending', vector, via });
}

/** 1 + the index of the exception-table entry for the interrupted instruction, 0 where there is none. */
function searchExtable(draft: Draft, setup: MachineSetup, regs: Word): Word {
  if (!isConstant(regs)) return UNKNOWN;
  const ip = load(draft, setup, regs.value + PT_REGS_IP, 8);
  const node = isConstant(ip) ? nodeAtAddress(ip.value) : null;
  const index = setup.code.extable.findIndex((entry) => entry.fault === node);
  return constant(BigInt(index + 1));
}

const PT_REGS_CS = PT_REGS_IP + 8n;

/** user_mode(regs): RPL 3 in the saved CS (arch/x86/include/asm/ptrace.h). */
function userMode(draft: Draft, setup: MachineSetup, regs: Word): Word {
  return isConstant(regs) ? and(load(draft, setup, regs.value + PT_REGS_CS, 8), constant(3n)) : UNKNOWN;
}

/** The landing pad of entry number `entry` - 1, as the search above numbers them. */
function fixupAddress(setup: MachineSetup, entry: Word): Word {
  const found = isConstant(entry) ? setup.code.extable[Number(entry.value) - 1] : undefined;
  return found === undefined ? UNKNOWN : constant(addressOfNode(found.fixup, false));
}

/** EXT-01: only the saved RIP changes; the landing pad runs after the exception's own return. */
function continueAtFixup(draft: Draft, setup: MachineSetup, regs: Word): void {
  if (!isConstant(regs)) return;
  const ip = load(draft, setup, regs.value + PT_REGS_IP, 8);
  const node = isConstant(ip) ? nodeAtAddress(ip.value) : null;
  const entry = setup.code.extable.find((one) => one.fault === node);
  if (entry === undefined) return;
  store(draft, setup, regs.value + PT_REGS_IP, 8, constant(addressOfNode(entry.fixup, false)));
  draft.effects.push({ kind: 'fixup', type: entry.type, at: entry.fault });
}

