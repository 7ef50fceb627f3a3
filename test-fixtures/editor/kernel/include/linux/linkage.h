#ifndef MINI_LINKAGE_H
#define MINI_LINKAGE_H
#ifdef __ASSEMBLY__
#define SYM_CODE_START(name) .globl name; .balign 16; name:
#define SYM_CODE_END(name) .type name, @function; .size name, . - name
#define SYM_INNER_LABEL(name) name:
#endif
#endif
