// The oracle of the front end: configures real kernel trees, assembles their entry files with gcc, and compares our
// instruction stream with the disassembly and with the line table that the assembler wrote.
// The scratch folder keeps the configured builds for the next run; without one, a temporary folder is used and removed.
// Usage: node scripts/check-expansion.mjs TREE... [--scratch FOLDER] [--only CONFIGURATION] [--verbose]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { compareFile } from './expansion/compare.mjs';
import { loadPreprocessor } from './expansion/load.mjs';

const files = ['entry_64', 'entry_64_compat', 'entry', 'entry_64_fred'].map((name) => `arch/x86/entry/${name}`);

/** Symbols that are not there in a release are dropped by olddefconfig. */
const configurations = {
  pti: {
    enable: ['PAGE_TABLE_ISOLATION', 'MITIGATION_PAGE_TABLE_ISOLATION', 'X86_ESPFIX64', 'IA32_EMULATION'],
    disable: ['DEBUG_ENTRY', 'X86_FRED', 'XEN', 'PARAVIRT_XXL'],
  },
  'debug+xenpv+sev': {
    enable: [
      'DEBUG_ENTRY', 'HYPERVISOR_GUEST', 'PARAVIRT', 'XEN', 'XEN_PV', 'AMD_MEM_ENCRYPT', 'X86_X2APIC', 'INTEL_TDX_GUEST', 'EFI', 'EFI_STUB', 'X86_FRED', 'KVM', 'KVM_INTEL', 'KVM_AMD', 'IA32_EMULATION',
    ],
    disable: [],
  },
  minimal: {
    enable: ['EXPERT'],
    disable: ['PAGE_TABLE_ISOLATION', 'MITIGATION_PAGE_TABLE_ISOLATION', 'IA32_EMULATION', 'X86_X32_ABI', 'X86_FRED', 'DEBUG_ENTRY', 'X86_ESPFIX64', 'HYPERVISOR_GUEST', 'MODIFY_LDT_SYSCALL', 'SMP', 'AMD_MEM_ENCRYPT', 'X86_MCE', 'RETPOLINE', 'MITIGATION_RETPOLINE', 'SPECULATION_MITIGATIONS', 'CPU_MITIGATIONS'],
  },
};

function run(command, args, cwd) {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${String(error.stdout).slice(-2000)}${String(error.stderr).slice(-4000)}`);
  }
}

/**
 * Runs a command, and once more where it failed: the kernel's Makefile tries which options the compiler knows, and goes on
 * without one whose trial failed for want of something else. Where `enough` holds the failure came behind what is needed.
 */
function runAgain(command, args, cwd, enough = () => false) {
  for (let left = 1; ; left -= 1) {
    try {
      run(command, args, cwd);
      return;
    } catch (error) {
      if (enough()) return;
      if (left === 0) throw error;
      console.log(`once more: ${error.message.split('\n', 1)[0]}`);
    }
  }
}

/** Needs what the kernel's build needs: make, gcc, flex, bison, bc, and the headers of libelf and OpenSSL. A configured build folder with its generated headers; made once per scratch folder. */
function configure(tree, name, scratch) {
  const build = join(scratch, `build-${basename(tree)}-${name}`);
  if (existsSync(join(build, 'prepared'))) return build;
  mkdirSync(build, { recursive: true });
  const make = (...targets) => runAgain('make', ['-s', '-C', tree, `O=${build}`, ...targets], tree);
  make('x86_64_defconfig');
  const { enable, disable } = configurations[name];
  const changes = [...enable.flatMap((each) => ['-e', each]), ...disable.flatMap((each) => ['-d', each])];
  run(join(tree, 'scripts/config'), ['--file', join(build, '.config'), ...changes], tree);
  make('olddefconfig');
  make('-j2', 'prepare');
  writeFileSync(join(build, 'prepared'), '');
  return build;
}

/** The exact compiler command that the kernel's build uses for a file, without output and post-processing. */
function compilerCommand(tree, build, file) {
  const folder = file.slice(0, file.lastIndexOf('/'));
  const record = join(build, folder, `.${basename(file)}.o.cmd`);
  if (!existsSync(record)) {
    const made = () => existsSync(record);
    runAgain('make', ['-s', '-C', tree, `O=${build}`, `${file}.o`], tree, made);
  }
  const line = readFileSync(record, 'utf8').split('\n')[0];
  const command = line.slice(line.indexOf(':=') + 2).split(';')[0].trim();
  return command.replace(/-Wp,-MMD,\S+/, '').replace(/\s-c -o \S+ \S+$/, '');
}

function main(argv) {
  const option = (name, fallback) => {
    const at = argv.indexOf(name);
    return at === -1 ? fallback : argv.splice(at, 2)[1];
  };
  const given = option('--scratch', null);
  const scratch = resolve(given ?? mkdtempSync(join(tmpdir(), 'expansion-')));
  const only = option('--only', null);
  const verbose = argv.includes('--verbose');
  const trees = argv.filter((each) => !each.startsWith('--')).map((each) => resolve(each));
  if (trees.length === 0) {
    console.error('usage: check-expansion.mjs TREE... [--scratch FOLDER] [--only CONFIGURATION] [--verbose]');
    return 2;
  }
  mkdirSync(scratch, { recursive: true });
  const preprocessor = loadPreprocessor(scratch);
  let failed = false;
  for (const tree of trees) {
    for (const name of Object.keys(configurations).filter((each) => only === null || each === only)) {
      const build = configure(tree, name, scratch);
      const total = { instructions: 0, equal: 0, lines: 0, equalLines: 0, problems: 0 };
      for (const file of files) {
        if (!existsSync(join(tree, `${file}.S`))) continue;
        if (file.endsWith('_compat') && !/^CONFIG_IA32_EMULATION=y/m.test(readFileSync(join(build, '.config'), 'utf8'))) continue;
        if (file.endsWith('_fred') && !/^CONFIG_X86_FRED=y/m.test(readFileSync(join(build, '.config'), 'utf8'))) continue;
        const result = compareFile({ tree, build, file, command: compilerCommand(tree, build, file), scratch, preprocessor, run, verbose });
        for (const key of Object.keys(total)) total[key] += result[key];
      }
      console.log(`${basename(tree)} ${name}: ${total.equal} of ${total.instructions} instructions, ${total.equalLines} of ${total.lines} source lines, ${total.problems} problems`);
      if (total.equal !== total.instructions || total.equalLines !== total.lines || total.problems > 0) failed = true;
    }
  }
  if (given === null) rmSync(scratch, { recursive: true });
  return failed ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
