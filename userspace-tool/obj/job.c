// SPDX-License-Identifier: GPL-2.0
/*
 * job: follows a job of the module, a stress run or a benchmark, to its end
 */
#include <errno.h>

#include "host/stop.h"
#include "obj/job.h"
#include "out/out.h"

int job_follow(struct device *d, unsigned long cancel, unsigned int silence_ms, job_read read,
	       void *arg)
{
	bool cancelled = false;
	int more = 1, err;

	while (more > 0) {
		err = dev_wait(d->fd, silence_ms);
		if (stop_signal() && !cancelled) {
			out_note("ending the run; press Ctrl-C again to leave without its result");
			cancelled = true;
			err = dev_call(d->fd, cancel, NULL);
			if (err)
				return explain("ending the run", err);
			continue;
		}
		if (stop_count() > 1)
			return out_fail(128 + stop_signal(),
					"left before the end of the run, which the module cancels");
		if (err == 0)
			out_warn("no progress report from the run for %u s", silence_ms / 1000);
		if (err < 0 && err != -EINTR)
			return explain("waiting for the run", err);
		if (err > 0)
			more = read(d, arg);
	}
	out_progress_end();
	return more < 0 ? explain("reading the run's progress", more) : EXIT_OK;
}
