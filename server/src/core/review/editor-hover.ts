// What a name means, for a hover: the instruction's row, the macro with what this use of it becomes, the symbol, the
// definition. Knows neither contexts nor annotations.
import type { Span } from '../base/span.ts';
import { meaningOf } from '../machine/instructions/index.ts';
import { aligned } from '../render/expansion.ts';
import type { ExpandedLine, HoverText } from '../editor-types.ts';
import { matchParenthesis } from '../syntax/c-text.ts';
import { expansionOfSymbol, expansionOfUse } from './editor-expansion.ts';
import { definitionsOf, linksAround } from './editor-navigate.ts';
import { indexOf, nearestFirst } from './editor-scope.ts';
import type { Scope } from './editor-scope.ts';
import { nameAt } from './editor-words.ts';
import { isC } from './unit.ts';

const INSTRUCTIONS_SHOWN = 20;
const BODY_LINES_SHOWN = 12;

export function meaningAt(scope: Scope, offset: number): HoverText | null {
  const { file, text } = scope;
  const link = linksAround(scope, offset).find((each) => each.span.start <= offset && offset < each.span.end);
  if (link !== undefined) return { markdown: `\`${link.target}\``, span: link.span };
  const name = nameAt(file, text, offset);
  if (name === null) return null;
  const { word, span } = name;
  const macro = macroText(scope, word, span);
  if (macro !== null) return { markdown: macro, span };
  if (!isC(file)) {
    const meaning = meaningOf(word.toLowerCase());
    if (meaning !== null) {
      const faults = meaning.row.faults.length === 0 ? '' : `\n\nMay raise ${meaning.row.faults.map((fault) => `#${fault}`).join(', ')}.`;
      return { markdown: `**${meaning.row.mnemonic}**: ${meaning.row.summary}${faults}\n\n*SDM, ${meaning.row.section}*`, span };
    }
  }
  const symbol = symbolText(scope, word);
  return symbol === null ? null : { markdown: symbol, span };
}

function macroText(scope: Scope, word: string, span: Span): string | null {
  for (const { stream } of scope.own) {
    if (stream === null) continue;
    const { gas, c } = indexOf(stream).named(word);
    if (gas === undefined && c === undefined) continue;
    if (gas !== undefined && !isC(scope.file)) {
      const parameters = gas.parameters.length === 0 ? '' : ` ${gas.parameters.join(', ')}`;
      return `**${gas.name}**${escaped(parameters)}: assembler macro of ${leaf(gas.definition.file)}${expandedText(scope, span)}`;
    }
    if (c === undefined) continue;
    if (c.nameSpan.file.startsWith('<')) return `**${c.name}**: \`${c.body === '' ? '(empty)' : c.body}\`, from the configuration ${scope.configuration}`;
    const head = `${c.name}${c.parameters === null ? '' : `(${c.parameters.join(', ')})`}`;
    return `**${c.name}**: macro of ${leaf(c.nameSpan.file)}\n\n${code('c', clipped(`#define ${head} ${broken(c.body)}`))}${isC(scope.file) ? '' : expandedText(scope, span)}`;
  }
  return null;
}

/** A long body at its statements. */
function broken(body: string): string {
  return body.length < 80 ? body : `\\\n\t${body.replaceAll(/;\s*(?=\S)/g, '; \\\n\t')}`;
}

function expandedText(scope: Scope, span: Span): string {
  const lines = expansionOfUse(scope, scope.file, span.start);
  return lines === null ? '' : `\n\n${shortened(lines)}`;
}

/** The first instructions, then how many more there are; alternatives with the names of their features. */
export function shortened(lines: readonly ExpandedLine[]): string {
  const total = lines.filter((line) => line.kind === 'instruction').length;
  const out: string[] = [];
  let shown = 0;
  for (const line of lines) {
    if (line.kind === 'instruction' && shown === INSTRUCTIONS_SHOWN) break;
    if (line.kind === 'instruction') shown += 1;
    out.push(shownLine(line));
  }
  const more = total > shown ? `\n\nand ${total - shown} more` : '';
  return `${code('gas-x86', out.join('\n'))}${more}`;
}

function shownLine({ kind, text }: ExpandedLine): string {
  switch (kind) {
    case 'label':
      return `${text}:`;
    case 'arm':
      return `  # ${text}:`;
    case 'replacement':
      return `  #   ${aligned(text)}`;
    default:
      return `    ${aligned(text)}`;
  }
}

function symbolText(scope: Scope, word: string): string | null {
  for (const { source, stream } of nearestFirst(scope)) {
    if (stream !== null && !isC(scope.file) && indexOf(stream).labels.has(word)) break;
    const found = source?.functions.find((one) => one.name === word);
    if (found !== undefined) return functionText(scope, found.file, found.nameSpan, word);
  }
  const expansion = isC(scope.file) ? null : expansionOfSymbol(scope, word);
  if (expansion !== null) {
    const count = expansion.lines.filter((line) => line.kind === 'instruction').length;
    return `**${word}**: ${count} ${count === 1 ? 'instruction' : 'instructions'} of ${leaf(expansion.file)}\n\n${shortened(expansion.lines)}`;
  }
  const [place] = definitionsOf(scope, word);
  if (place === undefined) return null;
  if (isC(place.file) && place.span.end - place.span.start === word.length) return functionText(scope, place.file, place.span, word);
  return `**${word}**: label of ${leaf(place.file)}`;
}

/** The head of a C function as written. */
function functionText(scope: Scope, file: string, span: Span, word: string): string {
  const text = scope.read(file) ?? '';
  const start = text.lastIndexOf('\n', span.start) + 1;
  const open = text.indexOf('(', start);
  const group = open === -1 ? null : matchParenthesis(text, open);
  const head = group === null || group.end - start > 600 ? text.slice(start, span.end) : text.slice(start, group.end);
  return `**${word}()**: function of ${leaf(file)}\n\n${code('c', head)}`;
}

function code(language: string, text: string): string {
  return `\`\`\`${language}\n${text.replaceAll('```', "'''")}\n\`\`\``;
}

function clipped(text: string): string {
  const lines = text.split('\n');
  return lines.length <= BODY_LINES_SHOWN ? text : [...lines.slice(0, BODY_LINES_SHOWN), `/* and ${lines.length - BODY_LINES_SHOWN} more lines */`].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll(/[\\*_<`[\]]/g, (character) => (character === '<' ? '&lt;' : `\\${character}`));
}

function leaf(file: string): string {
  return escaped(file.slice(file.lastIndexOf('/') + 1));
}
