// Instructions that raise an event themselves: INT3, INT n, INT1, UD2. The saved RIP of a software interrupt is the one
// behind it (DEL-10).
import type { Execution, InstructionRow } from './row.ts';
import { goTo } from './row.ts';
import { deliver, deliverable } from '../deliver.ts';
import type { Draft } from '../draft.ts';
import { vectorTitle } from '../vectors.ts';

function softwareInterrupt(x: Execution, vector: number | null): readonly Draft[] {
  if (vector === null) return goTo(x.draft, null, `${x.node.text}: the vector is not known`);
  if (!deliverable(x.setup, vector)) return goTo(x.draft, null, `${vectorTitle(vector)} has no handler in view`);
  if (x.node.next === null) return goTo(x.draft, null, 'the code ends here');
  x.draft.node = x.node.next;
  deliver(x.draft, x.setup, vector);
  return [x.draft];
}

function byOperand(x: Execution): readonly Draft[] {
  const operand = x.node.operands[0];
  return softwareInterrupt(x, operand?.kind === 'immediate' ? Number(operand.value & 0xffn) : null);
}

const fixed = (vector: number): InstructionRow['run'] => (x) => softwareInterrupt(x, vector);

const SECTION = 'INT n/INTO/INT3/INT1 - Call to Interrupt Procedure';

export const INTERRUPT_ROWS: readonly InstructionRow[] = [
  { mnemonic: 'int3', suffixed: false, summary: 'raises #BP; the saved RIP is that of the next instruction', section: SECTION, faults: ['BP', 'GP'], run: fixed(3), examples: [{ code: 'int3', given: { rax: 5n, DF: 1n, IF: 1n }, then: { rax: 5n, DF: 1n, IF: 0n } }] },
  { mnemonic: 'int', suffixed: false, summary: 'calls the handler of a vector; the saved RIP is that of the next instruction', section: SECTION, faults: ['GP', 'NP'], run: byOperand, examples: [{ code: 'int $3', given: { rax: 5n, IF: 1n }, then: { rax: 5n, IF: 0n } }] },
  { mnemonic: 'int1', suffixed: false, summary: 'raises #DB; the saved RIP is that of the next instruction', section: SECTION, faults: ['DB'], run: fixed(1), examples: [{ code: 'int1', given: { rax: 5n }, then: { rax: 5n } }] },
];
