// SPDX-License-Identifier: GPL-2.0
/*
 * Counts are written by a handler of exit(). Test programs have children that end by _exit()
 * or abort(); the linker's --wrap leads those here, so that what they covered is not lost.
 */
int __llvm_profile_write_file(void);
void __attribute__((__noreturn__)) __real__exit(int status);
void __attribute__((__noreturn__)) __wrap__exit(int status);
void __attribute__((__noreturn__)) __real_abort(void);
void __attribute__((__noreturn__)) __wrap_abort(void);

void __wrap__exit(int status)
{
	__llvm_profile_write_file();
	__real__exit(status);
}

void __wrap_abort(void)
{
	__llvm_profile_write_file();
	__real_abort();
}
