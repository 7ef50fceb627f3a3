// The program under review: linked code with its address space, and the tables and declarations that tie it to events.
import type { Place } from '../base/span.ts';
import type { Code, NodeId } from '../machine/code.ts';
import type { Layout } from '../machine/layout.ts';
import type { Directive } from '../syntax/annotation-types.ts';
import type { AssemblerStream } from '../preprocess/stream.ts';
import type { AssumedWord } from './assumed-words.ts';
import type { CFunction, CSource } from './c-source.ts';
import type { ProgramUnknown, StackWrite } from './unknown.ts';

/** A fact with its source: read from code, said by an annotation, or assumed. */
export interface Known<T> {
  readonly value: T;
  readonly place: Place | null;
  readonly from: 'code' | 'annotation' | 'assumption';
}

export interface Handler {
  readonly vector: number;
  readonly name: string;
  /** First node of the stub that the gate points to. */
  readonly stub: NodeId;
  readonly stubName: string;
  /** True where no stub is in view and a plain one stands in. */
  readonly synthesized: boolean;
  /** Only the name of the stub or function says which vector it handles. */
  readonly byName: boolean;
  /** The C function that the stub calls first, where one is in view. */
  readonly function: string | null;
  /** IST stack by name, or null. */
  readonly ist: Known<string | null>;
  readonly dpl: 0 | 3;
  readonly place: Place | null;
}

export interface Guard {
  readonly name: string;
  readonly vector: number;
  /** Per-CPU variable and byte offset, or null for a machine bit. */
  readonly address: bigint | null;
  readonly size: 1 | 2 | 4 | 8;
  readonly machineBit: 'mcip' | null;
  readonly info: { readonly start: bigint; readonly end: bigint };
  readonly setBy: 'hw' | 'host' | 'module' | 'sw';
  readonly fallback: string;
  readonly clears: 'deferred' | 'after-frame-move' | 'immediate' | null;
  readonly protects: readonly ('stack' | 'info')[];
  readonly place: Place | null;
  /** Not declared anywhere: the word the architecture prescribes. */
  readonly implicit: boolean;
}

export interface FunctionInfo {
  readonly name: string;
  readonly entry: NodeId;
  readonly first: NodeId;
  /** Behind the last node. */
  readonly end: NodeId;
  readonly language: 'c' | 'asm';
  readonly place: Place;
  readonly source: CFunction | null;
}

/** What a way out that is shown alone belongs to: `user mode` where only the restore of pt_regs is shown, and what chose it is not. */
export type WayOut = 'SYSCALL' | 'user mode';

export interface Program {
  readonly code: Code;
  readonly layout: Layout;
  readonly functions: ReadonlyMap<string, FunctionInfo>;
  readonly handlers: readonly Handler[];
  readonly guards: readonly Guard[];
  /** Interrupted contexts by name. */
  readonly contexts: ReadonlyMap<string, NodeId>;
  /** The SYSCALL gap where its code is in view (SYS-03): first node, and the first behind the load of RSP. */
  readonly gap: { readonly first: NodeId; readonly end: NodeId } | null;
  /** Words that are taken to hold what only the kernel can have put there. */
  readonly assumedWords: readonly AssumedWord[];
  /** Writes that change on which stack events come, a sentence each: with any of them nothing is known of rewinding stacks. */
  readonly stackWrites: readonly StackWrite[];
  /** Routines that SYSCALL enters, by what they do: those that have Linux's names are known by them. */
  readonly syscallEntries: readonly string[];
  /** The way out of a system call, where a sketch shows nothing else. */
  readonly syscallExit: { readonly entry: NodeId; readonly name: string; readonly of: WayOut } | null;
  readonly delivery: 'idt' | 'fred';
  readonly fred: { readonly user: NodeId; readonly kernel: NodeId; readonly levels: ReadonlyMap<number, number> } | null;
  /** Code outside a kernel tree. */
  readonly sketch: boolean;
  readonly taskWorkEntry: NodeId | null;
  /** Its name. */
  readonly taskWork: string | null;
  readonly directives: readonly Directive[];
  readonly streams: readonly AssemblerStream[];
  readonly sources: readonly CSource[];
  /** Facts the run rests on beyond the code: `stacks, per-CPU data and entry text are pinned`. */
  readonly assumptions: readonly string[];
  /** Calls and names that are not in view. */
  readonly unknown: readonly ProgramUnknown[];
}
