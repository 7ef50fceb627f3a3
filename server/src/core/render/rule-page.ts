// Rule pages for the terminal: the page's Markdown with its marks taken off, and the list of all rules. Pure text.
import type { RulePage } from '../review-types.ts';
import type { Paint } from './paint.ts';
import { columns, hang } from './wrap.ts';

export function rulePageText(page: RulePage, width: number, paint: Paint): readonly string[] {
  return markdownText(page.markdown, width, paint);
}

/** Headings, paragraphs, lists, quotes and fenced code; anything else is printed as it is. */
export function markdownText(markdown: string, width: number, paint: Paint): readonly string[] {
  const out: string[] = [];
  let paragraph = '';
  let fence: string | null = null;
  let commented = false;
  const flush = (): void => {
    const item = /^(\s*(?:[-*]|\d+\.)\s+|>\s*)/.exec(paragraph)?.[0] ?? '';
    if (paragraph !== '') out.push(...hang(item, ' '.repeat(item.length), inline(paragraph.slice(item.length)), width));
    paragraph = '';
  };
  const blank = (): void => {
    if (out.length > 0 && out.at(-1) !== '') out.push('');
  };
  for (const line of markdown.split('\n')) {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1] ?? null;
    if (fence !== null) {
      if (mark !== null && mark.startsWith(fence)) {
        fence = null;
        blank();
      } else out.push(`    ${line}`.trimEnd());
      continue;
    }
    if (commented || /^\s*<!--/.test(line)) {
      commented = !line.includes('-->');
      continue;
    }
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    if (mark !== null) {
      flush();
      blank();
      fence = mark;
    } else if (heading !== null) {
      flush();
      blank();
      const text = inline(heading[2] ?? '');
      out.push(paint.strong(text));
      if ((heading[1] ?? '').length === 1) out.push('='.repeat(text.length));
    } else if (line.trim() === '') {
      flush();
      blank();
    } else if (line.trimStart().startsWith('|')) {
      flush();
      out.push(inline(line));
    } else {
      if (/^\s*(?:[-*]|\d+\.)\s+|^>/.test(line)) flush();
      paragraph = paragraph === '' ? line : `${paragraph} ${line.trim()}`;
    }
  }
  flush();
  while (out.at(-1) === '') out.pop();
  return out;
}

/** Emphasis goes; code keeps its back-quotes, which mails and terminals understand; a link shows its address. */
function inline(text: string): string {
  return text
    .replace(/\[([^\]]+)\]\(([^)]+)\)/g, (_, label: string, address: string) => (label === address ? address : `${label} <${address}>`))
    .replace(/\*\*([^*]+)\*\*/g, '$1');
}

export function ruleList(pages: readonly RulePage[]): readonly string[] {
  return columns(pages.map(({ id, severity, name, summary }) => [id, severity, name, summary]));
}
