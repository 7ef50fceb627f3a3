// Words of kernel C that stand where the C grammar allows none: attributes behind macros. One row each.

/** Without arguments. */
const plain = `
noinstr __always_inline __inline __inline__ inline_notrace notrace noinline nokprobe_inline __noclone
noinstr_or_kprobe __no_profile __no_sanitize_address __no_kasan_or_inline __no_kcsan __no_sanitize_or_inline
__no_sanitize_memory __no_sanitize_thread __no_stack_protector __no_caller_saved_registers __no_kmsan_checks
__noinstr_section __noreturn __cold __hot __pure __const __weak __used __maybe_unused __always_unused __unused
__visible asmlinkage __visible_for_testing __init __exit __initdata __initconst __initdata_or_module __init_or_module
__initconst_or_module __exitdata __meminit __meminitdata __cpuinit __cpuinitdata __devinit __refdata __ref __head
__ro_after_init __read_mostly __cacheline_aligned __cacheline_aligned_in_smp ____cacheline_aligned
____cacheline_aligned_in_smp ____cacheline_internodealigned_in_smp __page_aligned_data __page_aligned_bss
__user __kernel __iomem __percpu __rcu __force __nocast __safe __private __bitwise __le_bitwise __kprobes
__entry_text __irq_entry __softirq_entry __sched __lockfunc __cpuidle __lockless __no_stack_protector __latent_entropy
__randomize_layout __no_randomize_layout __packed __must_check __malloc __deprecated __designated_init
__transparent_union __signed__ __volatile__ __restrict __restrict__ __extension__ __fastcall __flatten __naked
__mandatory __nonstring __noendbr __nocfi __noscs __ibt_obj __attribute_const__ __attribute_pure__ __bpf_kfunc
__syscall_return __thread_local randomized_struct_fields_start randomized_struct_fields_end
__nosavedata __cacheline_group __ptrauth __counted __diag __x86_indirect_thunk __addressable_asmp
__always_inline__ __unsafe __uninitialized __stackleak_poison __init_task_data __no_fgcse __no_ubsan __nodiscard
`;

/** With arguments in parentheses. */
const withArguments = `
__section __aligned __attribute__ __attribute __printf __scanf __alloc_size __assume_aligned __counted_by __alias
__acquires __releases __must_hold __cond_acquires __cond_lock_attribute __guarded_by __nonnull __cleanup __copy
__no_sanitize __error __compiletime_warning __compiletime_error __compiletime_object_size __symver __vmalloc_size
__cond_releases __xen_hypercall_clobber __target __warning_attribute __cacheline_aligned_by __noipa _Alignas
`;

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(/\s+/).filter((word) => word !== ''));
}

export const attributeWords = words(plain);
export const attributeCalls = words(withArguments);

/** Macros that take a type and a name and declare a per-CPU variable. */
export const perCpuMacro = /^(?:DEFINE|DECLARE)_PER_CPU(?:_[A-Z_]+)?$/;

/** Macros whose body brackets hold nothing but a name: they make no code of their own. */
export const exportMacro = /^(?:EXPORT_(?:PER_CPU_)?(?:TRACEPOINT_)?SYMBOL\w*|NOKPROBE_SYMBOL|MODULE_[A-Z]+|STACK_FRAME_NON_STANDARD\w*|ALLOW_ERROR_INJECTION)$/;
