// x86 GNU as in AT&T syntax, as the Linux kernel writes it: before the C preprocessor and before macro expansion.
// Line-oriented and flat. It never knows a mnemonic: instruction, gas macro call and cpp macro call are one rule,
// told apart later by who defines the name, and what is nested (.if, .rept, .macro, #if) is paired later.

/** A macro parameter or counter inside a word: `\arg`, `\@`, `\()`; more backslashes inside nested macros. */
const SPLICE = /\\+([A-Za-z_][A-Za-z0-9_]*|[0-9]|@|\(\)|\+)/;
const LETTER = choice(/[A-Za-z_]/, SPLICE);
const REST = repeat(choice(/[A-Za-z0-9_.$]/, SPLICE, /@+[A-Za-z_]/));

const PRECEDENCE = { operand: -2, segment: -1, immediate: 0, address: 1, or: 2, and: 3, compare: 4, add: 5, bits: 6, times: 7, unary: 8, call: 9 };

const OPERATORS = [
  ['||', PRECEDENCE.or],
  ['&&', PRECEDENCE.and],
  ...['==', '!=', '<>', '<', '<=', '>', '>='].map((operator) => [operator, PRECEDENCE.compare]),
  ...['+', '-'].map((operator) => [operator, PRECEDENCE.add]),
  ...['|', '&', '^', '!'].map((operator) => [operator, PRECEDENCE.bits]),
  ...['*', '/', '%', '<<', '>>'].map((operator) => [operator, PRECEDENCE.times]),
];

module.exports = grammar({
  name: 'gas',

  // The C preprocessor's directives and gas's `#` comments begin alike; the scanner looks at the word behind the `#`.
  externals: ($) => [$.preprocessor_directive, $.hash_comment],

  extras: ($) => [/[ \t\f\v\r\u00a0]/, /\\\r?\n/, $.comment, $.hash_comment],

  word: ($) => $.directive_name,

  rules: {
    source_file: ($) =>
      seq(
        repeat(choice('\n', ';', $.label, seq($._statement, choice('\n', ';')), seq($.preprocessor, '\n'))),
        optional(choice($._statement, $.preprocessor)),
      ),

    preprocessor: ($) => seq(field('directive', $.preprocessor_directive), repeat(field('argument', $.preprocessor_argument))),

    // To the end of the logical line, comments left out.
    preprocessor_argument: () =>
      token(
        seq(
          choice(/[^\s\\/]/, /\/[^*\/\s]/, /"([^"\\\n]|\\[^\n])*"/),
          repeat(choice(/[^\n\\/]/, /\/[^*\/\n]/, /\\\r?\n/, /\\[^\r\n]/, /"([^"\\\n]|\\[^\n])*"/)),
        ),
      ),

    comment: () => token(choice(/\/\/([^\n\\]|\\\r?\n|\\[^\r\n])*/, /\/\*[^*]*\*+([^\/*][^*]*\*+)*\//)),

    label: ($) => seq(field('name', choice($.identifier, alias($.directive_name, $.identifier), $.number)), ':'),

    _statement: ($) => choice($.macro_header, $.directive, $.assignment, $.statement),

    macro_header: ($) =>
      seq('.macro', field('name', choice($.identifier, alias($.directive_name, $.identifier))), repeat(seq(optional(','), field('parameter', $.parameter)))),

    parameter: ($) =>
      prec.right(PRECEDENCE.operand, seq(
        field('name', $.identifier),
        optional(seq(':', field('qualifier', $.identifier))),
        optional(seq('=', optional(field('default', $._expression)))),
      )),

    directive: ($) => seq(field('name', $.directive_name), optional($._operands)),

    assignment: ($) =>
      seq(field('name', choice($.identifier, alias($.directive_name, $.identifier))), choice('=', '=='), field('value', $._expression)),

    statement: ($) => seq(field('name', $.identifier), optional(field('arguments', $.arguments)), optional($._operands)),

    // Commas, blanks or both between operands; an operand may be empty.
    _operands: ($) => choice($._operand, ',', seq($._operands, ','), prec(PRECEDENCE.operand, seq($._operands, $._operand))),

    _operand: ($) => prec(PRECEDENCE.operand, choice(field('operand', $._expression), field('operand', $.keyword_argument))),

    keyword_argument: ($) =>
      prec.right(PRECEDENCE.operand, seq(field('name', $.identifier), '=', optional(field('value', $._expression)))),

    _expression: ($) =>
      choice(
        $.identifier,
        alias($.directive_name, $.identifier),
        $.number,
        $.character,
        $.string,
        $.register,
        $.type_tag,
        $.group,
        $.call,
        $.address,
        $.segment,
        $.immediate,
        $.indirect,
        $.masked,
        $.unary,
        $.binary,
      ),

    /** A C macro used as a value, or a symbol as displacement: `PER_CPU_VAR(x)` and `symbol(%rip)` look alike. */
    call: ($) =>
      prec(
        PRECEDENCE.call,
        seq(field('name', choice($.identifier, alias($.directive_name, $.identifier), $.register)), field('arguments', $.arguments)),
      ),

    // What a C macro takes: whole statements too, and more lines. A line may only end where it is plain that more must
    // come, so that a parenthesis not yet closed does not swallow the lines below it.
    arguments: ($) => seq(token.immediate(prec(1, '(')), optional($._more), optional(seq($._items, optional('\n'))), ')'),

    _items: ($) =>
      choice(
        $._operand,
        $._separator,
        alias($.last_label, $.label),
        seq($._items, $._separator),
        prec(PRECEDENCE.operand, seq($._items, choice($._operand, alias($.last_label, $.label)))),
      ),

    /** A label with no statement behind it in the statements that a C macro takes; with one it reads as a segment does. */
    last_label: ($) => prec.right(PRECEDENCE.segment, seq(field('name', $._expression), ':')),

    _separator: ($) => prec.right(seq(choice(',', ';'), optional($._more))),

    _more: () => prec.right(repeat1('\n')),

    address: ($) => prec.left(PRECEDENCE.address, seq(field('displacement', $._expression), field('base', $.group))),

    segment: ($) => prec.right(PRECEDENCE.segment, seq(field('segment', $._expression), ':', field('offset', $._expression))),

    immediate: ($) => prec.right(PRECEDENCE.immediate, seq('$', $._expression)),

    indirect: ($) => prec.right(PRECEDENCE.immediate, seq('*', $._expression)),

    /** AVX-512: `%zmm1{%k1}{z}`. */
    masked: ($) => prec.left(PRECEDENCE.call, seq($._expression, '{', $._expression, '}')),

    unary: ($) => prec.right(PRECEDENCE.unary, seq(field('operator', choice('-', '+', '~', '!')), field('operand', $._expression))),

    binary: ($) =>
      choice(
        ...OPERATORS.map(([operator, precedence]) =>
          prec.left(precedence, seq(field('left', $._expression), field('operator', operator), field('right', $._expression))),
        ),
      ),

    group: ($) => seq('(', optional($._operands), ')'),

    /** On one line, so that a missing quote costs one line. */
    string: () => token(/"([^"\\\n]|\\(.|\r?\n))*"/),
    character: () => token(/'(\\[^\n]|[^\\\n])'?/),
    register: () => token(seq('%', LETTER, REST)),
    type_tag: () => token(/@[A-Za-z_][A-Za-z0-9_]*/),

    /** Also `1f` and `1b`, the next and the last label `1`. */
    number: () => token(seq(/[0-9]/, REST)),
    identifier: () => token(choice('.', seq(LETTER, REST))),
    directive_name: () => token(seq('.', LETTER, REST)),
  },
});
