// Lowered C functions to machine nodes: calls become calls, kernel primitives or opaque steps, symbols addresses.
import type { CExpression, CodeNode, ExtableEntry, NodeId, Operation } from '../machine/code.ts';
import { addressOfNode } from '../machine/layout.ts';
import { primitiveNamed } from '../kernel/primitives.ts';
import { accessors } from './c-accessors.ts';
import type { CFunction, LooseOperation } from './c-source.ts';
import type { Names } from './link-assembler.ts';
import { LEFT_OUT } from '../syntax/c-left-out.ts';
import type { ProgramUnknown } from './unknown.ts';

export interface PlacedFunction {
  readonly source: CFunction;
  readonly first: NodeId;
  readonly end: NodeId;
  /** Node of each operation. */
  readonly nodeOf: readonly NodeId[];
}

/** One node an operation, and one more behind each call whose result is kept. */
export function placeFunction(source: CFunction, from: NodeId): PlacedFunction {
  let next = from;
  const nodeOf = source.operations.map((lowered) => {
    const node = next;
    next += lowered.operation.kind === 'call' && lowered.operation.result !== null ? 2 : 1;
    return node;
  });
  return { source, first: from, end: next, nodeOf };
}

export interface LinkedFunction {
  readonly nodes: readonly CodeNode[];
  readonly extable: readonly ExtableEntry[];
}

export function linkFunction(placed: PlacedFunction, names: Names, percpuBase: bigint, unknown: ProgramUnknown[]): LinkedFunction {
  const nodes: CodeNode[] = [];
  const extable: ExtableEntry[] = [];
  const at = (index: number): NodeId => placed.nodeOf[index] ?? placed.first;
  const link = (expression: CExpression): CExpression => linkExpression(expression, names, percpuBase);
  placed.source.operations.forEach((lowered, index) => {
    const id = at(index);
    const common = { kind: 'operation', symbol: placed.source.name, text: lowered.text, origin: lowered.origin } as const;
    const loose = lowered.operation;
    const operation = linkOperation(loose, id, at, link, names, placed.source, unknown);
    nodes.push({ ...common, id, operation });
    if (loose.kind !== 'call') return;
    if (loose.result !== null) nodes.push({ ...common, id: id + 1, operation: { kind: 'result', slot: loose.result, next: at(loose.next) } });
    if (operation.kind === 'primitive' && operation.fixup !== null) {
      extable.push({ fault: id, fixup: operation.fixup, type: accessors.find((row) => row.name === loose.name)?.type ?? 'EX_TYPE_UACCESS' });
    }
  });
  return { nodes, extable };
}

function linkOperation(
  loose: LooseOperation,
  id: NodeId,
  at: (index: number) => NodeId,
  link: (expression: CExpression) => CExpression,
  names: Names,
  source: CFunction,
  unknown: ProgramUnknown[],
): Operation {
  switch (loose.kind) {
    case 'enter':
      return { ...loose, next: at(loose.next) };
    case 'assign':
      return { ...loose, value: link(loose.value), next: at(loose.next) };
    case 'store':
      return { ...loose, address: link(loose.address), value: link(loose.value), next: at(loose.next) };
    case 'branch':
      return { ...loose, condition: link(loose.condition), then: at(loose.then), otherwise: at(loose.otherwise) };
    case 'return':
      return { kind: 'return', value: loose.value === null ? null : link(loose.value), slots: slotsOf(source) };
    case 'call': {
      const values = loose.arguments.map(link);
      const callee = names.function(loose.name) ?? names.label(loose.name);
      if (callee !== null) return { kind: 'call', callee, name: loose.name, arguments: values, result: loose.result, next: loose.result === null ? at(loose.next) : id + 1 };
      const row = primitiveNamed(loose.name);
      if (row !== null) {
        const fixup = loose.fixup === null ? null : at(loose.fixup);
        return { kind: 'primitive', name: row.name, arguments: values, result: loose.result, next: at(loose.next), fixup };
      }
      unknown.push(loose.name === LEFT_OUT ? { kind: 'left-out', function: source.name } : { kind: 'out-of-view', name: loose.name });
      return { kind: 'opaque', name: loose.name, arguments: values, result: loose.result, next: at(loose.next) };
    }
  }
}

function slotsOf(source: CFunction): number {
  const first = source.operations[0]?.operation;
  return first?.kind === 'enter' ? first.slots : 0;
}

export function linkExpression(expression: CExpression, names: Names, percpuBase: bigint): CExpression {
  switch (expression.kind) {
    case 'symbol': {
      const code = names.function(expression.name) ?? names.label(expression.name);
      const base = code !== null && expression.area !== 'percpu' ? addressOfNode(code, false) : names.variable(expression.name, expression.area === 'percpu');
      const percpu = expression.area === 'percpu' ? percpuBase : 0n;
      return { kind: 'constant', value: BigInt.asUintN(64, base + percpu + BigInt(expression.offset)) };
    }
    case 'unknown': {
      // A constant of a header that a sketch does without.
      const value = /^[A-Z]\w+$/.test(expression.text) ? names.constant(expression.text) : null;
      return value === null ? expression : { kind: 'constant', value };
    }
    case 'load':
      return { ...expression, address: linkExpression(expression.address, names, percpuBase) };
    case 'unary':
      return { ...expression, operand: linkExpression(expression.operand, names, percpuBase) };
    case 'binary':
      return { ...expression, left: linkExpression(expression.left, names, percpuBase), right: linkExpression(expression.right, names, percpuBase) };
    default:
      return expression;
  }
}
