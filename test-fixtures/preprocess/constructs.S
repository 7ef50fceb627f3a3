/* Macro language, expressions and C macros: the bytes of .data as gcc and GNU as put them out are in constructs.hex. */
#define F(a, ...) .long a, ##__VA_ARGS__
#define STR(x) #x
#define XSTR(x) STR(x)
#define FIVE 5
.macro esc a b
.ascii "\a"
.ascii "\b"
.endm
.macro q s
\s
.endm
.macro cnt
.irp r, 1, 2
.long \@ * 100 + \r
.endr
.long \@
.endm
.macro kw a=1 b=2, c
.long \a, \b
.ifb \c
.byte 0xbb
.else
.byte \c
.endif
.endm
.macro nested x
.macro inner y
.long \x, \y
.endm
inner 7
.purgem inner
.endm
.macro va first rest:vararg
.long \first
.ifnb \rest
va \rest
.endif
.endm
.macro cond r
.if \r == %rsp
.byte 1
.elseif \r == %rbp
.byte 2
.else
.byte 3
.endif
.endm
.data
F(1)
F(1, 2, FIVE)
esc "y", z
q ".byte 1; .byte 2"
cnt
cnt
kw
kw 3 4 5
kw b=9
kw 1+2, (3 + 4)
kw (1+2) -3
kw c=8 a=7
nested 3
va 1, 2, 3
cond %rsp
cond %rbp
cond %rax
.ascii XSTR(FIVE "q")
.long 1 + 2 * 3 == 7, 1 << 3 + 1, 7 & 3 + 1, ~1 & 0xff, 10 / 3, 10 % 3, -1 >> 60, 2 > 1 && 1, !5, 'a', 'a + 1
.irpc d, 123
.byte \d
.endr
.altmacro
.macro alt x y
.long x + y
.long &x&1
LOCAL lab
lab: .long lab - lab + 1
.endm
alt 3, %1+4
alt <5>, 2
.noaltmacro
a = 1
.rept 3
.long a
a = a * 2
.endr
.if a > 7
.byte 0xaa
.endif
.ifc foo, foo
.byte 1
.endif
.ifeqs "a b","a b"
.byte 2
.endif
.ifdef a
.byte 3
.endif
.ifndef zzz
.byte 4
.endif
.macro ex
.byte 9
.exitm
.byte 10
.endm
ex
.rept 2; .byte 6; .endr
.macro dflt x=FIVE y="a,b"
.long \x
.ascii "\y"
.endm
dflt
dflt y=c
dflt , d
