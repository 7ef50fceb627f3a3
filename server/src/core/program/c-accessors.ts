// Accesses that may fault and go on at a fixup, one row each: what the source writes, what the code behind it returns
// after a fixed-up fault, and the type of its exception-table entry (semantics.md section 20; EXT-01).

/** How the arguments of an accessor read. */
export type AccessorShape =
  /** `get_user(x, p)` */
  | 'get'
  /** `put_user(x, p)` */
  | 'put'
  /** `unsafe_get_user(x, p, label)` */
  | 'get-or-jump'
  /** `unsafe_put_user(x, p, label)` */
  | 'put-or-jump'
  /** `__get_kernel_nofault(&x, p, type, label)` */
  | 'typed-or-jump'
  /** `copy(to, from, size)`; the result tells what was not copied. */
  | 'copy'
  /** Any other function with a fixed result after a fault. */
  | 'plain';

export interface Accessor {
  readonly name: string;
  readonly shape: AccessorShape;
  /** The result after a fixup: a number, `rest` for bytes left of the third argument, `label` for a jump. */
  readonly failed: number | 'rest' | 'label';
  /** `EX_TYPE_` name. */
  readonly type: string;
}

const fault = -14;
const inputOutput = -5;

export const accessors: readonly Accessor[] = [
  { name: 'get_user', shape: 'get', failed: fault, type: 'EX_TYPE_UACCESS' },
  { name: '__get_user', shape: 'get', failed: fault, type: 'EX_TYPE_EFAULT_REG' },
  { name: '__get_user_nocheck', shape: 'get', failed: fault, type: 'EX_TYPE_EFAULT_REG' },
  { name: 'put_user', shape: 'put', failed: fault, type: 'EX_TYPE_UACCESS' },
  { name: '__put_user', shape: 'put', failed: fault, type: 'EX_TYPE_UACCESS' },
  { name: 'unsafe_get_user', shape: 'get-or-jump', failed: 'label', type: 'EX_TYPE_UACCESS' },
  { name: 'unsafe_put_user', shape: 'put-or-jump', failed: 'label', type: 'EX_TYPE_UACCESS' },
  { name: '__get_kernel_nofault', shape: 'typed-or-jump', failed: 'label', type: 'EX_TYPE_UACCESS' },
  { name: '__put_kernel_nofault', shape: 'typed-or-jump', failed: 'label', type: 'EX_TYPE_UACCESS' },
  { name: 'get_kernel_nofault', shape: 'get', failed: fault, type: 'EX_TYPE_UACCESS' },
  { name: 'copy_from_user', shape: 'copy', failed: 'rest', type: 'EX_TYPE_UACCESS' },
  { name: 'copy_to_user', shape: 'copy', failed: 'rest', type: 'EX_TYPE_UACCESS' },
  { name: '__copy_from_user', shape: 'copy', failed: 'rest', type: 'EX_TYPE_UACCESS' },
  { name: '__copy_to_user', shape: 'copy', failed: 'rest', type: 'EX_TYPE_UACCESS' },
  { name: 'raw_copy_from_user', shape: 'copy', failed: 'rest', type: 'EX_TYPE_UACCESS' },
  { name: 'raw_copy_to_user', shape: 'copy', failed: 'rest', type: 'EX_TYPE_UACCESS' },
  { name: '__copy_from_user_inatomic', shape: 'copy', failed: 'rest', type: 'EX_TYPE_UACCESS' },
  { name: '__copy_from_user_inatomic_nocache', shape: 'copy', failed: 'rest', type: 'EX_TYPE_UACCESS' },
  { name: '__copy_to_user_inatomic', shape: 'copy', failed: 'rest', type: 'EX_TYPE_UACCESS' },
  { name: 'copy_from_user_nmi', shape: 'copy', failed: 'rest', type: 'EX_TYPE_UACCESS' },
  { name: 'copy_from_user_nofault', shape: 'copy', failed: fault, type: 'EX_TYPE_UACCESS' },
  { name: 'copy_to_user_nofault', shape: 'copy', failed: fault, type: 'EX_TYPE_UACCESS' },
  { name: 'copy_from_kernel_nofault', shape: 'copy', failed: fault, type: 'EX_TYPE_UACCESS' },
  { name: 'copy_to_kernel_nofault', shape: 'copy', failed: fault, type: 'EX_TYPE_UACCESS' },
  { name: 'strncpy_from_user', shape: 'copy', failed: fault, type: 'EX_TYPE_UACCESS' },
  { name: 'strncpy_from_user_nofault', shape: 'copy', failed: fault, type: 'EX_TYPE_UACCESS' },
  { name: 'strncpy_from_kernel_nofault', shape: 'copy', failed: fault, type: 'EX_TYPE_UACCESS' },
  { name: 'copy_mc_to_kernel', shape: 'copy', failed: 'rest', type: 'EX_TYPE_DEFAULT_MCE_SAFE' },
  { name: 'copy_mc_to_user', shape: 'copy', failed: 'rest', type: 'EX_TYPE_DEFAULT_MCE_SAFE' },
  { name: 'copy_mc_fragile', shape: 'copy', failed: 'rest', type: 'EX_TYPE_DEFAULT_MCE_SAFE' },
  { name: 'copy_mc_enhanced_fast_string', shape: 'copy', failed: 'rest', type: 'EX_TYPE_DEFAULT_MCE_SAFE' },
  { name: 'load_unaligned_zeropad', shape: 'plain', failed: 0, type: 'EX_TYPE_ZEROPAD' },
  { name: 'wrmsrl_safe', shape: 'plain', failed: inputOutput, type: 'EX_TYPE_WRMSR_SAFE' },
  { name: 'wrmsrq_safe', shape: 'plain', failed: inputOutput, type: 'EX_TYPE_WRMSR_SAFE' },
  { name: 'wrmsr_safe', shape: 'plain', failed: inputOutput, type: 'EX_TYPE_WRMSR_SAFE' },
  { name: 'rdmsrl_safe', shape: 'plain', failed: inputOutput, type: 'EX_TYPE_RDMSR_SAFE' },
  { name: 'rdmsrq_safe', shape: 'plain', failed: inputOutput, type: 'EX_TYPE_RDMSR_SAFE' },
];

const byName: ReadonlyMap<string, Accessor> = new Map(accessors.map((row) => [row.name, row]));

export function accessorNamed(name: string): Accessor | null {
  return byName.get(name) ?? null;
}
