// The language servers that the bench drives, each with a file of the same length: ours on entry code, clangd on C entry
// code, bash-language-server on a script.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compileDatabase } from './kernel-build.ts';
import type { ServerCommand } from './language-client.ts';
import { installed } from './measure.ts';

export interface ServersOptions {
  readonly rounds: number;
  readonly scratch: string;
  readonly kernel: string;
}

/** Pinned, and installed for the bench only. */
const bashServer = 'bash-language-server@5.8.1';

export interface Subject {
  readonly name: string;
  readonly server: ServerCommand;
  readonly root: string;
  readonly file: string;
  readonly language: string;
  /** What the editor left behind the last time: nothing but compiled code, or what it found in the file as it is. */
  readonly kept: 'nothing' | 'the file' | null;
  /** What the text alone shows is told first, and the rest behind it. */
  readonly inTwo: boolean;
  /** Words whose first place in the text is hovered and jumped from. */
  readonly words: readonly string[];
}

export const AGAIN = ', opened before';

export function subjectsOf(options: ServersOptions, notRun: string[]): readonly Subject[] {
  const ours: ServerCommand = { command: process.execPath, args: [resolve('dist/cli.js'), 'lsp', '--stdio'], initializationOptions: { client: 'bench' }, env: { ENTRYCHECK_CACHE: join(options.scratch, 'cache') } };
  const design = resolve('test-fixtures/designs/frame-duplication');
  const subjects: Subject[] = [{ name: 'entrycheck on our largest fixture', server: ours, kept: 'nothing', inTwo: false, root: design, file: join(design, 'entry.S'), language: 'asm', words: ['push', 'iretq', 'call'] }];
  const entry = join(options.kernel, 'arch/x86/entry/entry_64.S');
  if (existsSync(entry)) for (const kept of ['nothing', 'the file'] as const) subjects.push({ name: `entrycheck on entry_64.S${kept === 'nothing' ? '' : AGAIN}`, server: ours, kept, inTwo: kept === 'nothing', root: options.kernel, file: entry, language: 'asm', words: ['swapgs', 'paranoid_entry', 'PUSH_AND_CLEAR_REGS', 'SWITCH_TO_KERNEL_CR3', 'error_entry'] });
  else notRun.push(`Linux's entry code: there is no ${'arch/x86/entry/entry_64.S'} in the kernel tree`);
  const traps = join(options.kernel, 'arch/x86/kernel/traps.c');
  if (!installed('clangd-19')) notRun.push('clangd: clangd-19 is not installed');
  else if (!existsSync(traps)) notRun.push('clangd: no kernel tree');
  else {
    const database = compileDatabase(options.kernel, options.scratch, ['arch/x86/kernel/traps.c']);
    if (typeof database === 'string') notRun.push(`clangd: ${database}`);
    else {
      const server = { command: 'clangd-19', args: [`--compile-commands-dir=${database.folder}`, '--background-index=0', '--log=error'] };
      subjects.push({ name: 'clangd', server, kept: null, inTwo: false, root: options.kernel, file: traps, language: 'c', words: ['do_error_trap', 'cond_local_irq_enable', 'pt_regs', 'do_trap', 'fixup_exception'] });
    }
  }
  const bash = bashCommand(options.scratch);
  if (typeof bash === 'string') notRun.push(`bash-language-server: ${bash}`);
  else {
    const root = join(options.scratch, 'shell');
    mkdirSync(root, { recursive: true });
    const file = join(root, 'script.sh');
    writeFileSync(file, shellScript(1600));
    subjects.push({ name: 'bash-language-server', server: bash, kept: null, inTwo: false, root, file, language: 'shellscript', words: ['copy_3', 'count_7', 'printf', 'local', 'find_9'] });
  }
  return subjects;
}

function bashCommand(scratch: string): ServerCommand | string {
  const folder = join(scratch, 'bash-language-server');
  const main = join(folder, 'node_modules/bash-language-server/out/cli.js');
  if (!existsSync(main)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    try {
      execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', bashServer], { cwd: folder, stdio: 'ignore', timeout: 180_000 });
    } catch {
      return `npm could not install ${bashServer}`;
    }
  }
  return { command: process.execPath, args: [main, 'start'] };
}

/** A script of so many lines in the manner of scripts: functions with locals, loops, conditions, here-documents. */
function shellScript(lines: number): string {
  const text: string[] = ['#!/bin/bash', 'set -euo pipefail', ''];
  for (let at = 0; text.length < lines; at += 1) {
    text.push(
      `# Copies what is newer than the mark of step ${at}.`,
      `copy_${at}() {`,
      '  local from="$1" to="$2" name',
      '  for name in "$from"/*; do',
      '    if [ -f "$name" ] && [ "$name" -nt "$to/.mark" ]; then',
      '      cp -p -- "$name" "$to/"',
      '    fi',
      '  done',
      '}',
      '',
      `count_${at}() {`,
      `  local total=${at}`,
      '  while read -r line; do',
      '    case "$line" in',
      '      \\#*) continue ;;',
      '      *) total=$((total + 1)) ;;',
      '    esac',
      '  done <"$1"',
      '  printf "%s\\n" "$total"',
      '}',
      '',
      `find_${at}() {`,
      `  local found; found="$(count_${at} "$1")"`,
      `  [ "$found" -gt ${at % 7} ] || return 1`,
      `  copy_${at} "$1" "$2"`,
      '}',
      '',
    );
  }
  return `${text.slice(0, lines).join('\n')}\n`;
}
