// Instructions that raise an event themselves: INT3, INT n, INT1, UD1, UD2, UDB. The saved RIP of a software interrupt is the one
// behind it (DEL-10).
import type { Execution, InstructionRow } from './row.ts';
import { goTo } from './row.ts';
import { deliver, deliverable } from '../deliver.ts';
import type { Draft } from '../draft.ts';
import type { EventKind } from '../event.ts';
import { fault } from '../possible-fault.ts';
import type { PossibleFault } from '../possible-fault.ts';
import { vectorTitle } from '../vectors.ts';

function softwareInterrupt(x: Execution, vector: number | null, kind: EventKind, length: number): readonly Draft[] {
  if (vector === null) return goTo(x.draft, null, `${x.node.text}: the vector is not known`);
  if (!deliverable(x.setup, vector)) return goTo(x.draft, null, `${vectorTitle(vector)} has no handler in view`);
  if (x.node.next === null) return goTo(x.draft, null, 'the code ends here');
  // INT1 records no cause in DR6.
  deliver(x.draft, x.setup, vector, { kind, returnTo: x.node.next, length, debug: 0 });
  return [x.draft];
}

function vectorOf(x: Execution): number | null {
  const operand = x.node.operands[0];
  return operand?.kind === 'immediate' ? Number(operand.value & 0xffn) : null;
}

/** Raised by the instruction's own meaning, not a fault: it has run when the handler is entered. */
function itself(vector: number, kind: EventKind, why: string): readonly PossibleFault[] {
  return [{ ...fault(vector, true, why), kind }];
}

const SECTION = 'INT n/INTO/INT3/INT1 - Call to Interrupt Procedure';

export const INTERRUPT_ROWS: readonly InstructionRow[] = [
  {
    mnemonic: 'int3',
    suffixed: false,
    summary: 'raises #BP; the saved RIP is that of the next instruction',
    section: SECTION,
    faults: ['BP', 'GP', 'NP'],
    check: () => itself(3, 'software-exception', 'INT3 raises #BP'),
    singleStep: 'never',
    run: (x) => softwareInterrupt(x, 3, 'software-exception', 1),
    examples: [{ code: 'int3', given: { rax: 5n, DF: 1n, IF: 1n }, then: { rax: 5n, DF: 1n, IF: 0n } }],
  },
  {
    mnemonic: 'int',
    suffixed: false,
    summary: 'calls the handler of a vector, where its gate is open to this privilege; the saved RIP is that of the next instruction',
    section: SECTION,
    faults: ['GP', 'NP'],
    check: (x) => itself(vectorOf(x) ?? 13, 'software-interrupt', `${x.node.text} calls the handler`),
    singleStep: 'never',
    run: (x) => softwareInterrupt(x, vectorOf(x), 'software-interrupt', 2),
    examples: [{ code: 'int $3', given: { rax: 5n, IF: 1n }, then: { rax: 5n, IF: 0n } }],
  },
  {
    mnemonic: 'int1',
    suffixed: false,
    summary: 'raises #DB whatever the gate allows; the saved RIP is that of the next instruction',
    section: SECTION,
    faults: ['DB'],
    check: () => itself(1, 'privileged-software-exception', 'INT1 raises #DB'),
    singleStep: 'never',
    run: (x) => softwareInterrupt(x, 1, 'privileged-software-exception', 1),
    examples: [{ code: 'int1', given: { rax: 5n, IF: 1n }, then: { rax: 5n, IF: 0n } }],
  },
  undefinedInstruction('ud2', 'ud2'),
  undefinedInstruction('ud1', 'ud1 (%rdx), %rdi'),
  // One byte, D6: undefined on every CPU, and named since (SDM vol. 2B, "UD - Undefined Instruction").
  undefinedInstruction('udb', 'udb'),
];

/** Raises #UD and does nothing else, whatever its operands. */
function undefinedInstruction(mnemonic: string, code: string): InstructionRow {
  return {
    mnemonic,
    suffixed: false,
    summary: 'raises #UD; where that has no handler in view, the run ends here',
    section: 'UD - Undefined Instruction',
    faults: ['UD'],
    check: (x) => (deliverable(x.setup, 6) ? [fault(6, true, `${mnemonic.toUpperCase()} raises #UD`)] : []),
    run: (x) => {
      x.draft.ended = mnemonic;
      x.draft.effects.push({ kind: 'ended', why: mnemonic });
      return [x.draft];
    },
    examples: [{ code, given: { rax: 5n, IF: 1n }, then: { rax: 5n, IF: 0n } }],
  };
}
