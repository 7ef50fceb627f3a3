// Headers shared by C and assembler, split at `__ASSEMBLY__` before a grammar is chosen. Knows preprocessor lines by
// their first word only, and no configuration.
import type { SyntaxLanguage } from './parser.ts';

type Side = SyntaxLanguage | 'both';

interface Conditional {
  /** Who reads the text around it. */
  readonly outer: Side;
  /** Its condition is about the language, and nothing around it decided that already. */
  readonly decides: boolean;
}

const MARK = /\b__ASSEMBL(?:Y|ER)__\b/;

/**
 * The text with everything blanked that only the other language reads; every offset and line stays. Conditions on
 * `__ASSEMBLY__` or `__ASSEMBLER__` alone decide; a text without one comes back as it is.
 */
export function halfFor(language: SyntaxLanguage, text: string): string {
  if (!MARK.test(text)) return text;
  const open: Conditional[] = [];
  let side: Side = 'both';
  return text.replace(/[^\n]*\n|[^\n]+$/g, (line) => {
    let innermost: Conditional | undefined;
    const directive = /^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b(.*)/s.exec(line);
    switch (directive?.[1]) {
      case 'if':
      case 'ifdef':
      case 'ifndef': {
        const named = sideOf(directive[1], directive[2] ?? '');
        innermost = { outer: side, decides: named !== null && side === 'both' };
        open.push(innermost);
        if (innermost.decides && named !== null) side = named;
        break;
      }
      case 'elif':
      case 'else':
        innermost = open.at(-1);
        if (innermost?.decides === true) side = side === 'c' ? 'gas' : 'c';
        break;
      case 'endif':
        innermost = open.pop();
        side = innermost?.outer ?? 'both';
        break;
      default:
    }
    // The deciding lines themselves stay in both halves, so that conditionals pair up.
    const kept = innermost?.decides === true || side === 'both' || side === language;
    return kept ? line : line.replace(/[^\r\n]/g, ' ');
  });
}

/** The language that reads what follows, where the condition is about the language and nothing else. */
function sideOf(directive: string, condition: string): SyntaxLanguage | null {
  const plain = condition.replace(/\/\*.*?\*\/|\/\/.*/gs, '').replace(/[\s()]/g, '');
  const name = /^(!?)(defined)?__ASSEMBL(?:Y|ER)__$/.exec(plain);
  if (name === null) return null;
  if (directive !== 'if') return directive === 'ifdef' ? 'gas' : 'c';
  if (name[2] === undefined) return null;
  return name[1] === '!' ? 'c' : 'gas';
}
