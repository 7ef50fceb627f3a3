// An assembled object as the oracle reads it: symbols with their sections, disassembly with relocations, source lines.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const options = { encoding: 'utf8', maxBuffer: 1 << 30 };

/** Symbols by name, `{ section, value }`, local labels included where they were kept (`as -L`); numeric labels never are. */
export function readSymbols(path) {
  const bytes = readFileSync(path);
  const sectionTable = Number(bytes.readBigUInt64LE(40));
  const sectionCount = bytes.readUInt16LE(60);
  const header = (i) => sectionTable + i * 64;
  const section = (i) => ({
    name: bytes.readUInt32LE(header(i)), type: bytes.readUInt32LE(header(i) + 4), offset: Number(bytes.readBigUInt64LE(header(i) + 24)),
    size: Number(bytes.readBigUInt64LE(header(i) + 32)), link: bytes.readUInt32LE(header(i) + 40),
  });
  const text = (at) => bytes.toString('latin1', at, bytes.indexOf(0, at));
  const names = section(bytes.readUInt16LE(62));
  const sectionName = (i) => text(names.offset + section(i).name);
  const symbols = new Map();
  for (let i = 0; i < sectionCount; i++) {
    const table = section(i);
    if (table.type !== 2) continue;
    const strings = section(table.link);
    for (let at = table.offset; at < table.offset + table.size; at += 24) {
      const name = text(strings.offset + bytes.readUInt32LE(at));
      const index = bytes.readUInt16LE(at + 6);
      if (name === '' || index === 0 || index >= 0xff00) continue;
      symbols.set(name, { section: sectionName(index), value: bytes.readBigUInt64LE(at + 8) });
    }
  }
  return symbols;
}

/** Disassembled instructions of one section by address: `{ address, size, bytes, text, relocations }`. */
export function disassemble(path, section, start = null) {
  const range = start === null ? [] : [`--start-address=${start}`, `--stop-address=${start + 64}`];
  const output = execFileSync('objdump', ['-d', '-r', '-w', '-M', 'suffix', '-j', section, ...range, path], options);
  const instructions = new Map();
  let last = null;
  for (const line of output.split('\n')) {
    const found = /^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*(?:\t(.*))?$/.exec(line);
    if (found === null) {
      if (last !== null) last.relocations.push(...relocationOf(line));
      continue;
    }
    const [text, ...rest] = (found[3] ?? '').split('\t');
    const relocations = rest.join(' ').match(/[0-9a-f]+: R_X86_64_\w+ \S+/g) ?? [];
    const bytes = found[2].trim().split(' ');
    last = { address: parseInt(found[1], 16), size: bytes.length, bytes, text: text.trim(), relocations: relocations.flatMap(relocationOf) };
    instructions.set(last.address, last);
  }
  return instructions;
}

/** `12: R_X86_64_PLT32 foo-0x4` behind an instruction. */
function relocationOf(text) {
  const found = /^([0-9a-f]+): (R_X86_64_\w+)\s+(\S+?)(?:([+-])0x([0-9a-f]+))?$/.exec(text.trim());
  if (found === null) return [];
  const addend = found[5] === undefined ? 0n : BigInt(`0x${found[5]}`) * (found[4] === '-' ? -1n : 1n);
  return [{ offset: parseInt(found[1], 16), type: found[2], symbol: found[3], addend }];
}

/** Preprocessed text with one statement a line, and the source line of each line of it, as `file:line`. */
export function splitPreprocessed(text) {
  const lines = [];
  const sources = [];
  let file = '';
  let number = 0;
  for (const line of text.split('\n')) {
    const marker = /^# (\d+) "([^"]*)"/.exec(line);
    if (marker !== null) {
      number = Number(marker[1]);
      file = marker[2].replace(/^.*\//, '');
      continue;
    }
    for (const statement of line.match(/(?:"(?:[^"\\]|\\.)*"|[^;"])+/g) ?? []) {
      lines.push(statement);
      sources.push(`${file}:${number}`);
    }
    number++;
  }
  return { lines, sources };
}

/** Rows of an assembler's listing that put out bytes, in order: `{ line, address, bytes, text }`. */
export function readListing(text) {
  const rows = [];
  for (const line of text.split('\n')) {
    const found = /^\s*(\d+) ([0-9a-f]{4,}) ([0-9A-F]{2,})[^\t]*(?:\t>*(.*))?$/.exec(line);
    // The end of a repeated block shows the bytes of its first statement, which has a row of its own.
    if (found !== null && !/^\s*\.endr/.test(found[4] ?? '')) rows.push({ line: Number(found[1]), address: parseInt(found[2], 16), bytes: found[3].toLowerCase(), text: found[4] ?? '' });
  }
  return rows;
}
