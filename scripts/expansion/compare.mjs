// One kernel file, both ways: our stream laid out at the addresses of the assembled object, instruction by instruction.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sameInstruction } from './instructions.mjs';
import { disassemble, readListing, readSymbols, splitPreprocessed } from './object.mjs';

function fileSource() {
  const kept = new Map();
  return {
    read: (path) => {
      if (!kept.has(path)) kept.set(path, existsSync(path) ? readFileSync(path, 'utf8') : null);
      return kept.get(path);
    },
  };
}

/** Constants that only a build knows (offsets of C structures, numbers of system calls): `#define NAME value`. */
function generatedConstants(build) {
  const constants = new Map();
  const folders = ['include/generated', 'arch/x86/include/generated/asm', 'arch/x86/include/generated/uapi/asm'];
  for (const folder of folders) {
    if (!existsSync(join(build, folder))) continue;
    for (const name of readdirSync(join(build, folder))) {
      if (!name.endsWith('.h') || name === 'autoconf.h') continue;
      for (const found of readFileSync(join(build, folder, name), 'utf8').matchAll(/^#define\s+(\w+)\s+\(?(-?(?:0x[0-9a-f]+|\d+))\)?(?:\s|$)/gim)) {
        const text = found[2];
        if (!constants.has(found[1])) constants.set(found[1], text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text));
      }
    }
  }
  return constants;
}

export function compareFile({ tree, build, file, command, scratch, preprocessor, run, verbose }) {
  const source = fileSource();
  const input = join(tree, `${file}.S`);
  const object = join(scratch, 'object.o');
  run('sh', ['-c', `${command} -Wa,-L -c -o '${object}' '${input}'`], build);
  const configuration = preprocessor.configurationOf('oracle', preprocessor.parseConfig(source.read(join(build, '.config'))));
  const stream = preprocessor.preprocess(input, source, configuration);
  const constants = generatedConstants(build);
  const result = { instructions: 0, equal: 0, lines: 0, equalLines: 0, problems: stream.problems.length };
  const complain = (text) => verbose && console.log(`${file}: ${text}`);
  const lineOf = lineFinder(source);
  for (const problem of stream.problems) complain(`${problem.message} at ${lineOf(problem.place)}`);
  const place = (path) => {
    const symbols = readSymbols(path);
    const sections = codeSections(stream.items).map(([section, items]) => ({ section, items, context: resolver(section, symbols, constants, stream), disassembly: disassemble(path, section) }));
    const placed = new Map();
    for (const each of sections) placeSection({ ...each, placed, object: path, symbols, preprocessor, result, complain });
    return { sections, placed };
  };
  const { sections, placed } = place(object);
  for (const each of sections) compareSection({ ...each, placed, preprocessor, result, complain, lineOf });
  // Making a listing changes how the assembler relaxes branches next to alignment: its object has addresses of its own.
  const listed = listing({ command, input, build, scratch, run });
  compareLines({ placed: place(listed.object).placed, stream, listed, result, complain, lineOf });
  return result;
}

/** The assembler's own listing, statement by statement, with source lines for the lines of the preprocessed text. */
function listing({ command, input, build, scratch, run }) {
  const preprocessed = run('sh', ['-c', `${command} -E '${input}'`], build);
  const { lines, sources } = splitPreprocessed(preprocessed);
  const path = join(scratch, 'split.s');
  writeFileSync(path, `${lines.join('\n')}\n`);
  const statements = new Map();
  lines.forEach((line, i) => statements.set(sources[i], [...(statements.get(sources[i]) ?? []), squeezed(line)]));
  run('as', ['--64', '-L', `-alcmns=${path}.lst`, '--listing-rhs-width=4000', '--listing-cont-lines=64', '-o', `${path}.o`, path], build);
  const rows = readListing(readFileSync(`${path}.lst`, 'utf8'));
  // A repeated block is listed at its last line: there the statement itself tells where it was written.
  const isFrom = (row, source) => sources[row.line - 1] === source || (/^\s*\.endr/.test(lines[row.line - 1]) && (statements.get(source) ?? []).includes(squeezed(row.text)));
  return { rows, isFrom, sources, object: `${path}.o` };
}

function squeezed(text) {
  return text.replace(/\s+/g, '');
}

/** Both in the order of the source: each instruction has a row at its address with its bytes. */
function compareLines({ placed, stream, listed: { rows, isFrom, sources }, result, complain, lineOf }) {
  let at = 0;
  for (const item of stream.items) {
    const place = placed.get(item);
    if (place === undefined || place.bytes === null) continue;
    result.lines++;
    const outer = item.origin.uses.at(-1) ?? item.origin;
    const isRow = (row) => row.address === place.pc && place.bytes.startsWith(row.bytes.slice(0, place.opcode));
    let found = at;
    while (found < rows.length && !isRow(rows[found])) found++;
    if (found === rows.length) complain(`line ${lineOf(outer)}: not in the listing: ${item.text ?? item.decoded.text}`);
    else {
      at = found + 1;
      // The preprocessor gives a line that is continued the number of its first part.
      if (isFrom(rows[found], lineOf(outer)) || isFrom(rows[found], lineOf(outer, true))) result.equalLines++;
      else complain(`line ${lineOf(outer)} | ${sources[rows[found].line - 1]} ${item.text ?? item.decoded.text}`);
    }
  }
}

/** Items by section in the order of the layout, subsections behind; sections without code are left out. */
function codeSections(items) {
  const sections = new Map();
  for (const item of items) {
    const [name, number = '0'] = item.section.split('#');
    if (!sections.has(name)) sections.set(name, []);
    sections.get(name).push({ item, number: Number(number) });
  }
  const sorted = [...sections].map(([name, list]) => [name, list.sort((a, b) => a.number - b.number).map((each) => each.item)]);
  // The padding of an original is as long as its replacement, so the replacements are placed first.
  sorted.sort(([a], [b]) => Number(b.includes('replacement')) - Number(a.includes('replacement')));
  return sorted.filter(([, list]) => list.some((item) => item.kind === 'instruction' || (item.kind === 'data' && item.decoded !== null)));
}

function lineFinder(source) {
  const starts = new Map();
  return (place, logical = false) => {
    if (!starts.has(place.file)) starts.set(place.file, [...(source.read(place.file) ?? '').matchAll(/\n/g)].map((found) => found.index));
    const list = starts.get(place.file);
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle] < place.span.start) low = middle + 1;
      else high = middle;
    }
    if (logical) while (low > 0 && (source.read(place.file) ?? '')[list[low - 1] - 1] === '\\') low -= 1;
    return `${place.file.replace(/^.*\//, '')}:${low + 1}`;
  };
}

function resolver(section, symbols, constants, stream) {
  const symbolOf = (name) => {
    const local = symbols.get((name ?? '').replace(/^numeric\.(\d+)\.(\d+)$/, '$1#$2'));
    if (local !== undefined) return { base: local.section, value: local.value };
    const constant = constants.get(name);
    if (constant !== undefined) return { base: '', value: constant };
    return /^\.\w/.test(name ?? '') ? { base: name, value: 0n } : { base: (name ?? '').replace(/@PLT$/, ''), value: 0n };
  };
  const resolve = (expression, dot) => {
    switch (expression.kind) {
      case 'number': return { base: '', value: expression.value };
      case 'here': return { base: section, value: dot };
      case 'symbol': {
        const alias = stream.symbols.get(expression.name);
        return alias !== undefined && !symbols.has(expression.name) ? resolve(alias, dot) : symbolOf(expression.name);
      }
      case 'unary': {
        const operand = resolve(expression.operand, dot);
        if (operand === null || operand.base !== '') return null;
        return { base: '', value: expression.operator === '-' ? -operand.value : expression.operator === '~' ? ~operand.value : operand.value === 0n ? 1n : 0n };
      }
      default: return binary(expression.operator, resolve(expression.left, dot), resolve(expression.right, dot));
    }
  };
  return { section, resolve, symbolOf };
}

function binary(operator, left, right) {
  if (left === null || right === null) return null;
  const a = left.value;
  const b = right.value;
  if (operator === '+' && (left.base === '' || right.base === '')) return { base: left.base + right.base, value: a + b };
  if (operator === '-' && (right.base === '' || right.base === left.base)) return { base: right.base === '' ? left.base : '', value: a - b };
  if (left.base !== '' || right.base !== '') return null;
  const truth = (holds) => (holds ? -1n : 0n);
  const results = {
    '*': () => a * b, '/': () => (b === 0n ? 0n : a / b), '%': () => (b === 0n ? 0n : a % b), '<<': () => a << b, '>>': () => BigInt.asUintN(64, a) >> b, '&': () => a & b, '|': () => a | b, '^': () => a ^ b,
    '>': () => truth(a > b), '<': () => truth(a < b), '>=': () => truth(a >= b), '<=': () => truth(a <= b), '==': () => truth(a === b), '!=': () => truth(a !== b),
  };
  return results[operator] === undefined ? null : { base: '', value: BigInt.asIntN(64, results[operator]()) };
}

/** Gives every label and instruction of ours its address: sizes are the object's, labels it knows are checked. */
function placeSection({ placed, section, items, context, disassembly, object, symbols, preprocessor, result, complain }) {
  let pc = 0;
  const number = (text, fallback) => {
    if (text === undefined || text === '') return fallback;
    const expression = preprocessor.expressionOf(text.replace(/(\d+)#(\d+)/g, 'numeric.$1.$2'), { local: (n, direction) => n + direction, symbol: () => null });
    const value = expression === null ? null : context.resolve(expression, BigInt(pc));
    return value === null || (value.base !== '' && value.base !== section) ? null : Number(value.value);
  };
  /** A size that depends on labels behind it: as many bytes as hold the fill value. */
  const run = (fill) => {
    let size = 0;
    const byte = (number(fill, 0) & 0xff).toString(16).padStart(2, '0');
    for (let each = disassembly.get(pc); each !== undefined && each.bytes.every((one) => one === byte); each = disassembly.get(pc + size)) size += each.size;
    return size;
  };
  for (const item of items) {
    if (item.kind === 'label') {
      const known = symbols.get(item.name);
      if (known === undefined || item.name.includes('#')) symbols.set(item.name, { section, value: BigInt(pc) });
      else if (known.section === section && Number(known.value) !== pc) {
        complain(`${section}: label ${item.name} at ${known.value.toString(16)}, not ${pc.toString(16)}`);
        result.instructions++;
        pc = Number(known.value);
      }
    } else if (item.kind === 'instruction' || (item.kind === 'data' && item.decoded !== null)) {
      if (!disassembly.has(pc)) for (const [address, each] of disassemble(object, section, pc)) disassembly.set(address, each);
      const theirs = disassembly.get(pc);
      placed.set(item, { pc, size: theirs?.size ?? 0, bytes: theirs?.bytes.join('') ?? '', opcode: 2 });
      pc += theirs?.size ?? 0;
    } else {
      const size = item.kind === 'data' ? item.size * item.values.length : sizeOf(item, pc, number, run);
      placed.set(item, { pc, size, bytes: null });
      pc += size;
    }
  }
}

function sizeOf(item, pc, number, run) {
  const [first, second] = item.arguments;
  const aligned = (to) => (to - (pc % to)) % to;
  switch (item.name) {
    case '.balign': case '.align': return aligned(number(first, 1));
    case '.p2align': return aligned(2 ** number(first, 0));
    case '.org': return Math.max(0, (number(first, pc) ?? pc) - pc);
    case '.skip': case '.space': case '.zero': case '.nops': return Math.max(0, number(first, 0) ?? run(second));
    case '.fill': return Math.max(0, number(first, 0) ?? 0) * number(second, 1);
    case '.asciz': case '.string': return first.length - 1;
    case '.ascii': return first.length - 2;
    default: return 0;
  }
}

/** Every instruction of ours against the one at its address, and every byte of theirs accounted for. */
function compareSection({ placed, section, items, context, disassembly, preprocessor, result, complain, lineOf }) {
  let symbol = '?';
  const ours = new Set();
  const accounted = (place) => {
    for (let at = place.pc; at < place.pc + place.size; at++) ours.add(at);
  };
  for (const item of items) {
    if (item.kind === 'label') {
      if (!/#|^\.L/.test(item.name)) symbol = item.name;
      continue;
    }
    const place = placed.get(item);
    accounted(place);
    if (place.bytes === null) continue;
    const statement = item.kind === 'data' ? item.decoded : item;
    const theirs = disassembly.get(place.pc);
    result.instructions++;
    const problem = theirs === undefined ? 'nothing' : sameInstruction(statement, theirs, preprocessor.parseStatement, context);
    if (problem === null) result.equal++;
    else complain(`${symbol}: ${place.pc.toString(16)}: ${statement.text} | ${theirs?.text} ${theirs?.relocations.map((each) => each.symbol).join(' ')} (${problem}) ${lineOf(item.origin)}`);
  }
  const end = Math.max(0, ...ours) + 1;
  for (const [address, each] of disassembly) {
    // Behind the last item lies the padding of the section.
    if (ours.has(address) || (address >= end && /^(?:nop|int3|xchg|data16|cs nop)/.test(each.text))) continue;
    result.instructions++;
    complain(`${section}: nothing of ours at ${address.toString(16)}: ${each.text}`);
  }
}
