/* SPDX-License-Identifier: GPL-2.0 */
/* The job of a session. */
#ifndef MYALLOC_SESSION_JOB_H
#define MYALLOC_SESSION_JOB_H

#include <linux/poll.h>

struct myalloc_job_kind;
struct myalloc_session;

int myalloc_session_job_start(struct myalloc_session *session,
			      const struct myalloc_job_kind *kind, void *params);
int myalloc_session_job_result(struct myalloc_session *session,
			       const struct myalloc_job_kind *kind, void *result);
int myalloc_session_cancel(struct myalloc_session *session);
__poll_t myalloc_session_poll(struct myalloc_session *session, struct file *file,
			      poll_table *wait);
ssize_t myalloc_session_read(struct myalloc_session *session, char __user *buf,
			     size_t size, bool nonblock);

#endif /* MYALLOC_SESSION_JOB_H */
