// SPDX-License-Identifier: GPL-2.0
/*
 * Fault injection for kernels without their own
 *
 * MYALLOC_FAULT_INJECTION=y compiles this file in, for tests. Every internal allocation of the
 * module calls myalloc_fault_should_fail(). Writing n to the parameter fail_nth, at load or in
 * /sys/module/myalloc/parameters, makes the n-th allocation from then on fail, once. The
 * parameter counts down and reads as the number left: 0 means that the failure has happened, or
 * that none was requested. A test that writes n = 1, 2, ... until the parameter no longer reaches
 * 0 covers every failure path of an operation.
 */
#include "env.h"

#include <linux/moduleparam.h>

#include "compat.h"

static atomic_t countdown = ATOMIC_INIT(0);

static int set_fail_nth(const char *text, const struct kernel_param *param)
{
	unsigned int nth;
	int err = kstrtouint(text, 0, &nth);

	if (err || nth > INT_MAX) {
		pr_err("fail_nth=\"%s\": give the number of the allocation that should fail, 0 for none\n",
		       text);
		return -EINVAL;
	}
	atomic_set(&countdown, nth);
	return 0;
}

static int get_fail_nth(char *buf, const struct kernel_param *param)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&countdown));
}

static const struct kernel_param_ops fail_nth_ops = {
	.set = set_fail_nth,
	.get = get_fail_nth,
};

module_param_cb(fail_nth, &fail_nth_ops, NULL, 0600);
MODULE_PARM_DESC(fail_nth, "make the n-th internal allocation from now on fail (0: none)");

/**
 * myalloc_fault_should_fail() - should this internal allocation fail?
 *
 * Context: any.
 * Return: true once, for the allocation that fail_nth selects.
 */
bool myalloc_fault_should_fail(void)
{
	return atomic_dec_if_positive(&countdown) == 0;
}

MYALLOC_EXPORT_NS(myalloc_fault_should_fail, MYALLOC_JOB);
