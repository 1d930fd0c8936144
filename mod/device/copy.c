// SPDX-License-Identifier: GPL-2.0
/* Copying structs that may grow from and to the user. */
#include "env.h"

#include <linux/uaccess.h>

#include "device/command.h"

/**
 * myalloc_copy_in() - copy a struct that begins with its size in the caller's version
 * @to: out: the struct, which keeps that size
 * @size: its size in this version
 * @from: the caller's
 *
 * Context: task, may sleep.
 * Return: 0; -EFAULT; -EINVAL if the size is too small to be one; -E2BIG if a byte beyond the
 * struct of this version is not zero.
 */
int myalloc_copy_in(void *to, size_t size, const void __user *from)
{
	u32 user_size;
	int err;

	if (get_user(user_size, (const u32 __user *)from))
		return -EFAULT;
	if (user_size < sizeof(user_size))
		return -EINVAL;
	if (user_size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(to, size, from, user_size);
	/* Another thread may have changed the size between the two reads. */
	*(u32 *)to = user_size;
	return err;
}

/**
 * myalloc_copy_out() - copy a struct back, no more bytes than the caller's version has
 * @to: the caller's
 * @from: the struct, which begins with the size of the caller's version
 * @size: its size in this version
 *
 * Context: task, may sleep.
 * Return: 0, -EFAULT.
 */
int myalloc_copy_out(void __user *to, const void *from, size_t size)
{
	return copy_to_user(to, from, min_t(size_t, *(const u32 *)from, size)) ? -EFAULT : 0;
}
