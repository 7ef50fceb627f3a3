// Macro expansion of the C preprocessor: object and function macros, `#`, `##`, `__VA_ARGS__`, with the chain of uses
// kept on every token. Knows nothing of files, conditionals and the assembler.
import type { Place } from '../base/span.ts';
import type { Token } from './lex.ts';
import { lexText } from './lex.ts';
import type { Use } from './text.ts';

export interface Definition {
  readonly name: string;
  readonly parameters: readonly string[] | null;
  readonly variadic: boolean;
  readonly body: readonly Token[];
  readonly place: Place;
  readonly nameSpan: Place;
}

export type Definitions = Map<string, Definition>;

export interface Expansion {
  readonly definitions: Definitions;
  /** Tokens that may still be produced before expansion stops; shared by a whole run. */
  readonly budget: { tokens: number };
  readonly report: (place: Place, message: string) => void;
  /** Takes the next text line of the file, for a call that goes on there; null at the end or before a directive. */
  readonly more: () => readonly Token[] | null;
  /** Does the next line with text begin with a parenthesis? */
  readonly callGoesOn: () => boolean;
}

const MAX_DEPTH = 200;
/** Pasting and stringising may double a token at every level. */
const LONGEST_TOKEN = 1 << 16;

export function placeOf(token: Token): Place {
  return { file: token.file, span: { start: token.start, end: token.end } };
}

interface Context {
  readonly tokens: readonly Token[];
  at: number;
  readonly macro: string | null;
}

/** Contexts of macros being expanded, innermost last; a macro is disabled while its context is on the stack. */
interface Reader {
  readonly contexts: Context[];
  readonly disabled: Map<string, number>;
  /** The file itself continues behind the tokens given. */
  readonly file: boolean;
}

function next(reader: Reader): Token | null {
  for (;;) {
    const context = reader.contexts.at(-1);
    if (context === undefined) return null;
    const token = context.tokens[context.at];
    if (token !== undefined) {
      context.at++;
      return token;
    }
    leave(reader);
  }
}

function leave(reader: Reader): void {
  const context = reader.contexts.pop();
  if (context === undefined || context.macro === null) return;
  const depth = (reader.disabled.get(context.macro) ?? 1) - 1;
  if (depth === 0) reader.disabled.delete(context.macro);
  else reader.disabled.set(context.macro, depth);
}

/** The next token of a call: unlike elsewhere, the end of the line is not the end. */
function nextOfCall(reader: Reader, expansion: Expansion): Token | null {
  for (;;) {
    const token = next(reader);
    if (token !== null || !reader.file) return token;
    const line = expansion.more();
    if (line === null) return null;
    reader.contexts.push({ tokens: line, at: 0, macro: null });
  }
}

/** Does a parenthesis follow, possibly on a later line? */
function callFollows(reader: Reader, expansion: Expansion): boolean {
  for (let i = reader.contexts.length - 1; i >= 0; i--) {
    const context = reader.contexts[i]!;
    const token = context.tokens[context.at];
    if (token !== undefined) return token.text === '(';
  }
  return reader.file && expansion.callGoesOn();
}

/** Fully macro-expanded tokens; the line given may draw in following lines of the file. */
export function expandLine(tokens: readonly Token[], expansion: Expansion): Token[] {
  return run({ contexts: [{ tokens, at: 0, macro: null }], disabled: new Map(), file: true }, expansion, 0);
}

/** Fully macro-expanded tokens of a closed sequence: a condition, an include name, a constant. */
export function expandClosed(tokens: readonly Token[], expansion: Expansion): Token[] {
  return run({ contexts: [{ tokens, at: 0, macro: null }], disabled: new Map(), file: false }, expansion, 0);
}

function run(reader: Reader, expansion: Expansion, depth: number): Token[] {
  const out: Token[] = [];
  const { definitions, budget } = expansion;
  for (;;) {
    const token = next(reader);
    if (token === null) return out;
    if (budget.tokens <= 0) continue;
    const definition = token.kind === 'identifier' && !token.painted ? definitions.get(token.text) : undefined;
    if (definition === undefined) {
      out.push(token);
      continue;
    }
    if (reader.disabled.has(token.text)) {
      out.push({ ...token, painted: true });
      continue;
    }
    if (definition.parameters !== null && !callFollows(reader, expansion)) {
      out.push(token);
      continue;
    }
    const place = placeOf(token);
    const use: Use = { place, outer: token.use };
    let body: Token[];
    if (definition.parameters === null) body = substituteObject(definition, token, use);
    else {
      const call = collectArguments(reader, expansion, definition, token);
      if (call.arguments === null) {
        out.push(token);
        for (const each of call.taken) out.push(each);
        continue;
      }
      if (depth >= MAX_DEPTH) {
        expansion.report(place, `macro calls nest deeper than ${MAX_DEPTH}`);
        budget.tokens = 0;
        continue;
      }
      // Arguments are read again at every level that they are passed down.
      for (const argument of call.arguments) budget.tokens -= argument.length;
      body = substitute(definition, call.arguments, token, use, reader, expansion, depth);
    }
    budget.tokens -= body.length + 1;
    if (budget.tokens <= 0) {
      expansion.report(place, `expansion of ${token.text} stops: too many tokens`);
      continue;
    }
    reader.contexts.push({ tokens: body, at: 0, macro: token.text });
    reader.disabled.set(token.text, (reader.disabled.get(token.text) ?? 0) + 1);
  }
}

function substituteObject(definition: Definition, token: Token, use: Use): Token[] {
  const body = definition.body;
  if (!body.some((each) => each.text === '##')) return body.map((each, i) => ({ ...each, use, space: i === 0 ? token.space : each.space }));
  return paste(body.map((each, i) => ({ ...each, use, space: i === 0 ? token.space : each.space, hashes: each.text === '##' })));
}

interface Call {
  readonly arguments: Token[][] | null;
  /** What was read when the call turned out to have no end. */
  readonly taken: readonly Token[];
}

function collectArguments(reader: Reader, expansion: Expansion, definition: Definition, name: Token): Call {
  const taken: Token[] = [];
  const open = nextOfCall(reader, expansion);
  if (open === null) return { arguments: null, taken };
  taken.push(open);
  const limit = definition.variadic ? (definition.parameters?.length ?? 0) : Infinity;
  const list: Token[][] = [[]];
  let depth = 0;
  for (;;) {
    const token = nextOfCall(reader, expansion);
    if (token === null) {
      expansion.report(placeOf(name), `call of ${name.text} has no closing parenthesis`);
      return { arguments: null, taken: taken.map((each) => ({ ...each, painted: true })) };
    }
    taken.push(token);
    if (token.text === '(') depth++;
    else if (token.text === ')') {
      if (depth === 0) break;
      depth--;
    } else if (token.text === ',' && depth === 0 && list.length < limit) {
      list.push([]);
      continue;
    }
    list.at(-1)!.push(reader.disabled.has(token.text) && token.kind === 'identifier' ? { ...token, painted: true } : token);
  }
  const wanted = definition.parameters?.length ?? 0;
  if (wanted === 0 && list.length === 1 && list[0]!.length === 0) list.pop();
  if (definition.variadic && list.length === wanted - 1) list.push([]);
  if (list.length !== wanted) {
    expansion.report(placeOf(name), `${name.text} takes ${wanted} arguments, not ${list.length}`);
    return { arguments: null, taken };
  }
  return { arguments: list, taken };
}

type Pasted = Token & { readonly hashes: boolean; readonly hollow?: boolean };

function substitute(
  definition: Definition, args: readonly Token[][], name: Token, use: Use, reader: Reader, expansion: Expansion, depth: number,
): Token[] {
  const parameters = definition.parameters ?? [];
  const expanded: (Token[] | undefined)[] = [];
  // A use of its own: arguments and body are neighbours in the expansion, not in the source.
  const argumentUse: Use = { place: use.place, outer: use.outer };
  const adopt = (token: Token): Token => (token.use === name.use ? { ...token, use: argumentUse } : token);
  const expandArgument = (index: number): Token[] => {
    const known = expanded[index];
    if (known !== undefined) return known;
    const inner: Reader = { contexts: [{ tokens: (args[index] ?? []).map(adopt), at: 0, macro: null }], disabled: reader.disabled, file: false };
    const tokens = run(inner, expansion, depth + 1);
    expanded[index] = tokens;
    return tokens;
  };
  const out: Pasted[] = [];
  const body = definition.body;
  let pastes = false;
  for (let i = 0; i < body.length; i++) {
    const token = body[i]!;
    const following = body[i + 1];
    if (token.text === '#' && following !== undefined && parameters.includes(following.text)) {
      out.push({ ...stringised((args[parameters.indexOf(following.text)] ?? []).map(adopt), { ...following, use }, use), space: token.space, hashes: false });
      i++;
      continue;
    }
    if (token.text === '##') {
      pastes = true;
      const index = following === undefined ? -1 : parameters.indexOf(following.text);
      const last = out.at(-1);
      if (last?.text === ',' && definition.variadic && index === parameters.length - 1 && !last.hollow) {
        if ((args[index] ?? []).length === 0) out.pop();
        else for (const each of expandArgument(index)) out.push({ ...each, hashes: false });
        i++;
        continue;
      }
      out.push({ ...token, use, hashes: true });
      continue;
    }
    const index = token.kind === 'identifier' ? parameters.indexOf(token.text) : -1;
    if (index === -1) {
      out.push({ ...token, use, space: out.length === 0 ? name.space : token.space, hashes: false });
      continue;
    }
    const beside = following?.text === '##' || body[i - 1]?.text === '##';
    const tokens = beside ? (args[index] ?? []).map(adopt) : expandArgument(index);
    if (tokens.length === 0 && beside) out.push({ ...token, text: '', kind: 'other', use, hashes: false, hollow: true });
    tokens.forEach((each, at) => out.push({ ...each, space: at === 0 ? (out.length === 0 ? name.space : token.space) : each.space, hashes: false }));
  }
  return pastes ? paste(out) : out;
}

function paste(tokens: readonly Pasted[]): Token[] {
  const out: Pasted[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    const left = out.at(-1);
    const right = tokens[i + 1];
    if (!token.hashes || left === undefined || right === undefined) {
      if (!token.hashes) out.push(token);
      continue;
    }
    i++;
    out.pop();
    if (left.hollow) out.push({ ...right, space: left.space });
    else if (right.hollow || left.text.length + right.text.length > LONGEST_TOKEN) out.push(left);
    else {
      const text = left.text + right.text;
      const made = lexText(text, left.file, [0, 0]);
      const from = left.text.length >= right.text.length ? left : right;
      // What makes no token stays two, as the compiler has it for assembler: `(##name`.
      if (made.length === 1 && made[0]!.kind !== 'other') out.push({ ...from, kind: made[0]!.kind, text, space: left.space, painted: false, hashes: false });
      else out.push(left, { ...right, space: false });
    }
  }
  return out.filter((each) => !each.hollow);
}

function stringised(tokens: readonly Token[], at: Token, use: Use): Token {
  let text = '';
  tokens.forEach((token, i) => {
    if (text.length > LONGEST_TOKEN) return;
    if (i > 0 && token.space) text += ' ';
    text += token.kind === 'string' ? token.text.replace(/[\\"]/g, '\\$&') : token.text;
  });
  const first = tokens[0];
  const last = tokens.at(-1);
  // The string was written where its first token was, as far as the tokens are of one piece.
  const written = first === undefined || last === undefined ? at : { ...first, end: last.file === first.file && last.use === first.use && last.end > first.start ? last.end : first.end, use: first.use ?? use };
  return { ...written, kind: 'string', text: `"${text}"`, painted: false };
}

const parsed = new WeakMap<readonly Token[], Definition | null>();

/** The definition that a `#define` line makes, kept as long as the tokens of its line are. */
export function definitionOfLine(line: readonly Token[]): Definition | null {
  const known = parsed.get(line);
  if (known !== undefined) return known;
  const definition = parseDefinition(line.slice(2));
  parsed.set(line, definition);
  return definition;
}

/** The definition in what follows the word `define`; null where it names no macro. */
export function parseDefinition(tokens: readonly Token[]): Definition | null {
  const name = tokens[0];
  if (name === undefined || name.kind !== 'identifier') return null;
  const last = tokens.at(-1)!;
  const place: Place = { file: name.file, span: { start: name.start, end: last.end } };
  let parameters: string[] | null = null;
  let variadic = false;
  let at = 1;
  if (tokens[1]?.text === '(' && !tokens[1].space) {
    parameters = [];
    at = 2;
    for (; at < tokens.length && tokens[at]!.text !== ')'; at++) {
      const token = tokens[at]!;
      if (token.kind === 'identifier') parameters.push(token.text);
      else if (token.text === '...') {
        variadic = true;
        if (tokens[at - 1]?.kind !== 'identifier') parameters.push('__VA_ARGS__');
      }
    }
    at++;
  }
  return { name: name.text, parameters, variadic, body: tokens.slice(at), place, nameSpan: placeOf(name) };
}
