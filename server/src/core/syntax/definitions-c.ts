// Definitions in a C text by its words and brackets: no grammar, no preprocessor. Both arms of `#if` count.
import type { Definition, DefinitionKind } from './definitions.ts';
import { attributeCalls, attributeWords } from './c-attributes.ts';
import { lineEnd, skipOpaque } from './c-text.ts';

/** What matters outside of braces, and in the braces of an enum. */
const outside = /[A-Za-z_$][\w$]*|\/[/*]|["'#{}()[\];=,*]/g;
/** What matters in a body. */
const inside = /\/[/*]|["'#{}]/g;

type Body = 'function' | 'type' | 'enum' | 'initialiser';

/** A declaration as far as it was read. */
interface Declaration {
  words: number;
  last: string;
  lastStart: number;
  typedef: boolean;
  extern: boolean;
  tag: string | null;
  tagged: boolean;
  /** The word before the first parenthesis, and the first and last words in it. */
  called: string | null;
  calledStart: number;
  first: string | null;
  firstStart: number;
  argument: string;
  argumentStart: number;
  arguments: number;
  /** `(*name)` */
  pointer: string | null;
  pointerStart: number;
  assigned: boolean;
  /** Brackets that are open, braces not counted. */
  brackets: number;
}

function fresh(): Declaration {
  return {
    words: 0, last: '', lastStart: 0, typedef: false, extern: false, tag: null, tagged: false, called: null, calledStart: 0, first: null, firstStart: 0, argument: '', argumentStart: 0, arguments: 0, pointer: null, pointerStart: 0, assigned: false, brackets: 0,
  };
}

export function definitionsInC(text: string): readonly Definition[] {
  const found: Definition[] = [];
  /** Depth of braces at each open `#if`, and at the end of its first arm. */
  const conditionals: { readonly depth: number; arm: number | null }[] = [];
  let one = fresh();
  let depth = 0;
  let body = 'function' as Body;
  /** In an enum: the next word is a constant. */
  let expecting = false;
  let pattern = outside;

  function add(name: string, kind: DefinitionKind, start: number): void {
    if (name !== '') found.push({ name, kind, nameSpan: { start, end: start + name.length } });
  }

  function enter(kind: Body): void {
    body = kind;
    depth = 1;
    expecting = kind === 'enum';
  }

  /** A `,`, `=` or `;` outside of brackets: what was declared before it. */
  function declared(): void {
    if (one.assigned || one.typedef) return;
    if (one.pointer !== null) add(one.extern ? '' : one.pointer, 'variable', one.pointerStart);
    else if (one.called === null && !one.extern && (one.words > 1 || one.tagged) && !(one.tag !== null && !one.tagged && one.words === 1)) add(one.last, 'variable', one.lastStart);
  }

  function ended(): void {
    if (one.typedef) {
      // `typedef void (name)(void);`
      const bracketed = one.called !== null && one.first !== null && /^\s*\)\s*\(/.test(text.slice(one.firstStart + one.first.length, one.firstStart + one.first.length + 20));
      if (one.pointer !== null) add(one.pointer, 'type', one.pointerStart);
      else if (bracketed) add(one.first ?? '', 'type', one.firstStart);
      else add(one.called ?? one.last, 'type', one.called === null ? one.lastStart : one.calledStart);
    } else if (one.called !== null && one.pointer === null && !one.assigned) {
      // The macro's first argument is the name, unless it is a type.
      if (one.called.startsWith('DEFINE_PER_CPU') || (one.called.startsWith('DEFINE_') && /^(?:struct|union|enum)$/.test(one.first ?? ''))) add(one.argument, 'variable', one.argumentStart);
      else if (/^DEFINE_(?!IDTENTRY|FRED)[A-Z_]+$|^(?:LIST|HLIST|LLIST|\w+_NOTIFIER)_HEAD$/.test(one.called) && one.first !== null) add(one.first, 'variable', one.firstStart);
    } else declared();
    one = fresh();
  }

  function opened(): void {
    if (one.tag !== null && one.called === null && !one.assigned && !one.tagged) {
      add(one.last, 'type', one.lastStart);
      enter(one.tag === 'enum' ? 'enum' : 'type');
      one.tagged = true;
      one.last = '';
    } else if (one.assigned) enter('initialiser');
    else {
      // `DEFINE_IDTENTRY(name) {`, `SYSCALL_DEFINE1(name, ...) {`
      if (one.called !== null && one.first !== null && /^[A-Z][A-Z\d_]*$/.test(one.called)) add(one.first, 'function', one.firstStart);
      else if (one.called !== null) add(one.called, 'function', one.calledStart);
      enter('function');
    }
  }

  function directive(at: number): number {
    const end = lineEnd(text, at);
    const [, word, name] = /^#[ \t]*(\w+)[ \t]*(\w*)/.exec(text.slice(at, Math.min(end, at + 120))) ?? [];
    const top = conditionals.at(-1);
    if (word === 'define' && name !== undefined) add(name, 'macro', text.indexOf(name, at + 1 + word.length + text.slice(at + 1).indexOf(word)));
    else if (word?.startsWith('if') === true) conditionals.push({ depth, arm: null });
    else if ((word === 'else' || word?.startsWith('elif') === true) && top !== undefined) {
      top.arm ??= depth;
      if (depth !== top.depth) one = fresh();
      depth = top.depth;
    } else if (word === 'endif' && top !== undefined) {
      conditionals.pop();
      depth = top.arm ?? depth;
    }
    return end;
  }

  function startsLine(at: number): boolean {
    let before = at - 1;
    while (text[before] === ' ' || text[before] === '\t') before--;
    return before < 0 || text[before] === '\n';
  }

  function word(name: string, at: number): void {
    if (one.brackets > 0) {
      if (one.pointer === '') {
        one.pointer = name;
        one.pointerStart = at;
      }
      if (one.first === null) {
        one.first = name;
        one.firstStart = at;
      }
      one.argument = name;
      one.argumentStart = at;
      return;
    }
    if (one.assigned || attributeCalls.has(name) || attributeWords.has(name)) return;
    if (name === 'typedef') one.typedef = true;
    else if (name === 'extern') one.extern = true;
    else if (name === 'struct' || name === 'union' || name === 'enum') {
      one.tag = name;
      one.last = '';
    }
    else {
      one.words++;
      // Words behind a parameter list are attributes.
      if (one.called !== null) return;
      one.last = name;
      one.lastStart = at;
    }
  }

  function sign(character: string, at: number): void {
    switch (character) {
      case '(':
        if (one.brackets++ === 0 && one.called === null && !one.assigned && one.last !== '') {
          if (/^\s*\*/.test(text.slice(at + 1, at + 20))) one.pointer ??= '';
          else {
            one.called = one.last;
            one.calledStart = one.lastStart;
          }
        }
        return;
      case '[':
        one.brackets++;
        return;
      case ')':
      case ']':
        if (one.brackets > 0) one.brackets--;
        return;
      case '=':
        if (one.brackets > 0) return;
        declared();
        one.assigned = true;
        return;
      case ',':
        if (one.brackets > 0) return;
        declared();
        one.assigned = false;
        one.words++;
        return;
      case ';':
        if (one.brackets === 0) ended();
        return;
      case '{':
        if (one.brackets === 0) opened();
        else depth++;
        return;
      default:
    }
  }

  for (let at = 0; at < text.length; ) {
    pattern = depth === 0 || (body === 'enum' && depth === 1) ? outside : inside;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) break;
    const token = match[0];
    const start = match.index;
    at = pattern.lastIndex;
    if (token === '//' || token === '/*' || token === '"' || token === "'") at = Math.max(at, skipOpaque(text, start));
    else if (token === '#') {
      if (startsLine(start)) at = directive(start);
    } else if (depth === 0) {
      if (token.length > 1 || /\w/.test(token)) word(token, start);
      else sign(token, start);
    } else if (token === '{') depth++;
    else if (token === '}') {
      depth--;
      if (depth === 0 && body === 'function') one = fresh();
    } else if (body === 'enum' && depth === 1) {
      if (token === ',') expecting = true;
      else if (expecting && (token.length > 1 || /\w/.test(token))) {
        add(token, 'constant', start);
        expecting = false;
      }
    }
  }
  return found;
}
