// What an assembler source folds into and what its outline names, from its items alone. Pairs by the words of the
// directives; knows no configuration.
import type { Span } from '../base/span.ts';
import { spanOf } from '../base/span.ts';
import type { AsmSource } from './asm.ts';
import type { AsmItem, AsmStatement } from './asm-item.ts';

export interface AsmBlock {
  readonly kind: 'macro' | 'conditional' | 'repeat' | 'preprocessor' | 'code' | 'comment';
  /** From the opening item to the end of the closing one; an arm of a conditional ends before the next arm. */
  readonly span: Span;
}

export interface AsmSymbol {
  readonly kind: 'code' | 'data' | 'label' | 'macro' | 'constant';
  readonly name: string;
  readonly span: Span;
  readonly nameSpan: Span;
}

type Role = 'open' | 'arm' | 'close';
type Paired = 'conditional' | 'repeat' | 'preprocessor' | 'code';

export const CODE_START = /^(SYM_\w*START\w*|ENTRY)$/;
const CODE_END = /^(SYM_\w*END\w*|END|ENDPROC)$/;
export const NAMED_INSIDE = /^SYM_(INNER_LABEL\w*|DATA|DATA_LOCAL|FUNC_ALIAS\w*|ENTRY\w*)$/;

/** Every foldable range, by its start. Unpaired ends are ignored, unpaired starts too. */
export function asmBlocks(source: AsmSource): readonly AsmBlock[] {
  const blocks: AsmBlock[] = [];
  const open: Record<Paired, number[]> = { conditional: [], repeat: [], preprocessor: [], code: [] };
  let lastEnd = 0;
  for (const item of source.items) {
    if (item.kind === 'macroDefinition') blocks.push({ kind: 'macro', span: item.span });
    const paired = pairing(item);
    if (paired !== null) {
      const starts = open[paired.kind];
      const { role, kind } = paired;
      const start = role === 'open' ? undefined : starts.pop();
      if (start !== undefined) blocks.push({ kind, span: spanOf(start, role === 'arm' ? lastEnd : item.span.end) });
      if (role === 'open' || (role === 'arm' && start !== undefined)) starts.push(item.span.start);
    }
    lastEnd = item.kind === 'macroDefinition' ? item.nameSpan.end : item.span.end;
  }
  for (const { span, text } of source.comments) if (text.includes('\n')) blocks.push({ kind: 'comment', span });
  return blocks.filter(({ span }) => span.end > span.start).sort((a, b) => a.span.start - b.span.start || b.span.end - a.span.end);
}

function pairing(item: AsmItem): { readonly kind: Paired; readonly role: Role } | null {
  switch (item.kind) {
    case 'directive': {
      const name = item.name.toLowerCase();
      if (name === '.endif') return { kind: 'conditional', role: 'close' };
      if (name === '.else' || name === '.elseif') return { kind: 'conditional', role: 'arm' };
      if (name.startsWith('.if')) return { kind: 'conditional', role: 'open' };
      if (/^\.(rept|irpc?)$/.test(name)) return { kind: 'repeat', role: 'open' };
      return name === '.endr' ? { kind: 'repeat', role: 'close' } : null;
    }
    case 'preprocessor':
      if (item.directive === 'endif') return { kind: 'preprocessor', role: 'close' };
      if (item.directive === 'else' || item.directive === 'elif') return { kind: 'preprocessor', role: 'arm' };
      return item.directive.startsWith('if') ? { kind: 'preprocessor', role: 'open' } : null;
    case 'statement':
      if (CODE_START.test(item.name)) return { kind: 'code', role: 'open' };
      return CODE_END.test(item.name) ? { kind: 'code', role: 'close' } : null;
    default:
      return null;
  }
}

/** Symbols, labels that are not numeric, macros and constants, in text order. */
export function asmSymbols(source: AsmSource, text: string): readonly AsmSymbol[] {
  const symbols: AsmSymbol[] = [];
  const ends = new Map(asmBlocks(source).flatMap(({ kind, span }) => (kind === 'code' ? [[span.start, span.end] as const] : [])));
  for (const item of source.items) {
    const { span } = item;
    switch (item.kind) {
      case 'label':
        if (item.scope !== 'numeric') symbols.push({ kind: 'label', name: item.name, span, nameSpan: item.nameSpan });
        break;
      case 'macroDefinition':
        symbols.push({ kind: 'macro', name: item.name, span, nameSpan: item.nameSpan });
        break;
      case 'assignment':
        symbols.push({ kind: 'constant', name: item.name, span, nameSpan: item.nameSpan });
        break;
      case 'preprocessor':
        if (item.directive === 'define' && item.name !== null && item.nameSpan !== null) {
          symbols.push({ kind: text[item.nameSpan.end] === '(' ? 'macro' : 'constant', name: item.name, span, nameSpan: item.nameSpan });
        }
        break;
      case 'statement': {
        const symbol = symbolOf(item, text, ends.get(span.start) ?? span.end);
        if (symbol !== null) symbols.push(symbol);
        break;
      }
      default:
    }
  }
  return symbols;
}

function symbolOf(item: AsmStatement, text: string, end: number): AsmSymbol | null {
  const [nameSpan] = item.operands;
  const starts = CODE_START.test(item.name);
  if (nameSpan === undefined || !item.called || !(starts || NAMED_INSIDE.test(item.name))) return null;
  const kind = item.name.startsWith('SYM_DATA') ? 'data' : starts ? 'code' : 'label';
  return { kind, name: text.slice(nameSpan.start, nameSpan.end), span: spanOf(item.span.start, end), nameSpan };
}
