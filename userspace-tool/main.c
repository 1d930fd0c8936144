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

static const struct object *const objects[] = { OBJECTS(OBJECT_ENTRY) NULL };

/*
 * If a standard stream is closed, a file that is opened later must not take its number, or
 * a result would be written to the device. Its place is filled with /dev/null, opened so that
 * reading or writing fails as it would on a closed stream.
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
	/* When the reader goes away, writing fails with an error; the work goes on. */
	signal(SIGPIPE, SIG_IGN);
	return cmd_main(objects, argc, argv);
}
