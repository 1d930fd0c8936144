// SPDX-License-Identifier: GPL-2.0
/*
 * main: myallocctl, the tool that drives /dev/myalloc, and its table of objects
 */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "obj/objects.h"
#include "out/out.h"

static const struct object *const objects[] = {
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

/*
 * If a standard stream is closed, no file opened later may take its number: a result would be
 * written to the device. What stands there instead fails as a closed one does.
 */
static bool fill_standard_streams(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	if (!fill_standard_streams())
		return EXIT_FAILED;
	/* A reader that goes away ends the output, with an error, and not the work. */
	signal(SIGPIPE, SIG_IGN);
	return cmd_main(objects, argc, argv);
}
