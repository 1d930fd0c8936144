// SPDX-License-Identifier: GPL-2.0
/*
 * A handler of exit() writes the counts. Children of test programs end by _exit() or abort(); the
 * linker's --wrap redirects those here, so that the coverage of children is not lost.
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
