// RETFQ: to the same or to less privilege. It ends no blocking by NMI and loads no flags, so that POPF and RETFQ are no
// atomic return (IRET-07).
import type { Execution, InstructionRow } from './row.ts';
import { goTo } from './row.ts';
import { changeCpu, load, noteAccess, register, setRegister } from '../draft.ts';
import type { Draft } from '../draft.ts';
import { nodeAtAddress } from '../layout.ts';
import type { PossibleFault } from '../possible-fault.ts';
import { RSP } from '../registers.ts';
import { farReturnFaults, privilegeOf, wordsRead } from '../return-checks.ts';
import { add, constant, isConstant, show, truncate, UNKNOWN } from '../word.ts';
import type { Word } from '../word.ts';

interface Popped {
  readonly rip: Word;
  readonly cs: Word;
  readonly rsp: Word;
  readonly ss: Word;
}

/** RIP and CS; RSP and SS above them where the privilege changes. */
function popped(x: Execution): Popped {
  const rsp = register(x.draft, RSP);
  const at = (offset: bigint): Word => {
    if (!isConstant(rsp)) return UNKNOWN;
    noteAccess(x.draft, rsp.value + offset, 8, false);
    return load(x.draft, x.setup, rsp.value + offset, 8);
  };
  const [rip, cs] = [at(0n), at(8n)];
  return outer(x.draft, cs) ? { rip, cs, rsp: at(16n), ss: at(24n) } : { rip, cs, rsp: add(rsp, constant(16n)), ss: x.draft.cpu.ss };
}

function outer(draft: Draft, cs: Word): boolean {
  return (privilegeOf(cs) ?? draft.cpu.cpl) > draft.cpu.cpl;
}

function check(x: Execution): readonly PossibleFault[] {
  const rsp = register(x.draft, RSP);
  const { rip, cs, ss } = popped(x);
  const changes = outer(x.draft, cs);
  const reads = wordsRead(x.draft, x.setup, rsp, changes ? 4 : 2);
  if (reads.some((one) => one.certain)) return reads;
  return [...reads, ...farReturnFaults(x.draft, x.setup, { rip, cs }, changes ? ss : null)];
}

function returnFar(x: Execution): readonly Draft[] {
  const { draft, setup, node } = x;
  const { rip, cs, rsp, ss } = popped(x);
  const user = outer(draft, cs);
  setRegister(draft, RSP, rsp);
  changeCpu(draft, { cpl: user ? 3 : draft.cpu.cpl, cs: truncate(cs, 2), ss: truncate(ss, 2) });
  const target = isConstant(rip) ? nodeAtAddress(rip.value) : null;
  const next = target !== null && setup.code.nodes[target] !== undefined ? target : user ? (setup.contexts.get('user') ?? null) : null;
  return goTo(draft, next, `${node.text}: it returns to ${show(rip)}`);
}

export const FAR_RETURN_ROWS: readonly InstructionRow[] = [
  {
    mnemonic: 'lretq',
    suffixed: false,
    summary: 'pops RIP and CS, and RSP and SS where the privilege changes; ends no NMI blocking (IRET-07)',
    section: 'RET - Return From Procedure',
    faults: ['GP', 'NP', 'SS', 'PF'],
    check,
    run: returnFar,
    examples: [{ code: 'lretq', given: { rsp: 0x1000n, AC: 1n }, then: { rsp: 0x1010n, AC: 1n } }],
  },
];
