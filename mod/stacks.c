// SPDX-License-Identifier: GPL-2.0
/*
 * The set of recorded call stacks, shared by all zones because the kernel's stack depot is
 * global. See lib/env/kernel/handle_set.h.
 */
#include "env.h"

#include "compat.h"
#include "env/kernel/handle_set.h"

static struct myalloc_handle_set stacks;

/**
 * myalloc_stacks_add() - record a handle returned by the stack depot
 * @handle: the handle, not 0
 *
 * Context: any.
 * Return: true; false if there is no room to record it, and the caller must not use it.
 */
bool myalloc_stacks_add(u32 handle)
{
	return myalloc_handle_set_add(&stacks, handle);
}

/**
 * myalloc_stacks_has() - is it safe to look this handle up in the stack depot?
 * @handle: the handle, perhaps damaged
 *
 * Context: any.
 * Return: true if myalloc_stacks_add() has recorded this handle.
 */
bool myalloc_stacks_has(u32 handle)
{
	return myalloc_handle_set_has(&stacks, handle);
}

#if IS_ENABLED(CONFIG_KUNIT)
MYALLOC_EXPORT_NS(myalloc_stacks_add, MYALLOC_INTERNAL);
MYALLOC_EXPORT_NS(myalloc_stacks_has, MYALLOC_INTERNAL);
#endif
