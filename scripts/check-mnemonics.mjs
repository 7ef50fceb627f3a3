// Every instruction of the kernel's entry files, in every built-in configuration and all arms of alternatives, must have
// a row in the machine. Prints each mnemonic without one, with the first place it is written at, and then fails.
// Usage: node scripts/check-mnemonics.mjs TREE... [--forms]
import { buildSync } from 'esbuild';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const core = join(dirname(fileURLToPath(import.meta.url)), '../server/src/core');
const files = [
  ...['entry_64', 'entry_64_compat', 'entry_64_fred', 'entry', 'thunk', 'thunk_64'].map((name) => `arch/x86/entry/${name}.S`),
  'arch/x86/lib/retpoline.S', 'arch/x86/kvm/vmx/vmenter.S', 'arch/x86/kvm/svm/vmenter.S',
];

/** The front end and the machine's rows as a module that node can run. */
function load(scratch) {
  const outfile = join(scratch, 'rows.cjs');
  const contents = ['preprocess/preprocess', 'preprocess/configurations', 'machine/instructions/index', 'preprocess/expression'].map((name) => `export * from './${name}.ts';`).join('\n');
  buildSync({ stdin: { contents, resolveDir: core, loader: 'ts' }, bundle: true, platform: 'node', format: 'cjs', outfile, logLevel: 'warning' });
  return createRequire(import.meta.url)(outfile);
}

function release(tree) {
  const found = /^VERSION = (\d+)\nPATCHLEVEL = (\d+)/m.exec(readFileSync(join(tree, 'Makefile'), 'utf8'));
  if (found === null) throw new Error(`${tree}/Makefile names no release`);
  return `${found[1]}.${found[2]}`;
}

/** `mov mem, %r`, `testb $i, %al`: operands by kind, as far as a row can tell them apart. */
function formOf(item, { printExpression }) {
  const operands = item.operands.map((operand) => {
    if (operand.kind === 'immediate') return '$';
    if (operand.kind === 'register') return /^([a-d]|c[rsd]|[de]s|ss|[fg]s|dr|db|cr|[re]?s)/.test(operand.name) && /^(cr|dr|db|[cdefgs]s$)/.test(operand.name) ? `%${operand.name}` : '%r';
    const at = operand.base === null && operand.index === null ? (operand.displacement === null ? '0' : printExpression(operand.displacement).replace(/^[A-Za-z_.].*/, 'symbol').replace(/^-?\d.*/, 'number')) : operand.base === 'rip' ? 'rip' : '(r)';
    return `${operand.indirect ? '*' : ''}${operand.segment === null ? '' : `${operand.segment}:`}${at}`;
  });
  return `${item.prefixes.length > 0 ? `${item.prefixes.join(' ')} ` : ''}${item.mnemonic}${operands.length > 0 ? ` ${operands.join(', ')}` : ''}`;
}

function main(argv) {
  const showForms = argv.includes('--forms');
  const trees = argv.filter((each) => !each.startsWith('--')).map((each) => resolve(each));
  if (trees.length === 0) {
    console.error('usage: check-mnemonics.mjs TREE... [--forms]');
    return 2;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'mnemonics-'));
  const kept = new Map();
  const source = {
    read: (path) => {
      if (!kept.has(path)) kept.set(path, existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : null);
      return kept.get(path);
    },
  };
  let failed = false;
  try {
    const rows = load(scratch);
    const { meaningOf, preprocess, presetConfiguration, variants } = rows;
    for (const tree of trees) {
      const mnemonics = new Map();
      const forms = new Map();
      let instructions = 0;
      for (const variant of variants) {
        const configuration = presetConfiguration(`${release(tree)}:${variant}`);
        if (configuration === null) throw new Error(`${tree} is release ${release(tree)}, for which there is no built-in configuration`);
        for (const file of files) {
          const path = join(tree, file);
          if (source.read(path) === null) continue;
          for (const item of preprocess(path, source, configuration).items) {
            const instruction = item.kind === 'instruction' ? item : item.kind === 'data' ? item.decoded : null;
            // A word in a text section is an operand that code must be able to reach, not an instruction.
            const undecoded = instruction === null && item.kind === 'data' && item.size === 1 && /text|altinstr_replacement/.test(item.section);
            if (instruction === null && !undecoded) continue;
            const mnemonic = instruction === null ? `(bytes ${item.values.map(rows.printExpression).join(', ')})` : instruction.mnemonic;
            instructions += 1;
            const where = `${file} ${variant}: ${instruction === null ? item.values.map(rows.printExpression).join(', ') : instruction.text}`;
            const known = instruction !== null && meaningOf(mnemonic, instruction.operands) !== null;
            if (!mnemonics.has(mnemonic)) mnemonics.set(mnemonic, { known, where });
            if (instruction !== null) {
              const form = formOf(instruction, rows);
              if (!forms.has(form)) forms.set(form, where);
            }
          }
        }
      }
      const missing = [...mnemonics].filter(([, { known }]) => !known);
      console.log(`${basename(tree)}: ${instructions} instructions, ${mnemonics.size} mnemonics, ${missing.length} without a row`);
      for (const [mnemonic, { where }] of missing.sort()) console.log(`  ${mnemonic || '(prefix)'}  ${where}`);
      if (showForms) for (const [form, where] of [...forms].sort()) console.log(`  ${form.padEnd(32)} ${where}`);
      if (missing.length > 0 || instructions === 0) failed = true;
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
  return failed ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
