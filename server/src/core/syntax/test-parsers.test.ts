// The parsers for tests, made once from the modules in the package, and their trees as S-expressions.
import { readFileSync } from 'node:fs';
import type { Parsers, SyntaxNode } from './parser.ts';
import { createParsers } from './parser.ts';

let parsers: Promise<Parsers> | null = null;

export function testParsers(): Promise<Parsers> {
  return (parsers ??= createParsers({
    core: readFileSync('node_modules/web-tree-sitter/web-tree-sitter.wasm'),
    gas: readFileSync('grammars/tree-sitter-gas.wasm'),
    c: readFileSync('node_modules/tree-sitter-c/tree-sitter-c.wasm'),
  }));
}

/** Named nodes only, as the grammar's corpus has them. */
export function expressionOf(node: SyntaxNode): string {
  if (node.missing) return `(MISSING ${node.named ? node.type : JSON.stringify(node.type)})`;
  const children = node.children().filter((child) => child.named || child.missing);
  return `(${[node.type, ...children.map(expressionOf)].join(' ')})`;
}
