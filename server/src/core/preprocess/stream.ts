// What preprocessing makes of an assembler file: the statements that the assembler sees, each with the origin of its
// text. Knows nothing of what an instruction does.
import type { Origin, Place, Problem } from '../base/span.ts';

/** Files by the path that names them; null where there is none. The shells read disks and open documents. */
export interface FileSource {
  /** Text of the file, or null. */
  readonly read: (path: string) => string | null;
}

/** Kconfig symbols and other `-D` definitions: a name with its replacement text ('1' for `=y`). */
export interface Configuration {
  readonly name: string;
  readonly defines: ReadonlyMap<string, string>;
  /** Folders searched by `#include`, in order, as path prefixes. */
  readonly includePaths: readonly string[];
}

/** A constant expression of the assembler. Symbols without a known value stay symbols. */
export type Expression =
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'here' }
  | { readonly kind: 'unary'; readonly operator: '-' | '~' | '!'; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression };

export type Operand =
  /** Register names without `%`, lower case: 'rax', 'r8d', 'cs', 'cr3', 'st(0)'. */
  | { readonly kind: 'register'; readonly name: string; readonly indirect: boolean }
  | { readonly kind: 'immediate'; readonly value: Expression }
  /** `segment:displacement(base,index,scale)`; a bare expression (branch target, absolute address) has no base. */
  | {
      readonly kind: 'memory';
      readonly segment: string | null;
      readonly displacement: Expression | null;
      readonly base: string | null;
      readonly index: string | null;
      readonly scale: 1 | 2 | 4 | 8;
      /** Written with `*`: the target of an indirect branch. */
      readonly indirect: boolean;
    };

export interface InstructionItem {
  readonly kind: 'instruction';
  /** `rep`, `lock`, `data16`, `rex64`, `notrack`, segment overrides written as statements. */
  readonly prefixes: readonly string[];
  readonly mnemonic: string;
  readonly operands: readonly Operand[];
  /** The statement as the assembler reads it, blanks normalised: `movq %rsp, %rdi`. */
  readonly text: string;
  readonly origin: Origin;
  /** As named by the directive, quotes removed; subsection `n` of `.text` is `.text#n`. */
  readonly section: string;
  /** Instructions behind this one whose bytes are its operand: it goes on behind them. */
  readonly covers?: number;
}

export type StreamItem =
  /** Numeric labels carry a unique name: `1` at its third definition is `1#3`, and so do the operands that mean it. */
  | { readonly kind: 'label'; readonly name: string; readonly origin: Origin; readonly section: string }
  | InstructionItem
  /**
   * `.byte`, `.word`, `.long`, `.quad`: `size` bytes each. `decoded` where the bytes are an instruction known to encode
   * as data; the 32-bit displacement of a branch written so (`.byte 0xe9; .long x - . - 4`) is the last value then.
   */
  | {
      readonly kind: 'data';
      readonly size: 1 | 2 | 4 | 8;
      readonly values: readonly Expression[];
      readonly decoded: InstructionItem | null;
      readonly origin: Origin;
      readonly section: string;
    }
  /** Every other directive that reaches the assembler's output or symbol table: `.type`, `.globl`, `.size`, `.skip`, `.asciz` ... */
  | { readonly kind: 'directive'; readonly name: string; readonly arguments: readonly string[]; readonly origin: Origin; readonly section: string };

/** One row of `.altinstructions`: original code, and what it becomes on a CPU with (or without) the feature. */
export interface AlternativeRecord {
  /** Indices into `items`, half open. Items of other sections may lie between: they are not part of it. */
  readonly original: readonly [number, number];
  readonly replacement: readonly [number, number];
  /** Name of the feature where the source named one (`X86_FEATURE_PTI`), else the expression's text. */
  readonly feature: string;
  /** The replacement is taken where the feature is absent (`ALT_NOT(...)`). */
  readonly negated: boolean;
  readonly origin: Origin;
}

/** One exception-table entry: a fault at `fault` continues at `fixup`. Label names as in `items`. */
export interface ExtableRecord {
  readonly fault: string;
  readonly fixup: string;
  /** `EX_TYPE_...` name, or null for the default type. */
  readonly type: string | null;
  readonly origin: Origin;
}

export interface GasMacro {
  readonly name: string;
  readonly definition: Place;
  readonly nameSpan: Place;
  readonly parameters: readonly string[];
}

export interface CMacro {
  readonly name: string;
  readonly definition: Place;
  readonly nameSpan: Place;
  /** null for an object-like macro; a last one that ends in `...` takes the remaining arguments. */
  readonly parameters: readonly string[] | null;
  readonly body: string;
}

export interface AssemblerStream {
  readonly file: string;
  readonly items: readonly StreamItem[];
  readonly alternatives: readonly AlternativeRecord[];
  readonly extable: readonly ExtableRecord[];
  /** `sym = expr`, `.set`: value at the end of the file. */
  readonly symbols: ReadonlyMap<string, Expression>;
  readonly macros: readonly GasMacro[];
  readonly cMacros: readonly CMacro[];
  /** Includes followed, with the resolved path, or null where the file was not found. */
  readonly includes: readonly { readonly place: Place; readonly name: string; readonly resolved: string | null }[];
  /** Text left out by `#if` in the file itself. */
  readonly inactive: readonly Place[];
  readonly problems: readonly Problem[];
}
