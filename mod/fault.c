// SPDX-License-Identifier: GPL-2.0
/*
 * Injected failures, on kernels that have none of their own
 *
 * Compiled in by MYALLOC_FAULT_INJECTION=y, for tests. Every internal allocation of the
 * module asks myalloc_fault_should_fail(). The parameter fail_nth, also writable in
 * /sys/module/myalloc/parameters, lets the n-th one from then on fail, once. It counts down
 * and reads as what is left: 0 says that the failure has happened, or none was asked for. So
 * n = 1, 2, ... until it does not reach 0 walks every failure path of an operation.
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
		pr_err("fail_nth=\"%s\": give the number of the allocation that is to fail, 0 for none\n",
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
MODULE_PARM_DESC(fail_nth, "let the n-th internal allocation from now on fail (0: none)");

/**
 * myalloc_fault_should_fail() - is this internal allocation the one to fail?
 *
 * Context: any.
 * Return: true for that one, and only once.
 */
bool myalloc_fault_should_fail(void)
{
	return atomic_dec_if_positive(&countdown) == 0;
}

MYALLOC_EXPORT_NS(myalloc_fault_should_fail, MYALLOC_JOB);
