// SPDX-License-Identifier: GPL-2.0
/*
 * The call stacks that were remembered: those of all zones, as the kernel's depot is one too.
 * See lib/handle_set.h.
 */
#include "env.h"

#include "compat.h"
#include "base/handle_set.h"

static struct myalloc_handle_set stacks;

/**
 * myalloc_stacks_add() - a handle that the depot has given
 * @handle: the handle, not 0
 *
 * Context: any.
 * Return: false if it cannot be remembered, and is not to be used.
 */
bool myalloc_stacks_add(u32 handle)
{
	return myalloc_handle_set_add(&stacks, handle);
}

/**
 * myalloc_stacks_has() - may the depot be asked for this?
 * @handle: the handle, perhaps damaged
 *
 * Context: any.
 * Return: true if myalloc_stacks_add() has been given this handle.
 */
bool myalloc_stacks_has(u32 handle)
{
	return myalloc_handle_set_has(&stacks, handle);
}

#if IS_ENABLED(CONFIG_KUNIT)
MYALLOC_EXPORT_NS(myalloc_stacks_add, MYALLOC_INTERNAL);
MYALLOC_EXPORT_NS(myalloc_stacks_has, MYALLOC_INTERNAL);
#endif
