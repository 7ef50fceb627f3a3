// The entries of SYSCALL in code outside a kernel tree, which no gate leads to: Linux's name, or what their first
// instructions do. And the gap of each: CPL 0 on the RSP of user mode (SYS-03).
import type { CodeNode, InstructionNode, NodeId } from '../machine/code.ts';
import { RSP } from '../machine/registers.ts';
import type { FunctionInfo, Program } from './program.ts';

/** Instructions within which an entry swaps GS and gets a stack. */
const FIRST = 24;

/** The first instructions of a routine, along the fall-through, up to a call or a return. */
function firstOf(nodes: readonly (CodeNode | undefined)[], entry: NodeId): readonly InstructionNode[] {
  const out: InstructionNode[] = [];
  let id: NodeId | null = entry;
  while (id !== null && out.length < FIRST) {
    const node: CodeNode | undefined = nodes[id];
    if (node?.kind === 'feature') {
      id = node.absent;
      continue;
    }
    if (node?.kind !== 'instruction') break;
    out.push(node);
    if (/^(?:call|iret|ret|sysret)/.test(node.mnemonic)) break;
    id = node.mnemonic === 'jmp' ? node.target : node.next;
  }
  return out;
}

const moves = (node: InstructionNode): boolean => /^(?:mov|xchg)/.test(node.mnemonic);

/** `movq %rsp, %gs:word`: only an entry that nothing was pushed for has to keep RSP like that. */
function keepsRsp(node: InstructionNode): boolean {
  const [from, to] = node.operands;
  return moves(node) && from?.kind === 'register' && from.register === RSP && to?.kind === 'memory' && to.segment === 'gs';
}

/** Writes RSP with something that is not RSP and a constant. */
function loadsRsp(node: InstructionNode): boolean {
  const [from, to] = node.operands;
  return moves(node) && to?.kind === 'register' && to.register === RSP && (from?.kind === 'memory' || (from?.kind === 'register' && from.register !== RSP));
}

/** Routines that SYSCALL enters and that nothing else in view does. */
export function syscallEntriesOf(nodes: readonly (CodeNode | undefined)[], functions: ReadonlyMap<string, FunctionInfo>, stubs: ReadonlySet<NodeId>): readonly string[] {
  const jumpedTo = new Set<NodeId>();
  for (const node of nodes) if (node?.kind === 'instruction' && node.target !== null) jumpedTo.add(node.target);
  return [...functions.values()].flatMap((info) => {
    if (info.language !== 'asm' || stubs.has(info.entry) || jumpedTo.has(info.entry)) return [];
    const first = firstOf(nodes, info.entry);
    const kept = first.findIndex(keepsRsp);
    const loaded = first.findIndex(loadsRsp);
    return kept >= 0 && loaded > kept && first.slice(0, kept).some(({ mnemonic }) => mnemonic === 'swapgs') ? [info.name] : [];
  });
}

/**
 * The code that ends in SYSRET, or in IRET behind a look at pt_regs, where a sketch shows the way out to user mode alone: it
 * begins with user pt_regs on the task stack. Null where that cannot be, as it pops or pushes something else at once.
 */
export function syscallExitOf(nodes: readonly (CodeNode | undefined)[]): Program['syscallExit'] {
  const returns = (pattern: RegExp): InstructionNode | undefined => nodes.find((node): node is InstructionNode => node?.kind === 'instruction' && pattern.test(node.mnemonic));
  const sysret = returns(/^sysret/);
  const last = sysret ?? returns(/^iret/);
  const first = last === undefined ? undefined : nodes.find((node): node is InstructionNode => node?.kind === 'instruction' && node.symbol === last.symbol);
  if (last === undefined || first === undefined) return null;
  const whole = looksAtPtRegs(first);
  if (!whole && (sysret === undefined || /^(?:push|pop|swapgs|add|sub|lea|sysret|\.\.\.)/.test(first.mnemonic) || first.operands.some((one) => one.kind === 'register' && one.register === RSP))) return null;
  // Its own name, or none.
  return { entry: first.id, name: last.symbol === '' ? 'the code' : last.symbol, of: whole ? 'user mode' : 'SYSCALL' };
}

/** What only code at the lowest word of pt_regs does first: pop R15, or test the saved CS. */
function looksAtPtRegs({ mnemonic, operands }: InstructionNode): boolean {
  const [first, second] = operands;
  if (mnemonic.startsWith('pop')) return first?.kind === 'register' && first.register === R15;
  return mnemonic.startsWith('test') && second?.kind === 'memory' && second.base === RSP && second.displacement === SAVED_CS;
}

const R15 = 15;
/** Offset in struct pt_regs (arch/x86/include/asm/ptrace.h). */
const SAVED_CS = 0x88n;

/** The gap behind an entry: up to the instruction behind the load of RSP. */
export function gapBehind(nodes: readonly (CodeNode | undefined)[], entry: NodeId): { readonly first: NodeId; readonly end: NodeId } | null {
  const end = firstOf(nodes, entry).find(loadsRsp)?.next ?? null;
  return end === null ? null : { first: entry, end };
}
