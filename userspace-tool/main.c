// SPDX-License-Identifier: GPL-2.0
/*
 * main: myallocctl, the tool that drives /dev/myalloc, and its table of objects
 */
#include <stddef.h>

#include "cmd.h"

const struct object *const objects[] = {
	&info_object,
	&stat_object,
	&page_object,
	&cache_object,
	&drain_object,
	&validate_object,
	&stress_object,
	&bench_object,
	&result_object,
	&doctor_object,
	NULL
};

int main(int argc, char **argv)
{
	return cmd_main(argc, argv);
}
