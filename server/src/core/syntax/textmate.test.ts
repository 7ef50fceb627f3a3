import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const GRAMMARS = { 'syntaxes/gas-x86.tmLanguage.json': 'source.gas-x86', 'syntaxes/xctx.injection.tmLanguage.json': 'xctx.injection' };

interface TextMateGrammar {
  readonly scopeName: string;
  readonly repository: Readonly<Record<string, unknown>>;
}

describe('TextMate grammars', () => {
  for (const [path, scope] of Object.entries(GRAMMARS)) {
    const text = readFileSync(path, 'utf8');
    const grammar = JSON.parse(text) as TextMateGrammar;

    it(`${path} has its scope, and each rule that it includes`, () => {
      assert.equal(grammar.scopeName, scope);
      const included = [...text.matchAll(/"include": "#([^"]+)"/g)].map((match) => match[1] ?? '');
      assert.ok(included.length > 0);
      assert.deepEqual(included.filter((name) => !(name in grammar.repository)), []);
      assert.deepEqual(Object.keys(grammar.repository).filter((name) => !included.includes(name)), []);
    });
  }

  it('the language configuration has the pairs of the language', () => {
    const configuration = JSON.parse(readFileSync('syntaxes/gas-x86.language-configuration.json', 'utf8')) as { readonly comments: unknown };
    assert.deepEqual(configuration.comments, { lineComment: '//', blockComment: ['/*', '*/'] });
  });
});
