// C as parsed: declarations, functions, statements and expressions, each with its span, plain and typed. Knows the
// language, but not what any name means.
import type { Span } from '../base/span.ts';

/** A word that was blanked before parsing because the C grammar does not know it: `noinstr`, `__aligned(16)`. */
export interface CAttribute {
  readonly text: string;
  readonly span: Span;
}

export interface CWord {
  readonly text: string;
  readonly span: Span;
}

export type CSyntaxType =
  /** A built-in type or typedef by its words: `unsigned long`, `u64`. */
  | { readonly kind: 'named'; readonly name: string }
  | {
      readonly kind: 'record';
      readonly tag: 'struct' | 'union';
      readonly name: string | null;
      readonly nameSpan: Span;
      /** null for a mere mention of the tag. */
      readonly members: readonly CMember[] | null;
      readonly attributes: readonly string[];
    }
  | { readonly kind: 'enum'; readonly name: string | null; readonly enumerators: readonly CEnumerator[] | null }
  | { readonly kind: 'pointer'; readonly to: CSyntaxType }
  | { readonly kind: 'array'; readonly of: CSyntaxType; readonly length: CTerm | null }
  | { readonly kind: 'function'; readonly returns: CSyntaxType };

export interface CMember {
  /** null for an unnamed bit-field, and for an anonymous struct or union. */
  readonly name: string | null;
  readonly type: CSyntaxType;
  readonly bits: CTerm | null;
  readonly attributes: readonly string[];
  readonly span: Span;
}

export interface CEnumerator {
  readonly name: CWord;
  readonly value: CTerm | null;
}

/** An expression of the source. */
export type CTerm = { readonly span: Span } & (
  | { readonly kind: 'number'; readonly value: bigint; readonly suffix: string }
  | { readonly kind: 'string' }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'unary'; readonly operator: '-' | '+' | '~' | '!' | '*' | '&'; readonly operand: CTerm }
  | { readonly kind: 'update'; readonly operator: '++' | '--'; readonly prefix: boolean; readonly operand: CTerm }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: CTerm; readonly right: CTerm }
  /** `operator` without the `=`: '' for a plain assignment. */
  | { readonly kind: 'assign'; readonly operator: string; readonly target: CTerm; readonly value: CTerm }
  /** `then` is null in `a ?: b`. */
  | { readonly kind: 'conditional'; readonly condition: CTerm; readonly then: CTerm | null; readonly otherwise: CTerm }
  | { readonly kind: 'call'; readonly callee: CTerm; readonly arguments: readonly CTerm[] }
  | { readonly kind: 'member'; readonly object: CTerm; readonly arrow: boolean; readonly field: CWord }
  | { readonly kind: 'index'; readonly object: CTerm; readonly index: CTerm }
  | { readonly kind: 'cast'; readonly type: CSyntaxType; readonly operand: CTerm }
  | { readonly kind: 'sizeof'; readonly type: CSyntaxType | null; readonly operand: CTerm | null }
  | { readonly kind: 'offsetof'; readonly type: CSyntaxType; readonly field: string }
  | { readonly kind: 'comma'; readonly left: CTerm; readonly right: CTerm }
  /** `({ ... })` */
  | { readonly kind: 'statements'; readonly body: readonly CStatement[] }
  | { readonly kind: 'list'; readonly items: readonly CListItem[] }
  | { readonly kind: 'literal'; readonly type: CSyntaxType; readonly list: CTerm }
  /** A type where an argument is expected, as macros take it. */
  | { readonly kind: 'type'; readonly type: CSyntaxType }
  | CAssembly
  | { readonly kind: 'unreadable' }
);

export interface CListItem {
  readonly designators: readonly ({ readonly kind: 'field'; readonly name: string } | { readonly kind: 'index'; readonly index: CTerm })[];
  readonly value: CTerm;
}

export interface CAssembly {
  readonly kind: 'asm';
  readonly span: Span;
  /** The strings of the template, joined; macro names between them are left out. */
  readonly template: string;
  /** `_ASM_EXTABLE(...)` and its kin as written, null where the statement has none. */
  readonly extable: string | null;
  readonly outputs: readonly CTerm[];
  readonly inputs: readonly CTerm[];
  readonly labels: readonly string[];
}

export type CStatement = { readonly span: Span } & (
  | { readonly kind: 'expression'; readonly expression: CTerm }
  | { readonly kind: 'declaration'; readonly declarations: readonly CDeclaration[] }
  | { readonly kind: 'block'; readonly body: readonly CStatement[] }
  | { readonly kind: 'if'; readonly condition: CTerm; readonly then: CStatement; readonly otherwise: CStatement | null }
  | { readonly kind: 'while'; readonly condition: CTerm; readonly body: CStatement }
  | { readonly kind: 'do'; readonly body: CStatement; readonly condition: CTerm }
  | { readonly kind: 'for'; readonly start: CStatement | null; readonly condition: CTerm | null; readonly update: CTerm | null; readonly body: CStatement }
  /** `for_each_online_cpu(cpu) ...`: a loop whose header is a macro. */
  | { readonly kind: 'each'; readonly header: CTerm; readonly body: CStatement }
  | { readonly kind: 'switch'; readonly value: CTerm; readonly body: CStatement }
  /** `value` is null for `default`; `last` is the end of a range. */
  | { readonly kind: 'case'; readonly value: CTerm | null; readonly last: CTerm | null; readonly body: readonly CStatement[] }
  | { readonly kind: 'label'; readonly name: string; readonly body: CStatement | null }
  | { readonly kind: 'goto'; readonly label: string }
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' }
  | { readonly kind: 'return'; readonly value: CTerm | null }
  | { readonly kind: 'empty' }
  | { readonly kind: 'unreadable' }
);

export interface CParameter {
  readonly name: string;
  readonly type: CSyntaxType;
  /** The type as written, blanks normalised. */
  readonly typeText: string;
}

/** What one declarator declares. */
export type CDeclaration = { readonly name: CWord; readonly span: Span; readonly type: CSyntaxType; readonly attributes: readonly string[] } & (
  | { readonly kind: 'variable'; readonly storage: readonly string[]; readonly initialiser: CTerm | null; readonly typeText: string }
  | { readonly kind: 'prototype'; readonly parameters: readonly CParameter[] }
  | { readonly kind: 'typedef' }
);

export interface CFunctionDefinition {
  readonly name: CWord;
  readonly span: Span;
  readonly returns: CSyntaxType;
  readonly parameters: readonly CParameter[];
  readonly attributes: readonly string[];
  /** The macro that stands for the function's head: `DEFINE_IDTENTRY`. */
  readonly definedBy: string | null;
  readonly body: readonly CStatement[];
  readonly bodySpan: Span;
}

export type CItem =
  | { readonly kind: 'function'; readonly span: Span; readonly function: CFunctionDefinition }
  | { readonly kind: 'declaration'; readonly span: Span; readonly declarations: readonly CDeclaration[] }
  /** A struct, union or enum declared without a variable. */
  | { readonly kind: 'type'; readonly span: Span; readonly type: CSyntaxType }
  /** `DECLARE_IDTENTRY(vector, function);` */
  | { readonly kind: 'call'; readonly span: Span; readonly call: CTerm };

export interface CTranslationUnit {
  readonly items: readonly CItem[];
  /** Every struct, union and enum with a body, inner ones first. */
  readonly types: readonly CSyntaxType[];
  /** Places that the parser could not read. */
  readonly unreadable: readonly Span[];
}
