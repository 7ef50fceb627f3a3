// docs/rules/ holds the page of each rule, as generated. UPDATE=1 writes them; CI refuses to.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { RULES } from './index.ts';
import { markdownOf } from './page.ts';

const FOLDER = 'docs/rules';

function indexPage(): string {
  const rows = RULES.map((rule) => `| ${rule.id} | [${rule.name}](${rule.name}.md) | ${rule.severity} | ${rule.summary} |`);
  return `# Rules\n\n| id | name | severity | |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

const pages = new Map([['README.md', indexPage()], ...RULES.map((rule) => [`${rule.name}.md`, markdownOf(rule)] as const)]);

describe('pages of the rules', () => {
  if (process.env['UPDATE'] === '1' && process.env['CI'] === undefined) {
    before(() => {
      rmSync(FOLDER, { recursive: true, force: true });
      mkdirSync(FOLDER, { recursive: true });
      for (const [name, text] of pages) writeFileSync(`${FOLDER}/${name}`, text);
    });
  }

  it('are those in docs/rules', () => {
    assert.deepEqual(readdirSync(FOLDER).sort(), [...pages.keys()].sort());
    for (const [name, text] of pages) assert.equal(readFileSync(`${FOLDER}/${name}`, 'utf8'), text, `${name} is out of date: UPDATE=1 npx mocha`);
  });
});
