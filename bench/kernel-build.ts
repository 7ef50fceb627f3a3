// A configured build folder of a kernel tree beside it, and compile commands for clangd as the kernel's build would give
// them. Made once in the scratch folder; it needs what building a kernel needs.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface CompileDatabase {
  readonly folder: string;
  readonly build: string;
}

/** The reason where there is none. */
export function compileDatabase(tree: string, scratch: string, files: readonly string[]): CompileDatabase | string {
  const build = join(scratch, `build-${basename(tree)}`);
  const command = prepared(tree, build);
  if (command.kind === 'failed') return command.why;
  const folder = join(scratch, `commands-${files.length}`);
  mkdirSync(folder, { recursive: true });
  const entries = files.map((file) => ({ directory: build, file: join(tree, file), command: command.text.replaceAll('FILE', join(tree, file)) }));
  writeFileSync(join(folder, 'compile_commands.json'), JSON.stringify(entries));
  return { folder, build };
}

type Prepared = { readonly kind: 'ready'; readonly text: string } | { readonly kind: 'failed'; readonly why: string };

const sample = 'arch/x86/kernel/traps';

/** The compiler's command for a file of the tree, with FILE in the place of its name. */
function prepared(tree: string, build: string): Prepared {
  const record = join(build, 'arch/x86/kernel/.traps.o.cmd');
  try {
    if (!existsSync(record)) {
      mkdirSync(build, { recursive: true });
      const make = (...targets: string[]): void => {
        execFileSync('make', ['-s', '-C', tree, `O=${build}`, ...targets], { stdio: ['ignore', 'ignore', 'pipe'] });
      };
      make('x86_64_defconfig');
      make('-j2', 'prepare');
      make(`${sample}.o`);
    }
  } catch (error) {
    return { kind: 'failed', why: `the kernel tree could not be configured: ${String((error as { stderr?: Buffer }).stderr ?? error).trim().split('\n').at(-1)}` };
  }
  const line = readFileSync(record, 'utf8').split('\n')[0] ?? '';
  const text = line
    .slice(line.indexOf(':=') + 2)
    .split(';')[0]
    ?.trim()
    .replace(/-Wp,-MMD,\S+/, '')
    .replace(/\s-c -o \S+ \S+$/, ' -c FILE');
  return text === undefined || !text.includes('FILE') ? { kind: 'failed', why: 'the build kept no compile command' } : { kind: 'ready', text };
}
