/* SPDX-License-Identifier: GPL-2.0 */
/* The contracts of a session. */
#ifndef MYALLOC_SESSION_CONTRACT_H
#define MYALLOC_SESSION_CONTRACT_H

#include "uapi/myalloc.h"

struct myalloc_contract_line;
struct myalloc_contract_plan;
struct myalloc_session;

int myalloc_session_contract_create(struct myalloc_session *session,
				    struct myalloc_contract_make *arg,
				    const struct myalloc_contract_line *lines,
				    struct myalloc_contract_plan *plan);
int myalloc_session_contract_end(struct myalloc_session *session, u64 handle);
int myalloc_session_contract_end_locked(struct myalloc_session *s, u64 handle);

#endif /* MYALLOC_SESSION_CONTRACT_H */
