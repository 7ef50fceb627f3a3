// Words: what is known after each operation is what every value that fits agrees on, and opaque values keep their
// identity when code splits them and puts them together.
import assert from 'node:assert/strict';
import { add, ALL, and, constant, equal, extractBytes, insertBytes, isConstant, not, opaque, or, shiftLeft, shiftRight, shiftRightArithmetic, show, SIGN, signExtend, subtract, truncate, UNKNOWN, word, xor, ZERO } from './word.ts';
import type { Word } from './word.ts';

describe('identity of words', () => {
  const base = opaque('a GS base', SIGN, SIGN);
  const cr3 = opaque('a CR3', SIGN, 0n);

  it('survives the halves of RDMSR and WRMSR', () => {
    const [eax, edx] = [truncate(base, 4), shiftRight(base, 32)];
    const joined = or(truncate(eax, 4), shiftLeft(truncate(edx, 4), 32));
    assert.equal(joined, base);
    assert.equal(edx.known & (1n << 31n), 1n << 31n);
    assert.equal(show(edx), 'a GS base[62:32]>>32|0x80000000');
  });

  it('survives a copy through memory by parts, in any order', () => {
    let slot: Word = UNKNOWN;
    for (const [offset, size] of [[4, 2], [0, 4], [6, 2]] as const) slot = insertBytes(slot, offset, size, extractBytes(base, offset, size));
    assert.equal(slot, base);
  });

  it('is lost where a part is another value, and is not where a part is written back', () => {
    assert.notEqual(insertBytes(base, 0, 4, truncate(opaque('another'), 4)), base);
    assert.equal(insertBytes(base, 3, 1, extractBytes(base, 3, 1)), base);
    assert.equal(equal(insertBytes(base, 0, 1, UNKNOWN), insertBytes(base, 0, 1, UNKNOWN)), null);
  });

  it('CR3: bits 11 and 12 are cleared and set again by masks', () => {
    const kernel = and(cr3, constant(~0x1800n));
    const user = or(kernel, constant(0x1800n));
    assert.deepEqual([kernel.known & 0x1800n, kernel.value & 0x1800n, user.value & 0x1800n], [0x1800n, 0n, 0x1800n]);
    assert.equal(and(user, constant(~0x1800n)), kernel);
    assert.equal(and(or(kernel, constant(SIGN)), constant(ALL >> 1n)), kernel);
    assert.equal(equal(kernel, user), false);
    assert.deepEqual([show(kernel), show(user)], ['a CR3&~0x1800', 'a CR3&~0x1800|0x1800']);
  });

  it('two values in one word come apart again', () => {
    const both = or(shiftLeft(truncate(cr3, 4), 32), truncate(base, 4));
    assert.equal(truncate(both, 4), truncate(base, 4));
    assert.equal(shiftRight(both, 32), truncate(cr3, 4));
  });

  it('a value cancels itself, its complement does not', () => {
    assert.equal(xor(base, base), ZERO);
    assert.equal(not(not(base)), base);
    assert.equal(xor(xor(base, constant(0xffn)), constant(0xffn)), base);
    assert.notEqual(xor(base, not(base)), ZERO);
    assert.equal(subtract(truncate(base, 4), truncate(base, 4)), ZERO);
  });

  it('an offset is added and taken away', () => {
    const rsp = opaque('a pointer', SIGN, 0n);
    assert.equal(add(add(rsp, constant(8n)), constant(-8n)), rsp);
    assert.equal(show(subtract(rsp, constant(8n))), 'a pointer-0x8');
    assert.notEqual(add(truncate(rsp, 4), constant(8n)), truncate(add(rsp, constant(8n)), 4));
  });

  it('is shown by its name whichever of its declarations came first', () => {
    const wide = opaque('declared twice');
    const narrow = opaque('declared twice', SIGN, 0n);
    assert.equal(show(narrow), 'declared twice');
    assert.equal(show(add(narrow, constant(8n))), 'declared twice+0x8');
    assert.notEqual(add(add(wide, constant(8n)), constant(-8n)), narrow);
  });

  it('has a name of bounded length however often it is cut', () => {
    let scrambled: Word = ZERO;
    for (let at = 0; at < 60; at += 1) scrambled = or(scrambled, shiftLeft(and(opaque(`part ${at}`), constant(1n)), at));
    assert.ok(show(scrambled).length < 200, show(scrambled));
    let pointer = opaque('a long way');
    for (let at = 0; at < 500; at += 1) pointer = add(pointer, constant(8n));
    assert.equal(show(pointer), 'a long way+0xfa0');
  });
});

describe('known bits of words', () => {
  // All values of 4 bits, each bit known as 0, known as 1 or open: 81 words, and all pairs of them.
  const partly: Word[] = [];
  for (let known = 0n; known < 16n; known += 1n) for (let value = 0n; value < 16n; value += 1n) if ((value & ~known) === 0n) partly.push(word(known | (ALL - 15n), value, ''));
  const valuesOf = (w: Word): bigint[] => Array.from({ length: 16 }, (_, at) => BigInt(at)).filter((value) => (value & w.known) === (w.value & 15n));

  function agrees(result: Word, value: bigint): boolean {
    return ((result.value ^ value) & result.known) === 0n;
  }

  for (const [name, words, numbers] of [
    ['and', and, (a: bigint, b: bigint) => a & b],
    ['or', or, (a: bigint, b: bigint) => a | b],
    ['xor', xor, (a: bigint, b: bigint) => a ^ b],
    ['add', add, (a: bigint, b: bigint) => a + b],
    ['subtract', subtract, (a: bigint, b: bigint) => BigInt.asUintN(64, a - b)],
  ] as const) {
    it(`${name}: no value that fits contradicts the result`, () => {
      for (const a of partly) {
        for (const b of partly) {
          const result = words(a, b);
          for (const x of valuesOf(a)) for (const y of valuesOf(b)) assert.ok(agrees(result, numbers(x, y)), `${name} of ${x} and ${y}`);
        }
      }
    });
  }

  it('and, or and xor know every bit that all values agree on', () => {
    for (const [words, numbers] of [[and, (a: bigint, b: bigint) => a & b], [or, (a: bigint, b: bigint) => a | b], [xor, (a: bigint, b: bigint) => a ^ b]] as const) {
      for (const a of partly) {
        for (const b of partly) {
          if (a === b) continue;
          let [ones, zeros] = [15n, 15n];
          for (const x of valuesOf(a)) for (const y of valuesOf(b)) [ones, zeros] = [ones & numbers(x, y), zeros & ~numbers(x, y)];
          assert.equal(words(a, b).known & 15n, ones | zeros);
        }
      }
    }
  });

  it('shifts and extensions', () => {
    const half = word(0xf0n, 0x90n, '');
    assert.deepEqual([shiftRight(half, 4).value & 15n, shiftRight(half, 4).known & 15n], [9n, 15n]);
    assert.equal(shiftLeft(half, 4).value, 0x900n);
    assert.equal(signExtend(half, 1).value, ALL - 0x6fn);
    assert.equal(shiftRightArithmetic(constant(SIGN), 63), constant(ALL));
    assert.equal(shiftRightArithmetic(opaque('sign open'), 63).known, 0n);
    assert.ok(isConstant(truncate(word(0xffn, 0x12n, ''), 1)));
  });
});
