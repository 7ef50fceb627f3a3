// `stats --definitions PATH...`: every name that the C and assembler files of folders define, as an index of a workspace
// holds them, counted by kind.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createDefinitionIndex } from '../core/syntax/definition-index.ts';
import type { DefinitionKind } from '../core/syntax/definitions.ts';

export interface DefinitionCounts {
  readonly files: number;
  readonly characters: number;
  readonly definitions: number;
  readonly kinds: Readonly<Partial<Record<DefinitionKind, number>>>;
}

/** Reads every `.c`, `.h`, `.s` and `.S` file below the paths; linker scripts are none. */
export function countDefinitions(paths: readonly string[]): DefinitionCounts {
  const index = createDefinitionIndex();
  let characters = 0;
  for (const file of paths.flatMap(sourceFiles)) {
    const text = readFileSync(file, 'utf8');
    characters += text.length;
    index.update(file, text);
  }
  const { files, definitions, kinds } = index.counts();
  return { files, characters, definitions, kinds };
}

function sourceFiles(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[chsS]$/.test(name) && !name.endsWith('.lds.S'))
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile())
    .sort();
}

export function definitionsText({ files, characters, definitions, kinds }: DefinitionCounts): string {
  const counted = Object.entries(kinds).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return `${[`files: ${files}`, `characters: ${characters}`, `definitions: ${definitions}`, ...counted.map(([kind, count]) => `  ${count}\t${kind}`)].join('\n')}\n`;
}
