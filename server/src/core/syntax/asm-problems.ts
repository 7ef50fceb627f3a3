// What cannot be read in an assembler source, in sentences for people, each on the line where its reader looks first.
import type { Span } from '../base/span.ts';
import { spanOf } from '../base/span.ts';
import type { ParsedTree, SyntaxNode } from './parser.ts';

export interface SyntaxProblem {
  readonly span: Span;
  readonly message: string;
}

export const MOST_PROBLEMS = 50;

/** Deeper than any source that a person wrote; below it only hostile text nests, and the stack is finite. */
export const DEEPEST = 500;

/** At most 50, in text order. */
export function problemsOf({ root, text }: ParsedTree): SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  function visit(node: SyntaxNode, parent: SyntaxNode, depth: number): void {
    if (problems.length >= MOST_PROBLEMS) return;
    if (node.type === 'ERROR' || node.missing || (depth === DEEPEST && node.hasError())) problems.push(problemAt(node, parent, text));
    else if (node.hasError()) for (const child of node.children()) visit(child, node, depth + 1);
  }
  visit(root, root, 0);
  return problems;
}

/** On the first line of what cannot be read, where its reader looks first. */
function problemAt(node: SyntaxNode, parent: SyntaxNode, text: string): SyntaxProblem {
  if (node.missing) return { span: lastWrittenBefore(node.start, text), message: `${node.named ? 'an operand' : `\`${node.type}\``} is missing here` };
  const whole = text.slice(node.start, node.end);
  const line = whole.trimStart().split('\n', 1)[0]?.trimEnd() ?? '';
  if (line === '') return { span: lastWrittenBefore(node.start, text), message: 'more must follow here' };
  const start = node.start + (whole.length - whole.trimStart().length);
  const span = spanOf(start, start + line.length);
  return { span, message: messageFor(line, parent) };
}

/** The character before the blanks before an offset. */
function lastWrittenBefore(offset: number, text: string): Span {
  let end = offset;
  while (end > 1 && /\s/.test(text[end - 1] ?? '')) end--;
  return spanOf(Math.max(0, end - 1), end);
}

function messageFor(line: string, parent: SyntaxNode): string {
  if (line.includes('/*') && !line.includes('*/')) return 'this comment is not closed by */';
  const plain = line.replace(/"([^"\\]|\\.)*"/g, '');
  if (plain.includes('"')) return 'this string has no closing quote on its line';
  const depth = [...plain].reduce((count, character) => count + (character === '(' ? 1 : character === ')' ? -1 : 0), 0);
  if (depth > 0) return 'a parenthesis opened here is not closed';
  if (plain.startsWith(')')) return 'no parenthesis is open here';
  return parent.type === 'source_file' ? 'cannot read this as a statement' : 'cannot read this as an operand list';
}
