// SPDX-License-Identifier: GPL-2.0
/*
 * Contracts that a session holds; see session.c
 *
 * Another process may end a contract by its number: session.c finds contracts of all sessions.
 */
#include "env.h"

#include "client/contract.h"
#include "device/handles.h"
#include "device/quota.h"
#include "device/session_contract.h"

static int contract_locked(struct myalloc_session *s, struct myalloc_contract_make *arg,
			   const struct myalloc_contract_line *lines,
			   struct myalloc_contract_plan *plan)
{
	struct held what = { .kind = KIND_CONTRACT, .nr_pages = plan->pages };
	int err;

	if (!myalloc_handle_within_quota(s, &what, 1)) {
		scnprintf(arg->reason, sizeof(arg->reason),
			  "one open file may hold at most %u percent of the reserve (session_quota)",
			  myalloc_session_quota);
		return -EDQUOT;
	}
	what.contract = myalloc_contract_create(s->zone, arg->name, lines, arg->nr_lines,
						arg->flags, plan);
	if (IS_ERR(what.contract))
		return PTR_ERR(what.contract);
	/* Before the handle exists: afterwards another process can end it by its number. */
	arg->id = what.contract->front.id;
	arg->handle = myalloc_handle_add(s, &what, &err);
	if (err)
		myalloc_contract_end(what.contract, MYALLOC_CONTRACT_RELEASE);
	return err;
}

/**
 * myalloc_session_contract_create() - MYALLOC_IOC_CONTRACT_CREATE
 * @session: the session
 * @arg: checked by the caller; its handle, id and, with -EDQUOT, its reason are written
 * @lines: its lines
 * @plan: in: cost of the lines; out: as of myalloc_contract_create()
 *
 * Context: task, may sleep.
 * Return: 0; -EDQUOT; -ENOMEM; -ERESTARTSYS; the errors of myalloc_contract_create().
 */
int myalloc_session_contract_create(struct myalloc_session *session,
				    struct myalloc_contract_make *arg,
				    const struct myalloc_contract_line *lines,
				    struct myalloc_contract_plan *plan)
{
	int err = session_lock(session);

	if (err)
		return err;
	err = contract_locked(session, arg, lines, plan);
	session_unlock(session);
	return err;
}

/**
 * myalloc_session_contract_end_locked() - end a contract of a session that is locked
 * @s: the session, whose lock is held
 * @handle: handle of the contract
 *
 * Context: task, may sleep.
 * Return: as myalloc_session_contract_end().
 */
int myalloc_session_contract_end_locked(struct myalloc_session *s, u64 handle)
{
	struct held *held = myalloc_handle_find(s, handle, KIND_CONTRACT);
	int err;

	if (!held)
		return -ENOENT;
	err = myalloc_contract_end(held->contract, MYALLOC_CONTRACT_RELEASE);
	if (!err)
		myalloc_handle_remove(s, handle, held);
	return err;
}

/**
 * myalloc_session_contract_end() - end a contract of a session
 * @session: the session
 * @handle: handle of the contract
 *
 * Context: task, may sleep.
 * Return: 0; -ENOENT; -EBUSY if pages of it are lent to the kernel; -ERESTARTSYS.
 */
int myalloc_session_contract_end(struct myalloc_session *session, u64 handle)
{
	int err = session_lock(session);

	if (err)
		return err;
	err = myalloc_session_contract_end_locked(session, handle);
	session_unlock(session);
	return err;
}
