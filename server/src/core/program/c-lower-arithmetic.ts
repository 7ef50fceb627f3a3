// Arithmetic of C on values: promotions, pointers counted in elements, unsigned wrap-around.
import type { CExpression } from '../machine/code.ts';
import type { CSyntaxType } from '../syntax/c-syntax.ts';
import { binary, commonType, constant, convert, narrowed, shifted } from './c-lower-values.ts';
import type { Value } from './c-lower-values.ts';
import { integerOf, intType, named, resolveType, sizeOfType } from './c-types.ts';
import type { TypeTable } from './c-types.ts';

/** The type of a constant by its value and suffix (C11 6.4.4.1). */
export function numberType(value: bigint, suffix: string): CSyntaxType {
  const signed = !suffix.includes('u');
  const long = suffix.includes('l') || value > 0xffffffffn || (signed && (value > 0x7fffffffn || value < -0x80000000n));
  return named(`${signed ? '' : 'unsigned '}${long ? 'long' : 'int'}`);
}

/** Unsigned int wraps; for int that is undefined, and 64 bits wrap by themselves. */
export function wrapped(types: TypeTable, expression: CExpression, type: CSyntaxType): CExpression {
  const integer = integerOf(types, type);
  return integer !== null && integer.size === 4 && !integer.signed ? narrowed(expression, integer) : expression;
}

/**
 * Where signedness matters, `<`, `/`, `%` are signed and `u<`, `u/`, `u%` unsigned; `>>` shifts zeros in, `s>>` the sign.
 */
export function arithmetic(types: TypeTable, operator: string, left: Value, right: Value): Value {
  const leftType = resolveType(types, left.type);
  const rightType = resolveType(types, right.type);
  if (leftType.kind === 'pointer' && (operator === '+' || operator === '-')) {
    const size = sizeOfType(types, leftType.to) ?? 1;
    if (rightType.kind === 'pointer' && operator === '-') {
      return { expression: binary('/', binary('-', left.expression, right.expression), constant(BigInt(size))), type: named('long') };
    }
    return { expression: moved(left.expression, operator, right.expression, size), type: left.type };
  }
  if (rightType.kind === 'pointer' && operator === '+') {
    return { expression: moved(right.expression, '+', left.expression, sizeOfType(types, rightType.to) ?? 1), type: right.type };
  }
  const type = operator === '<<' || operator === '>>' ? commonType(types, left.type, intType) : commonType(types, left.type, right.type);
  const integer = integerOf(types, type);
  const wide = integer !== null && !integer.signed && integer.size === 8;
  if (/^(?:[<>]=?|[=!]=)$/.test(operator)) {
    const a = convert(types, left, type);
    const b = convert(types, right, type);
    const equality = operator === '==' || operator === '!=';
    return { expression: binary(wide && !equality ? `u${operator}` : operator, a, b), type: intType };
  }
  const expression = binary(
    wide && /^[/%]$/.test(operator) ? `u${operator}` : operator === '>>' && integer?.signed === true ? 's>>' : operator,
    convert(types, left, type),
    operator === '<<' || operator === '>>' ? right.expression : convert(types, right, type),
  );
  return { expression: /^(?:[-+*]|<<)$/.test(operator) ? wrapped(types, expression, type) : expression, type };
}

function moved(pointer: CExpression, operator: '+' | '-', count: CExpression, size: number): CExpression {
  if (count.kind === 'constant') return shifted(pointer, Number(operator === '+' ? count.value : -count.value) * size);
  return binary(operator, pointer, size === 1 ? count : binary('*', count, constant(BigInt(size))));
}
