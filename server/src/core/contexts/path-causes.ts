// Where what is wrong at the end of a path came from, and where it took its turn to a wrong return: found by walking back
// over its states, once for a finding.
import type { CodeNode, InstructionNode } from '../machine/code.ts';
import type { MachineSetup } from '../machine/config.ts';
import { draftOf, load } from '../machine/draft.ts';
import { REGISTER_NAMES } from '../machine/registers.ts';
import type { State } from '../machine/state.ts';
import type { Program } from '../program/program.ts';
import { replayPath } from './entry-paths.ts';
import type { PathStart } from './entry-start.ts';

/** What is wrong at the end of a path: a register, the GS base, CR3, a word of memory, or that it came there at all. */
export type Blamed = { readonly kind: 'register'; readonly name: (typeof REGISTER_NAMES)[number] } | { readonly kind: 'gs' | 'cr3' } | { readonly kind: 'branch' } | { readonly kind: 'word'; readonly address: bigint };

export interface Cause {
  readonly node: CodeNode;
  readonly what: string;
}

/** The states of one path before each of its steps. */
interface Walk {
  readonly program: Program;
  readonly setup: MachineSetup;
  readonly states: readonly State[];
  readonly nodes: readonly (CodeNode | undefined)[];
  /** Index of the step that is wrong. */
  readonly end: number;
}

const isInstruction = (node: CodeNode | undefined): node is InstructionNode => node?.kind === 'instruction';
const CONDITIONAL = /^j(?!mp|rcxz|ecxz)/;
const COMPARES = /^(?:test|cmp|bt|and|or|sub)/;

export function causesOf(program: Program, setup: MachineSetup, start: PathStart, choices: readonly number[], depth: number, blamed: readonly Blamed[]): readonly Cause[] {
  const { states } = replayPath(program, setup, start, choices, depth);
  const walk: Walk = { program, setup, states, nodes: states.map((state) => program.code.nodes[state.node]), end: Math.min(depth, states.length - 1) };
  const last = walk.nodes[walk.end];
  const returns = isInstruction(last) && /^(?:iret|eret|sysret|ret|ud2)/.test(last.mnemonic);
  const causes = [...blamed.flatMap((one) => (one.kind === 'branch' ? turn(walk) : lastChange(walk, one, walk.end))), ...(returns ? [...turn(walk), ...wayOut(walk)] : [])];
  return causes.filter((cause, index) => causes.findIndex((other) => other.node === cause.node) === index);
}

function valueOf({ setup }: Walk, state: State, blamed: Blamed): unknown {
  switch (blamed.kind) {
    case 'register':
      return state.registers[REGISTER_NAMES.indexOf(blamed.name)];
    case 'gs':
      return state.cpu.gsBase;
    case 'cr3':
      return state.cpu.cr3;
    case 'word':
      return load(draftOf(state), setup, blamed.address, 8);
    case 'branch':
      return null;
  }
}

function titleOf(blamed: Blamed): string {
  switch (blamed.kind) {
    case 'register':
      return `%${blamed.name} was last written here`;
    case 'gs':
      return 'the GS base was last written here';
    case 'cr3':
      return 'CR3 was last written here';
    case 'word':
      return 'the word that it takes was written here';
    case 'branch':
      return '';
  }
}

/** The last step before `end` that gave the value which is wrong. */
function lastChange(walk: Walk, blamed: Blamed, end: number): readonly Cause[] {
  for (let at = end - 1; at >= 0; at -= 1) {
    const [before, after, node] = [walk.states[at], walk.states[at + 1], walk.nodes[at]];
    if (before === undefined || after === undefined || valueOf(walk, before, blamed) === valueOf(walk, after, blamed)) continue;
    return isInstruction(node) ? [{ node, what: titleOf(blamed) }] : [];
  }
  return [];
}

/** The last branch of the path, and what wrote the register that it was decided by. */
function turn(walk: Walk): readonly Cause[] {
  for (let at = walk.end - 1; at >= 0; at -= 1) {
    const branch = walk.nodes[at];
    if (!isInstruction(branch) || !CONDITIONAL.test(branch.mnemonic)) continue;
    let asked = at - 1;
    while (asked >= 0 && !COMPARES.test(mnemonicAt(walk, asked))) asked -= 1;
    const compare = walk.nodes[asked];
    const decided = isInstruction(compare) ? compare.operands.flatMap((operand) => (operand.kind === 'register' ? (REGISTER_NAMES[operand.register] ?? []) : [])) : [];
    const written = [...new Set(decided)].flatMap((name) => lastChange(walk, { kind: 'register', name }, asked)).map((cause) => ({ ...cause, what: 'what decided the way was written here' }));
    return [{ node: branch, what: 'the way to this return was chosen here' }, ...written];
  }
  return [];
}

function mnemonicAt({ nodes }: Walk, at: number): string {
  const node = nodes[at];
  return isInstruction(node) ? node.mnemonic : '';
}

/** The first jump to other code behind the last call of C code: where the stub chose its way out. */
function wayOut({ program, states, nodes, end }: Walk): readonly Cause[] {
  let called = -1;
  for (let at = 0; at < end; at += 1) if (isInstruction(nodes[at]) && (nodes[at] as InstructionNode).mnemonic === 'call' && states[at + 1]?.node === (nodes[at] as InstructionNode).next) called = at;
  if (called < 0) return [];
  for (let at = called + 1; at < end; at += 1) {
    const node = nodes[at];
    const next = states[at + 1];
    if (isInstruction(node) && node.mnemonic.startsWith('j') && next !== undefined && node.symbol !== '' && program.code.nodes[next.node]?.symbol !== node.symbol) return [{ node, what: 'the stub takes its way out here' }];
  }
  return [];
}
