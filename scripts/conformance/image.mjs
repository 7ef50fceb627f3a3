// Builds the conformance image from its sources and the generated assembler file: gcc, as, ld, objcopy and nm.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Freestanding, no SSE, no red zone, addresses below 2 GiB; nothing that depends on the machine it is built on. */
const flags = [
  '-ffreestanding', '-nostdinc', '-std=gnu11', '-O1', '-Wall', '-Werror', '-mno-red-zone', '-mgeneral-regs-only', '-mcmodel=small', '-fno-pic', '-fno-pie',
  '-fno-stack-protector', '-fcf-protection=none', '-fno-asynchronous-unwind-tables', '-fno-builtin', '-fno-tree-loop-distribute-patterns', '-Wa,--fatal-warnings',
];

function run(command, args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${String(error.stderr ?? error.message).slice(-4000)}`, { cause: error });
  }
}

/** Path of the ROM, and the addresses of its symbols. `folder` has the sources, `generated` is the text of the last one. */
export function buildImage(folder, sources, generated, scratch) {
  const sequences = join(scratch, 'sequences.S');
  writeFileSync(sequences, generated);
  const objects = [...sources.map((name) => join(folder, name)), sequences].map((source, index) => {
    const object = join(scratch, `${index}.o`);
    run('gcc', [...flags, '-I', folder, '-c', source, '-o', object]);
    return object;
  });
  const elf = join(scratch, 'image.elf');
  run('ld', ['-nostdlib', '-static', '-z', 'max-page-size=4096', '--no-warn-rwx-segments', '-T', join(folder, 'image.ld'), '-o', elf, ...objects]);
  const rom = join(scratch, 'image.rom');
  run('objcopy', ['-O', 'binary', elf, rom]);
  const rows = run('nm', [elf]).trim().split('\n').map((line) => line.split(' '));
  return { rom, symbols: new Map(rows.map(([address, , name]) => [name, BigInt(`0x${address}`)])) };
}
