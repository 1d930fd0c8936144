/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Points at the locks, for tests with intrusions there. The program is linked with --wrap for these
 * three functions; the file that includes this defines at_lock().
 */
#ifndef MYALLOC_TESTS_LOCK_POINTS_H
#define MYALLOC_TESTS_LOCK_POINTS_H

#include "env.h"

static void at_lock(const char *where);

void __real_host_raw_lock(struct host_lock *lock);
bool __real_host_raw_trylock(struct host_lock *lock);
void __real_host_raw_unlock(struct host_lock *lock);
void __wrap_host_raw_lock(struct host_lock *lock);
bool __wrap_host_raw_trylock(struct host_lock *lock);
void __wrap_host_raw_unlock(struct host_lock *lock);

void __wrap_host_raw_lock(struct host_lock *lock)
{
	at_lock("before a lock");
	__real_host_raw_lock(lock);
	at_lock("locked");
}

bool __wrap_host_raw_trylock(struct host_lock *lock)
{
	bool locked = __real_host_raw_trylock(lock);

	if (locked)
		at_lock("locked");
	return locked;
}

void __wrap_host_raw_unlock(struct host_lock *lock)
{
	at_lock("before an unlock");
	__real_host_raw_unlock(lock);
	at_lock("unlocked");
}

#endif /* MYALLOC_TESTS_LOCK_POINTS_H */
