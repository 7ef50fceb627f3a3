// Are two spellings of an instruction the same? The stream's statement against the disassembler's, operand by operand,
// with symbols and relocations brought to one form.

const aliases = new Map(Object.entries({
  jz: 'je', jnz: 'jne', jc: 'jb', jnae: 'jb', jnc: 'jae', jnb: 'jae', jna: 'jbe', jnbe: 'ja', jnge: 'jl', jnl: 'jge', jng: 'jle', jnle: 'jg', jpe: 'jp', jpo: 'jnp',
  setz: 'sete', setnz: 'setne', setc: 'setb', setnc: 'setae', cmovz: 'cmove', cmovnz: 'cmovne', cmovc: 'cmovb', cmovnc: 'cmovae',
  sal: 'shl', movabs: 'mov', fwait: 'wait', repe: 'repz', rep: 'repz', repne: 'repnz', movzx: 'movz', movsx: 'movs', movzb: 'movzb', loopz: 'loope', loopnz: 'loopne', ud2a: 'ud2', lret: 'lret', iret: 'iret',
}));
const suffixes = new Set(['b', 'w', 'l', 'q']);
const widths = { b: 8, w: 16, l: 32, q: 64 };
const stringOperation = /^(?:stos|lods|movs|scas|cmps|ins|outs)[bwlqd]?$/;

function canonical(name) {
  return aliases.get(name) ?? name;
}

function sameMnemonic(ours, theirs) {
  if (canonical(ours) === canonical(theirs)) return true;
  const stem = (name) => (suffixes.has(name.at(-1)) ? canonical(name.slice(0, -1)) : null);
  return stem(ours) === canonical(theirs) || canonical(ours) === stem(theirs) || (stem(ours) !== null && stem(ours) === stem(theirs) && ours.at(-1) === theirs.at(-1)) ||
    (ours === 'movslq' && theirs === 'movslq');
}

/** `context` gives `resolve(expression, dot)` to `{ base, value }` and `symbolValue(name)`. */
export function sameInstruction(ours, theirs, parseStatement, context) {
  const text = theirs.text.replace(/\s*#.*$/, '').replace(/\s*<[^>]*>/g, '').replace(/,p[nt]\b/, '').replace(/^((?:\w+ )*)\b(rex\.?\w*) /, '$1');
  let parsed = parseStatement(text.replace(/^((?:\w+ )*(?:j\w+|call\w?|loop\w*|xbegin\w?) +)([0-9a-f]+)$/, '$10x$2'));
  if (parsed.operands.length === 0 && ours.operands.length === 0 && parsed.mnemonic === '') parsed = { ...parsed, mnemonic: parsed.prefixes.at(-1) ?? '', prefixes: parsed.prefixes.slice(0, -1) };
  // This disassembler does not know FRED yet.
  if (parsed.mnemonic === 'clac' && parsed.prefixes.length === 1) parsed = { ...parsed, prefixes: [], mnemonic: parsed.prefixes[0] === 'repz' ? 'eretu' : 'erets' };
  const prefixes = (list) => list.map(canonical).filter((each) => !/^(?:rex|[c-gs]s$)/.test(each)).sort().join(' ');
  if (!sameMnemonic(ours.mnemonic, parsed.mnemonic)) return `mnemonic ${parsed.mnemonic}`;
  if (prefixes(ours.prefixes) !== prefixes(parsed.prefixes)) return `prefixes ${parsed.prefixes.join(' ')}`;
  if (stringOperation.test(ours.mnemonic) && ours.operands.length === 0) return null;
  let mine = ours.operands;
  let other = parsed.operands;
  if (mine.length + 1 === other.length && other[0].kind === 'immediate' && other[0].value.value === 1n) other = other.slice(1);
  if (other.length + 1 === mine.length && mine[0].kind === 'immediate' && mine[0].value.value === 1n) mine = mine.slice(1);
  if (mine.length !== other.length) return `${other.length} operands`;
  const suffix = parsed.mnemonic.at(-1);
  const problem = compareOperands(mine, other, theirs, suffix, context);
  if (problem !== null && mine.length === 2 && /^(?:xchg|test)/.test(ours.mnemonic) && compareOperands([...mine].reverse(), other, theirs, suffix, context) === null) return null;
  return problem;
}

function compareOperands(mine, other, theirs, suffix, context) {
  const relocations = [...theirs.relocations];
  for (let i = 0; i < mine.length; i++) {
    const problem = compareOperand(mine[i], other[i], theirs, suffix, relocations, context);
    if (problem !== null) return `operand ${i + 1}: ${problem}`;
  }
  return relocations.length === 0 ? null : `relocation ${relocations[0].symbol}`;
}

function compareOperand(mine, other, theirs, suffix, relocations, context) {
  if (mine.kind !== other.kind) return other.kind;
  switch (mine.kind) {
    case 'register': return mine.name === other.name && mine.indirect === other.indirect ? null : other.name;
    case 'immediate': return compareValue(mine.value, other.value, false, theirs, suffix, relocations, context);
    default:
  }
  // The disassembler leaves out the segment of the base register's default.
  if (mine.indirect !== other.indirect || (mine.segment ?? '') !== (other.segment ?? '')) return 'segment or indirection';
  if (mine.base !== other.base || mine.scale !== other.scale) return 'base or scale';
  if ((mine.index ?? null) !== (other.index ?? null)) return `index ${other.index}`;
  const direct = mine.base === null && mine.index === null && mine.segment === null && !mine.indirect;
  const zero = { kind: 'number', value: 0n };
  return compareValue(mine.displacement ?? zero, other.displacement ?? zero, mine.base === 'rip' || direct, theirs, 'q', relocations, context);
}

function compareValue(mine, other, relative, theirs, suffix, relocations, context) {
  const end = BigInt(theirs.address + theirs.size);
  const ours = context.resolve(mine, BigInt(theirs.address));
  if (ours === null) return 'unresolved';
  let value;
  const symbolic = ours.base !== '';
  if (symbolic && relocations.length > 0) {
    const relocation = relocations.shift();
    const pc = /PC|PLT|GOT/.test(relocation.type);
    const symbol = context.symbolOf(relocation.symbol);
    value = { base: symbol.base, value: symbol.value + relocation.addend + (pc ? end - BigInt(relocation.offset) : 0n) };
    if (pc && !relative) value = { ...value, base: `pc ${value.base}` };
  } else if (other.kind !== 'number') return 'not a number';
  else if (symbolic && relative) {
    // A branch shows its target, an address relative to RIP its distance.
    const isBranch = /^(?:j|call|loop|xbegin)/.test(theirs.text.replace(/^(?:bnd|notrack|rep[nz]*|data16|[c-gs]s) /, ''));
    value = { base: context.section, value: isBranch ? other.value : other.value + end };
  } else value = { base: '', value: other.value };
  if (value.base !== ours.base) return `${value.base} for ${ours.base}`;
  if (value.value === ours.value) return null;
  if (value.base === '') {
    const width = widths[suffix] ?? 64;
    if (BigInt.asUintN(width, value.value) === BigInt.asUintN(width, ours.value)) return null;
    if (BigInt.asUintN(32, value.value) === BigInt.asUintN(32, ours.value) && width === 64 && BigInt.asIntN(32, value.value) === BigInt.asIntN(64, ours.value)) return null;
  }
  return `value ${value.value.toString(16)} for ${ours.value.toString(16)}`;
}
