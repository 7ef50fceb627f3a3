// Conditions of C code: which are decided by the configuration, and one spelling for each that is not. Knows the kernel's
// wrappers around conditions and what holds for a whole entry; nothing of control flow.
import type { Span } from '../base/span.ts';
import type { CDeclaration, CStatement, CTerm } from '../syntax/c-syntax.ts';
import { normalised } from '../syntax/c-text.ts';

export interface Surroundings {
  /** Active text of the file, for what steps say. */
  readonly text: string;
  /** Whether a Kconfig option is set. */
  readonly option: (name: string) => boolean;
  /** Whether the function returns bool: its returns are conditions then. */
  readonly returnsBool: boolean;
}

/** A condition by its one spelling, `!` taken off. */
export interface Spelt {
  readonly text: string;
  readonly negated: boolean;
}

export interface Conditions {
  /** What the configuration or the text itself decides; null for what it does not. */
  readonly constant: (term: CTerm) => boolean | null;
  /** A variable that only ever holds a condition of the whole entry is spelt as that. */
  readonly spelt: (term: CTerm) => Spelt;
}

/** Pass their first argument on as a condition. */
export const wrappers = /^(?:likely|unlikely|WARN_ON|WARN_ON_ONCE|WARN|WARN_ONCE|__builtin_expect|WARN_TAINT|WARN_TAINT_ONCE|unlikely_notrace|likely_notrace)$/;
/** Tests of a CPU feature that a kernel without the option answers at compile time with no. */
const featureTest = /^(?:cpu_feature_enabled|boot_cpu_has|static_cpu_has|this_cpu_has)$/;
const featureOptions: ReadonlyMap<string, readonly string[]> = new Map([
  ['X86_FEATURE_FRED', ['CONFIG_X86_FRED']],
  ['X86_FEATURE_XENPV', ['CONFIG_XEN_PV']],
  ['X86_FEATURE_TDX_GUEST', ['CONFIG_INTEL_TDX_GUEST']],
  ['X86_FEATURE_PTI', ['CONFIG_PAGE_TABLE_ISOLATION', 'CONFIG_MITIGATION_PAGE_TABLE_ISOLATION']],
]);

const optionTest = /\b(?:IS_(?:ENABLED|BUILTIN|REACHABLE|MODULE)|cpu_feature_enabled|boot_cpu_has|static_cpu_has|this_cpu_has)\b/;

/** Whether the graph of a body may depend on the configuration; where it does not, one text has one graph. */
export function asksForOptions(body: string): boolean {
  return optionTest.test(body);
}

/** The conditions of a function's body. */
export function conditionsIn(body: readonly CStatement[], span: Span, { text: source, option }: Surroundings): Conditions {
  function written(at: Span): string {
    return plain(source.slice(at.start, at.end));
  }

  /** Null where it says nothing that lasts as long as the entry. */
  function lastingAtom(term: CTerm): Spelt | null {
    if (term.kind === 'unary' && term.operator === '!') {
      const inside = lastingAtom(term.operand);
      return inside === null ? null : { text: inside.text, negated: !inside.negated };
    }
    const made = atom(term);
    return ofTheEntry.test(made.text) ? made : null;
  }

  /** One spelling for a condition and its opposite: `==`, `<` and `>` only. */
  function atom(term: CTerm): Spelt {
    if (term.kind === 'assign' && term.operator === '') return atom(term.target);
    if (term.kind !== 'binary') return { text: written(term.span), negated: false };
    const left = operand(term.left);
    const right = operand(term.right);
    const zero = term.right.kind === 'number' ? term.right.value === 0n : /^(?:NULL|false)$/.test(right);
    if (right === 'true' && /^[=!]=$/.test(term.operator)) return { text: left, negated: term.operator === '!=' };
    switch (term.operator) {
      case '==': return zero ? { text: left, negated: true } : { text: `${left} == ${right}`, negated: false };
      case '!=': return zero ? { text: left, negated: false } : { text: `${left} == ${right}`, negated: true };
      case '>=': return { text: `${left} < ${right}`, negated: true };
      case '<=': return { text: `${left} > ${right}`, negated: true };
      case '<':
      case '>': return { text: `${left} ${term.operator} ${right}`, negated: false };
      default: return { text: written(term.span), negated: false };
    }
  }

  /** A side of a comparison, with the parentheses that it needs. */
  function operand(term: CTerm): string {
    return term.kind === 'binary' || term.kind === 'conditional' || term.kind === 'assign' ? `(${written(term.span)})` : written(term.span);
  }

  function constant(term: CTerm): boolean | null {
    if (term.kind === 'number') return term.value !== 0n;
    if (term.kind === 'unary' && term.operator === '!') {
      const inside = constant(term.operand);
      return inside === null ? null : !inside;
    }
    if (term.kind !== 'call') return null;
    const name = calleeOf(term.callee);
    if (name === 'always_true') return true;
    const first = term.arguments[0];
    if (name === null || first === undefined) return null;
    const what = written(first.span);
    if (wrappers.test(name)) return constant(first);
    if (/^IS_(?:ENABLED|BUILTIN|REACHABLE)$/.test(name)) return option(what) || option(`${what}_MODULE`);
    if (name === 'IS_MODULE') return option(`${what}_MODULE`);
    const options = featureTest.test(name) ? featureOptions.get(what) : undefined;
    return options !== undefined && !options.some(option) ? false : null;
  }

  // `bool user = user_mode(regs);`: a test of the variable is one of the condition.
  const holding = new Map<string, Spelt>();
  if (heldInText.test(source.slice(span.start, span.end))) {
    for (const [name, terms] of assignments(body)) {
      const [term] = terms;
      const made = terms.length === 1 && term !== null && term !== undefined ? lastingAtom(term) : null;
      if (made !== null) holding.set(name, made);
    }
  }

  return { constant, spelt: (term) => (term.kind === 'name' ? holding.get(term.name) : undefined) ?? atom(term) };
}

/** Comments and blanks normalised. */
export function plain(text: string): string {
  return normalised(text.includes('/') ? text.replace(/\/\*[^]*?\*\//g, ' ').replace(/\/\/.*$/gm, ' ') : text).replace(/\( /g, '(').replace(/ \)/g, ')');
}

export function calleeOf(term: CTerm): string | null {
  return term.kind === 'name' ? term.name : null;
}

export function isCondition(term: CTerm): boolean {
  return term.kind === 'binary' ? /^(?:&&|\|\||==|!=|<|>|<=|>=)$/.test(term.operator) : term.kind === 'unary' && term.operator === '!';
}

/** Conditions about the interrupted context and the CPU, whose outcome is the same for the whole entry. */
const ofTheEntry = /^(?:(?:user_mode|in_nmi|cpu_feature_enabled|boot_cpu_has|regs_irqs_disabled|is_private_gpa|fault_in_kernel_space|ip_within_syscall_gap|int80_is_external)\([^()]*\)|\w+->flags & X86_EFLAGS_IF|\(\w+(?:\.|->)cs & 3\) == 3)$/;
const heldInText = /=\s*!*\(?(?:user_mode|in_nmi|cpu_feature_enabled|boot_cpu_has|regs_irqs_disabled|is_private_gpa|fault_in_kernel_space|ip_within_syscall_gap|int80_is_external|\(?\w+(?:\.|->)(?:cs|flags) &)/;

/** What the variables of a body are set to, by name; null among it where that is not a plain value. */
function assignments(body: readonly CStatement[]): ReadonlyMap<string, readonly (CTerm | null)[]> {
  const found = new Map<string, (CTerm | null)[]>();
  const note = (name: string, term: CTerm | null): void => void found.set(name, [...(found.get(name) ?? []), term]);
  const visit = (term: unknown): void => {
    if (Array.isArray(term)) return term.forEach(visit);
    if (typeof term !== 'object' || term === null) return;
    const one = term as CTerm | CDeclaration;
    if (one.kind === 'variable' && one.initialiser !== null) note(one.name.text, one.initialiser);
    else if (one.kind === 'assign' && one.target.kind === 'name') note(one.target.name, one.operator === '' ? one.value : null);
    else if ((one.kind === 'update' || (one.kind === 'unary' && one.operator === '&')) && one.operand.kind === 'name') note(one.operand.name, null);
    Object.values(term).forEach(visit);
  };
  visit(body);
  return found;
}
