// Which stubs can tell apart where their event interrupted: one with an IST stack has of that the saved RIP and RSP alone.
// Where no path looks at such a word, one context stands for those of all places; where paths compare it with addresses
// and do nothing else with it, for those between the same ones.
import { entryCall } from '../kernel/entry-calls.ts';
import { returnsFromEvent } from '../machine/code.ts';
import type { InstructionNode, MachineOperand } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { draftOf, load } from '../machine/draft.ts';
import { linearAddress } from '../machine/instructions/row.ts';
import { addressOfNode, stackOf } from '../machine/layout.ts';
import { RSP } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import { constant, isConstant } from '../machine/word.ts';
import type { Word } from '../machine/word.ts';
import type { Handler } from '../program/program.ts';
import type { PathStep } from './entry-paths.ts';
import { createLooks } from './looks.ts';
import { FAULTS, outsideName } from './outside.ts';

export interface InterruptedPlaces {
  /** Whether the handler's stub has of the place that a context is interrupted at the two saved words alone. */
  readonly areAlike: (handler: Handler, interrupted: State) => boolean;
  /**
   * Calls `start` unless it did for a context that is like this one; else it may do so later. `context` is a name for all
   * that the stub may see of it but the place, `rip` for the class of its RIP that the stub tells apart for certain.
   */
  readonly start: (handler: Handler, context: string, rip: number, interrupted: State, start: () => void) => void;
  /** Is shown the steps of a path that stands for others. */
  readonly see: (step: PathStep) => void;
}

const SAVED = ['rip', 'rsp'] as const;
type Saved = (typeof SAVED)[number];

/** What paths do with a saved word: nothing, compare it with addresses, or what is not followed. */
interface Use {
  readonly addresses: bigint[];
  exact: boolean;
}

interface Contexts {
  readonly uses: Readonly<Record<Saved, Use>>;
  readonly begun: Set<string>;
  readonly all: Context[];
}

interface Context {
  readonly name: string;
  readonly values: Readonly<Record<Saved, bigint>>;
  /** How the words are told apart where their use is not followed. */
  readonly exact: Readonly<Record<Saved, string>>;
  readonly start: () => void;
  begun: boolean;
}

/** Calls that do not ask where the frame is to go. */
const PLAIN: ReadonlySet<string> = new Set(['returns', 'bool', 'no-return']);

/** How a step depends on a saved word. */
type Dependence = 'none' | 'exact' | { readonly comparedWith: bigint };

export function createInterruptedPlaces(setup: MachineSetup): InterruptedPlaces {
  const known = new Map<number, Contexts>();
  const looks = createLooks();

  function contextsOf(vector: number): Contexts {
    const use = (): Use => ({ addresses: [], exact: false });
    const found = known.get(vector) ?? { uses: { rip: use(), rsp: use() }, begun: new Set(), all: [] };
    known.set(vector, found);
    return found;
  }

  function begin(contexts: Contexts, one: Context): void {
    const key = keyOf(contexts, one);
    if (contexts.begun.has(key)) return;
    contexts.begun.add(key);
    one.begun = true;
    one.start();
  }

  /** Contexts that were alike may not be any more: each that was started from stands for those that still are like it. */
  function learn(contexts: Contexts, saved: Saved, what: Exclude<Dependence, 'none'>): void {
    const use = contexts.uses[saved];
    if (what === 'exact') use.exact = true;
    else if (use.addresses.includes(what.comparedWith)) return;
    else use.addresses.push(what.comparedWith);
    contexts.begun.clear();
    for (const one of contexts.all) if (one.begun) contexts.begun.add(keyOf(contexts, one));
    for (const one of contexts.all) begin(contexts, one);
  }

  function dependence({ node, before, calls, effects, after, start }: PathStep, saved: Saved, word: Word): Dependence {
    if (calls !== null) return (saved === 'rip' ? start.door.kind !== 'event' || !FAULTS.has(start.door.vector) : PLAIN.has(entryCall(calls).effect)) ? 'none' : 'exact';
    if (node.kind === 'feature') return 'none';
    if (node.kind !== 'instruction' || before.registers[RSP] === word) return 'exact';
    if (returnsFromEvent(node)) return returnsAlike() ? 'none' : 'exact';
    if (outsideName(node) !== null) return 'none';
    const { registers, memory } = looks(node);
    if (!registers.some((index) => before.registers[index] === word) && !memory.some((operand) => holds(before, operand, word))) return 'none';
    return comparison(node, before, word);

    /** A return takes what its event saved, or goes on in the stub; anything else that it takes is a finding wherever it came from. */
    function returnsAlike(): boolean {
      if (after.ended !== null) return true;
      return effects.some((effect) => effect.kind === 'return' && (effect.frame === null ? after.registers[RSP] !== start.interrupted.registers[RSP] : after.node === start.interrupted.node));
    }
  }

  function holds(state: State, operand: MachineOperand & { kind: 'memory' }, word: Word): boolean {
    const draft = draftOf(state);
    const address = linearAddress(draft, operand);
    return !isConstant(address) || load(draft, setup, address.value & ~7n, 8) === word;
  }

  /** The address that the whole word is compared with, by its order. */
  function comparison(node: InstructionNode, state: State, word: Word): Dependence {
    if (!/^cmpq?$/.test(node.mnemonic)) return 'exact';
    const words = node.operands.map((operand) => wordOf(state, operand));
    const other = words.find((one) => one !== word);
    return words.includes(word) && other !== undefined && other !== null && isConstant(other) ? { comparedWith: other.value } : 'exact';
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
    areAlike: ({ ist }, { cpu, registers }) => {
      const rsp = registers[RSP];
      if (setup.delivery !== 'idt' || ist.value === null || cpu.cpl === 3 || rsp === undefined || !isConstant(rsp)) return false;
      const stack = stackOf(setup.layout, rsp.value);
      return stack !== null && stack.name !== ist.value;
    },
    start: ({ vector }, name, rip, { node, registers }, start) => {
      const contexts = contextsOf(vector);
      const rsp = registers[RSP]?.value ?? 0n;
      const one: Context = { name, values: { rip: addressOfNode(node, false), rsp }, exact: { rip: `${rip}`, rsp: stackOf(setup.layout, rsp)?.name ?? '' }, start, begun: false };
      contexts.all.push(one);
      begin(contexts, one);
    },
    see: (step) => {
      const { door, interrupted } = step.start;
      if (door.kind !== 'event') return;
      const contexts = contextsOf(door.vector);
      for (const saved of SAVED) {
        const word = saved === 'rip' ? constant(addressOfNode(interrupted.node, false)) : interrupted.registers[RSP];
        if (contexts.uses[saved].exact || word === undefined) continue;
        const what = dependence(step, saved, word);
        if (what !== 'none') learn(contexts, saved, what);
      }
    },
  };
}

function keyOf({ uses }: Contexts, { name, values, exact }: Context): string {
  const parts = SAVED.map((saved) => (uses[saved].exact ? exact[saved] : uses[saved].addresses.map((address) => (values[saved] < address ? '<' : values[saved] > address ? '>' : '=')).join('')));
  return `${name} ${parts.join(' ')}`;
}
