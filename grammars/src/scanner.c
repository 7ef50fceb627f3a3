// Tells the C preprocessor's directives from gas's `#` comments, by the word behind the `#`. Keeps no state.
#include "tree_sitter/parser.h"

enum Token { PREPROCESSOR_DIRECTIVE, HASH_COMMENT };

static const char *const DIRECTIVES[] = {
  "define", "undef", "include", "if", "ifdef", "ifndef", "elif", "else", "endif", "error", "warning", "pragma", 0,
};

#define LONGEST 15

static bool is_directive(const char *word) {
  for (const char *const *directive = DIRECTIVES; *directive; directive++) {
    const char *a = *directive, *b = word;
    while (*a && *a == *b) a++, b++;
    if (*a == 0 && *b == 0) return true;
  }
  return false;
}

static bool is_letter(int32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9'); }

static void advance(TSLexer *lexer) { lexer->advance(lexer, false); }

/** To the end of the logical line: the C preprocessor joins lines at a backslash before it looks for comments. */
static void comment_to_line_end(TSLexer *lexer) {
  while (!lexer->eof(lexer) && lexer->lookahead != '\n') {
    if (lexer->lookahead != '\\') {
      advance(lexer);
      continue;
    }
    advance(lexer);
    if (lexer->lookahead == '\r') advance(lexer);
    if (lexer->lookahead == '\n') advance(lexer);
  }
}

void *tree_sitter_gas_external_scanner_create(void) { return 0; }
void tree_sitter_gas_external_scanner_destroy(void *payload) { (void)payload; }
unsigned tree_sitter_gas_external_scanner_serialize(void *payload, char *buffer) { (void)payload, (void)buffer; return 0; }
void tree_sitter_gas_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) { (void)payload, (void)buffer, (void)length; }

bool tree_sitter_gas_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  (void)payload;
  int32_t c = lexer->lookahead;
  while (c == ' ' || c == '\t' || c == '\f' || c == '\v' || c == '\r') {
    lexer->advance(lexer, true);
    c = lexer->lookahead;
  }
  if (c != '#') return false;
  advance(lexer);
  if (valid[PREPROCESSOR_DIRECTIVE]) {
    char word[LONGEST + 1];
    unsigned length = 0;
    while (lexer->lookahead == ' ' || lexer->lookahead == '\t') advance(lexer);
    while (length < LONGEST && is_letter(lexer->lookahead)) {
      word[length++] = (char)lexer->lookahead;
      advance(lexer);
    }
    word[length] = 0;
    if (!is_letter(lexer->lookahead) && is_directive(word)) {
      lexer->mark_end(lexer);
      lexer->result_symbol = PREPROCESSOR_DIRECTIVE;
      return true;
    }
  }
  if (!valid[HASH_COMMENT]) return false;
  comment_to_line_end(lexer);
  lexer->mark_end(lexer);
  lexer->result_symbol = HASH_COMMENT;
  return true;
}
