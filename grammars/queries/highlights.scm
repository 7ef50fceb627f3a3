; Later patterns win.
(identifier) @variable
(number) @number
(statement name: (identifier) @function.call)
(call name: (identifier) @function.macro)
((statement name: (identifier) @function.macro) (#match? @function.macro "^[A-Z_][A-Z0-9_]*$"))
(directive_name) @keyword.directive
".macro" @keyword.directive
(macro_header name: (identifier) @function.macro)
(parameter name: (identifier) @variable.parameter)
(parameter qualifier: (identifier) @attribute)
(keyword_argument name: (identifier) @variable.parameter)
((identifier) @variable.parameter (#match? @variable.parameter "^\\\\"))
(assignment name: (identifier) @constant)
(label name: (identifier) @label)
(label name: (number) @label)
(preprocessor_directive) @keyword.directive
(preprocessor_argument) @constant.macro
(register) @variable.builtin
(type_tag) @type
((number) @label (#match? @label "^[0-9]+[bf]$"))
(character) @character
(string) @string
(comment) @comment
(hash_comment) @comment
["$" "*" "+" "-" "~" "!" "/" "%" "<<" ">>" "|" "&" "^" "==" "!=" "<>" "<" ">" "<=" ">=" "&&" "||" "="] @operator
["(" ")" "{" "}"] @punctuation.bracket
["," ";" ":"] @punctuation.delimiter
