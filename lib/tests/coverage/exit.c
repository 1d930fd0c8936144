// SPDX-License-Identifier: GPL-2.0
/*
 * Counts are written by a handler of exit(). Test programs have children that end by _exit()
 * or abort(); the linker's --wrap leads those here, so that what they covered is not lost.
 */
#include <stdlib.h>
#include <unistd.h>

int __llvm_profile_write_file(void);
typeof(_exit) __real__exit, __wrap__exit;
typeof(abort) __real_abort, __wrap_abort;

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
