// Lowered C as one line an operation, for tests and for reading by eye. Says what the operations are, not what they mean.
import type { CExpression } from '../machine/code.ts';
import { unreachable } from '../base/unreachable.ts';
import type { CFunction, LooseOperation } from './c-source.ts';

export function printFunction(lowered: CFunction): readonly string[] {
  return lowered.operations.map(({ operation }, index) => `${index}: ${printOperation(operation, index, lowered.slots)}`);
}

function printOperation(operation: LooseOperation, index: number, slots: readonly string[]): string {
  const on = (next: number): string => (next === index + 1 ? '' : ` -> ${next}`);
  const slot = (number: number): string => slots[number] ?? `?${number}`;
  const print = (expression: CExpression): string => printExpression(expression, slots);
  switch (operation.kind) {
    case 'enter':
      return `enter ${operation.parameters}/${operation.slots}${on(operation.next)}`;
    case 'assign':
      return `${slot(operation.slot)} = ${print(operation.value)}${on(operation.next)}`;
    case 'store': {
      const previous = operation.previous === undefined ? '' : ` old to ${slot(operation.previous)}`;
      return `[${print(operation.address)}]${operation.size} = ${print(operation.value)} (${operation.form} ${operation.target})${previous}${on(operation.next)}`;
    }
    case 'branch':
      return `if ${print(operation.condition)} -> ${operation.then} else -> ${operation.otherwise}`;
    case 'call': {
      const result = operation.result === null ? '' : `${slot(operation.result)} = `;
      const fixup = operation.fixup === null ? '' : ` fixup -> ${operation.fixup}`;
      return `${result}${operation.name}(${operation.arguments.map(print).join(', ')})${fixup}${on(operation.next)}`;
    }
    case 'return':
      return operation.value === null ? 'return' : `return ${print(operation.value)}`;
    default:
      return unreachable(operation);
  }
}

export function printExpression(expression: CExpression, slots: readonly string[]): string {
  const print = (inner: CExpression): string => printExpression(inner, slots);
  const offset = (bytes: number): string => (bytes === 0 ? '' : bytes < 0 ? String(bytes) : `+${bytes}`);
  switch (expression.kind) {
    case 'constant':
      return expression.value >= 4096n ? `0x${expression.value.toString(16)}` : expression.value.toString();
    case 'local':
      return slots[expression.slot] ?? `?${expression.slot}`;
    case 'local-address':
      return `&${slots[expression.slot] ?? `?${expression.slot}`}${offset(expression.offset)}`;
    case 'symbol':
      return `${expression.area}:${expression.name}${offset(expression.offset)}`;
    case 'load':
      return `[${print(expression.address)}]${expression.size}`;
    case 'unary':
      return `${expression.operator}${print(expression.operand)}`;
    case 'binary':
      return `(${print(expression.left)} ${expression.operator} ${print(expression.right)})`;
    case 'unknown':
      return `?{${expression.text}}`;
    default:
      return unreachable(expression);
  }
}
