// Golden files of the tests: compared, or rewritten with UPDATE=1, which a CI refuses. For tests only.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** `path` is relative to the root of the repository, the folder that the tests run in. */
export function matchesGolden(path: string, actual: string): void {
  if (process.env['UPDATE'] === '1') {
    assert.notEqual(process.env['CI'], 'true', 'goldens are not rewritten in CI: unset UPDATE');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
    return;
  }
  assert.ok(existsSync(path), `${path} does not exist: UPDATE=1 npm run mocha writes it`);
  assert.equal(actual, readFileSync(path, 'utf8'), `${path} differs: review the difference, then UPDATE=1 npm run mocha`);
}
