/* SPDX-License-Identifier: GPL-2.0 */
/* The caches of a session. */
#ifndef MYALLOC_SESSION_CACHE_H
#define MYALLOC_SESSION_CACHE_H

#include "uapi/myalloc.h"

struct myalloc_session;

int myalloc_session_cache_create(struct myalloc_session *session,
				 struct myalloc_cache_create *arg);
int myalloc_session_cache_destroy(struct myalloc_session *session, u64 handle);
int myalloc_session_cache_destroy_locked(struct myalloc_session *s, u64 handle);
int myalloc_session_cache_shrink(struct myalloc_session *session, u64 handle, u64 *pages);
int myalloc_session_cache_drain(struct myalloc_session *session, u64 handle, u64 *pages);
int myalloc_session_cache_stat(struct myalloc_session *session,
			       struct myalloc_cache_stat *stat);

#endif /* MYALLOC_SESSION_CACHE_H */
