// Statements of a C function to a control-flow graph: calls, stores, conditions one by one, inline assembly, returns.
// Knows the language, but not what any call means.
import type { Span } from '../base/span.ts';
import type { CDeclaration, CStatement, CTerm } from '../syntax/c-syntax.ts';
import { calleeOf, conditionsIn, isCondition, plain, wrappers } from './conditions.ts';
import type { Surroundings } from './conditions.ts';
import type { Graph, Step, StepIndex } from './tree.ts';

interface Jumps {
  readonly behind: StepIndex | null;
  readonly again: StepIndex | null;
  readonly arms: { value: string | null; to: StepIndex }[] | null;
}

/** Stop where their argument holds. */
const assertions = /^(?:BUG_ON|VM_BUG_ON)$/;
export function graphOf(body: readonly CStatement[], span: Span, surroundings: Surroundings): Graph {
  const steps: Step[] = [];
  const labels = new Map<string, StepIndex>();
  const { text: source } = surroundings;

  function add(step: Step): StepIndex {
    steps.push(step);
    return steps.length - 1;
  }

  /** A step whose successor is not known yet. */
  function reserve(at: Span): StepIndex {
    return add({ kind: 'pass', span: at, text: '', next: -1 });
  }

  function join(reserved: StepIndex, to: StepIndex): void {
    const step = steps[reserved];
    if (step?.kind === 'pass') steps[reserved] = { ...step, next: to };
  }

  function labelled(name: string, at: Span): StepIndex {
    const known = labels.get(name);
    if (known !== undefined) return known;
    const made = reserve(at);
    labels.set(name, made);
    return made;
  }

  function written(at: Span): string {
    return plain(source.slice(at.start, at.end));
  }

  const { constant, spelt } = conditionsIn(body, span, surroundings);

  function block(statements: readonly CStatement[], next: StepIndex, jumps: Jumps): StepIndex {
    let entry = next;
    for (const statement of [...statements].reverse()) entry = lower(statement, entry, jumps);
    return entry;
  }

  function lower(statement: CStatement, next: StepIndex, jumps: Jumps): StepIndex {
    const at = statement.span;
    switch (statement.kind) {
      case 'expression':
        return value(statement.expression, next);
      case 'declaration': {
        let entry = next;
        for (const one of [...statement.declarations].reverse()) entry = declaration(one, entry);
        return entry;
      }
      case 'block':
        return block(statement.body, next, jumps);
      case 'if':
        return condition(statement.condition, lower(statement.then, next, jumps), statement.otherwise === null ? next : lower(statement.otherwise, next, jumps));
      case 'while': {
        const head = reserve(at);
        const inside = lower(statement.body, head, { ...jumps, behind: next, again: head });
        join(head, condition(statement.condition, inside, next));
        return head;
      }
      case 'do': {
        const foot = reserve(at);
        const head = reserve(at);
        const inside = lower(statement.body, foot, { ...jumps, behind: next, again: foot });
        join(head, inside);
        join(foot, condition(statement.condition, head, next));
        return head;
      }
      case 'for': {
        const head = reserve(at);
        const update = statement.update === null ? head : value(statement.update, head);
        const inside = lower(statement.body, update, { ...jumps, behind: next, again: update });
        join(head, statement.condition === null ? inside : condition(statement.condition, inside, next));
        return statement.start === null ? head : lower(statement.start, head, jumps);
      }
      case 'each': {
        const head = reserve(at);
        const inside = lower(statement.body, head, { ...jumps, behind: next, again: head });
        const each = add({ kind: 'each', span: statement.header.span, text: written(statement.header.span), body: inside, behind: next });
        join(head, each);
        return head;
      }
      case 'switch': {
        const arms: { value: string | null; to: StepIndex }[] = [];
        lower(statement.body, next, { behind: next, again: jumps.again, arms });
        arms.reverse();
        if (!arms.some((arm) => arm.value === null)) arms.push({ value: null, to: next });
        return value(statement.value, add({ kind: 'switch', span: statement.value.span, text: written(statement.value.span), arms }));
      }
      case 'case': {
        const entry = block(statement.body, next, jumps);
        jumps.arms?.push({ value: statement.value === null ? null : written(statement.value.span), to: entry });
        return entry;
      }
      case 'label': {
        const entry = statement.body === null ? next : lower(statement.body, next, jumps);
        const label = labelled(statement.name, at);
        join(label, entry);
        return label;
      }
      case 'goto':
        return labelled(statement.label, at);
      case 'break':
        return jumps.behind ?? next;
      case 'continue':
        return jumps.again ?? next;
      case 'return':
        return returned(statement.value, at);
      case 'empty':
      case 'unreadable':
        return next;
    }
  }

  function declaration(one: CDeclaration, next: StepIndex): StepIndex {
    if (one.kind !== 'variable') return next;
    if (one.initialiser === null) return add({ kind: 'pass', span: one.span, text: written(one.span), next });
    const stored = add({ kind: 'store', span: one.span, text: written(one.span), target: one.name.text, operator: '=', value: written(one.initialiser.span), next });
    return value(one.initialiser, stored);
  }

  function returned(term: CTerm | null, at: Span): StepIndex {
    const text = written(at);
    if (term === null) return add({ kind: 'return', span: at, text, value: null });
    if (isCondition(term) || (surroundings.returnsBool && term.kind !== 'number' && term.kind !== 'name')) {
      const yes = add({ kind: 'return', span: at, text, value: 'true' });
      const no = add({ kind: 'return', span: at, text, value: 'false' });
      return condition(term, yes, no);
    }
    return value(term, add({ kind: 'return', span: at, text, value: written(term.span) }));
  }

  /** The calls and stores of an expression, in the order in which they are written. */
  function value(term: CTerm, next: StepIndex): StepIndex {
    switch (term.kind) {
      case 'call':
        return call(term, next);
      case 'assign':
        return value(term.value, value(term.target, add({ kind: 'store', span: term.span, text: written(term.span), target: written(term.target.span), operator: `${term.operator}=`, value: written(term.value.span), next })));
      case 'update':
        return value(term.operand, add({ kind: 'store', span: term.span, text: written(term.span), target: written(term.operand.span), operator: term.operator, value: '', next }));
      case 'conditional':
        return hasEffect(term) ? condition(term.condition, term.then === null ? next : value(term.then, next), value(term.otherwise, next)) : next;
      case 'binary':
        if (/^(?:&&|\|\|)$/.test(term.operator)) return hasEffect(term) ? condition(term, next, next) : next;
        return value(term.left, value(term.right, next));
      case 'unary':
      case 'cast':
        return value(term.operand, next);
      case 'member':
        return value(term.object, next);
      case 'index':
        return value(term.object, value(term.index, next));
      case 'comma':
        return value(term.left, value(term.right, next));
      case 'statements':
        return block(term.body, next, { behind: null, again: null, arms: null });
      case 'list': {
        let entry = next;
        for (const item of [...term.items].reverse()) entry = value(item.value, entry);
        return entry;
      }
      case 'literal':
        return value(term.list, next);
      case 'asm': {
        const behind = term.labels.length === 0 ? next : add({ kind: 'switch', span: term.span, text: 'asm goto', arms: [{ value: null, to: next }, ...term.labels.map((name) => ({ value: name, to: labelled(name, term.span) }))] });
        return add({ kind: 'asm', span: term.span, text: written(term.span), template: term.template, extable: term.extable, next: behind });
      }
      default:
        return next;
    }
  }

  function call(term: CTerm & { readonly kind: 'call' }, next: StepIndex): StepIndex {
    const name = calleeOf(term.callee);
    const first = term.arguments[0];
    if (name !== null && assertions.test(name) && first !== undefined) return condition(first, add({ kind: 'end', span: term.span, text: written(term.span) }), next);
    if (name !== null && wrappers.test(name) && first !== undefined) return hasEffect(first) ? condition(first, next, next) : next;
    const made = add({ kind: 'call', span: term.span, text: written(term.span), name: name ?? lastMember(term.callee), arguments: term.arguments.map((one) => written(one.span)), indirect: name === null, next });
    let entry = made;
    for (const one of [...term.arguments].reverse()) entry = value(one, entry);
    return name === null ? value(term.callee, entry) : entry;
  }

  function condition(term: CTerm, yes: StepIndex, no: StepIndex): StepIndex {
    const known = constant(term);
    if (known !== null) return known ? yes : no;
    if (term.kind === 'unary' && term.operator === '!') return condition(term.operand, no, yes);
    if (term.kind === 'binary' && term.operator === '&&') return condition(term.left, condition(term.right, yes, no), no);
    if (term.kind === 'binary' && term.operator === '||') return condition(term.left, yes, condition(term.right, yes, no));
    if (term.kind === 'call') {
      const name = calleeOf(term.callee);
      const first = term.arguments[0];
      if (name !== null && wrappers.test(name) && first !== undefined) return condition(first, yes, no);
    }
    if (term.kind === 'cast') return condition(term.operand, yes, no);
    const { text, negated } = spelt(term);
    return value(term, add({ kind: 'test', span: term.span, text, yes: negated ? no : yes, no: negated ? yes : no }));
  }

  const last = add({ kind: 'return', span: { start: Math.max(span.start, span.end - 1), end: span.end }, text: '}', value: null });
  const entry = block(body, last, { behind: null, again: null, arms: null });
  // A label that the parser lost: the jump leads nowhere, and nothing is concluded from it.
  steps.forEach((step, index) => {
    if (step.kind === 'pass' && step.next === -1) steps[index] = { kind: 'end', span: step.span, text: step.text };
  });
  return { entry, steps, repeated: repeatedTests(steps) };
}

function lastMember(term: CTerm): string {
  if (term.kind === 'member') return term.field.text;
  if (term.kind === 'unary' || term.kind === 'cast') return lastMember(term.operand);
  if (term.kind === 'index') return lastMember(term.object);
  return term.kind === 'name' ? term.name : '';
}

/** Whether evaluating it calls or changes anything. */
function hasEffect(term: unknown): boolean {
  if (Array.isArray(term)) return term.some(hasEffect);
  if (typeof term !== 'object' || term === null) return false;
  const { kind } = term as { readonly kind?: unknown };
  if (kind === 'sizeof' || kind === 'offsetof') return false;
  if (kind === 'call' || kind === 'assign' || kind === 'update' || kind === 'asm') return true;
  return Object.values(term).some((part) => typeof part === 'object' && hasEffect(part));
}

/** Conditions whose outcome stays while nothing that they name is stored to. */
const lasting = /^(?:[A-Za-z_]\w*|(?:user_mode|in_nmi|cpu_feature_enabled|boot_cpu_has|mce_available)\([^()]*\)|(?:\w+|\w+\(\w+\))\.\w*initialized|\w+(?: (?:==|<|>) -?\w+)?|\(\w+(?:\.|->)cs & 3\) == 3|\w+->flags & X86_EFLAGS_IF)$/;

function repeatedTests(steps: readonly Step[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const step of steps) {
    if (step.kind !== 'test' || !lasting.test(step.text)) continue;
    if (seen.has(step.text) || /^(?:user_mode|in_nmi|cpu_feature_enabled)\(/.test(step.text)) repeated.add(step.text);
    seen.add(step.text);
  }
  return repeated;
}
