// SPDX-License-Identifier: GPL-2.0
/* What validations find: the first violated invariant as a text, and the number of all. */
#include "env.h"
#include "zone/finding.h"

/**
 * myalloc_finding() - add a finding to the result of a validation
 * @v: in and out: the text of the first finding is kept, the others are counted
 * @fmt: format of the text, which begins with the name of the invariant
 *
 * Context: any.
 * Return: false, for callers that return whether all is well.
 */
bool myalloc_finding(struct myalloc_validation *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (!v->errors++)
		vscnprintf(v->first, sizeof(v->first), fmt, args);
	va_end(args);
	return false;
}
