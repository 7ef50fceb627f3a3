// Which stubs can tell the stack apart that their event interrupted: one with an IST stack has of it the saved RSP alone.
// Where paths do not look at that word, one context stands for those on all stacks; where they compare it with addresses
// and nothing else, for those between the same ones.
import { entryCall } from '../kernel/entry-calls.ts';
import type { InstructionNode, MachineOperand } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { draftOf, load } from '../machine/draft.ts';
import { linearAddress } from '../machine/instructions/row.ts';
import { stackOf } from '../machine/layout.ts';
import { RSP } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import { constant, isConstant } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import type { Handler } from '../program/program.ts';
import type { PathStep } from './entry-paths.ts';
import { createLooks } from './looks.ts';
import { outsideName } from './outside.ts';

export interface InterruptedStacks {
  /** Whether the handler's stub is not known to tell this context from those that are equal but for the stack. */
  readonly areAlike: (handler: Handler, interrupted: State) => boolean;
  /** Calls `start` unless it did for a context of that number that is like this one; else it may do so later. */
  readonly start: (handler: Handler, context: number, interrupted: State, start: () => void) => void;
  /** Is shown the steps of a path that stands for others. */
  readonly see: (step: PathStep) => void;
}

/** What is known of a handler: its contexts, those that were started from, and the addresses that RSP is compared with. */
interface Contexts {
  readonly addresses: bigint[];
  readonly begun: Set<string>;
  readonly waiting: Waiting[];
}

interface Waiting {
  readonly context: number;
  readonly rsp: bigint;
  readonly start: () => void;
  begun: boolean;
}

/** How a step depends on the word: not at all, by where it lies, or in a way that is not followed. */
type Dependence = 'none' | 'any' | { readonly comparedWith: bigint };

export function createInterruptedStacks(setup: MachineSetup): InterruptedStacks {
  const telling = new Set<number>();
  const known = new Map<number, Contexts>();
  const looks = createLooks();

  function contextsOf(vector: number): Contexts {
    const found = known.get(vector) ?? { addresses: [], begun: new Set(), waiting: [] };
    known.set(vector, found);
    return found;
  }

  function tells(vector: number): void {
    telling.add(vector);
    for (const one of known.get(vector)?.waiting ?? []) if (!one.begun) one.start();
    known.delete(vector);
  }

  const keyOf = ({ addresses }: Contexts, context: number, rsp: bigint): string => `${context} ${addresses.map((address) => (rsp < address ? '<' : rsp > address ? '>' : '=')).join('')}`;

  /** Contexts that were alike may lie on both sides of the address: each that was started from is asked for again. */
  function compares(vector: number, address: bigint): void {
    const contexts = contextsOf(vector);
    if (contexts.addresses.includes(address)) return;
    contexts.addresses.push(address);
    contexts.begun.clear();
    for (const { context, rsp, begun } of contexts.waiting) if (begun) contexts.begun.add(keyOf(contexts, context, rsp));
    for (const one of contexts.waiting) begin(contexts, one);
  }

  function begin(contexts: Contexts, one: Waiting): void {
    const key = keyOf(contexts, one.context, one.rsp);
    if (contexts.begun.has(key)) return;
    contexts.begun.add(key);
    one.begun = true;
    one.start();
  }

  function dependence({ node, before, calls, effects, after, start }: PathStep, saved: Word): Dependence {
    if (calls !== null) return ['returns', 'bool', 'no-return'].includes(entryCall(calls).effect) ? 'none' : 'any';
    if (node.kind === 'feature') return 'none';
    if (node.kind !== 'instruction' || before.registers[RSP] === saved) return 'any';
    if (/^(iret|eret|sysret|sysexit)/.test(node.mnemonic)) return returnsAlike() ? 'none' : 'any';
    if (outsideName(node) !== null) return 'none';
    const { registers, memory } = looks(node);
    if (!registers.some((index) => before.registers[index] === saved) && !memory.some((operand) => holds(before, operand, saved))) return 'none';
    return comparison(node, before, saved);

    /** A return takes what its event saved, or goes on in the stub; anything else that it takes is a finding on whatever stack. */
    function returnsAlike(): boolean {
      if (after.ended !== null) return true;
      return effects.some((effect) => effect.kind === 'return' && (effect.frame === null ? after.registers[RSP] !== saved : after.node === start.interrupted.node));
    }
  }

  function holds(state: State, operand: MachineOperand & { kind: 'memory' }, saved: Word): boolean {
    const draft = draftOf(state);
    const address = linearAddress(draft, operand);
    return !isConstant(address) || load(draft, setup, address.value & ~7n, 8) === saved;
  }

  /** The address that the whole word is compared with, by its order. */
  function comparison(node: InstructionNode, state: State, saved: Word): Dependence {
    if (!/^cmpq?$/.test(node.mnemonic)) return 'any';
    const words = node.operands.map((operand) => wordOf(state, operand));
    const other = words.find((word) => word !== saved);
    return words.includes(saved) && other !== undefined && other !== null && isConstant(other) ? { comparedWith: other.value } : 'any';
  }

  /** Eight bytes of an operand, null where it has fewer or nobody knows where they are. */
  function wordOf(state: State, operand: MachineOperand): Word | null {
    if (operand.kind === 'register') return operand.size === 8 ? (state.registers[operand.register] ?? null) : null;
    if (operand.kind === 'immediate') return constant(BigInt.asUintN(64, operand.value));
    if (operand.kind !== 'memory') return null;
    const draft = draftOf(state);
    const address = linearAddress(draft, operand);
    return isConstant(address) ? load(draft, setup, address.value, 8) : null;
  }

  return {
    areAlike: ({ vector, ist }, { cpu, registers }) => {
      const rsp = registers[RSP];
      if (setup.delivery !== 'idt' || ist.value === null || cpu.cpl === 3 || telling.has(vector) || rsp === undefined || !isConstant(rsp)) return false;
      const stack = stackOf(setup.layout, rsp.value);
      return stack !== null && stack.name !== ist.value;
    },
    start: ({ vector }, context, { registers }, start) => {
      const contexts = contextsOf(vector);
      const one: Waiting = { context, rsp: registers[RSP]?.value ?? 0n, start, begun: false };
      contexts.waiting.push(one);
      begin(contexts, one);
    },
    see: (step) => {
      const { door, interrupted } = step.start;
      const saved = interrupted.registers[RSP];
      if (door.kind !== 'event' || telling.has(door.vector) || saved === undefined) return;
      const what = dependence(step, saved);
      if (what === 'any') tells(door.vector);
      else if (what !== 'none') compares(door.vector, what.comparedWith);
    },
  };
}
