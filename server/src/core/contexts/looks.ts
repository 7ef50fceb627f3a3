// What instructions look at: the registers and the memory whose words decide what they do, and not those that they carry
// from one place to another or write over. More than that is harmless to say, less is not.
import type { InstructionNode, MachineOperand, RegisterIndex } from '../machine/code.ts';
import { RAX, RCX, RDI, RDX, REGISTER_NAMES, RSI } from '../machine/registers.ts';

type Memory = MachineOperand & { readonly kind: 'memory' };

export interface Looks {
  readonly registers: readonly RegisterIndex[];
  readonly memory: readonly Memory[];
}

/** Instructions whose operands are all that they look at. */
const EXPLICIT = /^(?:cmp|test|and|or|xor|add|sub|adc|sbb|inc|dec|neg|not|bts?|btr|btc|lea|mov|movz[bw][lq]?|movs[bwl][lq]|movs[lx]q|push|pop|xchg|call|jmp|j[a-z]+|ret|verw|invlpg|lsl|lar|bswap|rdgsbase|wrgsbase|rdfsbase|wrfsbase|prefetch\w*|set[a-z]+|cmov[a-z]+|sh[lr]|sa[lr]|ro[lr])[bwlq]?$/;
/** Instructions that look at no register and no memory. */
const BLIND = /^(?:nop[lwq]?|endbr64|cld|std|clac|stac|cli|sti|swapgs|[lms]fence|ud2|hlt|pause|pushf[q]?|serialize|clts|int3)$/;
const BY_IMPLICIT: readonly (readonly [RegExp, readonly RegisterIndex[]])[] = [
  [/^rdmsr$/, [RCX]],
  [/^wrmsr$/, [RAX, RCX, RDX]],
  [/^(?:movs|cmps)[bwlq]?$/, [RCX, RSI, RDI]],
  [/^(?:stos|scas)[bwlq]?$/, [RAX, RCX, RDI]],
];

const ALL_REGISTERS: readonly RegisterIndex[] = REGISTER_NAMES.map((_, index) => index);

/** Of the instructions of one program, each asked for once. */
export function createLooks(): (node: InstructionNode) => Looks {
  const known: (Looks | undefined)[] = [];
  return (node): Looks => (known[node.id] ??= looksAt(node));
}

function looksAt(node: InstructionNode): Looks {
  const { mnemonic, operands } = node;
  if (BLIND.test(mnemonic)) return { registers: [], memory: [] };
  const addresses = operands.flatMap((operand): readonly RegisterIndex[] => (operand.kind === 'memory' ? [operand.base, operand.index].filter((index) => index !== null) : []));
  if (carries(node)) return { registers: addresses, memory: [] };
  const implicit = BY_IMPLICIT.find(([names]) => names.test(mnemonic))?.[1];
  if (!EXPLICIT.test(mnemonic) && implicit === undefined) return { registers: ALL_REGISTERS, memory: operands.filter(isMemory) };
  // A register made zero by itself.
  const [from, to] = operands;
  if (/^(?:xor|sub)[lq]?$/.test(mnemonic) && from?.kind === 'register' && to?.kind === 'register' && from.register === to.register) return { registers: [], memory: [] };
  const read = /^(?:mov|lea|pop)/.test(mnemonic) ? operands.filter((operand, index) => index < operands.length - 1 || operand.kind !== 'register' || operand.size < 4) : operands;
  const registers = read.flatMap((operand) => (operand.kind === 'register' ? [operand.register] : []));
  return { registers: [...new Set([...addresses, ...registers, ...(implicit ?? [])])], memory: mnemonic.startsWith('lea') ? [] : read.filter(isMemory) };
}

const isMemory = (operand: MachineOperand): operand is Memory => operand.kind === 'memory';

/** Whether the instruction moves whole words and nothing else. */
function carries({ mnemonic, operands }: InstructionNode): boolean {
  if (!/^(?:mov|push|pop)q?$/.test(mnemonic)) return false;
  return operands.every((operand) => operand.kind === 'immediate' || (operand.kind === 'register' && operand.size === 8) || (operand.kind === 'memory' && operand.segment === null)) && (mnemonic.endsWith('q') || operands.some((operand) => operand.kind === 'register'));
}
