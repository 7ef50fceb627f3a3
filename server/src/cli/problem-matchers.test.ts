// The problem matchers of the extension's manifest, on what `check` really prints.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { runCommand } from '../testing/command-line.ts';

interface Pattern {
  readonly name: string;
  readonly regexp: string;
  readonly file: number;
  readonly line: number;
  readonly column: number;
  readonly severity: number;
  readonly message: number;
  readonly code?: number;
}

interface Contributed {
  readonly problemPatterns: readonly Pattern[];
  readonly problemMatchers: readonly { readonly name: string; readonly pattern: string }[];
}

interface Checked {
  readonly findings: readonly { readonly rule: string; readonly severity: string; readonly file: string; readonly line: number; readonly column: number; readonly message: string }[];
}

const { contributes } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly contributes: Contributed };

/** What VS Code makes of the lines by the matcher of that name. */
function problems(name: string, output: string): readonly { readonly [part: string]: string | number }[] {
  const matcher = contributes.problemMatchers.find((one) => one.name === name) ?? assert.fail(`no matcher ${name}`);
  const pattern = contributes.problemPatterns.find((one) => `$${one.name}` === matcher.pattern) ?? assert.fail(`no pattern ${matcher.pattern}`);
  return output.split('\n').flatMap((line) => {
    const match = new RegExp(pattern.regexp).exec(line);
    if (match === null) return [];
    const part = (group: number): string => match[group] ?? assert.fail(`no group ${group}`);
    return [{ file: part(pattern.file), line: Number(part(pattern.line)), column: Number(part(pattern.column)), severity: part(pattern.severity), message: part(pattern.message), ...(pattern.code === undefined ? {} : { rule: part(pattern.code) }) }];
  });
}

describe('the problem matchers', () => {
  for (const path of ['test-fixtures/designs/clear-on-ist-early', 'test-fixtures/designs/never-rearmed', 'test-fixtures/sketches/gp-extra-errcode.md', 'test-fixtures/editor/stubs']) {
    it(`read what check prints of ${path}`, async () => {
      const { out } = await runCommand(['check', '--severity', 'hint', path]);
      const { findings } = JSON.parse((await runCommand(['check', '--severity', 'hint', '--format', 'json', path])).out) as Checked;
      assert.deepEqual(problems('entrycheck', out), findings.map(({ file, line, column, severity, message, rule }) => ({ file, line, column, severity, message, rule })));
      const notes = out.split('\n').filter((line) => /^ {4}\S+:\d+:\d+: note: /.test(line));
      const steps = problems('entrycheck-trace', out);
      assert.equal(steps.length, notes.length);
      for (const { file, severity } of steps) {
        assert.equal(severity, 'note');
        assert.ok(readFileSync(String(file), 'utf8').length > 0);
      }
      if (path.startsWith('test-fixtures/designs/')) assert.ok(findings.length > 0 && steps.length > findings.length);
    });
  }
});
