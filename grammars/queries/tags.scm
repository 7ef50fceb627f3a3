((statement
  name: (identifier) @start
  arguments: (arguments . operand: (identifier) @name)) @definition.function
  (#match? @start "^(SYM_[A-Z_]*START[A-Z_]*|ENTRY)$"))

((label name: (identifier) @name) @definition.label
  (#not-match? @name "^\\.L"))

(macro_header name: (identifier) @name) @definition.macro

(assignment name: (identifier) @name) @definition.constant

(statement name: (identifier) @name) @reference.call
