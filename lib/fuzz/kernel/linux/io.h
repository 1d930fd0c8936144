/* SPDX-License-Identifier: GPL-2.0 */
#include "kernel.h"

/* A physical address is no address of the kernel, which copy_to_user() looks for. */
static inline u64 virt_to_phys(void *addr)
{
	return (u32)(unsigned long)addr;
}
