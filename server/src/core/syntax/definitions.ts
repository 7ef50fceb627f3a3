// What a source file defines, by its text alone and without a grammar: names of functions, variables, types, constants,
// macros and labels, for an index of a whole workspace. Follows neither includes nor configurations; of members and
// local names it knows nothing.
import type { Span } from '../base/span.ts';
import { CODE_START, NAMED_INSIDE } from './asm-outline.ts';
import { definitionsInC } from './definitions-c.ts';
import { halfFor } from './halves.ts';

export type DefinitionKind = 'function' | 'variable' | 'type' | 'constant' | 'macro' | 'label';

export interface Definition {
  readonly name: string;
  readonly kind: DefinitionKind;
  readonly nameSpan: Span;
}

const shared = /\b__ASSEMBL(?:Y|ER)__\b/;
const macro = /^[ \t]*\.macro\b/m;

/** In text order, by the kind of file that the name says. */
export function definitionsOf(file: string, text: string): readonly Definition[] {
  if (/\.[sS]$/.test(file)) return definitionsInAssembler(text);
  if (!file.endsWith('.h') || !shared.test(text)) return file.endsWith('.h') && macro.test(text) ? definitionsInAssembler(text) : definitionsInC(text);
  const inC = definitionsInC(halfFor('c', text));
  const seen = new Set(inC.map(({ nameSpan }) => nameSpan.start));
  const rest = definitionsInAssembler(halfFor('gas', text)).filter(({ nameSpan }) => !seen.has(nameSpan.start));
  return [...inC, ...rest].sort((a, b) => a.nameSpan.start - b.nameSpan.start);
}

/** Comments first, so that nothing in them is found: labels, `SYM_...(name)`, `.macro`, `#define`, `.set`, `name = value`. */
const assembler =
  /\/\*[^]*?(?:\*\/|$(?![^]))|^[ \t]*(?:([A-Z]\w*)[ \t]*\([ \t]*([\w.$]+)|\.macro[ \t]+([\w.$]+)|#[ \t]*define[ \t]+(\w+)|\.(?:set|equ|equiv)[ \t]+([\w.$]+)|([A-Za-z_$][\w.$]*)(?:[ \t]*(=)(?!=)|[ \t]*:))/gm;

function definitionsInAssembler(text: string): readonly Definition[] {
  const found: Definition[] = [];
  for (const match of text.matchAll(assembler)) {
    const [whole, called, symbol, macro, define, set, word, assigned] = match;
    const add = (name: string, kind: DefinitionKind): void => {
      // A label's name comes first, every other one last.
      const start = match.index + (name === word ? whole.indexOf(name) : whole.lastIndexOf(name));
      found.push({ name, kind, nameSpan: { start, end: start + name.length } });
    };
    if (called !== undefined && symbol !== undefined) {
      if (CODE_START.test(called)) add(symbol, called.startsWith('SYM_DATA') ? 'variable' : 'function');
      else if (NAMED_INSIDE.test(called)) add(symbol, 'label');
    } else if (macro !== undefined) add(macro, 'macro');
    else if (define !== undefined) add(define, 'macro');
    else if (set !== undefined) add(set, 'constant');
    else if (word !== undefined) add(word, assigned === undefined ? 'label' : 'constant');
  }
  return found;
}
