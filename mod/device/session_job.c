// SPDX-License-Identifier: GPL-2.0
/*
 * The job of a session: start, result, cancel, and its records for read() and poll()
 *
 * job.c explains jobs; session.c explains how a job ends with its session.
 */
#include "env.h"

#include <linux/poll.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "device/handles.h"
#include "device/job.h"
#include "device/session_job.h"

static void notify(void *arg)
{
	struct myalloc_session *s = arg;

	atomic_inc(&s->events);
	wake_up_interruptible(&s->wait);
}

/* Lock held. Replaces the previous job, whose result stays readable until then. */
static int start_job(struct myalloc_session *s, const struct myalloc_job_kind *kind, void *params)
{
	struct myalloc_job *job;

	if (s->job && !myalloc_job_finished(s->job))
		return -EBUSY;
	job = myalloc_job_start(kind, s->zone, params, notify, s);
	if (IS_ERR(job))
		return PTR_ERR(job);
	if (s->job)
		myalloc_job_destroy(s->job);
	s->job = job;
	s->seq = 0;
	s->ended = false;
	notify(s);
	return 0;
}

/**
 * myalloc_session_job_start() - the MYALLOC_JOB_START of a kind
 * @session: the session
 * @kind: the kind
 * @params: the command's argument; the kind checks it and may write to it
 *
 * Context: task, may sleep.
 * Return: 0, -EBUSY if the previous job has not ended, -EINVAL, -ENOMEM, -EINTR, -ERESTARTSYS;
 * after an error the result of the previous job stays readable.
 */
int myalloc_session_job_start(struct myalloc_session *session,
			      const struct myalloc_job_kind *kind, void *params)
{
	int err = session_lock(session);

	if (err)
		return err;
	err = start_job(session, kind, params);
	session_unlock(session);
	return err;
}

/**
 * myalloc_session_job_result() - the MYALLOC_JOB_RESULT of a kind
 * @session: the session
 * @kind: the kind
 * @result: the command's argument, in and out
 *
 * Context: task, may sleep.
 * Return: 0, -ERESTARTSYS, or the error of the kind's result().
 */
int myalloc_session_job_result(struct myalloc_session *session,
			       const struct myalloc_job_kind *kind, void *result)
{
	struct myalloc_job *job;
	int err = session_lock(session);

	if (err)
		return err;
	job = session->job;
	err = kind->result(job && job->kind == kind ? job : NULL, result);
	session_unlock(session);
	return err;
}

/**
 * myalloc_session_cancel() - the MYALLOC_JOB_CANCEL of any kind
 * @session: the session
 *
 * Context: task; sleeps until the job's threads have ended.
 * Return: 0, also if there is no job or it has ended; -ERESTARTSYS.
 */
int myalloc_session_cancel(struct myalloc_session *session)
{
	int err = session_lock(session);

	if (err)
		return err;
	if (session->job)
		myalloc_job_cancel(session->job);
	session_unlock(session);
	return 0;
}

/* Lock held. Is there a record to read, or the end? */
static bool readable(const struct myalloc_session *s)
{
	return !s->job || s->ended || myalloc_job_seq(s->job) > s->seq;
}

/* Lock held. */
static ssize_t read_record(struct myalloc_session *s, char __user *buf, size_t size)
{
	size_t need = s->job ? s->job->kind->record_size : MYALLOC_JOB_RECORD_MAX;
	u64 record[MYALLOC_JOB_RECORD_MAX / sizeof(u64)];
	enum myalloc_stress_state state;
	u64 seq;

	if (size < need)
		return -EINVAL;
	if (!readable(s))
		return -EAGAIN;
	if (!s->job || s->ended)
		return 0;
	seq = myalloc_job_seq(s->job);
	state = myalloc_job_read(s->job, record);
	if (copy_to_user(buf, record, need))
		return -EFAULT;
	s->seq = seq;
	s->ended = state != MYALLOC_STRESS_RUNNING;
	return need;
}

/**
 * myalloc_session_read() - read the next progress record of the job
 * @session: the session
 * @buf: user buffer
 * @size: its size in bytes
 * @nonblock: do not wait
 *
 * Context: task, may sleep.
 * Return: bytes of a record, a struct of the job's kind; 0 if there is no job or its last
 * record was read; -EINVAL if @buf is too small for a record; -EAGAIN with @nonblock if there is
 * no record yet; -ERESTARTSYS; -EFAULT.
 */
ssize_t myalloc_session_read(struct myalloc_session *session, char __user *buf,
			     size_t size, bool nonblock)
{
	ssize_t ret;
	int events;

	for (;;) {
		events = atomic_read(&session->events);
		ret = session_lock(session);
		if (ret)
			return ret;
		ret = read_record(session, buf, size);
		session_unlock(session);
		if (ret != -EAGAIN || nonblock)
			return ret;
		ret = wait_event_interruptible(session->wait,
					       atomic_read(&session->events) != events);
		if (ret)
			return ret;
	}
}

/**
 * myalloc_session_poll() - would read() wait?
 * @session: the session
 * @file: its file
 * @wait: poll table
 *
 * Context: task, may sleep until a signal comes.
 * Return: EPOLLIN if a read would not wait, otherwise 0; also 0 after a signal, which the caller
 * handles.
 */
__poll_t myalloc_session_poll(struct myalloc_session *session, struct file *file,
			      poll_table *wait)
{
	__poll_t events;

	poll_wait(file, &session->wait, wait);
	if (session_lock(session))
		return 0;
	events = readable(session) ? EPOLLIN | EPOLLRDNORM : 0;
	session_unlock(session);
	return events;
}
