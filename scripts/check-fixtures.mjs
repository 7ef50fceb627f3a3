// Compiles every .c and .S of the designs, so that what the simulator reads is code that a kernel could be built from.
// Knows nothing of verdicts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const designs = join(root, 'test-fixtures', 'designs');

// As a kernel is built: no SSE, no red zone, code in the top 2 GB, stacks aligned to 8. The IDT rows are for the reader.
const flags = [
  '-c', '-std=gnu11', '-Wall', '-Werror', '-O2', '-ffreestanding', '-nostdinc', '-mcmodel=kernel', '-fno-pic',
  '-mno-red-zone', '-mgeneral-regs-only', '-mpreferred-stack-boundary=3', '-fcf-protection=none',
  '-fno-asynchronous-unwind-tables', '-fno-stack-protector', '-Wno-unused-const-variable', '-Wa,--fatal-warnings',
];

const files = readdirSync(designs, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.c') || name.endsWith('.S'))
  .toSorted()
  .map((name) => join(designs, name));

const objects = mkdtempSync(join(tmpdir(), 'fixtures-'));
let failed = 0;
for (const file of files) {
  const run = spawnSync('gcc', [...flags, '-o', join(objects, 'out.o'), relative(root, file)], { cwd: root, encoding: 'utf8' });
  if (run.error !== undefined) {
    console.error(`gcc does not run: ${run.error.message}`);
    failed = files.length;
    break;
  }
  if (run.status !== 0) {
    failed += 1;
    console.error(run.stderr.trimEnd());
  }
}
rmSync(objects, { recursive: true });

console.log(`${files.length - failed} compiled${failed > 0 ? `, ${failed} failed` : ''}`);
process.exitCode = failed > 0 || files.length === 0 ? 1 : 0;
