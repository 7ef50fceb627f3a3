// Gives a well-formed annotation its meaning as a typed directive. Reads no text and judges none: the words were checked
// against the keyword table before.
import { annotationWords } from './annotation-keywords.ts';
import type { Annotation, Directive } from './annotation-types.ts';

/** The checked words of one directive: the bare word's parts and each key's parts. */
export interface WordsOf {
  readonly word: readonly string[];
  readonly keys: ReadonlyMap<string, readonly string[]>;
}

/** null where a required word is missing, which the caller has reported. */
export function buildDirective(annotation: Annotation, words: WordsOf): Directive | null {
  const base = { annotation, place: { file: annotation.file, span: annotation.span } };
  const word = words.word[0] ?? '';
  const value = (key: string): string | null => words.keys.get(key)?.[0] ?? null;
  switch (annotation.keyword.text) {
    case 'handler': {
      const dpl = pick(value('dpl'), annotationWords.dpl);
      const err = pick(value('err'), annotationWords.err);
      return {
        ...base,
        kind: 'handler',
        vector: value('vector'),
        gate: pick(value('gate'), annotationWords.gate),
        dpl: dpl === null ? null : dpl === '3' ? 3 : 0,
        ist: value('ist'),
        origin: pick(value('origin'), annotationWords.origin),
        errorCode: err === null ? null : err === 'yes',
      };
    }
    case 'guard': {
      const set = pick(value('set'), annotationWords.set);
      const clear = value('clear');
      const fallback = pick(value('fallback'), annotationWords.fallback);
      const protects = annotationWords.protects.filter((part) => words.keys.get('protects')?.includes(part));
      if (set === null || clear === null || fallback === null) return null;
      return { ...base, kind: 'guard', name: word, set, clear, clears: pick(value('clears'), annotationWords.clears), fallback, protects };
    }
    case 'clears':
      return { ...base, kind: 'clears', guard: word };
    case 'defers-to': {
      const via = pick(value('via'), annotationWords.via);
      return via === null ? null : { ...base, kind: 'defers-to', function: word, via };
    }
    case 'may-raise':
      return { ...base, kind: 'may-raise', vectors: words.word.includes('any') ? 'any' : words.word };
    case 'may-hit': {
      const where = pick(word, annotationWords.mayHit);
      return where === null ? null : { ...base, kind: 'may-hit', where };
    }
    case 'never-in': {
      const where = pick(word, annotationWords.neverIn);
      return where === null ? null : { ...base, kind: 'never-in', where, vectors: words.keys.get('vectors') ?? [] };
    }
    case 'mapped-in': {
      const where = pick(word, annotationWords.mappedIn);
      return where === null ? null : { ...base, kind: 'mapped-in', where };
    }
    case 'stack': {
      const stack = pick(word, annotationWords.stack);
      return stack === null ? null : { ...base, kind: 'stack', stack, belowRsp: value('below-rsp') === 'ok' };
    }
    case 'fallback-ok': {
      const fallback = pick(word, annotationWords.fallback);
      return fallback === null ? null : { ...base, kind: 'fallback-ok', fallback };
    }
    case 'assume':
      return { ...base, kind: 'assume', subject: word, hash: value('hash') };
    case 'why':
      return { ...base, kind: 'why', url: word };
    case 'allow':
      return { ...base, kind: 'allow', rule: word };
    default:
      return null;
  }
}

function pick<T extends string>(text: string | null, words: readonly T[]): T | null {
  return words.find((word) => word === text) ?? null;
}
